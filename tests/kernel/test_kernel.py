"""A kernel gives what JAX gives: primitive by primitive, in loops, on inputs at the edges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from jax import lax

from engine.batch.path_last import batch_last
from engine.kernel.compiler import NoCompiler, compiler
from engine.kernel.cpu import Cpu
from engine.kernel.kernel import kernel_of
from engine.kernel.program import Unsupported

try:
    compiler()
except NoCompiler as error:
    pytest.skip(str(error), allow_module_level=True)

N = 21
"""Paths: not a multiple of any vector."""
RANDOM = np.random.default_rng(3)
MATRIX = RANDOM.normal(size=(9, 9)).astype(np.float32)
SPARSE = MATRIX * (RANDOM.random((9, 9)) < 0.3)
ROWS = np.array([3, 0, 3, 8, 1, 1, 7], np.int32)
ROWS9 = np.array([3, 0, 3, 1, 0, 5, 8, 8, 3], np.int32)
SHARED = {"matrix": MATRIX, "sparse": SPARSE, "rows": ROWS, "rows9": ROWS9, "number": np.float32(0.7)}
FLOAT = jnp.float32


def months(shared, x):
    """Two loops, one in the other, that carry, read and write."""

    def month(state, row):
        state = state * row[0][1] + x[shared["rows9"]] * shared["number"]
        return state, (jnp.sum(state), state[:2] > 0.0)

    def year(state, rows):
        state, monthly = lax.scan(month, state, (rows,))
        return state, (monthly, state[::-1])

    return lax.scan(year, x, jnp.outer(x, x)[:6, :2].reshape(2, 3, 2) * 0.1)


def swapped(shared, x):
    """A loop whose new values are the old ones in other places."""
    return lax.scan(lambda pair, _: ((pair[1], pair[0] + x[0]), None), (x, x[::-1] * 2.0), None, length=3)[0]


def backwards(shared, x):
    """A loop from the last row to the first."""
    return lax.scan(lambda total, row: (total * 0.5 + row, total), x[0], x, reverse=True)


FUNCTIONS = {
    "scalar of a path times a vector": lambda s, x: x[0] * jnp.ones(3, FLOAT) - x[1],
    "known matrix times vector": lambda s, x: s["matrix"] @ x,
    "sparse matrix times vector": lambda s, x: s["sparse"] @ x,
    "vector times sparse matrix": lambda s, x: x @ s["sparse"],
    "matrix of a path times its vector": lambda s, x: jnp.outer(x, x) @ x,
    "matrix times matrix": lambda s, x: jnp.outer(x, x)[:, :2].T @ s["matrix"],
    "inner product": lambda s, x: x @ (x + 1.0),
    "known times known": lambda s, x: (s["matrix"] @ s["matrix"])[0] + x,
    "rows picked": lambda s, x: x[s["rows"]],
    "rows of a matrix picked": lambda s, x: jnp.outer(x, x)[s["rows"]],
    "rows added": lambda s, x: jnp.zeros(9, FLOAT).at[s["rows9"]].add(x),
    "rows added to a path's": lambda s, x: x.at[s["rows"]].add(jnp.exp(x[:7])),
    "matrix rows added": lambda s, x: jnp.zeros((9, 9), FLOAT).at[s["rows9"]].add(jnp.outer(x, x)),
    "put": lambda s, x: x.at[s["rows"][0]].set(x[1] * 2.0),
    "slices and concatenation": lambda s, x: jnp.concatenate([x[1:3], x[:5], jnp.zeros(1, FLOAT)]) * 2.0,
    "known beside a path's": lambda s, x: jnp.concatenate([s["matrix"][0], x]) + 1.0,
    "steps backwards": lambda s, x: x[::-2] * 1.0,
    "reversed": lambda s, x: jnp.flip(x) - x,
    "sums over each axis": lambda s, x: jnp.outer(x, x).sum(0) + jnp.outer(x, x + 1.0).sum(1),
    "sum of many": lambda s, x: jnp.sum(jnp.outer(x, x)),
    "products": lambda s, x: jnp.prod(x[:4]),
    "reshape and transpose": lambda s, x: jnp.outer(x, x[:2]).T.reshape(9, 2) * 1.0,
    "where on a scalar of a path": lambda s, x: jnp.where(x[0] > 0, x, -x),
    "where on known": lambda s, x: jnp.where(s["matrix"][0] > 0, x, FLOAT(1)),
    "clip": lambda s, x: jnp.clip(x, -jnp.abs(x[0]), FLOAT(1)),
    "cumulative sum": lambda s, x: jnp.cumsum(x),
    "largest, smallest": lambda s, x: (jnp.max(x), jnp.min(x), jnp.maximum(x, x[0]), jnp.minimum(x, 0.1)),
    "any, all": lambda s, x: (jnp.any(x > 1.0), jnp.all(x < 2.0)),
    "logic": lambda s, x: ((x > 0) & (x < 1), (x > 0) | (x < -1), (x > 0) ^ (x < 1), ~(x > 0)),
    "comparisons": lambda s, x: (x == x[0], x != x[0], x >= x[1], x <= x[1]),
    "indicator": lambda s, x: ((x > 0).astype(FLOAT) * x, (x > 1).astype(jnp.int32)),
    "stack": lambda s, x: jnp.stack([x[0], x[1] * 2.0, FLOAT(3)])[:, None] * jnp.ones(2, FLOAT)[None, :],
    "divided by known": lambda s, x: x / s["number"],
    "divided by a path's": lambda s, x: s["number"] / (jnp.abs(x) + 0.1),
    "whole powers": lambda s, x: (x**2, x**3, jnp.abs(x + 3.0) ** -2),
    "rounding": lambda s, x: (jnp.round(x * 3.0), jnp.floor(x * 3.0), jnp.ceil(x * 3.0)),
    "signs": lambda s, x: (jnp.sign(x), -x, jnp.abs(x)),
    "finite": lambda s, x: jnp.isfinite(x / jnp.where(x > 0, x, 0.0)),
    "words": lambda s, x: lax.bitwise_xor((x * 1e6).astype(jnp.int32), jnp.int32(77)) >> 2,
    "unsigned words": lambda s, x: (jnp.abs(x) * 1e6).astype(jnp.uint32) >> jnp.uint32(3),
    "nothing of the path": lambda s, x: s["matrix"],
    "months": months,
    "swapped": swapped,
    "backwards": backwards,
}


def function(shared, path, x):
    """All of them, and what a path's number gives."""
    wide = (
        path >> 32,
        path.astype(jnp.uint32),
        (path & 1) == 1,
        (path >> 32).astype(jnp.uint32) << jnp.uint32(3),
    )
    return {name: each(shared, x) for name, each in FUNCTIONS.items()} | {"path": wide}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    shapes = (jax.ShapeDtypeStruct((), jnp.int64), jax.ShapeDtypeStruct((9,), FLOAT))
    return kernel_of(function, (SHARED,), shapes, Cpu(tmp_path_factory.mktemp("kernels")))


