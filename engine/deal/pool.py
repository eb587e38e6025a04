"""Cash of a pool of loans by month and path.

Of the performing balance P, the share MDR defaults, the loans that survive amortise by the ratio of their
schedule b, and SMM of what is scheduled to be left prepays:

    defaults   D = P MDR                     interest   (P - D) rate / 12
    scheduled  (P - D) (1 - b_i / b_{i-1})   prepaid    P (b_i / b_{i-1}) SMM
    recoveries R = D recovery, `lag` months later, when the rest of D is lost

Bond Market Association (SIFMA), Standard Formulas for the Analysis of Mortgage-Backed Securities, chapter SF,
sections C to F.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.deal.speeds import MOST_MONTHS, monthly

Flows = Float64[np.ndarray, "months paths"]
CLOSE = 1e-6
"""By how much a month's accounts may be out, as a share of the first balance."""


@dataclass(frozen=True)
class PoolCash:
    """What a pool pays and loses by month and path, in one money unit; `pool_cash` and `pool_paths` make it.

    balance_i = balance_{i-1} - principal_i - recoveries_i - losses_i
    """

    balance: Float64[np.ndarray, "dates paths"]  # outstanding, loans in default too; the first at the start
    interest: Flows
    principal: Flows  # scheduled and prepaid
    recoveries: Flows
    losses: Flows
    scheduled: Flows  # principal due
    collateral: Float64[np.ndarray, "dates paths"]  # what OC tests count and a call sells

    @property
    def months(self) -> int:
        """How many months."""
        return len(self.interest)

    @property
    def paths(self) -> int:
        """How many paths."""
        return self.interest.shape[1]

    @cached_property
    def available(self) -> Flows:
        """Principal and recoveries."""
        return self.principal + self.recoveries


def pool_cash(
    balance: float,
    rate: float,
    months: int,
    *,
    cpr: ArrayLike = 0.0,
    cdr: ArrayLike = 0.0,
    recovery: ArrayLike = 0.4,
    lag: int = 0,
    amortisation: int | None = None,
    interest_only: bool = False,
) -> PoolCash:
    """Cash of a pool of equal fixed-rate loans with monthly level payments.

    Of the performing balance P, with b the balance that the schedule leaves of a loan of one,

        defaults   D = P MDR                     interest   (P - D) rate / 12
        scheduled  (P - D) (1 - b_i / b_{i-1})   prepaid    P (b_i / b_{i-1}) SMM
        MDR = 1 - (1 - CDR)^(1/12)               SMM = 1 - (1 - CPR)^(1/12), at most 1 - MDR

    and D is recovered in part, for the rest lost, `lag` months later (SIFMA, Standard Formulas, chapter SF).

    Args: balance; rate, coupon a year; months to maturity; cpr and cdr, conditional prepayment and default
    rates, shares a year: one number, [months], or [months paths]; recovery, share of a defaulted balance,
    likewise; lag, months from default to recovery, by which the result is longer; amortisation, months over
    which level payments would repay the loans, by default `months`: more leaves a balloon; interest_only, all
    principal at maturity. Returns `PoolCash`. Raises ValueError for numbers outside their range and
    other shapes.

    Example: 400 mn, 8.125%, 357 months, 165% PSA (Fabozzi, Bond Markets, Analysis and Strategies): month 1.
        >>> from engine.deal.speeds import psa
        >>> cash = pool_cash(400e6, 0.08125, 357, cpr=psa(1.65, 357, age=3))
        >>> (cash.scheduled[0] + cash.interest[0]).round().tolist(), cash.principal[0].round().tolist()
        ([2975868.0], [709923.0])
    """
    balance = arguments.positive("balance", balance)
    rate = arguments.number("rate", rate, 0.0, 1.0) / 12.0
    months = arguments.count("months", months, 1, MOST_MONTHS)
    lag = arguments.count("lag", lag, 0, MOST_MONTHS)
    given = {"cpr": cpr, "cdr": cdr, "recovery": recovery}
    arguments.names_along(0, **given)
    speeds = {name: by_month(name, value, months) for name, value in given.items()}
    paths, mdr, share = common_paths(speeds), monthly(speeds["cdr"]), speeds["recovery"]
    smm = np.minimum(monthly(speeds["cpr"]), 1.0 - mdr)
    left = schedule(rate, months, amortisation, interest_only)
    ratio = (left[1:] / left[:-1])[:, None]
    survival = np.cumprod(np.broadcast_to(ratio * (1.0 - mdr - smm), (months, paths)), axis=0)
    performing = balance * np.concatenate([np.ones((1, paths)), survival])
    before = performing[:-1]
    defaults = before * mdr
    late = np.zeros((lag, paths))
    recovered, lost = (np.concatenate([late, defaults * each]) for each in (share, 1.0 - share))
    pending = np.cumsum(np.concatenate([defaults, late]) - recovered - lost, axis=0)
    pending = np.concatenate([np.zeros((1, paths)), np.maximum(pending, 0.0)])
    longer = np.concatenate([performing, late])

    def until_recovered(flow: np.ndarray) -> np.ndarray:
        return np.concatenate([np.broadcast_to(flow, (months, paths)), late])

    scheduled = before * (1.0 - ratio)
    return PoolCash(
        balance=longer + pending,
        interest=until_recovered((before - defaults) * rate),
        principal=until_recovered((before - defaults) * (1.0 - ratio) + before * ratio * smm),
        recoveries=recovered,
        losses=lost,
        scheduled=until_recovered(scheduled),
        collateral=longer,
    )


