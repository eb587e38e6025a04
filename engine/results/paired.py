"""Columns that every comparison of two ledgers of the same paths has."""

import numpy as np
from numpy.typing import ArrayLike

from engine.paths.ledger import Ledger
from engine.tail.measures import Estimate
from engine.tail.paired import Vector, influence

LEVEL = 0.99

MORE = 0.01
"""USD bn by which a path loses more than in the base, to count."""
SHARE = 1e-3
"""Of the base's expected loss, which is enough in a small book."""


def shortfall(losses: ArrayLike) -> Vector:
    """Contribution of each path to ES 99%."""
    return influence(losses, LEVEL)


def flat(estimates: dict[str, Estimate]) -> dict[str, float]:
    """Estimates as columns: `key` and `key_se`."""
    numbers: dict[str, float] = {}
    for key, estimate in estimates.items():
        numbers |= {key: estimate.value, f"{key}_se": estimate.standard_error}
    return numbers


def share_worse(base: Ledger, other: Ledger) -> float:
    """Share of paths that lose more than in the base, by more than rounding."""
    before, after = (np.asarray(ledger.loss, np.float64) for ledger in (base, other))
    return float(np.mean(after > before + min(MORE, SHARE * before.mean())))