@pytest.fixture(scope="module")
def results(kernel):
    """What the kernel and what JAX give."""
    x = np.random.default_rng(5).normal(size=(9, N)).astype(np.float32)
    ids = np.arange(N, dtype=np.int64) + (5 << 32)
    made = jax.jit(lambda *given: kernel(kernel.tables(given[0]), *given[1:]))(SHARED, ids, x)
    expected = jax.jit(lambda *given: batch_last(function, *given, batched=(False, True, True)))
    return made, expected(jax.tree.map(jnp.asarray, SHARED), ids, x)


@pytest.mark.parametrize("name", [*FUNCTIONS, "path"])
def test_function_agrees_with_jax(results, name):
    """To a few roundings of the largest term: sums add in another order."""
    for own, wanted in zip(jax.tree.leaves(results[0][name]), jax.tree.leaves(results[1][name]), strict=True):
        assert own.shape == wanted.shape and own.dtype == wanted.dtype
        own, wanted = np.asarray(own), np.asarray(wanted)
        if wanted.dtype == np.float32:
            scale = np.maximum(np.abs(wanted), 1.0)
            np.testing.assert_array_less(np.abs(own - wanted) / scale, 64 * np.finfo(np.float32).eps)
        else:
            np.testing.assert_array_equal(own, wanted)


