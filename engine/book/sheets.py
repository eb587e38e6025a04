"""Tables as text: header and rows of cells, from CSV files or the sheets of one .xlsx file.

A file is read only where it is a regular one of a size that a table may have.
"""

import codecs
import csv
import dataclasses
import io
import os
import pathlib
from collections.abc import Mapping

from engine.book.checks.problems import Problem

MOST_ROWS = 20_000
"""Rows of a table; more are refused at once."""

MOST_HOLDINGS = 100_000
"""Rows of the table `holdings`: the loan of a syndicate has many."""

MOST_BYTES = 2**26
"""Size of a file, 64 MiB, or of all that one .xlsx unpacks to."""

Cells = tuple[str, ...]
Records = list[tuple[int, Cells]]
"""(line as an editor numbers it, cells) of every row that is not blank."""


@dataclasses.dataclass(frozen=True)
class Sheet:
    """One table as text. `rows` are (line as an editor numbers it, cells).

    `unread` has what is expected instead of a cell that says nothing a table could take, by line and place.
    """

    label: str
    header: Cells
    rows: tuple[tuple[int, Cells], ...]
    unread: Mapping[tuple[int, int], str] = dataclasses.field(default_factory=dict)


def read_sheets(path: pathlib.Path) -> tuple[dict[str, Sheet | None], list[Problem]]:
    """Every sheet of the book at `path` by table name, and what could not be read."""
    if os.path.isdir(path):
        return read_folder(path)
    if not os.path.exists(path):
        expected = "a folder of CSV files or one .xlsx file"
        return {}, [Problem(str(path), None, "", "nothing there", expected)]
    if path.suffix.lower() != ".xlsx":
        return {}, [
            Problem(str(path), None, "", path.suffix or "no suffix", "a folder or a file ending in .xlsx")
        ]
    if problem := file_problem(path):
        return {}, [problem]
    from engine.book.workbook import read_workbook  # only it needs openpyxl

    return read_workbook(path)


def read_folder(folder: pathlib.Path) -> tuple[dict[str, Sheet | None], list[Problem]]:
    """Every CSV file of a folder by its name without suffix; None, and a problem, where one is unreadable."""
    sheets: dict[str, Sheet | None] = {}
    names: dict[str, str] = {}
    problems = []
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        reason = error.strerror or "unreadable"
        return {}, [Problem(str(folder), None, "", reason, "a folder that can be read")]
    for file in files:
        if file.suffix.lower() != ".csv":
            continue
        sheet = read_csv(file, most_rows_of(file.stem))
        if isinstance(sheet, Problem):
            problems.append(sheet)
        if file.stem in names:
            expected = f"one file of table {file.stem}; {names[file.stem]} is another"
            problems.append(Problem(file.name, None, "", file.name, expected))
        names[file.stem] = file.name
        sheets[file.stem] = sheet if isinstance(sheet, Sheet) else None
    return sheets, problems


def file_problem(file: pathlib.Path) -> Problem | None:
    """Why a file is not even opened: a pipe or a device never ends, and a huge one takes too long."""
    try:
        size = file.stat().st_size
    except OSError as error:
        return Problem(file.name, None, "", error.strerror or "unreadable", "a file that can be read")
    if not file.is_file():
        return Problem(file.name, None, "", "no regular file", "a file that can be read")
    if size > MOST_BYTES:
        return Problem(file.name, None, "", f"{size:,} bytes", f"a file of at most {MOST_BYTES:,} bytes")
    return None


def most_rows_of(table: str) -> int:
    """Rows that a book's table may have."""
    return MOST_HOLDINGS if table == "holdings" else MOST_ROWS


def read_csv(file: pathlib.Path, most_rows: int = MOST_ROWS) -> Sheet | Problem:
    """The cells of one CSV file, or why they cannot be read."""
    text = csv_text(file)
    return text if isinstance(text, Problem) else parse_csv(text, file.name, most_rows)


def csv_text(file: pathlib.Path) -> str | Problem:
    """The text of one CSV file, or why it cannot be read."""
    if problem := file_problem(file):
        return problem
    try:
        content = file.read_bytes()
    except OSError as error:
        return Problem(file.name, None, "", error.strerror or "unreadable", "a file that can be read")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Problem(file.name, line, "", repr(content[error.start : error.start + 1]), "UTF-8 text")
    if "\0" in text:
        return Problem(file.name, text.count("\n", 0, text.index("\0")) + 1, "", "a zero byte", "UTF-8 text")
    return text


def parse_csv(text: str, label: str, most_rows: int = MOST_ROWS) -> Sheet | Problem:
    """The cells of CSV text, blank lines dropped, or the problem; `label` names the file in messages."""
    records = csv_records(text, label, most_rows)
    return records if isinstance(records, Problem) else from_records(records, label)


def csv_records(text: str, label: str, most_rows: int = MOST_ROWS, mark: str = ",") -> Records | Problem:
    """The rows of CSV text whose cells are separated by `mark`, blank lines dropped, or the problem."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    records, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, tuple(cell.strip() for cell in cells)))
            if len(records) > most_rows + 1:
                return too_long(label, line, most_rows)
            line = reader.line_num + 1
    except csv.Error as error:
        return Problem(label, line, "", str(error), "comma-separated cells, quotes closed")
    return records


def too_long(label: str, line: int, most_rows: int = MOST_ROWS) -> Problem:
    """The problem of a table with too many rows, at the first of them."""
    return Problem(label, line, "", "a further row", f"at most {most_rows:,} rows in a table")


def from_records(
    records: Records, label: str, unread: Mapping[tuple[int, int], str] | None = None
) -> Sheet | Problem:
    """A sheet from numbered rows of cells, the first of which is the header."""
    if not records:
        return Problem(label, None, "", "an empty file", "a header line")
    header = records[0][1]
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        return Problem(label, records[0][0], "", header[0][:40], "cells separated by commas")
    return Sheet(label, header, tuple(records[1:]), unread or {})
