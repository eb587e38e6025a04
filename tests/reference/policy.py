"""Levers of policy in docs/model.md: what stages read of them in a month, and what they cost."""

from types import SimpleNamespace

from tests.reference.book import once
from tests.reference.scalars import DT

OUT_OF_REACH = 10.0
LIMITED = ("backstop", "bailout")
"""Levers that end after their number of months."""


def on(numbers, lever: str, t: int) -> bool:
    """on(x) = [0 < x_month <= t], for backstop and bailout only while t < x_month + x_months."""
    start = getattr(numbers, f"{lever}_month")
    ended = lever in LIMITED and t >= start + getattr(numbers, f"{lever}_months")
    return 0 < start <= t and not ended


def levers(book, t: int) -> SimpleNamespace:
    """pi.floor, pi.aid, pi.lines, pi.funds, pi.disclosed, pi.barred and pi.cap of month t."""
    numbers = book.numbers.policy
    lines = numbers.capital_rule * on(numbers, "capital_rule", t)
    return SimpleNamespace(
        floor=numbers.backstop * on(numbers, "backstop", t),
        aid=numbers.bailout * DT * on(numbers, "bailout", t),
        lines=lines,
        funds=numbers.capital_rule_passed * lines,
        disclosed=numbers.disclosure * on(numbers, "disclosure", t),
        barred=numbers.savers * on(numbers, "savers", t),
        cap=numbers.advance_cap if on(numbers, "advance_cap", t) else OUT_OF_REACH,
    )


def of_vehicles(book) -> list[float]:
    """sum_l vehicle_l W_li: share of each instrument that vehicles hold."""
    lenders, shares = book.lenders, []
    for i in range(lenders.holdings.shape[1]):
        shares.append(sum(lenders.vehicle[h] * lenders.holdings[h, i] for h in range(len(lenders.vehicle))))
    return shares


def fund_share_loans(book) -> list[float]:
    """phi_m: share of each loan that vehicles hold."""
    return of_vehicles(book)[: len(book.loans.borrower)]


def fund_share_pools(book) -> list[float]:
    """phi_p: share of each pool that vehicles hold, over its tranches, or its obligors if it has none."""
    pools, held = book.pools, of_vehicles(book)
    obligors = held[len(book.loans.borrower) :]
    tranches = obligors[len(pools.obligor_pool) :]
    shares = []
    for p in range(len(pools.balance)):
        mine = [k for k in range(len(pools.tranche_pool)) if pools.tranche_pool[k] == p]
        share = sum((pools.detachment[k] - pools.attachment[k]) * tranches[k] for k in mine)
        if not mine:
            share = sum(pools.obligor_share[p, o] * obligors[o] for o in range(len(pools.obligor_pool)))
        shares.append(share)
    return shares


def month(book, now, t: int) -> None:
    """What stages of month t read of the levers."""
    now["levers"] = levers(book, t)
    now["fund_share"] = once(book, "fund share of loans", lambda: fund_share_loans(book))
    now["pool_fund_share"] = once(book, "fund share of pools", lambda: fund_share_pools(book))
    now["loan_share"] = list(book.calendar.origination[min(t, len(book.calendar.origination)) - 1])


def aid(limit: float, missing: list[float]) -> list[float]:
    """aid_i = missing_i min(1, pi.aid / sum of missing), 0 if nothing is missing."""
    total = sum(missing)
    share = min(1.0, limit / total) if total > 0.0 else 0.0
    return [share * amount for amount in missing]


def capped(levers, own: float, stock: float, debt: float) -> float:
    """debt^a = min(debt, pi.cap (own + stock)/(1 - pi.cap)) while pi.cap < 1."""
    return min(debt, levers.cap * (own + stock) / (1.0 - levers.cap)) if levers.cap < 1.0 else debt


def left_by_funds(levers, share: float) -> float:
    """1 - pi.funds phi: what is lent of what would be, where funds hold the share phi."""
    return 1.0 - levers.funds * share


def origination_shares(book, now) -> tuple[float, float]:
    """Shares of sector origination that loans of the living and pools take: of all, and of funds."""
    loans, pools = book.loans, book.pools
    shared, of_funds = 0.0, 0.0
    for m in range(len(loans.borrower)):
        share = now["loan_share"][m] * now["alive"][int(loans.borrower[m])]
        shared += share
        of_funds += share * now["fund_share"][m]
    for p in range(len(pools.balance)):
        shared += pools.origination_share[p]
        of_funds += pools.origination_share[p] * now["pool_fund_share"][p]
    return shared, of_funds


def backstop_share(book, state, now) -> float:
    """(felt supply - what would be felt of private supply)/felt supply, 0 where nothing is lent."""
    private = 1.0 - book.numbers.mechanisms.funding_loop * (1.0 - state["supply"])
    return (now["felt_supply"] - private) / now["felt_supply"] if now["felt_supply"] > 0.0 else 0.0


def costs(book, state, now) -> None:
    """USD bn of the month by lever: backstop, bailout, capital rule, disclosure, savers, advance cap."""
    pi = now["levers"]
    shared, of_funds = origination_shares(book, now)
    lent = sum(now["rolled"]) + sum(now["bridged"]) + sum(now["capex_debt"])
    lent += now["origination"] * (shared - pi.funds * of_funds)
    growth_of_funds, refused = 0.0, 0.0
    for i, allowed in enumerate(now["capex_debt_capped"]):
        of_loan = sum(book.firms.growth_loan[m, i] * now["fund_share"][m] for m in range(len(now["rolled"])))
        growth_of_funds += allowed * of_loan
        refused += now["capex_debt_wanted"][i] - allowed
    now["policy_cost"] = [
        backstop_share(book, state, now) * lent,
        sum(now["aid"]),
        pi.funds * (growth_of_funds + now["origination"] * of_funds),
        0.0,
        now["origination_wanted"] * pi.barred * shared,
        refused,
    ]
