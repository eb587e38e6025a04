"""What the tables of every comparison say of two ledgers of the same paths."""

import numpy as np

from engine.tail.measures import Estimate
from engine.tail.paired import influence

LEVEL = 0.99


def shortfall(losses):
    """What each path adds to ES 99%."""
    return influence(losses, LEVEL)


def flat(estimates: dict[str, Estimate]) -> dict[str, float]:
    """Estimates as columns: `key` and `key_se`."""
    numbers: dict[str, float] = {}
    for key, estimate in estimates.items():
        numbers |= {key: estimate.value, f"{key}_se": estimate.standard_error}
    return numbers


def share_worse(base, found) -> float:
    """Share of paths that lose more than in the base, by ten million at least."""
    return float(np.mean(np.asarray(found.loss) > np.asarray(base.loss) + 0.01))