def pool_paths(
    balance: ArrayLike,
    interest: ArrayLike,
    principal: ArrayLike,
    recoveries: ArrayLike = 0.0,
    losses: ArrayLike = 0.0,
    *,
    scheduled: ArrayLike | None = None,
    collateral: ArrayLike | None = None,
) -> PoolCash:
    """A pool's cash from your own paths.

    Args: balance [months + 1, paths], outstanding, loans in default among it until they are liquidated, the
    first entry at the start and the same on all paths; interest, principal (scheduled and prepaid),
    recoveries and losses [months, paths]; scheduled, principal due [months, paths], by default that paid;
    collateral [months + 1, paths], the value that OC tests count and a call sells, by default the balance.
    One path may come as [months], nothing as 0. Raises ValueError for negative numbers, other shapes, and
    the first month and path whose accounts do not add up.

    Example: two months of loans of 100, half repaid, a fifth lost.
        >>> cash = pool_paths([100, 50, 0], interest=[1, 0.5], principal=[50, 30], losses=[0, 20])
        >>> cash.months, cash.paths
        (2, 1)
    """
    whole = paths_of("balance", balance)
    first = whole[0, 0]
    if len(whole) < 2 or not (whole[0] == first).all() or not first > 0.0:
        arguments.refuse("balance[0]", whole[0], "one positive number on all paths, and months after it")
    shape = (len(whole) - 1, whole.shape[1])
    given = {"interest": interest, "principal": principal, "recoveries": recoveries, "losses": losses}
    arguments.names_along(0, **given, scheduled=scheduled)
    flows = {name: paths_of(name, value, shape) for name, value in given.items()}
    gap = np.diff(whole, axis=0) + flows["principal"] + flows["recoveries"] + flows["losses"]
    for month, path in np.argwhere(np.abs(gap) > CLOSE * first):
        right = whole[month + 1, path] - gap[month, path]
        expected = f"{right:g}: the one before less principal, recoveries and losses"
        arguments.refuse(f"balance[{month + 1}, {path}]", whole[month + 1, path], expected)
    return PoolCash(
        balance=whole,
        **flows,
        scheduled=flows["principal"] if scheduled is None else paths_of("scheduled", scheduled, shape),
        collateral=whole if collateral is None else paths_of("collateral", collateral, whole.shape),
    )


def schedule(
    rate: float, months: int, amortisation: int | None, interest_only: bool
) -> Float64[np.ndarray, " dates"]:
    """Share of a loan that level payments leave after 0, 1, ... months; nothing at maturity.

    >>> schedule(0.01, 2, None, False).round(4).tolist()
    [1.0, 0.5025, 0.0]
    """
    term = months if amortisation is None else arguments.count("amortisation", amortisation, months)
    month = np.arange(months + 1)
    if arguments.flag("interest_only", interest_only):
        left = np.ones(months + 1)
    elif rate == 0.0:
        left = 1.0 - month / term
    else:
        left = 1.0 - np.expm1(month * np.log1p(rate)) / np.expm1(term * np.log1p(rate))
    left[-1] = 0.0
    return left


def by_month(name: str, value: Any, months: int) -> Flows:
    """Shares as [months or 1, paths or 1]; ValueError for other shapes or outside [0, 1]."""
    array = arguments.within(name, arguments.numbers(name, value), 0.0, 1.0)
    if array.ndim > 2 or (array.ndim and len(array) != months) or not array.size:
        raise ValueError(
            f"{name}: got shape {array.shape}, expected one number, ({months},) or ({months}, paths)"
        )
    return array.reshape(1, 1) if array.ndim == 0 else array.reshape(months, -1)


def common_paths(arrays: dict[str, Flows]) -> int:
    """The number of paths that all have, or one; ValueError where two have different numbers."""
    numbers = {name: array.shape[1] for name, array in arrays.items() if array.shape[1] > 1}
    for name, paths in numbers.items():
        first = next(iter(numbers))
        if paths != numbers[first]:
            raise ValueError(f"{name}: got {paths} paths, expected {numbers[first]}, as {first}")
    return max(numbers.values(), default=1)


def paths_of(name: str, value: Any, shape: tuple[int, ...] | None = None) -> Flows:
    """Amounts of at least 0 as [months, paths], of a shape if one is given; ValueError otherwise."""
    array = arguments.within(name, arguments.numbers(name, value), 0.0)
    if shape and (not array.ndim or array.shape == shape[:1]):
        array = np.broadcast_to(array.reshape(-1, 1), shape) if not array.ndim or shape[1] == 1 else array
    elif array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.size or (shape and array.shape != shape):
        raise ValueError(
            f"{name}: got shape {array.shape}, expected {shape or '(months,) or (months, paths)'}"
        )
    return array
