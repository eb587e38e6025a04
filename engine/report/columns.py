"""A table of the report as columns of numbers: errors and intervals in columns of their own, a unit for each.

The workbook writes them, a notebook makes a DataFrame of them.
"""

import dataclasses
import itertools
import math
import re
from collections.abc import Iterator, Sequence

from engine.report.table import Cell, Table

UNIT_OF_KIND = {"share": "%", "ratio": "multiple"}
NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?%?")


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a sheet: its name, its unit, and for each row a value and the format to show it in."""

    name: str
    unit: str
    values: tuple[float | str | None, ...]
    formats: tuple[str, ...]


def columns_of(table: Table) -> list[Column]:
    """The columns of a table's sheet: each of the table's, behind it its errors, at the end the marks."""
    parts = [
        column_parts(table, place, [cells[place] for cells in table.rows]) for place in range(len(table.head))
    ]
    return [*itertools.chain(*parts), *marks_of(table)]


def column_parts(table: Table, place: int, cells: Sequence[Cell]) -> Iterator[Column]:
    """One column of the table, and those of its standard error, of its interval's ends or of its remarks."""
    name, unit = table.head[place], unit_of(table, cells)
    yield Column(
        name, unit, tuple(value_of(each) for each in cells), tuple(format_of(each.text) for each in cells)
    )
    ends = max((len(each.bounds) for each in cells), default=0)
    labels = ("s.e.",) if ends == 1 else ("low", "high")
    for end, label in enumerate(labels[:ends]):
        yield Column(
            f"{name}, {label}", unit,
            tuple(finite(each.bounds[end]) if end < len(each.bounds) else None for each in cells),
            tuple(bound_format(each, end) for each in cells),
        )  # fmt: skip
    details = tuple(each.detail if not each.bounds else "" for each in cells)
    if any(details):
        yield Column(f"{name}, remark", "", details, ("",) * len(cells))


def marks_of(table: Table) -> list[Column]:
    """A column that names the numbers which the table's footnote is about; none where there are none."""
    if not table.marked:
        return []
    mark = table.footnote[0]
    marked = tuple(
        ", ".join(name for name, each in zip(table.head, cells, strict=True) if each.detail.endswith(mark))
        for cells in table.rows
    )
    return [Column(mark, "", marked, ("",) * len(marked))]


def value_of(content: Cell) -> float | str | None:
    """The number of a cell, or its text; nothing for a dash."""
    if content.value is None:
        return None if content.text in ("", "–") else content.text
    return finite(content.value)


def finite(value: float | None) -> float | None:
    """A number as a cell can hold it: nothing where it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def unit_of(table: Table, cells: Sequence[Cell]) -> str:
    """The unit of a column of numbers; empty where it has none, or several."""
    units = {
        table.units if each.kind == "amount" else UNIT_OF_KIND.get(each.kind, ending(each.text))
        for each in cells
        if each.value is not None
    }
    return units.pop() if len(units) == 1 else ""


def ending(text: str) -> str:
    """What stands behind a number.

    >>> ending("3.5 years"), ending("12")
    ('years', '')
    """
    match = NUMBER.match(text)
    return text[match.end() :].strip() if match else ""


def format_of(text: str) -> str:
    """The number format that shows a number as the page does; empty for what is no number.

    >>> format_of("1,204"), format_of("0.42"), format_of("3.1%"), format_of("1.02x"), format_of("1/3")
    ('#,##0', '#,##0.00', '#,##0.0%', '#,##0.00"x"', '')
    """
    match = NUMBER.match(text)
    behind = text[match.end() :].replace('"', "") if match else ""
    if match is None or not re.fullmatch(r"|[a-zA-Z ].*", behind):
        return ""
    digits, percent = match.group().rstrip("%"), "%" if match.group().endswith("%") else ""
    if "e" in digits:
        return "0.00E+00"
    places = len(digits.partition(".")[2])
    unit = f'"{behind}"' if behind else ""
    return "#,##0" + ("." + "0" * places if places else "") + percent + unit


def bound_format(content: Cell, end: int) -> str:
    """The format of a standard error or an interval's end: as the detail shows it, or as the number."""
    if end >= len(content.bounds):
        return ""
    shown = NUMBER.findall(content.detail.replace("–", " "))
    return format_of(shown[end] if len(shown) == len(content.bounds) else content.text)
