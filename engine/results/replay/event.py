"""An event of a path, who is in it, and how runs of months become events."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Array, Bool, Shaped

from engine.book.about import About
from engine.book.load import Book
from engine.paths.history import History

SMALL = 0.01
"""USD bn; a smaller flow is no event, nor a smaller debt due."""
SHARE = 1e-3
"""Of the debt drawn today: what is more than that is an event in a small book."""


class Event(NamedTuple):
    """What happens to whom in a month, counted from 1.

    `amount` is how much, USD bn unless `why` names another unit, NaN where the event has no size; `loss` is
    the part of the system's loss that falls in the event, USD bn.
    """

    month: int
    who: str
    name: str
    event: str
    amount: float
    loss: float
    why: str


@dataclasses.dataclass(frozen=True)
class Names:
    """Readers' names by id."""

    firm: dict[str, str]
    instrument: dict[str, str]
    lender: dict[str, str]
    pool: dict[str, str]
    about: About


def names_of(book: Book) -> Names:
    """The names that a book gives."""

    def column(table: str, key: str) -> dict[str, str]:
        rows: pd.DataFrame = book.tables[table]
        return dict(zip(rows[key], rows["name"], strict=True))

    instruments = column("loans", "loan") | column("tranches", "tranche")
    return Names(
        column("firms", "firm"), instruments, column("lenders", "lender"), column("pools", "pool"), book.about
    )


def before(start: Any, months: Any) -> np.ndarray:
    """What stood at the end of the month before: `months` [months ...] one month late, `start` first."""
    return np.concatenate([np.asarray(start)[None], np.asarray(months)[:-1]])


def places(holds: Bool[Array | np.ndarray, "months *n"]) -> Iterator[tuple[int, ...]]:
    """Month (from 0) and place of every entry that is true, in order of months."""
    yield from (tuple(int(at) for at in place) for place in np.argwhere(holds))


def onsets(holds: Bool[Array | np.ndarray, "months n"]) -> Iterator[tuple[int, ...]]:
    """Month (from 0) and place at which something begins to hold."""
    return places(holds & ~before(np.zeros(holds.shape[1:], bool), holds))


def crossings(
    start: Shaped[Array | np.ndarray, "n"],
    months: Shaped[Array | np.ndarray, "months n"],
    levels: tuple[float, ...],
) -> Bool[np.ndarray, "months n"]:
    """Where a share falls below one of the levels."""
    earlier = before(start, months)
    return np.logical_or.reduce([(earlier >= level) & (months < level) for level in levels])


def least(history: History, amount: float = SMALL) -> float:
    """USD bn from which an amount is an event, where `amount` is that of a large book."""
    return min(amount, SHARE * float(history.system.exposure_start))


def episodes(
    history: History, flow: Shaped[Array | np.ndarray, "months n"]
) -> Iterator[tuple[int, int, int, float]]:
    """First and last month (from 0), place and sum of every run of months with a flow that is an event."""
    runs = flow > least(history)
    ends = runs & ~np.concatenate([runs[1:], np.zeros_like(runs[:1])])
    for first, place in onsets(runs):
        last = first + int(np.argmax(ends[first:, place]))
        yield first, last, place, float(flow[first : last + 1, place].sum(dtype=np.float64))


def money(amount: float) -> str:
    """USD bn in a sentence, in the unit of its size.

    >>> money(148.2), money(3.14), money(0.42), money(0.0031)
    ('148 bn', '3.1 bn', '420 m', '3.1 m')
    """
    size, unit = (amount, "bn") if abs(amount) >= 0.9995 or amount == 0.0 else (1000.0 * amount, "m")
    return f"{size:,.{0 if abs(size) >= 99.95 else 1 if abs(size) >= 0.995 else 2}f} {unit}"


def span(first: int, last: int) -> str:
    """How long a run of months lasts: "in this month", "over 7 months"."""
    return "in this month" if first == last else f"over {last - first + 1} months"
