"""Paths on the last axis give what `jax.vmap` gives, operation by operation and for whole months."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.batch.barriers import store_shared, stored, worth_storing
from engine.batch.passes import BARRIERS
from engine.batch.path_last import batch_last
from engine.run.host import FLAGS

N = 7
KEY = np.random.default_rng(3)
MATRIX = jnp.asarray(KEY.normal(size=(4, 5)), jnp.float32)
TALL = jnp.asarray(KEY.normal(size=(5, 3)), jnp.float32)
ROWS = jnp.asarray([3, 0, 3], jnp.int32)
ROWS5 = jnp.asarray([3, 0, 3, 1, 0], jnp.int32)

OPERATIONS = {
    "elementwise with a constant vector": lambda x: (
        x * jnp.arange(5, dtype=jnp.float32) + jnp.exp(-jnp.abs(x))
    ),
    "scalar of a path times a vector": lambda x: x[0] * jnp.ones(3, jnp.float32) - x[1],
    "constant matrix times vector": lambda x: MATRIX @ x,
    "vector times constant matrix": lambda x: x @ TALL,
    "matrix of a path times its vector": lambda x: jnp.outer(x, x) @ x,
    "vector of a path times its matrix": lambda x: x @ jnp.outer(x, x),
    "more rows than are summed at once": lambda x: jnp.tile(x, 14) @ jnp.outer(jnp.tile(x, 14), x),
    "a vector and a matrix without rows": lambda x: x[:0] @ jnp.outer(x[:0], x),
    "matrix of a path times a constant matrix": lambda x: jnp.outer(x, x) @ TALL,
    "constant matrix times matrix of a path": lambda x: MATRIX @ jnp.outer(x, x),
    "rows picked by constants": lambda x: x[ROWS],
    "rows of a matrix picked by constants": lambda x: jnp.outer(x, x)[ROWS],
    "constant rows picked by a path": lambda x: TALL[jnp.argmax(x)],
    "rows summed where constants say": lambda x: jnp.zeros(4, jnp.float32).at[ROWS5].add(x),
    "matrix rows summed where constants say": lambda x: (
        jnp.zeros((4, 5), jnp.float32).at[ROWS5].add(jnp.outer(x, x))
    ),
    "constants summed beside a path": lambda x: x.at[ROWS5].add(jnp.arange(5, dtype=jnp.float32)),
    "summed where a path says": lambda x: jnp.zeros(5, jnp.float32).at[jnp.argsort(x)].add(x),
    "slices and concatenation": lambda x: jnp.concatenate([x[1:3], x[:1], jnp.zeros(1, jnp.float32)]),
    "steps backwards": lambda x: x[::-2],
    "sums over each axis": lambda x: jnp.sum(jnp.outer(x, x), axis=0) + jnp.sum(jnp.outer(x, x), axis=1),
    "reshape and transpose": lambda x: jnp.outer(x, x[:2]).T.reshape(5, 2),
    "where on a scalar of a path": lambda x: jnp.where(x[0] > 0, x, -x),
    "where on a constant": lambda x: jnp.where(jnp.arange(5) > 2, x, jnp.float32(1)),
    "clip with array bounds": lambda x: jnp.clip(x, -jnp.abs(x[0]), jnp.float32(1)),
    "cumulative sum": lambda x: jnp.cumsum(x),
    "largest and where": lambda x: jnp.stack([jnp.max(x), jnp.argmax(x).astype(jnp.float32)]),
    "stack and broadcast": lambda x: jnp.stack([x[0], x[1]])[:, None] * jnp.ones(2, jnp.float32)[None, :],
    "sorted": lambda x: jnp.sort(x),
    "powers": lambda x: jnp.abs(x) ** 0.3 + x**2,
    "nothing of the path": lambda x: MATRIX,
    "what a loop over a path carries": lambda x: jax.lax.scan(
        lambda carry, row: (carry * MATRIX[0, 0] + x[0] * row, ()), jnp.float32(0.0), x
    )[0],
    "rows of a loop over a path": lambda x: jax.lax.scan(
        lambda carry, row: (carry + row, carry - row), jnp.float32(0.0), x
    )[1],
    "a loop over constants, backwards": lambda x: jax.lax.scan(
        lambda carry, row: (carry + jnp.outer(row, x[:3]), ()),
        jnp.zeros((4, 3), jnp.float32),
        MATRIX.T,
        reverse=True,
    )[0],
    "rows of a loop that no path moves": lambda x: (
        x[0] + jax.lax.scan(lambda carry, row: (carry + x[0], row), jnp.float32(0.0), MATRIX)[1]
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_agrees_with_vmap(name):
    function = OPERATIONS[name]
    values = jnp.asarray(np.random.default_rng(5).normal(size=(5, N)), jnp.float32)
    expected = jax.vmap(function, in_axes=-1, out_axes=-1)(values)
    got = batch_last(lambda x: function(x), values, batched=(True,))
    assert got.shape == expected.shape and got.dtype == expected.dtype
    # The same operations in another layout: sums may be ordered differently.
    np.testing.assert_allclose(got, expected, rtol=16 * np.finfo(np.float32).eps, atol=1e-6)


def test_unbatched_arguments_and_trees():
    def function(scale, pair):
        return {"sum": scale * pair[0] + pair[1], "constant": scale}

    pair = (jnp.ones((2, N), jnp.float32), jnp.arange(2.0 * N, dtype=jnp.float32).reshape(2, N))
    result = batch_last(function, jnp.float32(3.0), pair, batched=(False, True))
    np.testing.assert_array_equal(result["sum"], 3.0 * pair[0] + pair[1])
    assert result["constant"].shape == (N,)


@pytest.mark.parametrize("name", OPERATIONS)
def test_storing_changes_nothing(name):
    function = OPERATIONS[name]
    values = jnp.asarray(np.random.default_rng(5).normal(size=5), jnp.float32)
    stored = jax.jit(lambda x: store_shared(function, x))(values)
    np.testing.assert_allclose(stored, function(values), rtol=16 * np.finfo(np.float32).eps, atol=1e-6)


def test_costly_shared_values_are_stored_and_cheap_ones_are_not():
    def shared(x):
        costly = jnp.exp(jnp.log(x) * 2.0)
        return [jnp.minimum(costly, k) for k in range(1, 4)]

    def single(x):
        return jnp.minimum(jnp.exp(x), 1.0)

    def barriers(function):
        text = str(jax.make_jaxpr(lambda x: store_shared(function, x))(jnp.ones(4, jnp.float32)))
        return text.count("optimization_barrier")

    assert barriers(shared) == 1
    assert barriers(single) == 0


def test_barriers_outlive_the_compiler_s_fusion():
    def shared(x):
        costly = jnp.exp(jnp.log(x) * 2.0)
        return [jnp.minimum(costly, k) for k in range(1, 4)]

    assert BARRIERS in FLAGS
    compiled = jax.jit(lambda x: store_shared(shared, x)).lower(jnp.ones(64, jnp.float32)).compile()
    assert compiled.as_text().count(" opt-barrier(") == 1


def test_what_rounds_is_stored_where_it_is_used_twice_or_a_result():
    """Else a product could be contracted with a sum in one program and not in another."""

    def twice(x):
        product = x * x
        return jnp.abs(product + 1.0), jnp.abs(product - 1.0)

    def once(x):
        return jnp.abs(x * x + 1.0), jnp.abs(x - 1.0)

    def result(x):
        product = x * x
        return product, jnp.abs(product - 1.0)

    texts = (
        str(jax.make_jaxpr(lambda x, f=f: store_shared(f, x))(jnp.ones(4))) for f in (twice, once, result)
    )
    assert [text.count("optimization_barrier") for text in texts] == [1, 0, 1]


def test_whole_numbers_are_stored_for_their_cost_alone():
    def twice(x):
        total = x + x
        return jnp.abs(total * x), jnp.abs(total - x)

    for kind, number in ((jnp.float32, 1), (jnp.int32, 0)):
        assert len(worth_storing(jax.make_jaxpr(twice)(jnp.ones(8, kind)).jaxpr)) == number


def test_without_its_flag_storing_warns(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    with pytest.warns(UserWarning, match="XLA_FLAGS lacks --xla_disable_hlo_passes"):
        stored(jnp.exp, jnp.ones(2, jnp.float32))
