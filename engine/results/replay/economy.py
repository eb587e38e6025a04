"""Events of the economy: turns of AI revenue, credit supply, public support."""

import math
from collections.abc import Iterator

import numpy as np

from engine.paths.history import History
from engine.results.replay.event import Event, Names, before, crossings, episodes, money, places, span
from engine.vocabulary import LEVERS, PUBLIC, REGIMES

SUPPLY = (0.75, 0.5, 0.25)
"""Levels of credit supply whose passing is an event."""


def economy_events(history: History, names: Names) -> Iterator[Event]:
    """Events of the economy in no order of months."""
    yield from turns(history)
    yield from supply(history)
    yield from support(history)


def turns(history: History) -> Iterator[Event]:
    """Months in which the regime of AI revenue changes."""
    conditions = history.info.economy
    now = conditions.regime.argmax(axis=-1)
    earlier = before(history.start.economy.regime.argmax(), now)
    for (month,) in places(now != earlier):
        revenue = float(conditions.revenue[month])
        turn = f"{REGIMES[earlier[month]]} turns to {REGIMES[now[month]]}"
        why = f"{turn}; AI revenue is {money(revenue)} a year"
        yield Event(month + 1, "revenue", "AI revenue", "regime", revenue, 0.0, why)


def supply(history: History) -> Iterator[Event]:
    """Months in which the supply of credit falls below three quarters, half, and one quarter."""
    share = history.state.supply[:, None]
    for month, _ in places(crossings(history.start.supply[None], share, SUPPLY)):
        why = f"lenders supply {float(share[month, 0]):.0%} of the credit of normal times"
        yield Event(month + 1, "supply", "Credit supply", "credit supply falls", math.nan, 0.0, why)


def support(history: History) -> Iterator[Event]:
    """Public money, from the first month to the last of each use."""
    places_of = [LEVERS.index(name) for name in PUBLIC]
    for first, last, place, total in episodes(history, history.info.policy_cost[:, np.array(places_of)]):
        why = f"public money of {money(total)} {span(first, last)}"
        yield Event(first + 1, PUBLIC[place], "Government", "public support", total, 0.0, why)
