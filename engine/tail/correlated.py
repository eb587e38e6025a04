"""Errors of differences between runs that share draws, from a sample of their paths.

Estimates a and b of two runs of the same seed rest on paths 0 .. N_a - 1 and 0 .. N_b - 1. With s_a, s_b
their own standard errors and rho the correlation of what one path contributes to each,

    se(b - a)^2 = s_a^2 + s_b^2 - 2 rho s_a s_b sqrt(min(N_a, N_b) / max(N_a, N_b))

since the paths that both have are the only ones with a covariance. Independent runs have rho = 0. rho is
estimated on fewer paths than the errors: it needs the pair of paths, which no tally holds.
"""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine import arguments


def paired_error(
    before: ArrayLike, after: ArrayLike, correlation: ArrayLike, paths_before: int, paths_after: int
) -> Float64[np.ndarray, "..."]:
    """Standard error of the difference of two estimates, elementwise.

    >>> float(paired_error(3.0, 4.0, 0.0, 100, 100)), float(paired_error(3.0, 3.0, 1.0, 100, 100))
    (5.0, 0.0)
    """
    a, b = arguments.numbers("before", before), arguments.numbers("after", after)
    rho = np.nan_to_num(arguments.numbers("correlation", correlation))
    overlap = np.sqrt(min(paths_before, paths_after) / max(paths_before, paths_after))
    return np.sqrt(np.maximum(a**2 + b**2 - 2.0 * rho * a * b * overlap, 0.0))


def excess(losses: ArrayLike, level: float) -> Float64[np.ndarray, "... paths"]:
    """(L - VaR)+ along the last axis: what a path contributes to ES, up to a constant and a factor."""
    x, level = np.asarray(losses, np.float64), arguments.level("level", level)
    return np.maximum(x - value_at_risk(x, level), 0.0)


def beyond(losses: ArrayLike, level: float) -> Float64[np.ndarray, "... paths"]:
    """1 where a loss exceeds VaR, along the last axis: what a path contributes to VaR (Bahadur 1966)."""
    x, level = np.asarray(losses, np.float64), arguments.level("level", level)
    return (x > value_at_risk(x, level)).astype(np.float64)


def value_at_risk(losses: Float64[np.ndarray, "... paths"], level: float) -> Float64[np.ndarray, "... 1"]:
    """The level's quantile along the last axis."""
    return np.quantile(losses, level, axis=-1, keepdims=True, method="inverted_cdf")


def correlation(before: ArrayLike, after: ArrayLike) -> Float64[np.ndarray, "..."]:
    """Correlation along the last axis; 1 where the two are the same, 0 where one of them does not vary.

    >>> correlation([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], [[2.0, 4.0, 6.0], [1.0, 2.0, 3.0]]).round(6)
    array([1., 0.])
    """
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    arguments.fits("after", b, a.shape)
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    scale = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.divide((a * b).sum(axis=-1), scale, out=np.zeros_like(scale), where=scale > 0.0)
