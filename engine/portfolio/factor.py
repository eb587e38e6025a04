"""Integration over the one factor of a Gaussian portfolio.

    P(default of k | z) = Phi((a_k z - Phi^-1(1 - PD_k)) / sqrt(1 - a_k^2)),   z standard normal

The trapezoid rule converges faster than any power of the step while that is smooth. Towards a loading of one
it becomes a step of width sqrt(1 - a_k^2) / a_k, and nodes are doubled until the integral is PD_k again.
"""

import numpy as np
from jaxtyping import Float64
from scipy import stats

from engine import arguments
from engine.portfolio.obligors import Obligors

SPAN = 9.5
"""Standard deviations of the factor that are integrated; beyond lies 2e-21."""
MOST_NODES = 200_000
MOST_CELLS = 2**25
"""Numbers of nodes x obligors, or x units, that are kept at most: a quarter of a gigabyte."""
CELLS = 2**19
"""Numbers of nodes x units that are worked on together, four megabytes."""
MET = 1e-9
"""How near to its PD, relative to it, each obligor's probability must be integrated."""
BEYOND = 1e-18
"""Probability that may be missed all the same: it lies beyond the span."""


def integrated(
    pd: Obligors, loading: Obligors, start: int, nodes: float | None = None
) -> tuple[Float64[np.ndarray, "nodes obligors"], Float64[np.ndarray, " nodes"]]:
    """Default probabilities given each node, and the nodes' weights.

    The trapezoid rule on `nodes`; without them on `start` or as many more as every PD needs to be met. Raises
    ValueError for an obligor whose default no number of nodes allowed resolves.
    """
    most = min(MOST_NODES, MOST_CELLS // len(pd))
    number = start if nodes is None else arguments.count("nodes", nodes, 3, max(most, start))
    while True:
        z = np.linspace(-SPAN, SPAN, number)
        weights = stats.norm.pdf(z)
        weights /= weights.sum()
        p = stats.norm.cdf((loading * z[:, None] - stats.norm.isf(pd)) / np.sqrt(1.0 - loading**2))
        missed = np.abs(weights @ p - pd) > MET * pd + BEYOND
        if nodes is not None or not missed.any():
            return p, weights
        number = 2 * number - 1
        if number > most:
            k = int(np.argmax(missed))
            raise ValueError(
                f"loading: got obligor {k}: {loading[k]:.10g}, expected one further from 1 and -1: "
                f"{most:,} nodes do not resolve the factor at which it defaults"
            )
