"""What a deal's classes are owed and paid, on all paths at once, and the few ways cash moves.

A purse is cash [paths] of which payments are taken in place: `take` gives what there is of what is needed.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

Paths = Float64[np.ndarray, " paths"]
Classes = Float64[np.ndarray, "notes paths"]


@dataclass
class Accounts:
    """Balances that pass from month to month, and this month's payments."""

    balance: Classes  # principal outstanding
    unpaid: Classes  # interest carried forward
    fees_unpaid: Paths
    reserve: Paths
    failed: Bool[np.ndarray, "triggers paths"]  # tests that failed and cannot be cured
    interest: Classes  # paid this month
    principal: Classes  # paid this month

    def pay_down(self, purse: Paths) -> None:
        """Principal from a purse, sequentially."""
        for k in range(len(self.balance)):
            paid = take(purse, self.balance[k])
            self.balance[k] -= paid
            self.principal[k] += paid

    def pay_alike(self, purse: Paths) -> None:
        """Principal from a purse, pro rata by balance."""
        whole = self.balance.sum(axis=0)
        share = take(purse, whole) / np.where(whole > 0.0, whole, 1.0)
        paid = self.balance * share
        self.balance -= paid
        self.principal += paid

    def pay_arrears(self, purse: Paths) -> Paths:
        """Fees, then interest that is still unpaid, senior first. Returns the fees."""
        fees = take(purse, self.fees_unpaid)
        self.fees_unpaid -= fees
        for k in range(len(self.unpaid)):
            paid = take(purse, self.unpaid[k])
            self.unpaid[k] -= paid
            self.interest[k] += paid
        return fees

    def write_down(self, to: Paths) -> None:
        """Balances cut, junior first, to what the pool still has."""
        excess = np.maximum(self.balance.sum(axis=0) - to, 0.0)
        for k in reversed(range(len(self.balance))):
            self.balance[k] -= take(excess, self.balance[k])


def opened(widths: list[float], pool: float, reserve: float, triggers: int, paths: int) -> Accounts:
    """Accounts at the start."""
    notes = len(widths)
    return Accounts(
        balance=np.repeat(pool * np.asarray(widths)[:, None], paths, axis=1),
        unpaid=np.zeros((notes, paths)),
        fees_unpaid=np.zeros(paths),
        reserve=np.full(paths, reserve),
        failed=np.zeros((triggers, paths), bool),
        interest=np.zeros((notes, paths)),
        principal=np.zeros((notes, paths)),
    )


def take(purse: Paths, need: Paths) -> Paths:
    """What a purse has of what is needed; it leaves the purse."""
    paid = np.minimum(purse, need)
    purse -= paid
    return paid


def cover(need: Paths, purses: list[Paths]) -> Paths:
    """What several purses have of what is needed, the first used up first."""
    paid = np.zeros_like(need)
    for purse in purses:
        paid += take(purse, need - paid)
    return paid
