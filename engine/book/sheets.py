"""A book as text: every table's header and rows of cells, from a folder of CSV files or one .xlsx file."""

import codecs
import csv
import dataclasses
import io
import pathlib
from typing import Any

from engine.book.checks.problems import Problem


@dataclasses.dataclass(frozen=True)
class Sheet:
    """One table as text. `rows` are (line as an editor numbers it, cells)."""

    label: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheets(path: pathlib.Path) -> tuple[dict[str, Sheet | None], list[Problem]]:
    """Every sheet of the book at `path` by table name, and what could not be read."""
    if path.is_dir():
        return read_folder(path)
    if not path.exists():
        expected = "a folder of CSV files or one .xlsx file"
        return {}, [Problem(str(path), None, "", "nothing there", expected)]
    if path.suffix.lower() != ".xlsx":
        return {}, [
            Problem(str(path), None, "", path.suffix or "no suffix", "a folder or a file ending in .xlsx")
        ]
    return read_workbook(path)


def read_folder(folder: pathlib.Path) -> tuple[dict[str, Sheet | None], list[Problem]]:
    """Every CSV file of a folder by its name without suffix; None, and a problem, where one is unreadable."""
    sheets, problems = {}, []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() != ".csv":
            continue
        sheet = read_csv(file)
        if isinstance(sheet, Problem):
            problems.append(sheet)
        sheets[file.stem] = sheet if isinstance(sheet, Sheet) else None
    return sheets, problems


def read_csv(file: pathlib.Path) -> Sheet | Problem:
    """The cells of one CSV file, or why they cannot be read."""
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
    return parse_csv(text, file.name)


def parse_csv(text: str, label: str) -> Sheet | Problem:
    """The cells of CSV text, blank lines dropped, or the problem; `label` names the file in messages."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, tuple(cell.strip() for cell in cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        return Problem(label, line, "", str(error), "comma-separated cells, quotes closed")
    return from_records(records, label)


def from_records(records: list[tuple[int, tuple[str, ...]]], label: str) -> Sheet | Problem:
    """A sheet from numbered rows of cells, the first of which is the header."""
    if not records:
        return Problem(label, None, "", "an empty file", "a header line")
    header = records[0][1]
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        return Problem(label, records[0][0], "", header[0][:40], "cells separated by commas")
    return Sheet(label, header, tuple(records[1:]))


def read_workbook(file: pathlib.Path) -> tuple[dict[str, Sheet | None], list[Problem]]:
    """Every sheet of an .xlsx file; formulas by the value last computed."""
    import openpyxl

    try:
        workbook = openpyxl.load_workbook(file, data_only=True, read_only=True)
    except Exception as error:  # a damaged archive raises whatever its parts raise
        return {}, [Problem(file.name, None, "", type(error).__name__, "a readable .xlsx workbook")]
    sheets, problems = {}, []
    for worksheet in workbook.worksheets:
        label = f"{file.name}:{worksheet.title}"
        sheet = from_records(worksheet_records(worksheet), label)
        if isinstance(sheet, Problem):
            problems.append(sheet)
        sheets[worksheet.title] = sheet if isinstance(sheet, Sheet) else None
    workbook.close()
    return sheets, problems


def worksheet_records(worksheet: Any) -> list[tuple[int, tuple[str, ...]]]:
    """Numbered rows of text, all as wide as the header, blank rows dropped."""
    records, width = [], 0
    for line, values in enumerate(worksheet.iter_rows(values_only=True), start=1):
        cells = [cell_text(value) for value in values]
        if not any(cells):
            continue
        while cells and not cells[-1]:
            cells.pop()
        width = width or len(cells)
        records.append((line, tuple(cells + [""] * (width - len(cells)))))
    return records


def cell_text(value: object) -> str:
    """What a person would type to get this cell: whole numbers without a point, blank for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if hasattr(value, "strftime") and hasattr(value, "year"):
        return value.strftime("%Y-%m-%d")
    return str(value).strip()
