"""Observations of the book's history: rows that carry information, and the span of each.

Years count from the end of month 0, the book's date, so that the past is negative. An observation is the mean
of a quantity from `start` to `end`; a run-rate is that of its last day.
"""

import dataclasses
import re

import numpy as np
import pandas as pd

from engine.book.about import About
from engine.book.load import Book

DAY = 1.0 / 365.0

EMPTY_WORDS = re.compile(r"interpolat|judg|between|\bmid\b", re.IGNORECASE)
"""In a source: the row is an interpolation or an opinion, and carries no information of its own."""

INSTANT_WORDS = re.compile(r"annualised|run.rate", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Observations:
    """Rows in order of their end; `entity` is whose, `label` how the book names the row."""

    entity: tuple[str, ...]
    label: tuple[str, ...]
    start: np.ndarray  # years
    end: np.ndarray
    value: np.ndarray  # positive

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def middle(self) -> np.ndarray:
        """Middle of each span (years)."""
        return 0.5 * (self.start + self.end)


def informative(history: pd.DataFrame) -> pd.DataFrame:
    """Rows with positive values that are observations, not interpolations or opinions."""
    empty = history["source"].str.contains(EMPTY_WORDS)
    return history[(history["value"] > 0.0) & ~empty]


def span(about: About, date: str, instant: bool = False) -> tuple[float, float]:
    """Start and end of "2031", "2031Q4", "2031-12" or "2031-12-31" in years from the book's date.

    >>> about = About("", "2031-12-31", "USD", ("A",), {})
    >>> span(about, "2031"), span(about, "2031Q3")
    ((-1.0, 0.0), (-0.5, -0.25))
    """
    year = float(date[:4]) - about.year
    if "Q" in date:
        start, width = year + 0.25 * (int(date[5]) - 1), 0.25
    elif len(date) == 7:
        start, width = year + (int(date[5:7]) - 1) / 12.0, 1.0 / 12.0
    elif len(date) > 7:
        start, width = year + (int(date[5:7]) - 1) / 12.0 + (int(date[8:10]) - 1) * DAY, DAY
    else:
        start, width = year, 1.0
    end = start + width
    return (end - DAY if instant else start), end


def observations(book: Book, entities: dict[str, str], since: str | None = None) -> Observations:
    """Informative rows of these series (series to entity) from the period `since` on; there may be none."""
    about = book.about
    least = -np.inf if since is None else span(about, since)[0]
    rows = []
    columns = informative(book["history"])[["series", "date", "source", "value"]]
    for series, date, source, value in columns.itertuples(index=False, name=None):
        if series not in entities:
            continue
        instant = bool(INSTANT_WORDS.search(source)) or series.endswith("_RUN_RATE")
        start, end = span(about, date, instant)
        if start >= least - 1e-9:
            rows.append((end, start, entities[series], f"{series} {date}", float(value)))
    rows.sort()
    ends, starts, entity, label, values = zip(*rows, strict=True) if rows else ((),) * 5
    return Observations(entity, label, *(np.asarray(part, np.float64) for part in (starts, ends, values)))


def brownian(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Covariance of the means over spans of one Brownian motion that starts before them all [n n].

        Cov = 1/(w v) int_a^b int_c^d min(s, t) ds dt

    Means of neighbouring years then have increments of variance 2/3 and covariance 1/6 (Working 1960).

    >>> mean = brownian(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    >>> change = np.diff(np.eye(3), axis=0)
    >>> (change @ mean @ change.T).round(6).tolist()
    [[0.666667, 0.166667], [0.166667, 0.666667]]
    """
    if not len(start):
        return np.zeros((0, 0))
    zero = start.min()
    a, b = start - zero, end - zero

    def area(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        low, high = np.minimum(x, y), np.maximum(x, y)
        return low**2 * high / 2.0 - low**3 / 6.0

    def both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return area(one[:, None], other[None, :])

    whole = both(b, b) - both(a, b) - both(b, a) + both(a, a)
    return whole / np.outer(b - a, b - a)
