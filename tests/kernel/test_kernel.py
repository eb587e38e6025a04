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
from tests.kernel.functions import (
    FLOAT,
    FUNCTIONS,
    MATRIX,
    SHAPES,
    SHARED,
    N,
    assert_agree,
    function,
    results_of,
)

try:
    compiler()
except NoCompiler as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    return kernel_of(function, (SHARED,), SHAPES, Cpu(tmp_path_factory.mktemp("kernels")))


@pytest.fixture(scope="module")
def results(kernel):
    return results_of(kernel)


@pytest.mark.parametrize("name", [*FUNCTIONS, "path"])
def test_function_agrees_with_jax(results, name):
    assert_agree(results[0][name], results[1][name])


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


@pytest.mark.parametrize("backend, barriers", [("cpu", True), ("gpu", False)])
def test_tables_for_a_gpu_have_no_barrier(kernel, monkeypatch, backend, barriers):
    """Its compiler refuses the ones under the command's flags."""
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    assert ("optimization_barrier" in str(jax.make_jaxpr(lambda s: kernel.tables(s))(SHARED))) == barriers


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
            "pow": lax.pow(x, y), "maximum": jnp.maximum(x, y), "minimum": jnp.minimum(x, y), "product": x * y
        }  # fmt: skip

    shape = jax.ShapeDtypeStruct((), FLOAT)
    kernel = kernel_of(function, (), (shape, shape), Cpu(tmp_path_factory.mktemp("kernels")))
    return jax.jit(lambda x, y: kernel(kernel.tables(), x, y))


def test_subnormal_numbers_are_zero(special):
    x = np.array([1e-20, 1e-20, 2e-38, 3e-38], np.float32)
    y = np.array([1e-20, 1e-18, 0.5, 0.9], np.float32)
    np.testing.assert_array_equal(special(x, y)["product"], [0.0, 0.0, 0.0, x[3] * y[3]])


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
