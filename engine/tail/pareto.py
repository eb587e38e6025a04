"""The Pareto k-hat of importance weights: whether their largest ones leave a mean that can be trusted.

The M largest of S weights, M = min(S / 5, 3 sqrt(S)), less the next one, follow a generalised Pareto law
whose shape k says how many moments the weights have: 1/k. With k below 0.5 the variance is finite, up to 0.7
estimates are usable, beyond that they are not (Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25(72)).
Weights are counted raw in a log-spaced histogram; each of a bin's weights counts as an even share of it.
"""

import numpy as np
from jaxtyping import Float64
from scipy.special import logsumexp

from engine.tail.histogram import WEIGHT

USABLE = 0.7


def k_hat(counts: np.ndarray) -> float | None:
    """Shape of the tail of weights counted by the bins of `WEIGHT`; None where they are all alike.

    >>> rng = np.random.default_rng(1)
    >>> weights = rng.pareto(2.0, 100_000)
    >>> index = np.searchsorted(WEIGHT.edges, weights, side="right")
    >>> round(k_hat(np.bincount(index, minlength=WEIGHT.count)), 1)
    0.5
    """
    total = int(counts.sum())
    most = int(min(total / 5, 3 * np.sqrt(total)))
    if most < 5 or np.count_nonzero(counts) < 3:
        return None
    top = largest(counts, most + 1)
    excess = np.sort(top[:-1] - top[-1])
    return float(shape(excess[excess > 0.0])) if np.count_nonzero(excess > 0.0) >= 5 else None


def largest(counts: np.ndarray, most: int) -> Float64[np.ndarray, "most"]:
    """The `most` largest weights, decreasing; those of one bin are spread evenly over it."""
    above = np.cumsum(counts[::-1])[::-1]
    filled = np.flatnonzero((counts > 0) & (above - counts < most))
    low, high = (
        np.maximum(WEIGHT.lower[filled], 0.0),
        np.minimum(WEIGHT.upper[filled], 2.0 * WEIGHT.edges[-1]),
    )
    spread = [
        lo + (np.arange(n) + 0.5) / n * (hi - lo) for lo, hi, n in zip(low, high, counts[filled], strict=True)
    ]
    return np.sort(np.concatenate(spread))[::-1][:most]


def shape(excess: Float64[np.ndarray, "n"]) -> float:
    """Shape of the generalised Pareto law of increasing positive excesses.

    The estimate of Zhang and Stephens (2009), Technometrics 51(3), drawn towards 0.5 by ten observations as
    in Vehtari et al. (2024), appendix.
    """
    n = len(excess)
    count = 30 + int(np.sqrt(n))
    grid = 1.0 - np.sqrt(count / (np.arange(1, count + 1) - 0.5))
    theta = grid / (3.0 * excess[int(n / 4 + 0.5) - 1]) + 1.0 / excess[-1]
    k = np.log1p(-theta[:, None] * excess[None, :]).mean(axis=1)
    likelihood = n * (np.log(-theta / k) - k - 1.0)
    best = float(np.sum(theta * np.exp(likelihood - logsumexp(likelihood))))
    shape = float(np.log1p(-best * excess).mean())
    return (shape * n + 0.5 * 10.0) / (n + 10.0)
