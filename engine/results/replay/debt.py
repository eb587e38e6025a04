"""Events of debt: maturities refused, covenants, foreclosures, sales of chips, defaults and their losses."""

from collections.abc import Iterator

import numpy as np

from engine.paths.history import History
from engine.results.replay.causes import debt_before, why_default
from engine.results.replay.event import Event, Names, before, least, money, places
from engine.vocabulary import ALIVE, EXCHANGE, LIQUIDITY

QUARTER = 3.0
"""Months."""
CHIP_SALE = 0.1
"""USD bn a month; smaller sales of foreclosed chips are no event."""


def debt_events(history: History, names: Names) -> Iterator[Event]:
    """Events of debt in no order of months; every loss of the path is in one of them."""
    yield from maturities(history, names)
    yield from covenants(history, names)
    yield from foreclosures(history, names)
    yield from chip_sales(history)
    yield from defaults(history, names)
    yield from pool_losses(history, names)


def borrower(history: History, names: Names, loan: int) -> tuple[str, str]:
    """Id and name of a loan's borrower."""
    key = history.system.names.firms[int(history.system.loans.borrower[loan])]
    return key, names.firm[key]


def loan_name(history: History, names: Names, loan: int) -> str:
    """Name of a loan."""
    return names.instrument[history.system.names.loans[loan]]


def maturities(history: History, names: Names) -> Iterator[Event]:
    """Loans that mature and are not paid or refinanced in full; the amount is what was owed the month before.

    The lender stands still, extends, takes an exchange, or the borrower defaults for want of cash.
    """
    funding, system = history.state.funding, history.system
    owed = before(history.start.funding.balance, funding.balance)
    due = before(history.start.funding.maturity, funding.maturity)
    number = np.arange(1, len(owed) + 1, dtype=np.float32)[:, None]
    matured = (number >= due) & (owed > least(history))
    extension = float(system.numbers.credit.extension_months)
    extended = np.isclose(funding.maturity, number + np.float32(extension))
    extended &= ~np.isclose(np.asarray(system.loans.tenor_months), extension)
    waits = (funding.maturity <= number) & (funding.balance > least(history))
    defaulted = (history.state.credit.default_month == number)[:, np.asarray(system.loans.borrower)]
    refused = np.isin(history.state.credit.cause, (LIQUIDITY, EXCHANGE))[:, np.asarray(system.loans.borrower)]
    for month, loan in places(matured & (extended | waits | (defaulted & refused))):
        key, name = borrower(history, names, loan)
        firm = system.names.firms.index(key)
        if defaulted[month, loan]:
            end = "it defaults"
        else:
            end = "the lender waits" if waits[month, loan] else "the lender extends it"
        limit = float(history.info.funding.limit[month, firm])
        debt = float(owed[month] @ (np.asarray(system.loans.borrower) == firm))
        room = f"lenders would carry {money(limit)} of its debt of {money(debt)}"
        why = f"{loan_name(history, names, loan)} matures; {room}; {end}"
        yield Event(month + 1, key, name, "refinancing refused", float(owed[month, loan]), 0.0, why)


def covenants(history: History, names: Names) -> Iterator[Event]:
    """Breaches of LTV or DSCR that are waived or called; the amount is the loan's balance the month before.

    A loan that is called and not foreclosed is paid down to the LTV of its cure.
    """
    credit, until = history.system.numbers.credit, history.state.collateral.waived_until
    waived = until != before(history.start.collateral.waived_until, until)
    owed = before(history.start.funding.balance, history.state.funding.balance)
    paid_down = f"called; the borrower pays it down to an LTV of {float(credit.ltv_cure):.0%}"
    for month, loan in places(judged(history) & ~foreclosed(history)):
        key, name = borrower(history, names, loan)
        title, amount = loan_name(history, names, loan), float(owed[month, loan])
        event, end = "loan called", paid_down
        if waived[month, loan]:
            event, end = "covenant breach waived", f"waived until month {int(until[month, loan])}"
        why = f"{title}: {tested(history, month, loan)}; {end}"
        yield Event(month + 1, key, name, event, amount, 0.0, why)


def judged(history: History) -> np.ndarray:
    """Whether a loan in breach is newly waived or called: no waiver is in force [months collateralised]."""
    until = history.state.collateral.waived_until
    number = np.arange(1, len(until) + 1, dtype=np.float32)[:, None]
    return np.asarray(breaches(history) & (number > before(history.start.collateral.waived_until, until)))


