"""An estimate with its standard error, and that of a probability from weighted paths."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error, both in the value's unit."""

    value: float
    standard_error: float


def probability(
    mass: float, squares: float, total: float, all_squares: float, likelihood_ratios: bool
) -> Estimate:
    """P of a set of paths from sums of their weights and squared weights, over `total`.

        likelihood ratios   variance = [sum_in w^2 / n - p^2] / n
        otherwise           variance = [(1 - p)^2 sum_in w^2 + p^2 sum_out w^2] / (sum w)^2

    Where no path is in the set, or every one, its error is not nothing: it is taken as 1 / n, n the effective
    paths, which a probability of 3 / n would show with 95%.

    >>> probability(0.0, 0.0, 100.0, 100.0, False)
    Estimate(value=0.0, standard_error=0.01)
    """
    p = mass / total
    if likelihood_ratios:
        variance, least = (squares / total - p**2) / total, 1.0 / total
    else:
        variance = ((1.0 - p) ** 2 * squares + p**2 * (all_squares - squares)) / total**2
        least = all_squares / total**2
    certain = p <= 0.0 or (p >= 1.0 - 1e-12 and not likelihood_ratios)
    return Estimate(p, least if certain else float(np.sqrt(max(variance, 0.0))))
