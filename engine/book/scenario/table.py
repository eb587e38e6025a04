"""A table of macroeconomic paths: a column Date in quarters, months or years, one path a column."""

import csv
import dataclasses
import pathlib
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from engine.book.about import last_month
from engine.book.checks.problems import Problem
from engine.book.scenario.mapping import ScenarioError, key_of
from engine.book.sheets import Sheet, read_csv

TABLES = pathlib.Path(__file__).with_name("tables")
"""Published tables that ship with the package; `scenario.file` may name one without its suffix."""

DATES = (
    re.compile(r"(?P<year>[0-9]{4}) ?:?Q(?P<quarter>[1-4])"),
    re.compile(r"Q(?P<quarter>[1-4])[ :]?(?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])(-[0-3][0-9])?"),
    re.compile(r"(?P<month>0?[1-9]|1[0-2])/[0-3]?[0-9]/(?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>19[0-9]{2}|2[0-9]{3})"),
)
"""2030 Q1, 2030Q1, 2030:Q1; Q1 2030; 2030-03, 2030-03-31; 3/31/2030; 2030."""

EXPECTED = "a quarter, month or year such as 2030 Q1, 2030-03 or 2030"
LABELS = {"scenarioname", "scenario"}
"""Columns of words that say which scenario a row belongs to."""

QUARTER, YEAR = 3, 12
PERIODS = {1: "month", QUARTER: "quarter", YEAR: "year"}
"""Months between two rows, and what such a period is called."""

MOST = 2_000
"""Rows of a table."""


@dataclasses.dataclass(frozen=True)
class Paths:
    """Rows of one file in order: `months` counts from the year 0, cells by column as they stood.

    Of a supervisor's own layout there is more: who published it (its unknown columns are left out by name,
    those of a file of one's own are refused), where its projections begin, which of its scenarios and regions
    was read, and what a reader should know of that.
    """

    label: str
    lines: tuple[int | None, ...]
    dates: tuple[str, ...]
    months: Int64[np.ndarray, " rows"]
    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    publisher: str = ""
    begins: str | None = None
    case: str = ""
    region: str = ""
    notes: tuple[str, ...] = ()

    def at(self, places: Int64[np.ndarray, " places"]) -> "Paths":
        """Some of the rows."""
        return dataclasses.replace(
            self,
            lines=tuple(self.lines[place] for place in places),
            dates=tuple(self.dates[place] for place in places),
            months=self.months[places],
            cells=tuple(self.cells[place] for place in places),
        )


def shipped_tables() -> dict[str, dict[str, str]]:
    """The published tables that ship with the package, by name: history, source and grade of each."""
    with open(TABLES / "tables.csv", encoding="utf-8", newline="") as file:
        return {row["table"]: row for row in csv.DictReader(file)}


def table_file(name: str) -> pathlib.Path | None:
    """The file that a name stands for: a path, or a shipped table; None where there is none."""
    path, known = pathlib.Path(name), name.removesuffix(".csv")
    if path.is_file():
        return path
    return TABLES / f"{known}.csv" if known in shipped_tables() else None


def month_of(text: str) -> int | None:
    """Months from the year 0 to the end of a quarter, month or year; None for any other text.

    >>> month_of("2030 Q1") == month_of("Q1 2030") == month_of("2030-03-31") == 2030 * 12 + 3
    True
    """
    for pattern in DATES:
        if match := pattern.fullmatch(text.strip()):
            parts = match.groupdict()
            quarter = QUARTER * int(parts.get("quarter") or YEAR // QUARTER)
            return YEAR * int(parts["year"]) + int(parts.get("month") or quarter)
    return None


def read_paths(file: pathlib.Path) -> Paths:
    """The rows of a CSV file. Raises ScenarioError with everything that is wrong with its dates."""
    sheet = read_csv(file, MOST)
    if isinstance(sheet, Problem):
        raise ScenarioError([sheet])
    return paths_of(sheet)


def paths_of(sheet: Sheet) -> Paths:
    """The rows of a sheet with a column Date. Raises ScenarioError with all that is wrong with its dates."""
    names = [key_of(name) for name in sheet.header]
    problems = header_problems(sheet, names)
    if problems:
        raise ScenarioError(problems)
    date = names.index("date")
    for line, cells in sheet.rows:
        if len(cells) != len(names):
            got = f"{len(cells)} cells"
            problems.append(Problem(sheet.label, line, "", got, f"{len(names)} cells, as in the header"))
    months = [(line, cells[date], month_of(cells[date])) for line, cells in sheet.rows if not problems]
    problems += [
        Problem(sheet.label, line, "Date", text, EXPECTED) for line, text, month in months if month is None
    ]
    if problems:
        raise ScenarioError(problems)
    places = [place for place, name in enumerate(names) if place != date and name not in LABELS]
    return Paths(
        sheet.label,
        tuple(line for line, _ in sheet.rows),
        tuple(text for _, text, _ in months),
        np.array([month for _, _, month in months], np.int64),
        tuple(sheet.header[place] for place in places),
        tuple(tuple(cells[place] for place in places) for _, cells in sheet.rows),
    )


def header_problems(sheet: Sheet, names: Sequence[str]) -> list[Problem]:
    """A date, at least one row, and no column twice."""
    if "date" not in names:
        got = ", ".join(sheet.header)[:80]
        return [Problem(sheet.label, 1, "", got, f"a column Date with {EXPECTED}")]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [Problem(sheet.label, 1, "", name, "each column once") for name in twice]
    return (
        problems
        if sheet.rows
        else [*problems, Problem(sheet.label, None, "", "no rows", "a row a quarter, month or year")]
    )


def in_order(paths: Paths) -> int:
    """Months between two rows. Raises ScenarioError unless they are consecutive quarters, months or years."""
    steps = np.diff(paths.months)
    yearly = all(text.strip().isdigit() for text in paths.dates)
    step = (YEAR if yearly else QUARTER) if not len(steps) else int(steps[0])
    for place, gap in enumerate(steps.tolist(), 1):
        before, line = paths.dates[place - 1], paths.lines[place]
        if gap <= 0:
            kind = f"a date after {before}"
            raise ScenarioError([Problem(paths.label, line, "Date", paths.dates[place], kind)])
        if step not in PERIODS or gap != step:
            kind = f"the {PERIODS.get(step, 'quarter')} after {before}: no gap, one step"
            raise ScenarioError([Problem(paths.label, line, "Date", paths.dates[place], kind)])
    return step


def placed(paths: Paths, date: str, months: int, step: int) -> Int64[np.ndarray, " rows"]:
    """Months of the rows from the book's date on, 0 or less for history.

    Raises ScenarioError where the rows do not begin right after the date, or reach beyond the run.
    """
    ends = paths.months - last_month(date)
    ahead = np.flatnonzero(ends > 0)
    if not len(ahead):
        kind = f"dates after the book's, {date}; scenario.start=... dates the table anew"
        raise ScenarioError(
            [Problem(paths.label, None, "Date", f"{paths.dates[0]} to {paths.dates[-1]}", kind)]
        )
    first, last = int(ahead[0]), int(ahead[-1])
    if int(ends[first]) != step:
        kind = f"the {PERIODS[step]} after the book's date, {date}, as the first ahead"
        raise ScenarioError([Problem(paths.label, paths.lines[first], "Date", paths.dates[first], kind)])
    if int(ends[last]) > months:
        enough = -(-int(ends[last]) // 12) * 12
        kind = f"dates within the run's {months} months: run.months={enough} or an earlier scenario.end"
        raise ScenarioError([Problem(paths.label, paths.lines[last], "Date", paths.dates[last], kind)])
    return ends
