"""The peers that the benchmarks time compute the same model on the same draws."""

import numpy as np
import pytest

from benchmarks.peers import kernels, numba_paths
from benchmarks.peers.numpy_paths import Paths
from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.paths.ledger import ledger
from engine.run.plan import CHUNK, Plan


@pytest.fixture(scope="module")
def system():
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 24)


def test_numpy_paths_lose_what_the_engine_s_lose(system):
    """Path by path, to what float32 sums in another order leave; a path's address says what it draws."""
    loss = ledger(system, Plan(CHUNK, CHUNK, 7)).loss
    with np.errstate(all="ignore"):
        first, second = Paths(system, 7, 64)(0), Paths(system, 7, 64)(64)
    np.testing.assert_allclose(first, loss[:64], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(second, loss[64:128], rtol=1e-4, atol=1e-5)
    assert np.ptp(loss[:64]) > 0.0


def test_loops_written_for_numba_lose_what_numpy_s_paths_lose():
    """On the shipped book, whose firms owe many loans. Python reads the source that Numba would compile in a
    minute; the benchmark compares the compiled losses with the engine's."""
    shipped = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 12)
    with np.errstate(all="ignore"):
        expected = Paths(shipped, 7, 16)(0)
        found = numba_paths.Paths(shipped, 7, lanes=8, compiled=False)(0, 16, threads=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(found) > 0.0


@pytest.mark.parametrize("name", ["exp", "log"])
def test_functions_for_numba_are_those_of_numpy(name):
    """To two units in the last place."""
    x = np.random.default_rng(0).uniform(1e-3, 60.0, 1_000).astype(np.float32)
    with np.errstate(over="ignore"):  # integers wrap
        found = np.array([getattr(kernels, name)(each) for each in x], np.float64)
    exact = getattr(np, name)(x.astype(np.float64))
    assert np.max(np.abs(found - exact) / np.maximum(np.abs(exact), 1.0)) < 2 * np.finfo(np.float32).eps
