"""From published paths to what the model's factors are given, and what became of every column."""

import dataclasses
import difflib
import math
import pathlib
import re

import numpy as np
from jaxtyping import Float64, Int64

from engine.book.about import last_month
from engine.book.checks.problems import Problem
from engine.book.scenario.layout import read_file
from engine.book.scenario.mapping import Meaning, Meanings, ScenarioError, key_of, meanings
from engine.book.scenario.pins import Pins
from engine.book.scenario.quarters import by_quarter
from engine.book.scenario.regions import DEFAULT
from engine.book.scenario.table import (
    QUARTER,
    TABLES,
    YEAR,
    Paths,
    in_order,
    month_of,
    placed,
    shipped_tables,
)
from engine.vocabulary import REGIMES

NUMBER = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)?(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)
PERCENT = (-20.0, 100.0)
"""What a yield or rate in percent may be; beyond, it is a level."""

YEARLY = "a year's value stands at its end; quarters between lie on a straight line, of indices in logs"

MOST = 400.0
"""Percent by which an index may lie above its value at the book's date."""


@dataclasses.dataclass(frozen=True)
class Column:
    """What became of a column: `use` is given, part or unused."""

    name: str
    use: str
    meaning: Meaning
    first: float  # in the model's variable, at the end of the first period; NaN where none
    lowest: float
    highest: float
    last: float
    periods: int


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A scenario as understood."""

    file: str
    history: str
    source: str  # of a table that ships with the package
    first: str  # dates of the file
    last: str
    step: int
    columns: tuple[Column, ...]
    pins: Pins
    notes: tuple[str, ...] = ()  # on how the file was read


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which file, its history, an own mapping, and what of it to read; dates as the file writes them."""

    file: pathlib.Path
    history: pathlib.Path | None = None
    mapping: pathlib.Path | None = None
    start: str | None = None
    end: str | None = None
    case: str | None = None
    region: str = DEFAULT


def read_scenario(choice: Choice, date: str, months: int, rate: float) -> Scenario:
    """The scenario of a file for a book of `date`, a run of so many months and a short rate at month 0.

    Raises ScenarioError with everything that is wrong.
    """
    known, paths = meanings(choice.mapping), read_file(choice.file, choice.case, choice.region)
    if not paths.publisher and (unknown := unknown_columns(paths, known)):
        raise ScenarioError(unknown)
    choice, notes = dated(choice, paths, date)
    paths = cut(joined(choice, paths), choice)
    step = in_order(paths)
    ends = placed(paths, shifted(choice, date, step), months, step)
    if step == YEAR:
        notes = (*notes, YEARLY)
    columns: list[Column] = []
    values, problems = {}, []
    for name in paths.columns:
        meaning = known.here(name, paths.publisher, choice.region)
        own, faults = path_of(paths, name, meaning, ends, step, rate)
        problems += faults
        if not faults and own is not None and meaning.factor in values:
            given = next(column.name for column in columns if column.meaning.factor == meaning.factor)
            kind = f"one column of {meaning.factor}: {given} is another"
            problems.append(Problem(paths.label, 1, name, "", kind))
        if own is not None and not faults:
            values[meaning.factor] = own
        columns.append(column_of(name, meaning, own))
    if problems:
        raise ScenarioError(problems)
    ahead = [text for text, end in zip(paths.dates, ends, strict=True) if end > 0]
    history = choice.history.name if choice.history else ""
    source = shipped_tables()[choice.file.stem]["source"] if choice.file.parent == TABLES else ""
    period = QUARTER if step == YEAR else step
    return Scenario(
        choice.file.name, history, source, ahead[0], ahead[-1], period, tuple(columns),
        Pins(period, values), notes,
    )  # fmt: skip


def dated(choice: Choice, paths: Paths, date: str) -> tuple[Choice, tuple[str, ...]]:
    """A supervisor's projections begin right after the book's date, whenever they were published."""
    parts = [f"the {paths.case} scenario" if paths.case else "", paths.region and f"region {paths.region}"]
    notes = [", ".join(part for part in parts if part)] if any(parts) else []
    notes += paths.notes
    if choice.start is None and paths.begins is not None:
        choice = dataclasses.replace(choice, start=paths.begins)
        notes.append(f"dated anew: {paths.begins} is the first period after the book's date, {date}")
    return choice, tuple(notes)


def unknown_columns(paths: Paths, known: Meanings) -> list[Problem]:
    """Columns that no mapping knows, each with the nearest that one does."""
    problems = []
    names = {key: meaning.column for key, meaning in known.rows.items()}
    for name in paths.columns:
        if known.of(name) is None:
            near = difflib.get_close_matches(key_of(name), names, n=1, cutoff=0.6)
            hint = f", such as {names[near[0]]!r}" if near else ""
            own = "a row of scenario.mapping says what another is, or that it is not used"
            kind = f"a known column{hint}; {own}"
            problems.append(Problem(paths.label, 1, "", name, kind))
    return problems


