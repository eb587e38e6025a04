"""Two samples of losses on common random numbers: the change of a tail and its error, in float64.

Path n of both samples faces the same draws, so most of the noise is common and cancels in the difference.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.tail.measures import Estimate

Vector = Float64[np.ndarray, "paths"]


def influence(losses: ArrayLike, level: float) -> Vector:
    """Part of each path in ES: VaR + (L - VaR)+ / (1 - level), with mean ES (Rockafellar and Uryasev 2000).

    VaR enters its error at second order only, so the standard error of the mean is that of ES (Hong, Hu and
    Liu 2014).

    >>> float(influence(np.arange(1.0, 101.0), 0.95).mean().round(9))
    98.0
    """
    x, level = arguments.vector("losses", losses), arguments.level("level", level)
    least = value_at_risk(x, level)
    return least + np.maximum(x - least, 0.0) / (1.0 - level)


def value_at_risk(losses: Float64[np.ndarray, "... paths"], level: float) -> Float64[np.ndarray, "... 1"]:
    """The level's quantile along the last axis: the least loss with P(L <= loss) >= level."""
    return np.quantile(losses, level, axis=-1, keepdims=True, method="inverted_cdf")


def mean_of(values: ArrayLike) -> Estimate:
    """A mean with its standard error."""
    x = arguments.vector("values", values)
    return Estimate(float(x.mean()), float(x.std() / np.sqrt(x.size)))


def change(
    before: ArrayLike, after: ArrayLike, measure: Callable[[ArrayLike], Vector] = np.asarray
) -> Estimate:
    """Mean change of a measure's value on each path, with its paired standard error.

    Raises ValueError where the two samples differ in length.

    >>> change([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    Estimate(value=1.0, standard_error=0.0)
    """
    arguments.names_along(0, before=before, after=after)
    before, after = arguments.numbers("before", before), arguments.numbers("after", after)
    if before.shape != after.shape or before.ndim != 1:
        raise ValueError(f"samples: got shapes {before.shape} and {after.shape}, expected two equal vectors")
    return mean_of(measure(after) - measure(before))


def ratio(
    above: ArrayLike, below: ArrayLike, measure: Callable[[ArrayLike], Vector] = np.asarray
) -> Estimate:
    """Ratio of a measure on two samples, with its paired standard error (delta method).

        r = mean a / mean b,   se = sd(a - r b) / (mean b sqrt n)

    Infinite where the sample below loses nothing.

    >>> ratio([2.0, 4.0], [1.0, 2.0])
    Estimate(value=2.0, standard_error=0.0)
    """
    arguments.names_along(0, above=above, below=below)
    a, b = (
        np.asarray(measure(arguments.vector(name, each)))
        for name, each in (("above", above), ("below", below))
    )
    arguments.fits("below", b, a.shape)
    if b.mean() == 0.0:
        return Estimate(np.inf, np.inf)
    ratio = a.mean() / b.mean()
    return Estimate(float(ratio), float((a - ratio * b).std() / (abs(b.mean()) * np.sqrt(a.size))))


def worst(losses: ArrayLike, level: float) -> np.ndarray:
    """Positions of the (1 - level) n greatest losses, at least one."""
    x, level = arguments.vector("losses", losses), arguments.level("level", level)
    count = max(int(round((1.0 - level) * x.size)), 1)
    return np.argsort(-x, kind="stable")[:count]


def tail_weights(losses: ArrayLike, level: float) -> Vector:
    """Weights of the paths in ES: those beyond VaR alike, VaR's own path what is left; they sum to one.

        ES = sum_n w_n L_n,   C_j = sum_n w_n L_jn    Euler contributions of the parts L_j of L: they add up

    >>> tail_weights([1.0, 4.0, 2.0, 3.0], 0.625).round(3).tolist()
    [0.0, 0.667, 0.0, 0.333]
    """
    x, level = arguments.vector("losses", losses), arguments.level("level", level)
    mass = (1.0 - level) * x.size
    order = np.argsort(-x, kind="stable")
    weights = np.zeros(x.size)
    weights[order] = np.clip(mass - np.arange(x.size), 0.0, 1.0) / mass
    return weights
