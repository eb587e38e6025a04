"""The rows of a tape as loans: every cell with what stood there and what was read."""

import dataclasses
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.book.tape import dates
from engine.book.tape.grid import address, box
from engine.book.tape.layout import Column, Layout
from engine.book.tape.questions import Answers, Question, Unsettled
from engine.book.tape.readers import Reading, at, cell_of, column_questions, reader
from engine.book.tape.values import Unclear, nothing

TOTAL = re.compile(
    r"(grand |sub[- ]?|portfolio |overall )?(total|totals|sum|summe|average|avg|mean|median|weighted average|"
    r"w\.?a\.?|wtd\.? avg|count|min|max)\b.*",
    re.IGNORECASE,
)
"""How a row of totals begins."""

LEAVE_OUT, LOAN = "leave out", "loan"
"""Answers to what a row is."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One loan: its line in the sheet and its cells by field; those that say nothing are in `blanks`."""

    line: int
    readings: Mapping[str, Reading]
    blanks: Mapping[str, Reading] = dataclasses.field(default_factory=dict)

    def value(self, field: str, default: Any = None) -> Any:
        """The value of a field, or the default where its cell is blank or there is no such column."""
        return self.readings[field].value if field in self.readings else default


@dataclasses.dataclass(frozen=True)
class Tape:
    """A spreadsheet as read: its loans, what was left out and which columns were not read."""

    layout: Layout
    lines: tuple[Line, ...]
    left_out: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def date(self) -> datetime.date | None:
        """The date that the title names after `as of`."""
        match = re.search(r"\bas (?:of|at|per)\b:? *([^·|()]{4,20})", self.layout.title, re.IGNORECASE)
        words = match.group(1).split() if match else []
        for length in range(len(words), 0, -1):
            try:
                return dates.date(" ".join(words[:length]).rstrip(".,;"))
            except Unclear:
                continue
        return None


class Unread(Unsettled):
    """A tape of which some cells or rows must be asked for; `tape` is the rest as read."""

    def __init__(self, tape: Tape, questions: Iterable[Question], problems: Iterable[str]) -> None:
        super().__init__(questions, problems)
        self.tape = tape


def read_lines(layout: Layout, answers: Answers) -> Tape:
    """Every loan of the sheet; raises `Unread` with all cells and rows that must be asked for."""
    rows, left_out, questions = loan_rows(layout, answers)
    problems = list(merged_cells(layout, [line for line, _ in rows]))
    readings: dict[int, dict[str, Reading]] = {line: {} for line, _ in rows}
    blanks: dict[int, dict[str, Reading]] = {line: {} for line, _ in rows}
    for column in layout.columns:
        if column.field is None:
            continue
        cells = {line: cell_of(layout, answers, line, row, column) for line, row in rows}
        for line, place, why, expected in valueless(layout, answers, column, cells):
            questions.append(Question("cell", place, why, expected))
            cells[line] = ""
        try:
            read = reader(column, layout, answers, cells)
        except Unclear as error:
            questions += column_questions(column, str(error))
            continue
        for line, cell in cells.items():
            place = address(line, column.place)
            if nothing(cell):
                if cell:
                    blanks[line][column.field] = Reading(column.field, place, cell, None, "nothing")
                continue
            try:
                readings[line][column.field] = read(cell, line, place)
            except Unclear as error:
                about, item = (
                    ("date order", column.name) if f"{dates.DAY} or" in str(error) else ("cell", place)
                )
                why = f"{named(layout, line, rows)}, {column.name}: {cell!r} is not read"
                questions.append(Question(about, item, why, str(error)))
    if not rows:
        problems.append(f"{layout.grid.title}: no loan below line {layout.line}, expected at least one")
    lines = tuple(Line(line, readings[line], blanks[line]) for line, _ in rows)
    unread = tuple(each.header for each in layout.columns if each.header and each.field is None)
    tape = Tape(layout, lines, (*layout.left_out, *left_out), unread)
    if questions or problems:
        raise Unread(tape, questions, problems)
    return tape