def joined(choice: Choice, paths: Paths) -> Paths:
    """The paths behind their history: rows of the published past before the first of the scenario."""
    if choice.history is None:
        return paths
    past = read_file(choice.history, choice.case, choice.region)
    if missing := [name for name in paths.columns if name not in past.columns]:
        got = ", ".join(past.columns)[:80]
        raise ScenarioError([Problem(past.label, 1, "", got, f"a column {missing[0]!r}")])
    past = past.at(np.flatnonzero(past.months < paths.months[0]))
    order = [past.columns.index(name) for name in paths.columns]
    return dataclasses.replace(
        paths,
        lines=past.lines + paths.lines,
        dates=past.dates + paths.dates,
        months=np.concatenate([past.months, paths.months]),
        cells=tuple(tuple(cells[column] for column in order) for cells in past.cells) + paths.cells,
    )


def cut(paths: Paths, choice: Choice) -> Paths:
    """The rows up to `end`; raises ScenarioError for a date that is none or not there."""
    kind = f"a date of {paths.label}, {paths.dates[0]} to {paths.dates[-1]}"
    problems = [
        Problem(key, None, "", text, kind)
        for key, text in (("scenario.start", choice.start), ("scenario.end", choice.end))
        if text is not None and month_of(text) not in paths.months.tolist()
    ]
    if problems:
        raise ScenarioError(problems)
    if choice.end is None:
        return paths
    return paths.at(np.flatnonzero(paths.months <= (month_of(choice.end) or 0)))


def shifted(choice: Choice, date: str, step: int) -> str:
    """The file's own date of month 0: the book's, or the one before `start`."""
    if choice.start is None:
        return date
    year, month = divmod((month_of(choice.start) or last_month(date)) - step - 1, 12)
    return f"{year:04d}-{month + 1:02d}"


