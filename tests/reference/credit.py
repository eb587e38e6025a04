"""Section 6 of docs/model.md: defaults by cause, recoveries, losses of loans."""

import math

from tests.reference.borrowers import by_firm, remnant
from tests.reference.scalars import (
    ALIVE,
    BALANCE_SHEET,
    DT,
    EXCHANGE,
    FORECLOSURE,
    GROUP,
    HAZARD,
    LIQUIDITY,
    NON_PAYMENT,
    clip,
    positive,
)


def hazard(book, now, i: int, debt: float) -> float:
    """lambda_i a year; `dead` is the share of neoclouds in default at the start of the month."""
    n, firms = book.numbers.credit, book.firms
    limit, debt = now["limit"][i], debt + now["counted"][i]
    if debt == 0.0:
        leverage = 0.0
    elif limit == 0.0:
        leverage = n.hazard_leverage + n.hazard_leverage_bounds[1]
    else:
        leverage = debt / limit
    exponent = (
        n.hazard_stress * positive(now["stress"])
        + n.hazard_spread * math.log(now["firm_spread"][i])
        + n.hazard_contagion * (1.0 - now["live_neoclouds"])
        + firms.leverage_beta[i] * clip(leverage - n.hazard_leverage, *n.hazard_leverage_bounds)
    )
    return firms.hazard[i] * now["hazard_multiplier"] * math.exp(exponent)


def free_of_debt(book, i: int) -> float:
    """Debt up to which a firm is as good as free of it: the remnants of its loans, at most 0.01 bn."""
    own = [m for m, borrower in enumerate(book.loans.borrower) if borrower == i]
    return min(sum(remnant(book, m) for m in own), 0.01)


def insolvent(book, now, new, i: int, debt: float) -> bool:
    """Assets at a multiple of earnings, cash and chips below `insolvency_ratio` of debt, without access."""
    n, firms = book.numbers.credit, book.firms
    open_to = now["firm_access"][i] >= n.insolvency_supply
    if open_to or firms.asset_multiple[i] <= 0.0 or debt <= free_of_debt(book, i):
        return False
    earning = max(now["forward"][i], n.trailing_weight * new["trailing"][i], 0.0)
    chips = 0.0
    for v in range(len(book.loans.ltv_target)):
        if book.loans.borrower[v] == i:
            chips += sum(units * value for units, value in zip(new["pledged"][v], now["price"], strict=True))
    assets = new["cash"][i] + firms.asset_multiple[i] * earning + chips
    return assets < n.insolvency_ratio * debt


def cause_of(book, fixed, now, new, i: int, debt: float) -> int:
    """The first cause that holds this month."""
    outside = book.firms.outside[i] > 0
    if i in now["foreclosed_firms"]:
        return FORECLOSURE
    if now["unmet"][i] > 1e-4 and not now["exchange"][i] and not outside:
        return LIQUIDITY
    if new["low_payment"][i] >= book.numbers.contracts.non_payment_months:
        return NON_PAYMENT
    if insolvent(book, now, new, i, debt):
        return BALANCE_SHEET
    if new["hazard_integral"][i] >= fixed["threshold_firms"][i]:
        return HAZARD
    if now["exchange"][i]:
        return EXCHANGE
    for parent in range(len(book.firms.cash)):
        if book.firms.cross_default[i, parent] > 0 and now["operating"][parent] == 0.0:
            if book.numbers.mechanisms.cross_default > 0.5:
                return GROUP
    return ALIVE


def recovery(book, now, m: int, balance: float, debt: float) -> tuple[float, float]:
    """Recovered share of a loan of a defaulted firm without and with a guarantor's step-in."""
    n, loans = book.numbers.credit, book.loans
    i = int(loans.borrower[m])
    chips = 0.0
    if m < len(loans.ltv_target):
        stock = sum(units * value for units, value in zip(now["pledged"][m], now["price"], strict=True))
        chips = (1.0 - book.numbers.chips.sale_cost) * stock + n.step_in * now["secured_value"][m]
    decline = n.recovery_stress * positive(now["stress"])
    decline += n.recovery_spread * positive(math.log(now["spread"]))
    plain = loans.base_recovery[m] * math.exp(-decline)
    plain += loans.ebitda_recovery[m] * max(now["forward"][i], 0.0) / debt
    own = clip(chips / balance + plain, 0.0, n.best_recovery)
    cover = loans.guarantee_cover[m] * now["alive"][int(loans.guarantor[m])]
    stepped = own + book.numbers.mechanisms.step_in * cover * (n.best_recovery - own)
    return own, stepped


def month(book, fixed, state, now, new, t: int) -> None:
    """Section 6: defaults of the month, losses of their loans, what is left of them."""
    firms, loans = book.firms, book.loans
    count = len(firms.cash)
    debt = by_firm(book, new["balance"])
    rates = [hazard(book, now, i, debt[i]) for i in range(count)]
    now["hazard_rate"] = rates
    new["hazard_integral"] = [state["hazard_integral"][i] + rates[i] * DT for i in range(count)]
    new["cause"], new["default_month"] = list(state["cause"]), list(state["default_month"])
    fallen = []
    for i in range(count):
        if state["cause"][i] == ALIVE:
            cause = cause_of(book, fixed, now, new, i, debt[i])
            if cause != ALIVE:
                new["cause"][i], new["default_month"][i] = cause, t
                fallen.append(i)
    now["fallen"] = fallen
    losses(book, now, new, debt)
    for i in fallen:
        for v in range(len(loans.ltv_target)):
            if loans.borrower[v] == i:
                for g in range(len(new["held"])):
                    if new["cause"][i] != EXCHANGE:
                        new["held"][g] += new["pledged"][v][g]
                        new["pledged"][v][g] = 0.0
        for g in range(len(new["held"])):
            if new["cause"][i] != EXCHANGE:
                new["held"][g] += new["owned"][i][g]
                new["owned"][i][g] = 0.0
        for m in range(len(loans.borrower)):
            if loans.borrower[m] == i:
                new["balance"][m] = 0.0
        if new["cause"][i] != EXCHANGE:
            new["cash"][i] = 0.0
    new["spare"] = [new["spare"][i] if new["cause"][i] == ALIVE else 0.0 for i in range(count)]


def losses(book, now, new, debt) -> None:
    """loss_m = B_m (1 - recovery_m) of the firms that default this month."""
    loans = book.loans
    now["loan_loss"], now["own_recovery"], now["recovery"] = [], [], []
    for m in range(len(loans.borrower)):
        i = int(loans.borrower[m])
        balance = new["balance"][m]
        own, kept, loss = 0.0, 0.0, 0.0
        if i in now["fallen"] and balance > 0.0:
            if new["cause"][i] == EXCHANGE:
                own = kept = 1.0 - book.numbers.credit.exchange_loss
            else:
                own, kept = recovery(book, now, m, balance, debt[i])
            loss = balance * (1.0 - kept)
        now["own_recovery"].append(own)
        now["recovery"].append(kept)
        now["loan_loss"].append(loss)
    now["balance_at_default"] = list(new["balance"])
