"""Why a firm defaults, in a sentence with the numbers of the month."""

import numpy as np

from engine.paths.history import History
from engine.results.replay.event import Names, before, money
from engine.vocabulary import BALANCE_SHEET, EXCHANGE, FORECLOSURE, GROUP, HAZARD, LIQUIDITY, NON_PAYMENT


def why_default(history: History, names: Names, firm: int, month: int, cause: int) -> str:
    """The cause of a default in month `month` (from 0), as `engine.month.credit.default_cause` names it."""
    sentence = {
        FORECLOSURE: foreclosed,
        LIQUIDITY: illiquid,
        NON_PAYMENT: unpaid,
        BALANCE_SHEET: insolvent,
        HAZARD: by_chance,
        EXCHANGE: exchanged,
    }
    if cause == GROUP:
        return f"its parent {parent(history, names, firm)} defaults"
    return sentence[cause](history, firm, month)


def debt_before(history: History, firm: int, month: int) -> float:
    """Debt of a firm at the end of the month before, USD bn."""
    owed = before(history.start.funding.balance, history.state.funding.balance)[month]
    return float(owed[np.asarray(history.system.loans.borrower) == firm].sum(dtype=np.float64))


def parent(history: History, names: Names, firm: int) -> str:
    """Name of the firm with whose default a firm defaults too."""
    return names.firm[history.system.names.firms[int(history.system.firms.cross_default.group[firm])]]


def foreclosed(history: History, firm: int, month: int) -> str:
    """Which of its loans were called, by their worst tests."""
    tests = history.info.collateral
    own = (np.asarray(history.system.loans.borrower)[: tests.ltv.shape[1]] == firm) & (tests.ltv[month] > 0.0)
    ltv, dscr = tests.ltv[month][own], tests.dscr[month][own]
    if not own.any():
        return "lenders foreclose on its chips"
    worst, weakest = float(ltv.max()), float(dscr.min())
    tests_failed = f"LTV up to {worst:.0%}, DSCR down to {weakest:.2f}x"
    return f"lenders foreclose on its chips: {tests_failed}, no cash to cure"


def illiquid(history: History, firm: int, month: int) -> str:
    """What it could not pay, and what lenders would have lent."""
    funding = history.info.funding
    short, limit = float(funding.unmet[month, firm]), float(funding.limit[month, firm])
    carried = f"lenders would carry {money(limit)} of its debt"
    return f"it runs out of cash, {money(short)} short in the month; {carried}"


def unpaid(history: History, firm: int, month: int) -> str:
    """For how long it has paid its contracts too little."""
    late = int(history.info.contracts.low_payment[month, firm])
    return f"it has not paid its contracts for {late} months"


def insolvent(history: History, firm: int, month: int) -> str:
    """How far markets are shut."""
    access = float(history.info.revenue.access[month, firm])
    return f"its assets are worth less than its debt and markets are shut (access {access:.0%})"


def by_chance(history: History, firm: int, month: int) -> str:
    """The spread and the debt that raised its hazard."""
    spread = float(history.info.revenue.spread[month, firm])
    limit = money(float(history.info.funding.limit[month, firm]))
    return f"for reasons of its own, at {spread:.1f} times normal spreads and a debt capacity of {limit}"


def exchanged(history: History, firm: int, month: int) -> str:
    """That creditors take less."""
    loss = float(history.system.numbers.credit.exchange_loss)
    return f"creditors take a distressed exchange and give up {loss:.0%}"
