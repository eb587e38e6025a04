"""Section 1 of docs/model.md: regime, AI revenue, rates, spreads, equity, power, access to debt."""

import math

import numpy as np
from scipy.linalg import expm

from tests.reference.scalars import (
    CREDIT,
    DEMAND,
    DT,
    EQUITY,
    POWER,
    RATES,
    REGIMES,
    TECHNOLOGY,
    clip,
    positive,
)


def start_regime(book) -> int:
    """Number of the regime of month 0, given by name or already by number."""
    start = book.numbers.economy.start
    return REGIMES.index(start) if isinstance(start, str) else int(start)


def transition(book) -> np.ndarray:
    """P = expm(Q dt), [from, to]; the `leave_` lists hold the other two regimes in order."""
    n = book.numbers.economy
    to_plateau, to_bust = n.leave_boom
    to_boom, plateau_to_bust = n.leave_plateau
    bust_to_boom, bust_to_plateau = n.leave_bust
    generator = [
        [-(to_plateau + to_bust), to_plateau, to_bust],
        [to_boom, -(to_boom + plateau_to_bust), plateau_to_bust],
        [bust_to_boom, bust_to_plateau, -(bust_to_boom + bust_to_plateau)],
    ]
    return expm(np.array(generator) * DT)


def jumps(book) -> np.ndarray:
    """J, [from, to]: the jump of log equity at a change of regime."""
    n = book.numbers.economy
    return np.array(
        [
            [0.0, n.crash_boom_plateau, n.crash_boom_bust],
            [n.rally_plateau_boom, 0.0, n.crash_plateau_bust],
            [n.rally_bust_boom, n.rally_bust_plateau, 0.0],
        ]
    )


def correlated(loading: np.ndarray, normals: np.ndarray) -> list[float]:
    """z = L eps."""
    shocks = []
    for row in range(6):
        shocks.append(sum(loading[row, column] * normals[column] for column in range(6)))
    return shocks


def next_regime(probability: np.ndarray, regime: int, uniform: float) -> int:
    """s' = sum over j = 0, 1 of [u >= P_{s,0} + ... + P_{s,j}]."""
    new = 0
    cumulative = 0.0
    for j in (0, 1):
        cumulative += probability[regime, j]
        if uniform >= cumulative:
            new += 1
    return new


def reverting(value: float, mean: float, speed: float, volatility: float, shock: float) -> float:
    """Exact month of an Ornstein-Uhlenbeck process."""
    decay = math.exp(-speed * DT)
    width = math.sqrt((1.0 - math.exp(-2.0 * speed * DT)) / (2.0 * speed))
    return mean + (value - mean) * decay + volatility * width * shock


def month(book, fixed, state, draws, now, new) -> None:
    """Write the economy of the month into `now` and its state into `new`."""
    n = book.numbers.economy
    credit = book.numbers.credit
    z = correlated(fixed["loading"], draws["normals"])
    root = math.sqrt(DT)
    old, regime = state["regime"], next_regime(fixed["transition"], state["regime"], draws["regime"])

    supply = max(state["supply"], now["levers"].floor)
    now["felt_supply"] = 1.0 - book.numbers.mechanisms.funding_loop * (1.0 - supply)
    growth = n.growth[regime]
    if regime == 0:
        growth = growth * positive(1.0 - math.exp(state["log_revenue"]) / n.ceiling)
    growth -= book.numbers.mechanisms.recession * n.recession_drag * (1.0 - supply)
    new["regime"] = regime
    new["log_revenue"] = (
        state["log_revenue"] + (growth - n.volatility**2 / 2.0) * DT + n.volatility * root * z[DEMAND]
    )
    rate, spread, power = state["short_rate"], state["log_spread"], state["log_power"]
    new["short_rate"] = reverting(rate, n.rate, n.rate_reversion, n.rate_volatility, z[RATES])
    new["log_spread"] = reverting(spread, 0.0, n.spread_reversion, n.spread_volatility, z[CREDIT])
    new["log_power"] = reverting(power, 0.0, n.power_reversion, n.power_volatility, z[POWER])

    correlation = book.economy.correlation[DEMAND, EQUITY]
    loading = n.equity_beta * n.volatility
    variance = n.equity_volatility**2 + loading**2 + 2.0 * loading * n.equity_volatility * correlation
    new["log_equity"] = (
        state["log_equity"]
        + (n.equity_drift - variance / 2.0) * DT
        + loading * root * z[DEMAND]
        + n.equity_volatility * root * z[EQUITY]
        + fixed["jump"][old, regime]
    )

    now["technology"] = z[TECHNOLOGY]
    now["revenue"] = math.exp(new["log_revenue"])
    now["equity"] = math.exp(new["log_equity"])
    now["power"] = math.exp(new["log_power"])
    now["spread"] = math.exp(new["log_spread"]) * (1.0 + n.spread_feedback * (1.0 - now["felt_supply"]))
    now["hazard_multiplier"] = credit.hazard_regime[regime]
    now["access"] = clip(
        credit.capacity_scale * now["felt_supply"] / math.sqrt(now["spread"]), 0.0, credit.capacity_cap
    )
