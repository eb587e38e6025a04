"""report.xlsx: every table of the page as a sheet, numbers as numbers, with the unit of every column.

A number has its whole value and is shown with the places that the page has. Errors and intervals have columns
of their own. A text that begins as a formula does stays text, also when a spreadsheet program edits the cell.
"""

import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from engine.files import FORMULA, write_whole
from engine.report import findings
from engine.report.columns import Column, columns_of
from engine.report.page import TITLE, UNRELIABLE, kicker
from engine.report.section import Section, Text
from engine.report.table import Table
from engine.results.folder import Results

CONTENTS = "Contents"
HEAD = 4
"""Row of a sheet with the names of its columns; their units stand below, the numbers follow."""

WIDEST = 60
"""Width of a column beyond which text runs on or is cut."""

LONGEST = 31
"""Letters of a sheet's name."""

STRONG, FAINT = Font(bold=True), Font(italic=True, color="FF5C6773")
LINK = Font(color="FF1D3F66", underline="single")
WRAPPED = Alignment(wrap_text=True, vertical="bottom")


def write_workbook(path: pathlib.Path, results: Results, contents: Sequence[Section]) -> None:
    """Writes the workbook of a run and the sections of its page, whole."""
    write_whole(path, workbook(results, contents).save)


def workbook(results: Results, contents: Sequence[Section]) -> Workbook:
    """The sections' tables as sheets, behind one with what the run says in sentences."""
    tables = [table for section in contents for table in section.tables]
    names, book = sheet_names(tables), Workbook()
    book.active.title = CONTENTS
    write_contents(book.active, results, contents, iter(names))
    for table, name in zip(tables, names, strict=True):
        write_sheet(book.create_sheet(name), table)
    return book


def write_contents(
    sheet: Worksheet, results: Results, contents: Sequence[Section], names: Iterator[str]
) -> None:
    """What the run says at the head of the page, then each table with its section's finding and its units."""
    summary = results.summary
    doubts = [UNRELIABLE, *summary["doubts"]] if summary["doubts"] else []
    sentences = [findings.headline(results), findings.lead(results), *doubts, *summary["warnings"]]
    write(sheet, 1, 1, TITLE, STRONG)
    for line, sentence in enumerate((kicker(summary, results.unit), *sentences), 2):
        write(sheet, line, 1, sentence)
    line = sheet.max_row + 2
    for place, name in enumerate(("Table", "Section", "Units of amounts"), 1):
        write(sheet, line, place, name, STRONG)
        sheet.column_dimensions[get_column_letter(place)].width = WIDEST
    for section in contents:
        for table in section.tables:
            line += 1
            link(sheet, line, table.title or section.title, next(names))
            write(sheet, line, 2, finding_of(section) or section.title)
            write(sheet, line, 3, table.units)


def finding_of(section: Section) -> str:
    """The sentence to take away from a section; empty without one."""
    texts = (part.text for part in section.parts if isinstance(part, Text) and part.role == "finding")
    return next(texts, "")


def link(sheet: Worksheet, line: int, text: str, name: str) -> None:
    """A text in the first column that leads to another sheet."""
    made = write(sheet, line, 1, text, LINK)
    made.hyperlink = Hyperlink(ref=made.coordinate, location=f"'{name}'!A1")


def sheet_names(tables: Sequence[Table]) -> list[str]:
    """A name of a sheet for each table: letters that one may have, short, each once.

    >>> two = [Table("a/b", "", (), ()), Table("a:b", "", (), ())]
    >>> sheet_names(two)
    ['a b', 'a b 2']
    """
    names: list[str] = []
    for table in tables:
        stem = re.sub(r"[^\w-]+", " ", table.name).strip() or "table"
        endings = ("", *(f" {number}" for number in range(2, len(tables) + 2)))
        candidates = (stem[: LONGEST - len(ending)] + ending for ending in endings)
        taken = {name.lower() for name in (*names, CONTENTS)}
        names.append(next(name for name in candidates if name.lower() not in taken))
    return names


def write_sheet(sheet: Worksheet, table: Table) -> None:
    """Title, note, names of columns, units, then the rows."""
    sheet.freeze_panes = f"B{HEAD + 2}"
    write(sheet, 1, 1, table.title or table.name, STRONG)
    remarks = [table.note, table.footnote if table.marked else ""]
    write(sheet, 2, 1, " ".join(filter(None, remarks)), FAINT)
    for place, column in enumerate(columns_of(table), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width_of(column)
        write(sheet, HEAD, place, column.name, STRONG).alignment = WRAPPED
        write(sheet, HEAD + 1, place, column.unit, FAINT)
        for line, (value, form) in enumerate(zip(column.values, column.formats, strict=True)):
            font = STRONG if line == table.emphasis else None
            write(sheet, HEAD + 2 + line, place, value, font, form)


def width_of(column: Column) -> float:
    """Room for a column's name and for every value."""
    words = [len(value) for value in column.values if isinstance(value, str)]
    return min(max([len(column.name), len(column.unit), 8, *words]) + 2, WIDEST)


def write(
    sheet: Worksheet, line: int, place: int, value: float | str | None, font: Font | None = None,
    form: str = "",
) -> Any:  # fmt: skip
    """Write a number or a text, never a formula; the cell."""
    made = sheet.cell(line, place)
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    made.value = None if value == "" else value
    if isinstance(value, str) and value:
        made.data_type = "s"
        made.quotePrefix = value.lstrip(" \u00a0").startswith(FORMULA)
    if font is not None:
        made.font = font
    if form:
        made.number_format = form
    return made
