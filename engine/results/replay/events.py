"""The event log of paths: dated, in the order of the month's stages, with every loss in one event."""

import pandas as pd

from engine.book.about import About
from engine.paths.history import History
from engine.results.replay.contracts import contract_events
from engine.results.replay.debt import debt_events
from engine.results.replay.economy import economy_events
from engine.results.replay.event import Event, Names
from engine.results.replay.lenders import lender_events

STAGES = (
    "regime", "equity round", "equity round fails", "contract not renewed", "contract underpaid",
    "contract cut", "guarantee called", "backstop used", "refinancing refused", "covenant breach waived",
    "loan called", "foreclosure", "collateral sold", "default", "pool default", "tranche loss",
    "withdrawals", "lender gates withdrawals", "forced sale of paper", "lender fails", "lender stops lending",
    "credit supply falls", "public support",
)  # fmt: skip
"""Kinds of event in the order in which a month has them."""

COLUMNS = ["path", "month", "date", "who", "name", "event", "amount", "loss", "why"]


def events_of(history: History, names: Names) -> list[Event]:
    """All events of a path: by month, then by stage, then by size.

    Their losses add up to the path's: sum of `loss` = legacy + new-money loss at the end, to the rounding of
    float32.
    """
    events = [
        *economy_events(history, names), *contract_events(history, names),
        *debt_events(history, names), *lender_events(history, names),
    ]  # fmt: skip
    return sorted(events, key=lambda event: (event.month, STAGES.index(event.event), -event.loss, event.who))


def events_table(histories: list[History], names: Names) -> pd.DataFrame:
    """path, month, date, who, name, event, amount and loss (USD bn), why: a row for each event."""
    rows = [
        (history.path, event.month, date_of(event.month, names.about), *event[1:])
        for history in histories
        for event in events_of(history, names)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"amount": "float64", "loss": "float64"})


def date_of(month: int, about: About) -> str:
    """Calendar month of a month of the run: "2027-03"."""
    year, calendar = about.calendar_month(month)
    return f"{year}-{calendar:02d}"
