"""Cells of a table as typed values by its schema; a cell that is not read as meant is a problem."""

import datetime
import difflib
import math
import re
from typing import Any

from engine.book.checks.problems import Problem
from engine.book.columns import LEAST, Column, Table
from engine.book.frames import Frame
from engine.book.sheets import Sheet

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
WHOLE = re.compile(r"[+-]?[0-9]{1,9}(\.0*)?", re.ASCII)
IDENTITY = re.compile(r"[A-Z0-9][A-Z0-9_]*", re.ASCII)
DATE = re.compile(r"[0-9]{4}(Q[1-4]|-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", re.ASCII)

LONGEST = 80
"""Characters of a cell that a message shows."""

TYPES = {"number": "float64", "integer": "int64", "flag": "int64"}
"""Column types in the frames; everything else is text."""


def typed_table(table: Table, sheet: Sheet | None) -> tuple[Frame, list[Problem]]:
    """The typed frame of a table, indexed by line, and what is wrong with its cells."""
    import pandas as pd

    rows = sheet.rows if sheet else ()
    problems = header_problems(table, sheet) if sheet else []
    position = {name: i for i, name in enumerate(sheet.header)} if sheet else {}
    width = len(sheet.header) if sheet else 0
    label = sheet.label if sheet else table.name
    unread = sheet.unread if sheet else {}
    for line, cells in rows:
        if len(cells) != width:
            problems.append(
                Problem(label, line, "", f"{len(cells)} cells", f"{width} cells, as in the header")
            )
    if sheet and len(rows) < table.least:
        problems.append(Problem(label, None, "", "no rows", f"at least {table.least} row"))
    columns = {}
    for column in table.columns:
        place = position.get(column.name, width)
        entries = [row[place] if place < len(row) else "" for _, row in rows]
        if column.name not in position:
            entries = [""] * len(rows)
        typed = {cell: typed_cell(column, cell) for cell in {"", *entries}}
        values = []
        for (line, _), cell in zip(rows, entries, strict=True):
            without_value = unread.get((line, place))
            value, good = typed["" if without_value else cell]
            values.append(value)
            if without_value or (not good and column.name in position):
                expected = without_value or expectation(column, cell)
                problems.append(Problem(label, line, column.name, shown(cell), expected))
        columns[column.name] = pd.Series(values, dtype=TYPES.get(column.kind, "str"))
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([line for line, _ in rows], dtype="int64", name="line")
    return frame, problems


def expectation(column: Column, cell: str) -> str:
    """What a bad cell should hold; of a number that its unit does not have, the most or least of the unit."""
    if column.kind not in ("number", "integer") or not NUMBER.fullmatch(cell):
        return column.expected
    value = float(cell)
    if abs(value) > column.most and (column.high is None or value < 0.0):
        return f"a number of at most {column.most:,.0f} ({column.unit or '1'})"
    if column.strict and 0.0 < value < LEAST:
        return f"a number of at least {LEAST:g} ({column.unit or '1'})"
    return column.expected


def header_problems(table: Table, sheet: Sheet) -> list[Problem]:
    """Missing, unknown and repeated columns; a column of defaults may be left out."""
    header = sheet.header
    needed = [column.name for column in table.columns if column.required]
    missing = [name for name in needed if name not in header]
    unknown = list(dict.fromkeys(name for name in header if name not in table.names))
    twice = sorted({name for name in header if header.count(name) > 1})
    return (
        [Problem(sheet.label, 1, name, "", "this column, which is missing") for name in missing]
        + [Problem(sheet.label, 1, shown(name), shown(name), one_of(table, name)) for name in unknown]
        + [Problem(sheet.label, 1, name, name, "each column once") for name in twice if name]
    )


def one_of(table: Table, name: str) -> str:
    """The columns of a table, with the one that the name nearly is in front."""
    near = difflib.get_close_matches(name.lower().strip(" _"), table.names, n=1, cutoff=0.7)
    return f"one of {', '.join(table.names)}" + (f"; did you mean {near[0]}?" if near else "")


def shown(cell: str) -> str:
    """A cell in a message: in full if short, blank by name."""
    return cell if 0 < len(cell) <= LONGEST else f"{cell[:LONGEST]}..." if cell else "blank"


def is_date(cell: str) -> bool:
    """Whether a cell is a year, quarter, month or day that the calendar has."""
    if not DATE.fullmatch(cell) or not 1800 <= int(cell[:4]) <= 2200:
        return False
    try:
        return len(cell) < len("2031-12-31") or bool(datetime.date.fromisoformat(cell))
    except ValueError:
        return False


def typed_cell(column: Column, cell: str) -> tuple[Any, bool]:
    """(value, whether the cell is good); a bad cell gives a harmless stand-in of the column's type."""
    stand_in = {"number": math.nan, "integer": 0, "flag": 0}.get(column.kind, "")
    if cell == "":
        return (stand_in, False) if column.required else (column.default, True)
    if column.kind in ("number", "integer", "flag"):
        pattern = NUMBER if column.kind == "number" else WHOLE
        if not pattern.fullmatch(cell):
            return stand_in, False
        value = float(cell) if column.kind == "number" else int(float(cell))
        return (value, True) if in_range(column, value) else (stand_in, False)
    good = {
        "id": lambda: bool(IDENTITY.fullmatch(cell)),
        "reference": lambda: bool(IDENTITY.fullmatch(cell)),
        "choice": lambda: cell in column.choices,
        "date": lambda: is_date(cell),
        "text": lambda: cell.isprintable(),
    }[column.kind]()
    return (cell, True) if good else ("", False)


def in_range(column: Column, value: float) -> bool:
    """Whether a number is finite and within its column's bounds; a flag is 0 or 1."""
    if not math.isfinite(value):
        return False
    if column.kind == "flag":
        return value in (0, 1)
    if abs(value) > column.most or (column.strict and column.low == 0.0 and 0.0 < value < LEAST):
        return False
    below = column.low is not None and (value < column.low or (column.strict and value == column.low))
    return not below and not (column.high is not None and value > column.high)
