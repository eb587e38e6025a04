"""The end of section 1 of docs/model.md: each firm's share of AI revenue, its value and what it takes in."""

import math


def shares_of(book, fixed, t: int) -> list[float]:
    """s_i: shares of AI revenue, moved by each lab's own luck and scaled back to their sum of month 0."""
    start, width = book.firms.revenue_share, book.numbers.economy.share_volatility * math.sqrt(t / 12.0)
    moved = [start[i] * math.exp(width * fixed["leadership"][i]) for i in range(len(start))]
    return [share * sum(start) / sum(moved) if sum(moved) > 0.0 else 0.0 for share in moved]


def month(book, fixed, now, new, t: int) -> None:
    """V_i and revenue_i: what start-ups pay a lab lapses with its own value and with the regime."""
    n, firms = book.numbers.contracts, book.firms
    shares = shares_of(book, fixed, t)
    loop = book.numbers.mechanisms.subscription_loop * n.subscription_share
    now["value"], now["firm_revenue"] = [], []
    for i in range(len(firms.cash)):
        growth = 1.0
        if firms.revenue_share[i] > 0.0:
            growth = shares[i] * now["revenue"] / (firms.revenue_share[i] * book.numbers.economy.revenue)
        value = firms.equity_value[i] * now["equity"] * growth**n.revenue_power
        funded = min(1.0, value / firms.equity_value[i]) if firms.equity_value[i] > 0.0 else 1.0
        lapsed = loop * (1.0 - funded * n.subscription_regime[new["regime"]])
        now["value"].append(value)
        now["firm_revenue"].append(shares[i] * now["revenue"] * (1.0 - lapsed))