def path_of(
    paths: Paths, name: str, meaning: Meaning, ends: Int64[np.ndarray, " rows"], step: int, rate: float
) -> tuple[Float64[np.ndarray, " periods"] | None, list[Problem]]:
    """A column in the model's variable by period, None where it gives no factor, and its faults."""
    if meaning.factor == "" or meaning.reading == "part":
        return None, []
    if meaning.reading == "name":
        codes, problems = regimes_of(paths, name, ends)
        return (codes.repeat(YEAR // QUARTER) if step == YEAR and codes is not None else codes), problems
    numbers, problems = numbers_of(paths, name, ends)
    if meaning.less and not problems:
        if meaning.less not in paths.columns:
            problems.append(Problem(paths.label, 1, name, name, f"the column {meaning.less!r} beside it"))
            return None, problems
        other, problems = numbers_of(paths, meaning.less, ends)
        numbers = numbers - other
    if not problems:
        problems = unit_problems(paths, name, meaning, numbers, ends, rate)
    if not problems:
        problems = gap_problems(paths, name, numbers, ends)
    if problems:
        return None, problems
    ahead = numbers[ends > 0]
    if meaning.reading == "level":
        scaled = ahead / 100.0 if meaning.unit == "percent" else np.log(ahead)
    elif meaning.reading == "index":
        scaled = meaning.elasticity * np.log(ahead)
    elif meaning.reading == "deviation":
        scaled = meaning.elasticity * np.log1p(ahead / 100.0)
    else:
        scaled = meaning.elasticity * np.log(ahead / numbers[ends == 0][0])
    scaled = scaled[np.isfinite(scaled)]
    if step != YEAR:
        return scaled, []
    start = start_of(meaning, numbers[ends == 0], rate)
    if math.isnan(start):
        kind = "its value at the book's date, in a row of the file: years are cut into quarters from there"
        return None, [Problem(f"{paths.label}, column {name}", None, "", "none", kind)]
    return by_quarter(scaled, start), []


def start_of(meaning: Meaning, at_date: Float64[np.ndarray, " rows"], rate: float) -> float:
    """A variable at month 0: an index is 1, a rate the file's or else the book's, AI revenue the file's."""
    if meaning.reading != "level":
        return 0.0
    known = len(at_date) > 0 and bool(np.isfinite(at_date[0]))
    if meaning.unit == "percent":
        return float(at_date[0]) / 100.0 if known else rate
    return math.log(at_date[0]) if known else math.nan


def numbers_of(
    paths: Paths, name: str, ends: Int64[np.ndarray, " rows"]
) -> tuple[Float64[np.ndarray, " rows"], list[Problem]]:
    """The numbers of a column, NaN for blank cells; of history only month 0 is read."""
    place, problems = paths.columns.index(name), []
    numbers = np.full(len(ends), np.nan)
    for row, (line, cells) in enumerate(zip(paths.lines, paths.cells, strict=True)):
        text = cells[place]
        if ends[row] < 0 or text in ("", "NA", "n/a", "."):
            continue
        if text in ("+", "-") or not NUMBER.fullmatch(text):
            kind = "a number without unit or sign of percent"
            problems.append(Problem(paths.label, line, name, text, kind))
        else:
            numbers[row] = float(text.replace(",", ""))
    return numbers, problems


def regimes_of(
    paths: Paths, name: str, ends: Int64[np.ndarray, " rows"]
) -> tuple[Float64[np.ndarray, " periods"] | None, list[Problem]]:
    """The codes of a column of regimes."""
    place, problems, codes = paths.columns.index(name), [], []
    for row, (line, cells) in enumerate(zip(paths.lines, paths.cells, strict=True)):
        text = cells[place].lower()
        if ends[row] > 0 and text and text not in REGIMES:
            problems.append(Problem(paths.label, line, name, cells[place], f"one of {', '.join(REGIMES)}"))
        if ends[row] > 0:
            codes.append(float(REGIMES.index(text)) if text in REGIMES else math.nan)
    values = np.array(codes)
    problems = problems or gap_problems(paths, name, np.where(ends > 0, 0.0, np.nan), ends, values)
    return (None, problems) if problems else (values[np.isfinite(values)], [])


def unit_problems(
    paths: Paths, name: str, meaning: Meaning, numbers: Float64[np.ndarray, " rows"],
    ends: Int64[np.ndarray, " rows"], rate: float,
) -> list[Problem]:  # fmt: skip
    """A level where a rate is expected, decimals for percent, what has no logarithm, a missing start."""
    ahead = numbers[ends > 0]
    given = ahead[np.isfinite(ahead)]
    if not len(given):
        return [Problem(paths.label, None, name, "no number", "a value for the first period at least")]
    where = f"{paths.label}, column {name}"
    low, high, first = float(given.min()), float(given.max()), float(given[0])
    span = f"{low:g} to {high:g}"
    percent = meaning.unit == "percent" and meaning.reading != "deviation"
    if percent and (low < PERCENT[0] or high > PERCENT[1]):
        return [Problem(where, None, "", span, "percent a year, such as 4.3; this looks like a level")]
    if meaning.reading == "level" and meaning.unit == "percent" and 0.0 < max(abs(low), high) < 0.3:
        if abs(first - 100.0 * rate) > abs(100.0 * first - 100.0 * rate):
            return [Problem(where, None, "", span, "percent a year, such as 4.3; these look like decimals")]
    if meaning.reading == "deviation" and (low <= -100.0 or high > MOST):
        kind = f"a deviation in percent above -100 and at most {MOST:g}; this looks like a level"
        return [Problem(where, None, "", span, kind)]
    logarithm = meaning.reading in ("ratio", "index") or meaning.unit == "USD bn/yr"
    if logarithm and low <= 0.0:
        what = f" less {meaning.less}" if meaning.less else ""
        return [Problem(where + what, None, "", f"{low:g}", "numbers above 0")]
    if meaning.reading == "index" and not 0.2 <= first <= 5.0:
        kind = "an index that is 1 at the book's date; this looks like a level"
        return [Problem(where, None, "", f"{first:g}", kind)]
    start = numbers[ends == 0]
    if meaning.reading == "ratio" and (not len(start) or not start[0] > 0.0):
        kind = "its value at the book's date, in a row of the file or of scenario.history"
        return [Problem(where, None, "", "none", kind)]
    return []


def gap_problems(
    paths: Paths, name: str, numbers: Float64[np.ndarray, " rows"], ends: Int64[np.ndarray, " rows"],
    ahead: Float64[np.ndarray, " periods"] | None = None,
) -> list[Problem]:  # fmt: skip
    """A blank cell before the last number of a column."""
    ahead = numbers[ends > 0] if ahead is None else ahead
    known = np.flatnonzero(np.isfinite(ahead))
    blank = [place for place in range(known[-1] if len(known) else 0) if not np.isfinite(ahead[place])]
    lines = [line for line, end in zip(paths.lines, ends, strict=True) if end > 0]
    kind = "a value in every row up to the last one of the column"
    return [Problem(paths.label, lines[blank[0]], name, "nothing", kind)] if blank else []


def column_of(name: str, meaning: Meaning, own: Float64[np.ndarray, " periods"] | None) -> Column:
    """What became of a column, in words and ends."""
    if own is None or not len(own):
        use = "part" if meaning.reading == "part" else "unused"
        return Column(name, use, meaning, math.nan, math.nan, math.nan, math.nan, 0)
    natural = own if meaning.factor in ("rates", "regime") else np.exp(own)
    first, lowest, highest, last = map(float, (natural[0], natural.min(), natural.max(), natural[-1]))
    return Column(name, "given", meaning, first, lowest, highest, last, len(own))