def loan_rows(
    layout: Layout, answers: Answers
) -> tuple[list[tuple[int, Sequence[str]]], list[str], list[Question]]:
    """Rows that are loans, what was left out by name, and rows that may be either."""
    rows: list[tuple[int, Sequence[str]]] = []
    left_out: list[str] = []
    questions: list[Question] = []
    header = dict(layout.grid.records)[layout.line]
    for line, row in layout.grid.records:
        if line == layout.line:
            continue
        answer = answers.of("row", line).lower()
        cells = " · ".join(cell for cell in row if cell)
        shown = cells if len(cells) <= 70 else f"{cells[:69]}…"
        if line < layout.line:
            left_out.append(f"row {line}, above the header: {shown!r}")
        elif answer == LEAVE_OUT:
            left_out.append(f"row {line}, as answered: {shown!r}")
        elif [cell.lower() for cell in row if cell] == [cell.lower() for cell in header if cell]:
            left_out.append(f"row {line}, the header again")
        elif answer != LOAN and is_total(layout, row):
            maturity = layout.column("maturity")
            if maturity and not nothing(at(row, maturity)):
                why = f"begins as a total and has a maturity: {shown!r}"
                questions.append(Question("row", str(line), why, f"{LEAVE_OUT} or {LOAN}"))
            else:
                left_out.append(f"row {line}, a total: {shown!r}")
        else:
            lack = lacking(layout, row)
            if not lack:
                rows.append((line, row))
            elif "amount" in lack and len([cell for cell in row if cell]) <= 2:
                left_out.append(f"row {line}, a note: {shown!r}")
            else:
                why = f"no {' and no '.join(lack)} in {shown!r}"
                expected = f"{LEAVE_OUT}, or the {' and '.join(lack)} in the tape"
                questions.append(Question("row", str(line), why, expected))
    return rows, left_out, questions


def lacking(layout: Layout, row: Sequence[str]) -> list[str]:
    """What a row lacks of a loan: a borrower, an amount."""
    fields = {each.field for each in layout.columns if each.field and not nothing(at(row, each))}
    lack = [] if "borrower" in fields else ["borrower"]
    return lack + ([] if fields & {"commitment", "drawn"} else ["amount"])


def is_total(layout: Layout, row: Sequence[str]) -> bool:
    """Whether a row begins as a total: its first word, or the borrower's."""
    words = [cell for cell in row if cell and not re.fullmatch(r"[\d.,%$€£() -]+", cell)]
    borrower = layout.column("borrower")
    first = [*words[:1], at(row, borrower)] if borrower else words[:1]
    return any(TOTAL.fullmatch(cell.strip()) for cell in first if cell)


def named(layout: Layout, line: int, rows: Sequence[tuple[int, Sequence[str]]]) -> str:
    """The loan of a line as messages call it."""
    row = dict(rows)[line]
    for field in ("loan", "borrower"):
        column = layout.column(field)
        if column and at(row, column):
            return at(row, column)
    return f"row {line}"


def valueless(
    layout: Layout, answers: Answers, column: Column, cells: Mapping[int, str]
) -> Iterator[tuple[int, str, str, str]]:
    """Formulas without a stored value and errors of a spreadsheet: (line, place, why, expected)."""
    for line in cells:
        place = address(line, column.place)
        if (line, column.place) in layout.grid.unread and not answers.of("cell", place):
            why = f"{column.name}: {cells[line]!r} has no value"
            yield line, place, why, layout.grid.unread[line, column.place]


def merged_cells(layout: Layout, lines: Sequence[int]) -> Iterator[str]:
    """Merged ranges in the table, of which all but the first cell would be blank."""
    if not lines:
        return
    last = max(each.place for each in layout.columns)
    for merged in layout.grid.merged:
        top, bottom, left, _ = box(merged)
        touched = [line for line in (layout.line, *lines) if top <= line <= bottom]
        if touched and left <= last:
            place = f"{layout.grid.title}, row {touched[0]}"
            yield f"{place}: got merged {merged}, expected cells that are not merged, each with its own value"
