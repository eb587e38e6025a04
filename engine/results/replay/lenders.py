"""Events of lenders: failures, withdrawals and gates, forced sales, the end of lending."""

import math
from collections.abc import Iterator

import numpy as np

from engine.paths.history import History
from engine.results.replay.event import Event, Names, before, episodes, money, onsets, span

STOPPED = 0.5
"""A lender that has given up this share of its new lending has stopped."""
AT_GATE = 1.0 - 1e-4
"""Of the gate: withdrawals this near it are limited by it, to the rounding of float32."""


def lender_events(history: History, names: Names) -> Iterator[Event]:
    """Events of lenders in no order of months."""
    yield from failures(history, names)
    yield from stops(history, names)
    yield from withdrawals(history, names)
    yield from paper_sales(history, names)


def named(history: History, names: Names, lender: int) -> tuple[str, str]:
    """Id and name of a lender."""
    key = history.system.names.lenders[lender]
    return key, names.lender[key]


def failures(history: History, names: Names) -> Iterator[Event]:
    """Lenders whose capital is gone; the amount is what they have lost on this book so far."""
    lenders, capital = history.state.lenders, history.info.lenders.capital
    month_of = lenders.failed[-1]
    for lender in np.flatnonzero(month_of > 0).tolist():
        month = int(month_of[lender]) - 1
        key, name = named(history, names, lender)
        gross, eroded = float(lenders.gross[month, lender]), float(capital.eroded[month, lender])
        own = float(np.asarray(history.system.lenders.capital)[lender] * capital.scale[month, lender])
        elsewhere = f" and {eroded:.0%} of it is lost on other assets" if eroded > 0.0 else ""
        why = f"it has lost {money(gross)} here; its capital was {money(own)}{elsewhere}"
        yield Event(month + 1, key, name, "lender fails", gross, 0.0, why)


def stops(history: History, names: Names) -> Iterator[Event]:
    """Lenders that give up more than half of their new lending."""
    paper = history.info.lenders.paper
    for month, lender in onsets(paper.stopped >= STOPPED):
        key, name = named(history, names, lender)
        why = f"{float(paper.lost[month, lender]):.0%} of its capital is lost at market prices"
        yield Event(month + 1, key, name, "lender stops lending", math.nan, 0.0, why)


def withdrawals(history: History, names: Names) -> Iterator[Event]:
    """What investors withdraw from lenders, and whether a gate limits it; one event a run of months."""
    table, capital = history.system.lenders, history.info.lenders.capital
    now = history.state.lenders.paper.withdrawn
    step = now - before(history.start.lenders.paper.withdrawn, now)
    gate = np.asarray(table.gate)
    limited = (step > 0.0) & (step >= AT_GATE * gate) & (np.asarray(table.vehicle) == 0.0) & (gate < 1.0)
    for first, last, lender, total in episodes(history, step * np.asarray(table.capital) * capital.scale):
        key, name = named(history, names, lender)
        at_gate = bool(limited[first : last + 1, lender].any())
        event = "lender gates withdrawals" if at_gate else "withdrawals"
        gated = f", held back by its gate of {float(gate[lender]):.1%} a month" if at_gate else ""
        why = f"investors withdraw {money(total)} {span(first, last)}{gated}"
        yield Event(first + 1, key, name, event, total, 0.0, why)


def paper_sales(history: History, names: Names) -> Iterator[Event]:
    """Paper that lenders are forced to sell, at par; one event a run of months."""
    paper, market = history.system.paper, history.info.lenders.paper
    sold = history.state.lenders.paper.sold
    step = sold - before(history.start.lenders.paper.sold, sold)
    held = np.asarray(paper.held)
    par = history.info.lenders.capital.growth * step * held.sum(axis=1)
    for first, last, lender, total in episodes(history, par):
        key, name = named(history, names, lender)
        mix = held[lender] / max(float(held[lender].sum()), 1e-9)
        price = float(market.price[last] @ mix)
        why = f"it sells paper of {money(total)} at {price:.0%} of par {span(first, last)}"
        yield Event(first + 1, key, name, "forced sale of paper", total, 0.0, why)
