"""Cash of a deal by class, month and path, and what is read off it: lives, yields and losses of the classes.

    weighted average life   sum_t (t / 12) principal_t / sum_t principal_t
    yield                   price x balance = sum_t (interest_t + principal_t) / (1 + y / m)^(m t / 12)
    loss                    (balance at the start - principal paid) / balance at the start

Bond Market Association (SIFMA), Standard Formulas for the Analysis of Mortgage-Backed Securities, chapter SF,
sections A and B.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.deal.terms import Deal

History = Float64[np.ndarray, "months notes paths"]
Monthly = Float64[np.ndarray, "months paths"]
ByClass = Float64[np.ndarray, "notes paths"]
MOST_STEPS = 100
CLOSE = 1e-13
"""How near Newton's method must be to a monthly yield."""

DEAREST = 10.0
"""The highest price of a class, as a share of its balance: 98 is a percentage."""


@dataclass(frozen=True)
class DealCash:
    """What a deal pays, from `waterfall`; the pool's money unit. Four numbers a month, class and path."""

    deal: Deal
    interest: History = field(repr=False)
    principal: History = field(repr=False)
    balance: Float64[np.ndarray, "dates notes paths"] = field(repr=False)  # the first at the start
    unpaid: History = field(repr=False)  # interest carried forward at the month's end
    fees: Monthly = field(repr=False)
    residual: Monthly = field(repr=False)
    sale: Monthly = field(repr=False)  # of the collateral, where called
    reserve: Float64[np.ndarray, "dates paths"] = field(repr=False)

    @classmethod
    def empty(cls, deal: Deal, pool: float, months: int, paths: int) -> "DealCash":
        """Room for the months to come."""
        by_class, by_path = (months, len(deal.notes), paths), (months, paths)
        return cls(
            deal,
            interest=np.empty(by_class),
            principal=np.empty(by_class),
            balance=np.empty((months + 1, *by_class[1:])),
            unpaid=np.empty(by_class),
            fees=np.empty(by_path),
            residual=np.empty(by_path),
            sale=np.zeros(by_path),
            reserve=np.empty((months + 1, paths)),
        )

    @property
    def names(self) -> list[str]:
        """The classes, senior first."""
        return [note.name for note in self.deal.notes]

    @property
    def write_downs(self) -> History:
        """Balance cut by month."""
        return np.maximum(-np.diff(self.balance, axis=0) - self.principal, 0.0)

    def losses(self) -> ByClass:
        """Principal never paid, as a share of each class's first balance."""
        first = self.balance[0]
        return np.clip((first - self.principal.sum(axis=0)) / first, 0.0, 1.0)

    def average_lives(self) -> ByClass:
        """Weighted average life of the principal paid, years; NaN where none is."""
        years = np.arange(1, len(self.principal) + 1) / 12.0
        paid = self.principal.sum(axis=0)
        weighted = np.tensordot(years, self.principal, axes=1)
        return np.where(paid > 0.0, weighted / np.where(paid > 0.0, paid, 1.0), np.nan)

    def yields(self, price: ArrayLike = 1.0, compounding: int = 2) -> ByClass:
        """Yield a year, compounded `compounding` times: 2 is bond-equivalent, 12 the mortgage yield.

        Args: price [notes] or one number, a share of the first balance, with accrued interest; compounding.
        Returns minus one times `compounding` where nothing is paid. Raises ValueError for a price that is not
        positive or of another shape, and a compounding below 1.
        """
        shape = (len(self.names),)
        given = arguments.fits("price", arguments.numbers("price", price), (), shape)
        prices = np.broadcast_to(arguments.within("price", given, arguments.TINY, DEAREST), shape)
        times = arguments.count("compounding", compounding, 1, 365)
        rate = internal_rate(self.interest + self.principal, prices[:, None] * self.balance[0])
        return times * np.expm1(12.0 / times * rate)

    def table(self, price: ArrayLike = 1.0, compounding: int = 2) -> pd.DataFrame:
        """The classes, senior first, over all paths.

        Columns: note, attachment, detachment, balance; average_life, years, the mean over paths on which
        principal is paid; yield of the mean cash at `price`; expected_loss, a share, and its standard error;
        probability of any loss; unpaid interest at the end, mean. Args and errors as for `yields`.
        """
        losses, paths = self.losses(), self.losses().shape[1]
        mean = DealCash(self.deal, *(self._mean(name) for name in HISTORIES))
        error = losses.std(axis=1, ddof=1) / np.sqrt(paths) if paths > 1 else np.full(len(losses), np.nan)
        lives = np.ma.masked_invalid(self.average_lives()).mean(axis=1).filled(np.nan)
        return pd.DataFrame(
            {
                "note": self.names,
                "attachment": [note.attachment for note in self.deal.notes],
                "detachment": [note.detachment for note in self.deal.notes],
                "balance": self.balance[0, :, 0],
                "average_life": lives,
                "yield": mean.yields(price, compounding)[:, 0],
                "expected_loss": losses.mean(axis=1),
                "expected_loss_se": error,
                "probability_of_loss": (losses > 1e-9).mean(axis=1),
                "unpaid_interest": self.unpaid[-1].mean(axis=1),
            }
        )

    def path(self, path: int = 0) -> pd.DataFrame:
        """One path month by month: interest, principal, balance and unpaid of each class, then the deal's."""
        paths = self.fees.shape[1]
        path = arguments.count("path", path, 0, paths - 1)
        columns = {
            f"{name}_{what}": getattr(self, what)[-len(self.fees) :, k, path]
            for k, name in enumerate(self.names)
            for what in ("interest", "principal", "balance", "unpaid")
        }
        for name in ("fees", "residual", "sale", "reserve"):
            columns[name] = getattr(self, name)[-len(self.fees) :, path]
        return pd.DataFrame(columns, index=pd.RangeIndex(1, len(self.fees) + 1, name="month"))

    def _mean(self, name: str) -> np.ndarray:
        return getattr(self, name).mean(axis=-1, keepdims=True)


HISTORIES = ("interest", "principal", "balance", "unpaid", "fees", "residual", "sale", "reserve")


def internal_rate(cash: History, value: ByClass) -> ByClass:
    """The continuous monthly rate d at which cash is worth a value: sum_t cash_t exp(-d t) = value.

    ln of the sum is convex and falls with d, so that Newton's method converges from anywhere: from its first
    step on it comes from below. Minus infinity where there is no cash.

    >>> internal_rate(np.asarray([[[0.0]], [[1.21]]]), np.asarray([[1.0]])).round(6).tolist()
    [[0.09531]]
    """
    rate, paid = np.zeros(value.shape), cash.sum(axis=0) > 0.0
    for _ in range(MOST_STEPS):
        factor, worth, slope = np.exp(-rate), np.zeros_like(rate), np.zeros_like(rate)
        for month in cash[::-1]:
            worth += month
            worth *= factor
            slope *= factor
            slope += worth
        worth, slope = np.where(paid, worth, value), np.where(paid, slope, 1.0)
        move = np.log(worth / value) * worth / slope
        rate = rate + move
        if np.abs(move).max() < CLOSE:
            break
    return np.where(paid, rate, -np.inf)
