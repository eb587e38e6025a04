"""Knobs of a search: a number of the model, or cells of the book.

credit.contract_advance      a number of the model; contracts.renewal[2] for a place in a list
loans.CRWV_DDTL3.coupon      a cell of the book: table, row, column
loans.GPU_DDTL_1_2.coupon    that column in all rows of a class
loans.CRWV_DDTL3.advance     the advance rate (LTV at month 0), and the amount with it
loans.CRWV_DDTL3.margin      over the short rate, at month 0 and once refinanced
"""

import copy
import dataclasses
import re
import types

import numpy as np

from engine.book.checks.every import check_tables
from engine.book.frames import Frame, Series
from engine.book.load import Book, in_range
from engine.book.parameters import Parameters
from engine.book.tables import TABLES

PLACE = re.compile(r"([a-z_0-9]+)\.([a-z_0-9]+)(?:\[([0-9]+)\])?")
TOGETHER = {
    "advance": ("ltv_target", "drawn", "committed"),
    "margin": ("coupon", "refinancing_margin"),
}
"""Knobs of a loan that turn several of its columns."""


@dataclasses.dataclass(frozen=True)
class Knob:
    """A number of the model (`row` is None, `place` in a list) or a column in rows of a table of the book."""

    name: str
    group: str
    field: str
    place: int | None = None
    row: str | None = None


class Unknown(ValueError):
    """A knob that is neither in the model nor in the book."""


def knob(name: str, parameters: Parameters, book: Book) -> Knob:
    """The knob of that name; raises `Unknown` with the expected form."""
    if match := PLACE.fullmatch(name):
        group, field, place = match.groups()
        value = getattr(getattr(parameters, group, None), field, None)
        numbers = value if isinstance(value, list) else [value]
        if all(isinstance(each, int | float) for each in numbers):
            if place is None and not isinstance(value, list):
                return Knob(name, group, field)
            if place is not None and isinstance(value, list) and int(place) < len(value):
                return Knob(name, group, field, int(place))
        raise Unknown("a number of the model such as credit.contract_advance or contracts.renewal[2]")
    parts = name.split(".")
    if len(parts) != 3 or parts[0] not in TABLES or len(TABLES[parts[0]].key) != 1:
        raise Unknown("group.number, or table.row.column of the book such as loans.CRWV_DDTL3.margin")
    turned = Knob(name, parts[0], parts[2], row=parts[1])
    names: list[str] = [column.name for column in TABLES[parts[0]].columns if column.kind == "number"]
    names += [*TOGETHER] if parts[0] == "loans" else []
    if parts[2] not in names:
        raise Unknown(f"a column of {parts[0]} that holds numbers: " + ", ".join(names))
    rows = book[parts[0]][rows_of(turned, book[parts[0]])]
    if rows.empty:
        raise Unknown(f"a row or a class of {parts[0]}.csv")
    if parts[2] == "advance" and not (rows["ltv_target"] > 0.0).all():
        raise Unknown("loans with an ltv_target")
    return turned


def rows_of(turned: Knob, frame: Frame) -> Series:
    """Whether each row of its table belongs to the knob."""
    rows = frame[TABLES[turned.group].key[0]] == turned.row
    return rows | (frame["class"] == turned.row) if "class" in frame else rows


def present(turned: Knob, parameters: Parameters, book: Book) -> float | None:
    """The knob's present value; None where its rows differ."""
    if turned.row is None:
        value = getattr(getattr(parameters, turned.group), turned.field)
        return float(value if turned.place is None else value[turned.place])
    rows = book[turned.group][rows_of(turned, book[turned.group])]
    values = rows[TOGETHER.get(turned.field, (turned.field,))[0]]
    if turned.field == "margin":
        now, values = values - (1 - rows["floating"]) * parameters.economy.rate, rows["refinancing_margin"]
        values = values.where(np.isclose(now, values, rtol=0.0, atol=1e-9))
    distinct = values.unique()
    return float(distinct[0]) if len(distinct) == 1 and not np.isnan(distinct[0]) else None


def turn(settings: dict[Knob, float], parameters: Parameters, book: Book) -> tuple[Parameters, Book]:
    """Copies of parameters and book with every knob at its value."""
    parameters, tables = copy.deepcopy(parameters), dict(book.tables)
    for turned, value in settings.items():
        if turned.row is not None:
            tables[turned.group] = written(turned, value, tables[turned.group].copy(), parameters)
        elif turned.place is None:
            setattr(getattr(parameters, turned.group), turned.field, value)
        else:
            getattr(getattr(parameters, turned.group), turned.field)[turned.place] = value
    return parameters, dataclasses.replace(book, tables=types.MappingProxyType(tables))


def written(turned: Knob, value: float, frame: Frame, parameters: Parameters) -> Frame:
    """The table with the knob's value written into its rows."""
    rows = rows_of(turned, frame)
    if turned.field == "advance":
        grown = value / frame.loc[rows, "ltv_target"]
        frame.loc[rows, ["drawn", "committed"]] = frame.loc[rows, ["drawn", "committed"]].mul(grown, axis=0)
        frame.loc[rows, "ltv_target"] = value
    elif turned.field == "margin":
        frame.loc[rows, "coupon"] = value + (1 - frame.loc[rows, "floating"]) * parameters.economy.rate
        frame.loc[rows, "refinancing_margin"] = value
    else:
        frame.loc[rows, turned.field] = value
    return frame


def book_problems(settings: dict[Knob, float], book: Book) -> list[str]:
    """Problems of a book with these knobs in its cells, in sentences."""
    cells = [turned for turned in settings if turned.row is not None]
    problems = []
    for turned in cells:
        frame = book[turned.group]
        rows = frame[rows_of(turned, frame)]
        for column in TABLES[turned.group].columns:
            if column.name in TOGETHER.get(turned.field, (turned.field,)):
                wrong = [value for value in rows[column.name] if not in_range(column, value)]
                problems += [f"{turned.name}: got {wrong[0]:g}, expected {column.expected}"] if wrong else []
    if cells and not problems:
        problems = [str(problem) for problem in check_tables(dict(book.tables), set())]
    return problems
