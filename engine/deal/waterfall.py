"""A deal's waterfall: one month on all paths as a sequence of payments, and the months one after another.

The order of payments is that of `terms.Deal`. Each month cash in is cash out:

    interest + principal + recoveries + sale = fees + interest and principal of the notes + residual
                                               + change of the reserve
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from engine import arguments
from engine.deal.accounts import Accounts, Classes, Paths, cover, opened, take
from engine.deal.deal_cash import DealCash
from engine.deal.pool import PoolCash
from engine.deal.terms import Call, Deal, Trigger

MET = 1e-9
"""A test short of its level by less than this share of it is met: the rest is rounding."""


@dataclass(frozen=True)
class Collections:
    """What a month brings, on all paths."""

    interest: Paths
    principal: Paths  # and recoveries
    scheduled: Paths
    pool: Paths  # balance at the month's start
    pool_end: Paths
    collateral: Paths  # at the month's end
    coupons: list[Float64[np.ndarray, " #paths"]]  # of each class, a month
    last: bool


def waterfall(deal: Deal, cash: PoolCash) -> DealCash:
    """Cash of every class, the residual holder, fees and reserve, by month and path.

    Args: deal, its terms; cash of the pool, of whose first balance the classes are shares. Returns
    `DealCash`. Raises ValueError where either is none, and for coupons by month or path of another shape.

    Example: two months by hand: A has 80 at 12% a year, B 20 at 24%, the pool pays 3 and 1.5 interest.
        >>> from engine.deal.pool import pool_paths
        >>> from engine.deal.terms import Note
        >>> cash = pool_paths([100, 50, 0], interest=[3, 1.5], principal=[50, 50])
        >>> paid = waterfall(Deal([Note("A", 0.2, 1.0, 0.12), Note("B", 0.0, 0.2, 0.24)]), cash)
        >>> paid.interest[:, :, 0].round(6).tolist(), paid.principal[:, :, 0].round(6).tolist()
        ([[0.8, 0.4], [0.3, 0.4]], [[50.0, 0.0], [30.0, 20.0]])
        >>> paid.residual[:, 0].round(6).tolist()
        [1.8, 0.8]
    """
    if not isinstance(deal, Deal):
        arguments.refuse("deal", deal, "a Deal")
    if not isinstance(cash, PoolCash):
        arguments.refuse("cash", cash, "PoolCash, as pool_cash and pool_paths make it")
    coupons = deal.coupons(cash.months, cash.paths)
    widths = [note.width for note in deal.notes]
    pool = float(cash.balance[0, 0])
    accounts = opened(widths, pool, deal.reserve.initial, len(deal.triggers), cash.paths)
    paid = DealCash.empty(deal, pool, cash.months, cash.paths)
    paid.balance[0], paid.reserve[0] = accounts.balance, accounts.reserve
    alive = np.ones(cash.paths)
    for month in range(cash.months):
        received = collected(cash, month, coupons, alive)
        accounts.interest[:], accounts.principal[:] = 0.0, 0.0
        paid.fees[month], paid.residual[month] = pay(deal, accounts, received)
        if deal.call is not None:
            called = callable_now(deal.call, accounts, received, pool, month) & (alive > 0.0)
            paid.sale[month] = deal.call.price * received.collateral * called
            fees, residual = repay(accounts, paid.sale[month].copy(), called)
            paid.fees[month] += fees
            paid.residual[month] += residual
            alive[called] = 0.0
        if deal.write_down:
            accounts.write_down(received.pool_end)
        paid.interest[month], paid.principal[month] = accounts.interest, accounts.principal
        paid.balance[month + 1], paid.unpaid[month] = accounts.balance, accounts.unpaid
        paid.reserve[month + 1] = accounts.reserve
    return paid


def collected(cash: PoolCash, month: int, coupons: list[np.ndarray], alive: Paths) -> Collections:
    """A month's collections on paths not yet called."""
    return Collections(
        interest=cash.interest[month] * alive,
        principal=cash.available[month] * alive,
        scheduled=cash.scheduled[month] * alive,
        pool=cash.balance[month] * alive,
        pool_end=cash.balance[month + 1] * alive,
        collateral=cash.collateral[month + 1] * alive,
        coupons=[coupon[month] for coupon in coupons],
        last=month == cash.months - 1,
    )


