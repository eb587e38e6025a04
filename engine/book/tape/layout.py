"""Where the loans of a tape stand: sheet, header row, the field and unit of every column."""

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence

from engine.book.tape.fields import FIELDS, Unit, exact, likely, split
from engine.book.tape.grid import letter
from engine.book.tape.questions import Answers, Question, Unsettled
from engine.book.tape.values import CURRENCIES, SCALES
from engine.book.workbook import Grid

LOOKED_AT = 60
"""Rows of a sheet among which the header is."""

LEAST = 3
"""Columns that must be known by their headers for a row to be the header."""

IGNORE = "ignore"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its place from 0, its header as it stands, its field (None: not read) and its unit."""

    place: int
    header: str
    field: str | None
    unit: Unit

    @property
    def name(self) -> str:
        """The column as messages call it."""
        return self.header or f"column {letter(self.place)}"


@dataclasses.dataclass(frozen=True)
class Layout:
    """The sheet, the line of its header, its columns, what stands above, and what was left out."""

    grid: Grid
    line: int
    columns: tuple[Column, ...]
    title: str
    left_out: tuple[str, ...]

    def column(self, field: str) -> Column | None:
        """The column of a field, if any."""
        return next((each for each in self.columns if each.field == field), None)


def layout_of(grids: Sequence[Grid], answers: Answers) -> Layout:
    """The layout of a tape; raises `Unsettled` with what must be asked."""
    grid = sheet_of(grids, answers)
    line = header_line(grid, answers)
    cells = dict(grid.records)[line]
    columns = columns_of(grid, line, cells, answers)
    above = [" ".join(filter(None, row)) for number, row in grid.records if number < line]
    left_out = [f"sheet {each.title!r}: no loans in it" for each in grids if each is not grid]
    return Layout(grid, line, columns, " · ".join(above), tuple(left_out))


def known_columns(cells: Sequence[str]) -> tuple[int, float]:
    """Fields that a row's cells name as headers, and the same with likely ones as halves."""
    certain = {field for cell in cells if cell and (field := exact(cell))}
    perhaps = {field for cell in cells if cell and (field := likely(cell))} - certain
    return len(certain), len(certain) + 0.5 * len(perhaps)


def candidates(grid: Grid) -> list[int]:
    """Lines that may be the header; of a header that is repeated the first."""
    rows: dict[tuple[str, ...], int] = {}
    for line, cells in grid.records[:LOOKED_AT]:
        certain, score = known_columns(cells)
        if certain >= 2 and score >= LEAST:
            rows.setdefault(tuple(cell.lower() for cell in cells if cell), line)
    return list(rows.values())


def sheet_of(grids: Sequence[Grid], answers: Answers) -> Grid:
    """The sheet with the loans: the only one with a header."""
    titles = {grid.title.lower(): grid for grid in grids}
    if answer := answers.of("sheet", "loans"):
        if answer.lower() not in titles:
            names = ", ".join(grid.title for grid in grids)
            raise Unsettled([Question("sheet", "loans", f"there is no sheet {answer!r}", f"one of {names}")])
        return titles[answer.lower()]
    able = [grid for grid in grids if candidates(grid)]
    if len(able) > 1:
        names = ", ".join(grid.title for grid in able)
        raise Unsettled([Question("sheet", "loans", "more than one sheet has a header", f"one of {names}")])
    if able:
        return able[0]
    if any(answers.of("header row", grid.title) for grid in grids):
        return next(grid for grid in grids if answers.of("header row", grid.title))
    if not any(grid.records for grid in grids):
        raise Unsettled(problems=["the file has no cells, expected a table of loans"])
    largest = max(grids, key=lambda grid: len(grid.records))
    why = f"no row of sheet {largest.title!r} has {LEAST} headers that are known"
    expected = "its line, as 3; known are Borrower, Commitment, Outstanding, Margin, Maturity and many more"
    raise Unsettled([Question("header row", largest.title, why, expected)])


