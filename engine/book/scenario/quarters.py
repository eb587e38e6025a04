"""Yearly values by quarter."""

import numpy as np
from jaxtyping import Float64

QUARTERS = 4


def by_quarter(ends: Float64[np.ndarray, " years"], start: float) -> Float64[np.ndarray, " quarters"]:
    """Values at the ends of quarters on straight lines between the ends of years, from `start` at month 0.

    >>> by_quarter(np.array([4.0, 0.0]), 0.0).tolist()
    [1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    """
    years = np.arange(1, QUARTERS * len(ends) + 1) / QUARTERS
    return np.interp(years, np.arange(len(ends) + 1), np.concatenate([[start], ends]))
