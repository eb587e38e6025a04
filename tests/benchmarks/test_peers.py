"""The peers that the benchmarks time compute the same model on the same draws."""

import numpy as np
import pytest

from benchmarks.peers.numpy_paths import Paths
from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.paths.ledger import ledger
from engine.tail.blocks import CHUNK, Plan


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
