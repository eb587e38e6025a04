"""The cells of a tape as text, with the places of formulas without a value and of merged cells."""

import pathlib

from openpyxl.utils import get_column_letter, range_boundaries

from engine.book.checks.problems import BookError, Problem
from engine.book.sheets import MOST_ROWS, Records, csv_records, csv_text, file_problem
from engine.book.workbook import Grid, read_grids

MARKS = (",", ";", "\t", "|")
"""What may stand between the cells of a CSV file."""

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm")


def grids_of(file: pathlib.Path) -> list[Grid]:
    """Every sheet of a tape; a CSV file is one. Raises `BookError` where the file cannot be read."""
    if problem := name_problem(file) or file_problem(file):
        raise BookError([problem])
    if file.suffix.lower() in (".xlsx", ".xlsm"):
        grids = list(read_grids(file))
        problems = [each for each in grids if isinstance(each, Problem)]
        if problems:
            raise BookError(problems)
        return [each for each in grids if isinstance(each, Grid)]
    text = csv_text(file)
    records = text if isinstance(text, Problem) else csv_cells(text, file.name)
    if isinstance(records, Problem):
        raise BookError([records])
    return [Grid(file.name, records)]


def name_problem(file: pathlib.Path) -> Problem | None:
    """A file that is not there or of another kind."""
    if not file.exists():
        return Problem(str(file), None, "", "nothing there", "a spreadsheet of loans, .xlsx or .csv")
    if file.suffix.lower() not in ENDINGS:
        expected = "a file ending in .xlsx or .csv; save it as one of them in a spreadsheet program"
        return Problem(file.name, None, "", file.suffix or "no suffix", expected)
    return None


def csv_cells(text: str, label: str) -> Records | Problem:
    """The rows of CSV text, cut at the mark that gives the most cells."""
    tries = [(mark, csv_records(text, label, MOST_ROWS, mark)) for mark in MARKS]
    widths = {
        mark: sum(len(cells) for _, cells in records[:60])
        for mark, records in tries
        if not isinstance(records, Problem)
    }
    best = max(widths, key=widths.__getitem__) if widths else MARKS[0]
    return dict(tries)[best]


def letter(place: int) -> str:
    """A column's letters by its place from 0: A, B, ..., AA."""
    return get_column_letter(place + 1)


def address(line: int, place: int) -> str:
    """A cell as a spreadsheet names it."""
    return f"{letter(place)}{line}"


def box(merged: str) -> tuple[int, int, int, int]:
    """First and last line, first and last place of a range."""
    left, top, right, bottom = range_boundaries(merged)
    return top, bottom, left - 1, right - 1
