"""Variance reduction: the number of plain paths that one weighted path is worth, from the weights alone.

A plain path estimates E[h] with variance E[h^2] - E[h]^2, a weighted one with E_Q[(w h)^2] - E[h]^2. Both are
read off one weighted sample; h is the indicator of the tail, or the excess over VaR, which decides the error
of ES (Hong, Hu and Liu 2014).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from engine.tail.measures import Losses, Tail, tail_at


class Reduction(NamedTuple):
    """Variance of a plain path over that of a weighted one."""

    probability: float
    shortfall: float


def reduction(losses: Losses, level: float | Tail) -> Reduction:
    """Variance reduction of the tail's probability and of ES at a level.

    >>> from engine.tail.measures import from_losses
    >>> plain = from_losses(np.arange(1.0, 1001.0), self_normalised=False)
    >>> [round(factor, 6) for factor in reduction(plain, 0.99)]
    [1.0, 1.0]
    """
    beyond = tail_at(losses, level)
    place = np.arange(losses.weight.size)
    hit = np.where(place > beyond.bin, 1.0, np.where(place == beyond.bin, beyond.fraction, 0.0))
    excess = np.maximum(np.where(place >= beyond.bin, losses.mean - beyond.value_at_risk, 0.0), 0.0)
    return Reduction(*(ratio(losses, h, power) for h, power in ((hit, hit), (excess, excess**2))))


def ratio(losses: Losses, h: Float64[np.ndarray, "bins"], squared: Float64[np.ndarray, "bins"]) -> float:
    """The ratio for one integrand and its square, both by bins."""
    n = losses.paths
    mean = float(losses.weight @ h) / n
    plain = float(losses.weight @ squared) / n - mean**2
    weighted = float(losses.square @ squared) / n - mean**2
    return plain / weighted if weighted > 0.0 else np.inf
