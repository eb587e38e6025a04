"""The end of section 1 of docs/model.md: each firm's share of AI revenue, its value and what it takes in."""

import math

from tests.reference.scalars import DT


def shares_of(book, fixed, t: int) -> list[float]:
    """s_i: shares of AI revenue, moved by each lab's own luck and scaled back to their sum of month 0."""
    start, width = book.firms.revenue_share, book.numbers.economy.share_volatility * math.sqrt(t / 12.0)
    moved = [start[i] * math.exp(width * fixed["leadership"][i]) for i in range(len(start))]
    return [share * sum(start) / sum(moved) if sum(moved) > 0.0 else 0.0 for share in moved]


def own_values(book, state, draws, new) -> None:
    """v'_i: log of each firm's own value, a martingale."""
    new["own_value"] = []
    for i, before in enumerate(state["own_value"]):
        width = book.numbers.mechanisms.own_shocks * book.firms.equity_volatility[i]
        shock = width * math.sqrt(DT) * draws["own"][i]
        new["own_value"].append(before + shock - width**2 * DT / 2.0)


def month(book, fixed, state, draws, now, new, t: int) -> None:
    """V_i, X_i, A_i and revenue_i: what start-ups pay a lab lapses with its own value and with the regime."""
    n, credit, firms = book.numbers.contracts, book.numbers.credit, book.firms
    own_values(book, state, draws, new)
    now["firm_spread"], now["firm_access"] = [], []
    for own in new["own_value"]:
        now["firm_spread"].append(now["spread"] * math.exp(-credit.own_spread * own))
        now["firm_access"].append(min(now["access"] * math.exp(credit.own_access * own), credit.capacity_cap))
    shares = shares_of(book, fixed, t)
    loop = book.numbers.mechanisms.subscription_loop * n.subscription_share
    now["value"], now["firm_revenue"] = [], []
    for i in range(len(firms.cash)):
        growth = 1.0
        if firms.revenue_share[i] > 0.0:
            growth = shares[i] * now["revenue"] / (firms.revenue_share[i] * book.numbers.economy.revenue)
        market = firms.equity_value[i] * now["equity"] * math.exp(new["own_value"][i])
        value = market * growth**n.revenue_power
        funded = min(1.0, value / firms.equity_value[i]) if firms.equity_value[i] > 0.0 else 1.0
        lapsed = loop * (1.0 - funded * n.subscription_regime[new["regime"]])
        now["value"].append(value)
        now["firm_revenue"].append(shares[i] * now["revenue"] * (1.0 - lapsed))
