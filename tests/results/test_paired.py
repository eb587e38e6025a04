"""Columns of a comparison of two ledgers of the same paths."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine.paths.ledger import Ledger
from engine.results.paired import share_worse


def ledger(loss):
    """Paths with these losses, of which nothing else is read."""
    loss = jnp.asarray(loss, jnp.float32)
    return Ledger(loss, loss, loss[None], loss, loss[None], loss[None])


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_paths_that_lose_more_are_counted_in_a_book_of_any_size(scale):
    """Of four paths two lose a tenth more; one that differs by rounding does not count."""
    before = np.array([1.0, 20.0, 5.0, 0.0]) * scale
    after = before * np.array([1.1, 1.1, 1.0 + 1e-6, 1.0])
    assert share_worse(ledger(before), ledger(after)) == 0.5
    assert share_worse(ledger(after), ledger(before)) == 0.0