def foreclosed(history: History) -> np.ndarray:
    """Whether a loan is called and cannot be cured [months collateralised].

    A borrower cures all of its called loans or none; a loan may be called without chips left to seize.
    """
    tests, until = history.info.collateral, history.state.collateral.waived_until
    called = judged(history) & (until == before(history.start.collateral.waived_until, until))
    broke = tests.foreclosed[:, np.asarray(history.system.loans.borrower)[: until.shape[1]]] > 0.0
    return np.asarray((tests.seized > 0.0) | (called & broke))


def breaches(history: History) -> np.ndarray:
    """Whether a tested loan breaches its LTV covenant or its default DSCR [months collateralised]."""
    tests, credit = history.info.collateral, history.system.numbers.credit
    high, weak = tests.ltv > np.asarray(credit.ltv_covenant), tests.dscr < np.asarray(credit.dscr_default)
    return np.asarray((tests.ltv > 0.0) & (high | weak))


def tested(history: History, month: int, loan: int) -> str:
    """LTV and DSCR of a test in words, with the limits that they break."""
    tests, credit = history.info.collateral, history.system.numbers.credit
    ltv, dscr = float(tests.ltv[month, loan]), float(tests.dscr[month, loan])
    over = f" over {float(credit.ltv_covenant):.0%}" if ltv > float(credit.ltv_covenant) else ""
    under = f" under {float(credit.dscr_default):.2f}x" if dscr < float(credit.dscr_default) else ""
    return f"LTV {ltv:.0%}{over}, DSCR {dscr:.2f}x{under}"


def foreclosures(history: History, names: Names) -> Iterator[Event]:
    """Loans that are called and cannot be cured; the amount is the value of the chips seized."""
    seized = history.info.collateral.seized
    for month, loan in places(foreclosed(history)):
        key, name = borrower(history, names, loan)
        value = float(seized[month, loan])
        title = loan_name(history, names, loan)
        why = f"{title}: {tested(history, month, loan)}; chips worth {money(value)} are seized"
        yield Event(month + 1, key, name, "foreclosure", value, 0.0, why)


def chips_sold(history: History) -> np.ndarray:
    """What lenders sell of foreclosed chips in each month, USD bn at the month's prices [months].

    meter (stock at the month before + this month's foreclosures) at the price after sales
    """
    numbers, collateral = history.system.numbers.chips, history.info.collateral
    meter = 1.0 - (1.0 - float(numbers.quarterly_sales)) ** (1.0 / QUARTER)
    stock = before(history.start.collateral.held, history.state.collateral.held)
    return meter * ((stock * collateral.price).sum(axis=1) + collateral.seized.sum(axis=1))


def chip_sales(history: History) -> Iterator[Event]:
    """Months in which lenders sell foreclosed chips."""
    sold, discount = chips_sold(history), 1.0 - np.exp(-history.state.collateral.discount)
    for (month,) in places(sold > least(history, CHIP_SALE)):
        value, deepest = float(sold[month]), float(discount[month].max(initial=0.0))
        below = f"at prices up to {deepest:.0%} under their income value"
        why = f"foreclosed chips go for {money(value)}, {below}"
        yield Event(month + 1, "chips", "Lenders", "collateral sold", value, 0.0, why)


def defaults(history: History, names: Names) -> Iterator[Event]:
    """Defaults of firms, with their causes; the amount is what was owed the month before."""
    system, credit = history.system, history.state.credit
    loans = history.info.loss[:, : len(system.names.loans)].astype(np.float64)
    month_of, cause = credit.default_month[-1], credit.cause[-1]
    for firm in np.flatnonzero(cause != ALIVE).tolist():
        month = int(month_of[firm]) - 1
        loss = float(loans[month, np.asarray(system.loans.borrower) == firm].sum())
        key = system.names.firms[firm]
        why = why_default(history, names, firm, month, int(cause[firm]))
        owed = debt_before(history, firm, month)
        yield Event(month + 1, key, names.firm[key], "default", owed, loss, why)


def pool_losses(history: History, names: Names) -> Iterator[Event]:
    """Defaults of loans in pools, and losses of tranches."""
    system = history.system
    first, last = len(system.names.loans), len(system.names.loans) + len(system.names.obligor_loans)
    for month, place in places(history.info.loss[:, first:] > 0.0):
        loss, key = float(history.info.loss[month, first + place]), system.names.instruments[first + place]
        if first + place < last:
            pool = names.pool[system.names.pools[int(system.pools.obligor_pool[place])]]
            name, why = names.instrument[key], f"one of the borrowers of {pool} defaults"
            yield Event(month + 1, key, name, "pool default", loss, loss, why)
        else:
            name = names.instrument[key]
            why = "losses of its pool pass its attachment point"
            yield Event(month + 1, key, name, "tranche loss", loss, loss, why)
