"""A GPU's kernel, carried out on this machine's processor: what JAX gives, and no lane ahead of another.

`emulate.h` runs the CUDA source thread by thread from one wait to the next and holds every access to a path's
memory against those of its other lanes. No address depends on a number of the path, so what holds for some
paths holds for all.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.kernel.compiler import NoCompiler, compiler
from engine.kernel.kernel import kernel_of
from engine.kernel.lanes import LaneWriter, padded
from engine.kernel.syncs import ALL, Access, Syncs
from tests.kernel.emulation import Emulated
from tests.kernel.functions import FLOAT, FUNCTIONS, SHAPES, SHARED, assert_agree, function, results_of

try:
    compiler()
except NoCompiler as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module", params=[16, 32])
def results(request, tmp_path_factory):
    """What the kernel gives with so many lanes a path, some arrays in far memory, and what JAX gives."""
    machine = Emulated(tmp_path_factory.mktemp("kernels"), request.param, near=700)
    return results_of(kernel_of(function, (SHARED,), SHAPES, machine))


@pytest.mark.parametrize("name", [*FUNCTIONS, "path"])
def test_function_agrees_with_jax(results, name):
    assert_agree(results[0][name], results[1][name])


def shuffled(x):
    """A number from another lane's, a total, and sums by lists."""
    y = jnp.exp(x)
    z = y[::-1] * x + jnp.sum(y)
    return jnp.zeros(4, FLOAT).at[np.arange(40) % 3].add(z) + z[:4]


def run(folder, paths=5):
    """`shuffled` of some paths, emulated."""
    kernel = kernel_of(shuffled, (), (jax.ShapeDtypeStruct((40,), FLOAT),), Emulated(folder))
    x = np.random.default_rng(1).normal(size=(40, paths)).astype(np.float32)
    return jax.block_until_ready(jax.jit(lambda x: kernel(kernel.tables(), x))(x)), x


def test_lanes_exchange_numbers(tmp_path):
    made, x = run(tmp_path)
    np.testing.assert_allclose(made, jax.vmap(shuffled, -1, -1)(x), rtol=1e-5)


@pytest.mark.parametrize(
    "broken, message",
    [
        ("wait", "(reads what another lane wrote|writes what another lane has read), word .* without a wait"),
        (
            "place",
            "(reads what another lane wrote|writes what another lane has read), word .* without a wait",
        ),
    ],
)
def test_a_missing_wait_is_seen(tmp_path, monkeypatch, broken, message):
    """No wait at all; and an account of waits that takes every word to be that of the lane that asks."""
    if broken == "wait":
        monkeypatch.setattr(LaneWriter, "wait", lambda self: self.syncs.clear())
    else:
        monkeypatch.setattr(LaneWriter, "spread", lambda self, size, loop: np.zeros(size, int))
    with pytest.raises(jax.errors.JaxRuntimeError, match=message):
        run(tmp_path)


def test_a_word_beyond_the_path_is_seen(tmp_path, monkeypatch):
    """A path has less memory than its kernel thinks."""
    monkeypatch.setattr("engine.kernel.lanes.padded", lambda words, lanes: padded(words, lanes) - 64)
    with pytest.raises(jax.errors.JaxRuntimeError, match="reaches beyond"):
        run(tmp_path)


WORDS = np.arange(8)
OWN = WORDS % 4


@pytest.mark.parametrize(
    "first, second, needed",
    [
        # what is written, then read: by the same lane, by another, by all
        (("write", OWN), ("read", OWN), False),
        (("write", OWN), ("read", OWN[::-1]), True),
        (("write", OWN), ("read", ALL), True),
        (("write", ALL), ("read", OWN), False),
        (("write", ALL), ("read", ALL), False),
        # what is read, then written
        (("read", OWN), ("write", OWN), False),
        (("read", OWN), ("write", OWN[::-1]), True),
        (("read", ALL), ("write", OWN), True),
        (("read", OWN), ("write", ALL), True),
        (("read", ALL), ("write", ALL), True),
        # what is written twice
        (("write", OWN), ("write", OWN), False),
        (("write", OWN), ("write", OWN[::-1]), True),
        (("write", ALL), ("write", ALL), True),
        (("write", ALL), ("write", OWN), True),
        # what is read twice
        (("read", OWN), ("read", ALL), False),
    ],
)
def test_lanes_wait_where_one_meets_another(first, second, needed):
    def sides(kind, lanes, base="s"):
        access = [Access(base, WORDS, lanes)]
        return (access, []) if kind == "read" else ([], access)

    syncs = Syncs()
    syncs.note(*sides(*first))
    assert syncs.needed(*sides(*second)) == needed
    assert not syncs.needed(*sides(*second, base="g"))
    syncs.clear()
    assert not syncs.needed(*sides(*second))


def test_many_readers_are_no_single_one():
    """A word that two lanes have read may be written by neither."""
    syncs = Syncs()
    for lane in (1, 2):
        syncs.note([Access("s", np.array([5]), np.array([lane]))], [])
    for lane in (1, 2):
        assert syncs.needed([], [Access("s", np.array([5]), np.array([lane]))])


@pytest.mark.parametrize("lanes", [8, 16, 32])
def test_paths_of_a_warp_begin_in_different_banks(lanes):
    for words in range(40, 80):
        begins = {path * padded(words, lanes) % 32 for path in range(32 // lanes)}
        assert len(begins) == 32 // lanes and all(begin % lanes == 0 for begin in begins)
