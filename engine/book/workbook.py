"""The sheets of an .xlsx file as text, every cell as stored and none invented.

openpyxl parses the cells. Its own rows would be as long as the sheet says it is, which a stale declaration
cuts and one format in the last cell makes 17 billion; a formula that no program has computed would be blank,
and so would all but the first of merged cells.
"""

import dataclasses
import datetime
import pathlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser  # what Worksheet.iter_rows is made from

from engine.book.checks.problems import Problem
from engine.book.sheets import MOST_BYTES, Records, Sheet, from_records, most_rows_of, too_long

MOST_COLUMNS = 1_000
"""Columns in which anything may stand."""

COMPUTE = "a value; this formula has none: open the file in a spreadsheet program and save it"
ERROR = "a value instead of a spreadsheet's error"


class Unread(str):
    """Text of a cell that has no value; `expected` says what there should be."""

    expected: str

    def __new__(cls, text: str, expected: str) -> "Unread":
        unread = super().__new__(cls, text)
        unread.expected = expected
        return unread


class Parser(WorkSheetParser):
    """openpyxl's parser, for which a formula without a stored value and an error are not blanks or words."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Place, value and type of a cell."""
        cell = super().parse_cell(element)
        formula = element.find(FORMULA_TAG)
        if formula is not None and cell["value"] is None and cell["data_type"] != "str":
            cell["value"] = Unread("=" + (formula.text or ""), COMPUTE)
        elif cell["data_type"] == "e":
            cell["value"] = Unread(str(cell["value"]), ERROR)
        return cell


@dataclasses.dataclass(frozen=True)
class Grid:
    """The rows of a sheet in which anything stands, and its merged ranges.

    `unread` has what is expected instead of a cell without a value, by line and place from 0.
    """

    title: str
    records: Records
    unread: Mapping[tuple[int, int], str] = dataclasses.field(default_factory=dict)
    merged: tuple[str, ...] = ()


def open_workbook(file: pathlib.Path) -> Any:
    """The workbook as openpyxl reads it, or the problem."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > MOST_BYTES:
            return Problem(file.name, None, "", f"{size:,} bytes unpacked", f"at most {MOST_BYTES:,} bytes")
        return load_workbook(file, data_only=True, read_only=True)
    except Exception as error:  # a damaged archive raises whatever its parts raise
        return Problem(file.name, None, "", type(error).__name__, "a readable .xlsx workbook")


def read_workbook(file: pathlib.Path) -> tuple[dict[str, Sheet | None], list[Problem]]:
    """Every sheet of an .xlsx file; formulas by the value last computed."""
    sheets: dict[str, Sheet | None] = {}
    problems = []
    for grid in read_grids(file):
        if isinstance(grid, Grid):
            label = f"{file.name}:{grid.title}"
            sheet = from_records(grid.records, label, grid.unread)
            lines = [line for line, _ in grid.records]
            problems += merged_problems(grid.merged, lines, grid.records, label)
            if isinstance(sheet, Problem):
                problems.append(sheet)
            sheets[grid.title] = sheet if isinstance(sheet, Sheet) else None
        else:
            problems.append(grid)
            if ":" in grid.file:
                sheets[grid.file.partition(":")[2]] = None
    return sheets, problems


def read_grids(file: pathlib.Path) -> Iterator[Grid | Problem]:
    """The cells of every sheet of an .xlsx file, or the problem; formulas by the value last computed."""
    workbook = open_workbook(file)
    if isinstance(workbook, Problem):
        yield workbook
        return
    for worksheet in workbook.worksheets:
        label = f"{file.name}:{worksheet.title}"
        try:
            yield read_worksheet(worksheet, label)
        except Exception as error:  # as above
            yield Problem(label, None, "", type(error).__name__, "a readable sheet")
    workbook.close()


def read_worksheet(worksheet: Any, label: str) -> Grid | Problem:
    """The cells of one sheet."""
    records: Records = []
    unread: dict[tuple[int, int], str] = {}
    width, most_rows = 0, most_rows_of(worksheet.title)
    with worksheet._get_source() as source:
        parser = Parser(
            source,
            worksheet._shared_strings,
            data_only=True,
            epoch=worksheet.parent.epoch,
            date_formats=worksheet.parent._date_formats,
            timedelta_formats=worksheet.parent._timedelta_formats,
        )
        for line, values in filled_rows(parser):
            if len(records) > most_rows:
                return too_long(label, line, most_rows)
            last = max(values)
            if last > MOST_COLUMNS:
                place = f"{get_column_letter(last)}{line}"
                return Problem(label, line, "", f"{place} filled", f"at most {MOST_COLUMNS:,} columns")
            width = width or last
            unread |= {
                (line, column - 1): value.expected
                for column, value in values.items()
                if isinstance(value, Unread)
            }
            cells = [cell_text(values.get(column)) for column in range(1, max(width, last) + 1)]
            records.append((line, tuple(cells)))
    ranges = parser.merged_cells.mergeCell if parser.merged_cells else ()
    return Grid(worksheet.title, records, unread, tuple(merged.ref for merged in ranges))


def filled_rows(parser: WorkSheetParser) -> Iterator[tuple[int, dict[int, Any]]]:
    """(line, values by column from 1) of every row in which anything stands."""
    for line, cells in parser.parse():
        values = {cell["column"]: cell["value"] for cell in cells if cell_text(cell["value"])}
        if values:
            yield line, values


def merged_problems(ranges: Iterable[str], lines: list[int], records: Records, label: str) -> list[Problem]:
    """A problem for every merged range that touches the table."""
    problems = []
    for merged in ranges:
        left, top, right, bottom = range_boundaries(merged)
        if not records or top > lines[-1] or bottom < lines[0] or left > len(records[0][1]):
            continue
        header = records[0][1]
        column = header[left - 1] if right == left and left <= len(header) else ""
        expected = "cells that are not merged, each with its own value"
        problems.append(Problem(label, max(top, lines[0]), column, f"merged {merged}", expected))
    return problems


def cell_text(value: object) -> str:
    """What a person would type to get this cell: whole numbers without a point, blank for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d") if value.time() == datetime.time() else str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value).strip()
