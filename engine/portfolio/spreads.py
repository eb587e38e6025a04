"""Premium and protection of a default swap from what is lost and what is left by each premium date.

    protection = sum_i D(m_i) (E_i - E_{i-1})
    annuity    = sum_i d_i [D(t_i) (1 - Q_i) + D(m_i) (Q_i - Q_{i-1}) / 2]

E_i is the expected payment and Q_i the share of the notional gone by t_i, d_i = t_i - t_{i-1}, D the discount
factor. What falls in a period falls in its middle m_i, with half its premium accrued. Hull and White (2004),
Journal of Derivatives 12(2), section 3; O'Kane (2008), Modelling Single-name and Multi-name Credit
Derivatives, sections 12.4 and 6.5.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine import arguments

Dates = Float64[np.ndarray, " dates"]
Paid = Float64[np.ndarray, "dates swaps"]


@dataclass(frozen=True)
class Discounts:
    """Discount factors at the ends and in the middles of the premium periods."""

    end: Dates
    middle: Dates


@dataclass(frozen=True)
class Legs:
    """Present values of swaps on a notional of one."""

    protection: Float64[np.ndarray, " swaps"]
    annuity: Float64[np.ndarray, " swaps"]  # of a spread of one a year

    @property
    def spread(self) -> Float64[np.ndarray, " swaps"]:
        """The premium a year that pays for the protection."""
        return self.protection / self.annuity


def discounts(times: Dates, rate: ArrayLike) -> Discounts:
    """D(t) = exp(-r(t) t), r t linear between dates; ValueError unless rate is one number or one a date.

    >>> discounts(np.asarray([1.0, 2.0]), 0.05).middle.round(4).tolist()
    [0.9753, 0.9277]
    """
    rates = arguments.fits("rate", arguments.numbers("rate", rate), (), times.shape)
    exponent = arguments.within("rate", rates, -1.0, 1.0) * times
    before = np.concatenate([[0.0], exponent[:-1]])
    return Discounts(np.exp(-exponent), np.exp(-0.5 * (before + exponent)))


def legs(times: Dates, paid: Paid, gone: Paid, discount: Discounts) -> Legs:
    """Both legs of swaps: `paid` and `gone` by each date, shares of the notional."""
    years = np.diff(times, prepend=0.0)
    new, lost = np.diff(paid, axis=0, prepend=0.0), np.diff(gone, axis=0, prepend=0.0)
    left = discount.end[:, None] * (1.0 - gone) + 0.5 * discount.middle[:, None] * lost
    return Legs(discount.middle @ new, years @ left)