def pay(deal: Deal, accounts: Accounts, received: Collections) -> tuple[Paths, Paths]:
    """One month's payments in their order. Returns fees and what the residual holder gets."""
    purse, principal = received.interest.copy(), received.principal.copy()
    purses = [purse, accounts.reserve, *([principal] if deal.principal_pays_interest else [])]
    owed = received.pool * (deal.fee / 12.0) + deal.fixed_fee * (received.pool > 0.0) + accounts.fees_unpaid
    fees = cover(owed, purses)
    accounts.fees_unpaid = owed - fees

    due = interest_due(accounts, received)
    failing = [failure(deal, place, accounts, received, due, purse) for place in range(len(deal.triggers))]
    for k in range(len(deal.notes)):
        accounts.interest[k] = cover(due[k], purses)
        accounts.unpaid[k] = due[k] - accounts.interest[k]
        for trigger, fails in zip(deal.triggers, failing, strict=True):
            if trigger.consequence == "divert" and deal.place(trigger.note) == k:
                divert(trigger, k, accounts, received, purse, fails)

    if not received.last:
        refill(deal, accounts, purse, union(deal, failing, "trap"))
    if deal.turbo:
        accounts.pay_down(purse)
    repay_principal(deal, accounts, principal, union(deal, failing, "sequential"))
    if received.last:
        accounts.pay_down(accounts.reserve)
        purse += take(accounts.reserve, accounts.reserve.copy())
    purse += principal
    # The residual holder is behind whatever fees and interest are still short of.
    return fees + accounts.pay_arrears(purse), purse


def interest_due(accounts: Accounts, received: Collections) -> Classes:
    """Interest of the month, and what was carried forward with interest on it."""
    return np.stack(
        [
            balance * coupon + unpaid * (1.0 + coupon)
            for balance, unpaid, coupon in zip(
                accounts.balance, accounts.unpaid, received.coupons, strict=True
            )
        ]
    )


def failure(
    deal: Deal, place: int, accounts: Accounts, received: Collections, due: Classes, purse: Paths
) -> Bool[np.ndarray, " paths"]:
    """Where a trigger's test fails, or has failed and cannot be cured; `purse` is interest after fees."""
    trigger = deal.triggers[place]
    senior = slice(0, deal.place(trigger.note) + 1)
    debt, level = accounts.balance[senior].sum(axis=0), trigger.level * (1.0 - MET)
    owed = due[senior].sum(axis=0)
    if trigger.test == "oc":
        fails = received.collateral + received.principal < level * debt
    elif trigger.test == "ic":
        fails = purse < level * owed
    else:
        fails = purse + received.principal < level * (owed + received.scheduled)
    fails &= debt > 0.0
    if not trigger.curable:
        accounts.failed[place] |= fails
        return accounts.failed[place]
    return fails


def divert(
    trigger: Trigger, k: int, accounts: Accounts, received: Collections, purse: Paths,
    fails: Bool[np.ndarray, " #paths"],
) -> None:  # fmt: skip
    """Interest left after class k to principal where the test fails: for OC what meets it again, else all."""
    need = purse
    if trigger.test == "oc":
        debt = accounts.balance[: k + 1].sum(axis=0)
        need = np.maximum(debt - (received.collateral + received.principal) / trigger.level, 0.0)
    diverted = take(purse, need * fails)
    accounts.pay_down(diverted)
    purse += diverted


def refill(deal: Deal, accounts: Accounts, purse: Paths, trapped: Bool[np.ndarray, " #paths"]) -> None:
    """The reserve up to its target, or with all there is where cash is trapped; what is too much, out."""
    notes = accounts.balance.sum(axis=0)
    target = np.minimum(np.maximum(deal.reserve.share * notes, deal.reserve.floor), notes)
    accounts.reserve += take(purse, np.where(trapped, purse, np.maximum(target - accounts.reserve, 0.0)))
    purse += take(accounts.reserve, np.where(trapped, 0.0, np.maximum(accounts.reserve - target, 0.0)))


def repay_principal(
    deal: Deal, accounts: Accounts, principal: Paths, sequential: Bool[np.ndarray, " #paths"]
) -> None:
    """Principal collected to the notes, in the deal's way or sequentially; the rest stays in the purse."""
    if deal.principal == "pro_rata":
        alike = take(principal, principal * ~sequential)
        accounts.pay_alike(alike)
        accounts.pay_down(principal)
        principal += alike
    else:
        accounts.pay_down(principal)


def callable_now(
    call: Call, accounts: Accounts, received: Collections, pool: float, month: int
) -> Bool[np.ndarray, " paths"]:
    """Where the call is allowed and its proceeds and the reserve repay all that is owed."""
    allowed = received.pool_end <= call.share * pool
    if call.month is not None and month + 1 >= call.month:
        allowed[:] = True
    owed = accounts.balance.sum(axis=0) + accounts.unpaid.sum(axis=0) + accounts.fees_unpaid
    funds = call.price * received.collateral + accounts.reserve
    return allowed & (received.collateral > 0.0) & (funds >= owed)


def repay(accounts: Accounts, sale: Paths, called: Bool[np.ndarray, " paths"]) -> tuple[Paths, Paths]:
    """All that is owed on called paths, from the sale and the reserve. Returns fees and the residual."""
    purse = sale + take(accounts.reserve, accounts.reserve * called)
    fees = accounts.pay_arrears(purse)
    accounts.pay_down(purse)
    return fees, purse


def union(deal: Deal, failing: list[np.ndarray], consequence: str) -> Bool[np.ndarray, "#paths"]:
    """Where any trigger with this consequence fails."""
    own = [
        fails
        for trigger, fails in zip(deal.triggers, failing, strict=True)
        if trigger.consequence == consequence
    ]
    return np.logical_or.reduce(own) if own else np.zeros(1, bool)
