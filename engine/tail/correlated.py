"""Errors of differences between runs that share draws, from a sample of their paths.

Estimates a and b of two runs of the same seed rest on paths 0 .. N_a - 1 and 0 .. N_b - 1. With s_a and s_b
their own standard errors, x and y what one path contributes to each, and

    kappa = var(y - x) / (var x + var y)

the share of the variance that pairing leaves (1 for independent runs, 0 for equal ones),

    se(b - a)^2 = s_a^2 + s_b^2 - (1 - kappa) (N_a s_a^2 + N_b s_b^2) / max(N_a, N_b)

since only the paths that both have covary; it is kappa (s_a^2 + s_b^2) where they are as many. kappa needs
pairs of paths, which no tally holds, and is estimated on fewer of them than the errors.
"""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.tail.paired import value_at_risk

FEWEST = 5
"""Paths of a sample that contribute to an estimate, from which on they say how alike two runs are."""


def paired_error(
    before: ArrayLike, after: ArrayLike, kappa: ArrayLike, paths_before: int, paths_after: int
) -> Float64[np.ndarray, "..."]:
    """Standard error of the difference of two estimates, elementwise.

    >>> float(paired_error(3.0, 4.0, 1.0, 100, 100)), float(paired_error(3.0, 4.0, 0.04, 100, 100))
    (5.0, 1.0)
    """
    a, b = arguments.numbers("before", before), arguments.numbers("after", after)
    shared = 1.0 - arguments.numbers("kappa", kappa)
    with np.errstate(invalid="ignore"):  # an error that is not finite has no difference
        common = (paths_before * a**2 + paths_after * b**2) / max(paths_before, paths_after)
        return np.asarray(np.sqrt(np.maximum(a**2 + b**2 - shared * common, 0.0)))


def excess(losses: ArrayLike, level: float) -> Float64[np.ndarray, "... paths"]:
    """(L - VaR)+ along the last axis: what a path contributes to ES, up to a constant and a factor."""
    x, level = np.asarray(losses, np.float64), arguments.level("level", level)
    return np.maximum(x - value_at_risk(x, level), 0.0)


def beyond(losses: ArrayLike, level: float) -> Float64[np.ndarray, "... paths"]:
    """1 where a loss exceeds VaR, along the last axis: what a path contributes to VaR (Bahadur 1966)."""
    x, level = np.asarray(losses, np.float64), arguments.level("level", level)
    return (x > value_at_risk(x, level)).astype(np.float64)


def unshared(before: ArrayLike, after: ArrayLike) -> Float64[np.ndarray, "..."]:
    """kappa along the last axis.

    Of m paths that contribute to either estimate, none may happen to tell them apart: kappa is at least
    1 / m. It is 1 where m is below FEWEST.

    >>> x = np.arange(100.0)
    >>> unshared([x, x, 0 * x], [x + 5.0, -x, 0 * x]).round(2)
    array([0.01, 2.  , 1.  ])
    """
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    arguments.fits("after", b, a.shape)
    count = ((a != 0.0) | (b != 0.0)).sum(axis=-1)
    total, apart = a.var(axis=-1) + b.var(axis=-1), (b - a).var(axis=-1)
    kappa = np.divide(apart, total, out=np.ones(np.shape(total)), where=total > 0.0)
    return np.where(count < FEWEST, 1.0, np.maximum(kappa, 1.0 / np.maximum(count, 1)))