def test_a_kernel_serves_other_numbers(kernel):
    """Numbers are read from tables; only indices and zeros are written into the source."""
    other = SHARED | {"matrix": MATRIX * 2.0, "number": np.float32(-0.3)}
    x = np.random.default_rng(6).normal(size=(9, N)).astype(np.float32)
    ids = np.arange(N, dtype=np.int64)
    made = jax.jit(lambda *given: kernel(kernel.tables(given[0]), *given[1:]))(other, ids, x)
    wanted = batch_last(function, jax.tree.map(jnp.asarray, other), jnp.asarray(ids), jnp.asarray(x),
                        batched=(False, True, True))  # fmt: skip
    for name in ("known matrix times vector", "divided by known", "months"):
        for a, b in zip(jax.tree.leaves(made[name]), jax.tree.leaves(wanted[name]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_paths_do_not_depend_on_their_neighbours(kernel):
    """Each path alone is the same to the bit as among others."""
    x = np.random.default_rng(7).normal(size=(9, N)).astype(np.float32)
    ids = np.arange(N, dtype=np.int64)
    run = jax.jit(lambda *given: kernel(kernel.tables(SHARED), *given))
    together, alone = run(ids, x), run(ids[4:5], x[:, 4:5])
    for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        np.testing.assert_array_equal(np.asarray(a)[..., 4:5], b)


UNARY = {
    "exp": jnp.exp, "exp2": jnp.exp2, "expm1": jnp.expm1, "log": jnp.log, "log1p": jnp.log1p,
    "tanh": jnp.tanh, "sqrt": jnp.sqrt, "rsqrt": lax.rsqrt, "logistic": jax.nn.sigmoid,
}  # fmt: skip
EDGES = [0.0, -0.0, 1.0, -1.0, 2e-38, 1e-30, 1e30, 3.4e38, 88.0, -87.0, 0.5, np.inf, -np.inf, np.nan]


@pytest.fixture(scope="module")
def special(tmp_path_factory):
    """Functions of a number x, and x to the power y."""

    def function(x, y):
        return {name: each(x) for name, each in UNARY.items()} | {
            "pow": lax.pow(x, y), "maximum": jnp.maximum(x, y), "minimum": jnp.minimum(x, y)
        }  # fmt: skip

    shape = jax.ShapeDtypeStruct((), FLOAT)
    kernel = kernel_of(function, (), (shape, shape), Cpu(tmp_path_factory.mktemp("kernels")))
    return jax.jit(lambda x, y: kernel(kernel.tables(), x, y))


def exact(name, x, y):
    """The value in double precision."""
    wide = {
        "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "tanh": np.tanh,
        "sqrt": np.sqrt, "rsqrt": lambda x: 1.0 / np.sqrt(x), "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
    }  # fmt: skip
    two = {"pow": np.power, "maximum": np.maximum, "minimum": np.minimum}
    x, y = x.astype(np.float64), y.astype(np.float64)
    with np.errstate(all="ignore"):
        return two[name](x, y) if name in two else wide[name](x)


@pytest.mark.parametrize("name", [*UNARY, "pow", "maximum", "minimum"])
def test_special_functions_to_a_few_roundings(special, name):
    """Within four units in the last place of the exact value, the same infinities and not-a-numbers.

    Subnormal numbers are zero while XLA runs, so a result below 2^-126 may be.
    """
    random = np.random.default_rng(11)
    x = np.concatenate([EDGES, random.normal(size=400) * 20.0, 10.0 ** random.uniform(-30, 30, 400)])
    y = np.concatenate([np.roll(EDGES, 3), random.normal(size=400) * 3.0, random.uniform(-1.2, 1.2, 400)])
    x, y = x.astype(np.float32), y.astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        wanted = exact(name, x, y).astype(np.float32)
    assert_close(np.asarray(special(x, y)[name]), wanted, 4)


def assert_close(own, wanted, units):
    """Equal not-a-numbers and infinities, the rest within so many units in the last place."""
    np.testing.assert_array_equal(np.isnan(own), np.isnan(wanted))
    least = np.finfo(np.float32).tiny
    number = ~np.isnan(wanted)
    own, wanted = own[number], wanted[number]
    infinite = np.isinf(wanted)
    np.testing.assert_array_equal(own[infinite], wanted[infinite])
    own, wanted = own[~infinite], wanted[~infinite]
    allowed = units * np.spacing(np.maximum(np.abs(wanted), least))
    assert (np.abs(own.astype(np.float64) - wanted) <= np.where(np.abs(wanted) < least, least, allowed)).all()


NUMBERS = arrays.arrays(
    np.float32, 16, elements=st.floats(-(2.0**40), 2.0**40, width=32, allow_subnormal=False)
)


@settings(max_examples=50, deadline=None)
@given(NUMBERS, NUMBERS)
def test_largest_and_smallest_are_exact(special, x, y):
    made = special(x, y)
    np.testing.assert_array_equal(made["maximum"], np.maximum(x, y))
    np.testing.assert_array_equal(made["minimum"], np.minimum(x, y))


@pytest.mark.parametrize(
    "what, function",
    {
        "the primitive sort": lambda x: jnp.sort(x),
        "the primitive while": lambda x: lax.while_loop(lambda y: y < 3.0, lambda y: y + 1.0, x[0]),
        "numbers of type float64": lambda x: x.astype(jnp.float64) * 2.0,
        "indices that depend on the path": lambda x: x[
            (x[0] > 0).astype(jnp.int32) + jnp.zeros(2, jnp.int32)
        ],
    }.items(),
)
def test_what_a_kernel_cannot_do_is_refused(what, function, tmp_path):
    with pytest.raises(Unsupported, match=what):
        kernel_of(function, (), (jax.ShapeDtypeStruct((9,), FLOAT),), Cpu(tmp_path))
