"""Observed series as a backtest reads them: what was known at a quarter end, and what came after it.

Months count from the book's date, so that the past is negative. A quarter's observations are those that end
up to a month after its last day: a quote of 6 October is of the third quarter. Of several of one series the
last counts. Known of a level at an origin is its latest observation then; a forecast runs from that one's
month, and is the same from every origin at which nothing newer was known.
"""

import dataclasses
import math
import re

from engine.book.load import Book
from engine.learn.calibration.observations import Observations, observations

GRACE = 1.0
"""Months after a quarter's end that count to it."""

KINDS = ("revenue", "lab", "rent", "spread", "equity", "capex", "rate")
"""Quantities of the model that a series may observe."""

WHOSE = {"lab": "firms", "spread": "firms", "equity": "firms", "rent": "generations"}
"""Kinds that need a row of the book, and the axis of it."""


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A quantity of the model: its kind, and the firm or chip whose it is; empty for the sector's."""

    kind: str
    whose: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.whose}".rstrip()


@dataclasses.dataclass(frozen=True)
class Observation:
    """One row of the history."""

    label: str  # series and date
    level: str  # series that differ by _REVENUE and _RUN_RATE alone observe one level
    quantity: Quantity
    start: float  # months
    end: float
    value: float

    @property
    def month(self) -> int:
        """Month whose value it is, nearly: the middle of its span; for capex, spent in a year, the end."""
        return math.floor(
            (self.end if self.quantity.kind == "capex" else 0.5 * (self.start + self.end)) + 0.5
        )

    @property
    def quarter(self) -> int:
        """Last month of its quarter."""
        return quarter_of(self.end)

    @property
    def series(self) -> str:
        """Its series."""
        return self.label.split()[0]

    def months_after(self, month: int) -> tuple[int, ...]:
        """Months of its span, counted from another month; the nearest one for a day."""
        first, last = math.floor(self.start + 1e-6) + 1, math.floor(self.end + 1e-6)
        inside = range(first, last + 1) or (math.floor(0.5 * (self.start + self.end) + 0.5),)
        return tuple(each - month for each in inside)


@dataclasses.dataclass(frozen=True)
class Forecast:
    """An observation, as it would have been forecast from an earlier one of the same level."""

    known: Observation
    target: Observation
    origins: tuple[int, ...]  # quarter ends at which `known` was the latest: months

    @property
    def months(self) -> tuple[int, ...]:
        """Months after the known observation over which the target is a mean."""
        return self.target.months_after(self.known.month)


def quarter_of(month: float) -> int:
    """Last month of the quarter to which a month counts.

    >>> quarter_of(-2.8), quarter_of(-1.9), quarter_of(0.0)
    (-3, 0, 0)
    """
    return 3 * math.ceil((month - GRACE) / 3.0 - 1e-6)


def quantity_of(text: str) -> Quantity:
    """A quantity from its name: "revenue", "spread CRWV". Raises ValueError for an unknown kind.

    >>> quantity_of("spread CRWV")
    Quantity(kind='spread', whose='CRWV')
    """
    kind, _, whose = text.strip().partition(" ")
    if kind not in KINDS or bool(whose) != (kind in WHOSE):
        raise ValueError(f"got {text!r}, expected {', '.join(sorted({*KINDS} - {*WHOSE}))}, or one of "
                         f"{', '.join(sorted(WHOSE))} with a firm or a chip")  # fmt: skip
    return Quantity(kind, whose.strip())


def observed(book: Book, series: dict[str, str]) -> list[Observation]:
    """Informative rows of these series (series to quantity), in order of their end."""
    quantities = {name: quantity_of(text) for name, text in series.items()}
    sample: Observations = observations(book, {name: name for name in series})
    rows = []
    for name, label, start, end, value in zip(
        sample.entity, sample.label, sample.start, sample.end, sample.value, strict=True
    ):
        level = re.sub(r"_(REVENUE|RUN_RATE)$", "", name)
        rows.append(
            Observation(label, level, quantities[name], 12.0 * float(start), 12.0 * float(end), float(value))
        )
    return rows


def forecasts(rows: list[Observation], first: int, last: int, quarters: int) -> list[Forecast]:
    """Every forecast that an origin allows: from each quarter end first ... last, up to `quarters` ahead.

    A target whose span began before the observation that it is forecast from was known in part: left out.
    """
    newest: dict[tuple[str, int], Observation] = {}
    for row in rows:
        newest[row.series, row.quarter] = row
    pairs: dict[tuple[Observation, Observation], list[int]] = {}
    for origin in range(first, last + 1, 3):
        for target in newest.values():
            known = latest([row for row in rows if row.level == target.level], origin)
            ahead = origin < target.quarter <= origin + 3 * quarters
            if ahead and known is not None and target.start >= known.month - 0.5:
                pairs.setdefault((known, target), []).append(origin)
    return [Forecast(known, target, tuple(origins)) for (known, target), origins in pairs.items()]


def latest(rows: list[Observation], origin: int) -> Observation | None:
    """The observation of the latest month among those known at an origin."""
    known = [row for row in rows if row.quarter <= origin]
    return max(known, key=lambda row: (row.month, row.end), default=None)
