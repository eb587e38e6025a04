"""What a column and a table of a book are: type, unit, default, range, key, and where a reference points."""

import dataclasses
import math
from typing import Any

REQUIRED = object()
"""Default of a column that may not be blank."""

UNKNOWN = math.nan
"""Default of a number that may stay blank: it is NaN in the typed table."""


MOST = {
    "USD bn": 1e6, "USD bn/yr": 1e5, "thousand USD": 1e5, "USD/h": 1e4, "million": 1e4, "thousand": 1e6,
    "x": 1e4, "yr": 100.0, "1/yr": 10.0, "1": 1e3, "bp": 1e5, "months": 1200, "": 1e15,
}  # fmt: skip
"""Largest size that a number of a unit may have where its column does not say less. Larger ones are slips of
units (millions, dates, serial numbers of days), and far larger ones are infinite in float32."""

LEAST = 1e-9
"""Smallest number of a column that must be above zero."""

USUAL: dict[str, tuple[float, float]] = {
    "USD bn": (0.0, 1e3), "USD bn/yr": (-500.0, 500.0), "thousand USD": (1.0, 500.0), "USD/h": (0.05, 50.0),
    "million": (0.0, 50.0), "thousand": (0.0, 5e3), "x": (0.0, 50.0), "yr": (0.5, 50.0), "1/yr": (0.0, 0.25),
    "bp": (1.0, 5e3), "months": (-240.0, 480.0), "1/sqrt(yr)": (0.0, 1.5),
}  # fmt: skip
"""Range of a unit outside which a number gives a warning, where its column does not say another."""


@dataclasses.dataclass(frozen=True)
class Column:
    """One column. `kind` is id, reference, text, choice, number, integer, flag or date.

    `low` and `high` bound numbers (inclusive; `strict` excludes `low`) within what the unit allows (`MOST`);
    outside `usual` a number gives a warning. `choices` are the words of a choice; `tables` are the tables a
    reference may point to; `default` replaces a blank cell.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    default: object = REQUIRED
    low: int | float | None = None
    high: int | float | None = None
    strict: bool = False
    choices: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    usual: tuple[float, float] | None = None

    @property
    def most(self) -> float:
        """Largest size of a number."""
        return MOST.get(self.unit, math.inf)

    @property
    def usual_range(self) -> tuple[float, float]:
        """Range without a warning: the column's own, or that of its unit."""
        return self.usual or USUAL.get(self.unit, (-math.inf, math.inf))

    @property
    def required(self) -> bool:
        """Whether a blank cell is an error."""
        return self.default is REQUIRED

    @property
    def expected(self) -> str:
        """What a cell must hold, in words."""
        words = {
            "id": "an id (capital letters, digits, _)",
            "reference": f"an id of {' or '.join(self.tables)}",
            "text": "text",
            "choice": f"one of {', '.join(self.choices)}",
            "number": "a number",
            "integer": "a whole number",
            "flag": "0 or 1",
            "date": "a date as 2031, 2031Q4, 2031-12 or 2031-12-31",
        }[self.kind]
        return words + self.bounds + (f" ({self.unit})" if self.unit not in ("", "1") else "")

    @property
    def bounds(self) -> str:
        """The range in words; empty without one."""
        if self.kind == "flag" or (self.low is None and self.high is None):
            return ""
        if self.high is None:
            return f" {'above' if self.strict else 'of at least'} {self.low:g}"
        if self.low is None:
            return f" of at most {self.high:g}"
        return f" in {'(' if self.strict else '['}{self.low:g}, {self.high:g}]"


@dataclasses.dataclass(frozen=True)
class Table:
    """One table: its columns, the columns that identify a row, and how many rows it must have.

    `optional` tables may be absent. Every table ends with `source` and `grade`.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    least: int = 0
    optional: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the schema."""
        return tuple(column.name for column in self.columns)


EVIDENCE = (
    Column("source", "text", "publication in short form, or the rule of an assumption"),
    Column("grade", "choice", "A seen in the source, B public figure, C assumption", choices=("A", "B", "C")),
)


def table(
    name: str, meaning: str, key: tuple[str, ...], *columns: Column, least: int = 0, optional: bool = False
) -> Table:
    """A table with its evidence columns."""
    return Table(name, meaning, key, (*columns, *EVIDENCE), least, optional)


def identity(name: str, meaning: str) -> Column:
    """A column of ids, which identify rows; never blank."""
    return Column(name, "id", meaning)


def reference(name: str, tables: str, meaning: str, default: Any = REQUIRED) -> Column:
    """A column of ids of rows in other tables; `tables` are their names, separated by spaces."""
    return Column(name, "reference", meaning, default=default, tables=tuple(tables.split()))


def text(name: str, meaning: str, default: Any = REQUIRED) -> Column:
    """A column of free text."""
    return Column(name, "text", meaning, default=default)


def choice(name: str, words: str, meaning: str, default: Any = REQUIRED) -> Column:
    """A column of one of some words, which `words` lists separated by spaces."""
    return Column(name, "choice", meaning, default=default, choices=tuple(words.split()))


def amount(
    name: str,
    meaning: str,
    default: Any = REQUIRED,
    unit: str = "USD bn",
    low: float | None = 0.0,
    high: float | None = None,
    strict: bool = False,
    usual: tuple[float, float] | None = None,
) -> Column:
    """A column of numbers in a unit, from `low` (excluded if `strict`) to `high`, as a rule in `usual`."""
    return Column(name, "number", meaning, unit, default, low, high, strict, usual=usual)


def share(name: str, meaning: str, default: Any = REQUIRED, strict: bool = False) -> Column:
    """A column of shares from 0 (excluded if `strict`) to 1."""
    return Column(name, "number", meaning, "1", default, 0.0, 1.0, strict)


def months(name: str, meaning: str, default: Any = REQUIRED, low: float | None = None) -> Column:
    """A column of whole months, `low` at least."""
    return Column(name, "integer", meaning, "months", default, low)


def flag(name: str, meaning: str, default: Any = 0) -> Column:
    """A column of 0 or 1, 0 if blank."""
    return Column(name, "flag", meaning, default=default)