def header_line(grid: Grid, answers: Answers) -> int:
    """The line of the header; asked for where two rows could be it."""
    lines = [line for line, _ in grid.records]
    if answer := answers.of("header row", grid.title):
        if not answer.isdecimal() or int(answer) not in lines:
            expected = f"a line of the sheet from {lines[0]} to {lines[-1]}"
            raise Unsettled([Question("header row", grid.title, f"got {answer!r}", expected)])
        return int(answer)
    able = candidates(grid)
    if len(able) > 1:
        why = f"lines {' and '.join(map(str, able))} could each be the header"
        raise Unsettled([Question("header row", grid.title, why, "one line; what stands above is left out")])
    return able[0]


def columns_of(grid: Grid, line: int, cells: Sequence[str], answers: Answers) -> tuple[Column, ...]:
    """Every column with its field; raises `Unsettled` for headers that may mean a field, or the same one."""
    width = max(len(row) for _, row in grid.records)
    headers = [*cells, *[""] * (width - len(cells))]
    names = unique(headers)
    taken = {field for header in headers if header and (field := exact(header))}
    fields: list[str | None] = []
    questions = []
    for header, name in zip(headers, names, strict=True):
        field = exact(header) if header else None
        if answer := answers.of("column", name):
            field = None if answer.lower() == IGNORE else answer.lower()
            if field is not None and field not in FIELDS:
                questions.append(asked(name, f"got {answer!r}"))
        elif header and field is None and (perhaps := likely(header)) and perhaps not in taken:
            questions.append(asked(name, "the header is not one that is known", perhaps))
        fields.append(field)
    for field, count in Counter(filter(None, fields)).items():
        if count > 1:
            same = [name for name, each in zip(names, fields, strict=True) if each == field]
            why = f"{' and '.join(same)} both seem to be {field}"
            questions += [asked(name, why) for name in same]
    if not questions:
        questions = missing(names, headers, fields)
    if questions:
        raise Unsettled(questions)
    return tuple(
        Column(place, name if header else "", field, split(header)[1] if header else Unit())
        for place, (header, name, field) in enumerate(zip(headers, names, fields, strict=True))
    )


def unique(headers: Sequence[str]) -> list[str]:
    """Headers by which columns are told apart: a repeated one with the column's letter."""
    counts = Counter(header.lower() for header in headers)
    return [
        f"{header} [{letter(place)}]" if counts[header.lower()] > 1 else header
        for place, header in enumerate(headers)
    ]


def asked(name: str, why: str, proposal: str = "") -> Question:
    """The question which field a column is."""
    return Question("column", name, why, f"{', '.join(FIELDS)}, or {IGNORE}", proposal)


def missing(names: Sequence[str], headers: Sequence[str], fields: Sequence[str | None]) -> list[Question]:
    """The other columns, where none is the borrower or an amount."""
    lack = [] if "borrower" in fields else ["the borrower"]
    lack += [] if {"commitment", "drawn"} & set(fields) else ["an amount (commitment or drawn)"]
    if not lack:
        return []
    why = f"no column is {' or '.join(lack)}"
    rest = zip(names, headers, fields, strict=True)
    return [asked(name, why, IGNORE) for name, header, field in rest if header and field is None] or [
        asked(names[0], f"{why}, and there is no other column")
    ]


def unit_of_text(text: str) -> Unit:
    """Currency and scale that a title or an answer names, as `EUR millions` or `in USD m`.

    >>> unit_of_text("Portfolio, EUR millions, as of 31 December 2031")
    Unit(currency='EUR', scale=1000000.0, rate=None)
    """
    text = text.lower()
    codes = "|".join(re.escape(code) for code in sorted(CURRENCIES, key=len, reverse=True))
    currency = re.search(rf"(?<![a-z])(?:{codes})(?![a-z])|[$€£¥]", text)
    scales = "|".join(re.escape(word) for word in sorted(SCALES, key=len, reverse=True))
    scale = re.search(rf"(?:(?<![a-z])(?:{codes})|\bin)\s*'?({scales})(?![a-z0-9])", text)
    return Unit(
        CURRENCIES[currency.group(0)] if currency else None, SCALES[scale.group(1)] if scale else None
    )
