"""Speeds at which a pool prepays and defaults: annual rates, monthly ones, and the market's standard curves.

    monthly = 1 - (1 - annual)^(1/12)
    100% PSA: CPR 0.2% x age up to 6% at month 30
    100% SDA: CDR 0.02% x age up to 0.6% at month 30, flat to 60, down to 0.03% at 120, flat

Bond Market Association (SIFMA), Standard Formulas for the Analysis of Mortgage-Backed Securities, chapter SF,
sections B and F.
"""

import numpy as np
from jaxtyping import Float64

from engine import arguments

Months = Float64[np.ndarray, " months"]
MOST_MONTHS = 1200
"""A hundred years."""


def psa(speed: float, months: int, age: int = 0) -> Months:
    """CPR by month of a pool that prepays at a speed: 1.65 for 165% PSA.

    Args: speed, at least 0, at most 16.6, where CPR reaches 1; months, how many; age of the pool's loans at
    the start. Returns shares a year. Raises ValueError for arguments outside their range.

    >>> psa(1.65, 3, age=3).round(4).tolist()
    [0.0132, 0.0165, 0.0198]
    """
    speed = arguments.number("speed", speed, 0.0, 1.0 / 0.06)
    return np.minimum(0.06 * np.minimum(_ages(months, age) / 30.0, 1.0) * speed, 1.0)


def sda(speed: float, months: int, age: int = 0) -> Months:
    """CDR by month of a pool that defaults at a speed of the standard default assumption.

    Args: speed, at least 0, at most 166, where CDR reaches 1; months and age as for `psa`. Returns shares a
    year. Raises ValueError for arguments outside their range.

    >>> sda(1.0, 121)[[0, 29, 59, 89, 119, 120]].round(5).tolist()
    [0.0002, 0.006, 0.006, 0.00315, 0.0003, 0.0003]
    """
    speed = arguments.number("speed", speed, 0.0, 1.0 / 0.006)
    curve = np.interp(_ages(months, age), [0.0, 30.0, 60.0, 120.0], [0.0, 0.006, 0.006, 0.0003])
    return np.minimum(curve * speed, 1.0)


def monthly(annual: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """The monthly rate that compounds to an annual one: SMM of CPR, MDR of CDR."""
    return 1.0 - (1.0 - annual) ** (1.0 / 12.0)


def _ages(months: int, age: int) -> Months:
    months = arguments.count("months", months, 1, MOST_MONTHS)
    return arguments.count("age", age, 0, MOST_MONTHS) + np.arange(1.0, months + 1.0)
