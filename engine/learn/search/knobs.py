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

from engine.book.cells import in_range
from engine.book.checks.every import check_tables
from engine.book.frames import Frame, Series
from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.tables import TABLES

PLACE = re.compile(r"([a-z_0-9]+)\.([a-z_0-9]+)(?:\[([0-9]+)\])?")
TOGETHER = {
    "advance": ("ltv_target", "drawn", "committed"),
    "margin": ("coupon", "refinancing_margin"),
}
"""Knobs of a loan that set several of its columns."""


@dataclasses.dataclass(frozen=True)
class Knob:
    """A number of the model (`row` is None; `place` in a list), or a column in rows of a book's table."""

    name: str
    group: str
    field: str
    place: int | None = None
    row: str | None = None


class UnknownKnob(ValueError):
    """A knob that neither the model nor the book has."""


def knob_of(name: str, parameters: Parameters, book: Book) -> Knob:
    """The knob of that name; raises `UnknownKnob` with the expected form."""
    if match := PLACE.fullmatch(name):
        group, field, place = match.groups()
        value = getattr(getattr(parameters, group, None), field, None)
        numbers = value if isinstance(value, list) else [value]
        if all(isinstance(each, int | float) for each in numbers):
            if place is None and not isinstance(value, list):
                return Knob(name, group, field)
            if place is not None and isinstance(value, list) and int(place) < len(value):
                return Knob(name, group, field, int(place))
        raise UnknownKnob("a number of the model such as credit.contract_advance or contracts.renewal[2]")
    parts = name.split(".")
    if len(parts) != 3 or parts[0] not in TABLES or len(TABLES[parts[0]].key) != 1:
        raise UnknownKnob("group.number, or table.row.column of the book such as loans.CRWV_DDTL3.margin")
    knob = Knob(name, parts[0], parts[2], row=parts[1])
    names: list[str] = [column.name for column in TABLES[parts[0]].columns if column.kind == "number"]
    names += [*TOGETHER] if parts[0] == "loans" else []
    if parts[2] not in names:
        raise UnknownKnob(f"a column of {parts[0]} that holds numbers: " + ", ".join(names))
    rows = book[parts[0]][rows_of(knob, book[parts[0]])]
    if rows.empty:
        raise UnknownKnob(f"a row or a class of {parts[0]}.csv")
    if parts[2] == "advance" and not (rows["ltv_target"] > 0.0).all():
        raise UnknownKnob("loans with an ltv_target")
    return knob


def rows_of(knob: Knob, frame: Frame) -> Series:
    """Whether each row of the knob's table belongs to it."""
    rows = frame[TABLES[knob.group].key[0]] == knob.row
    return rows | (frame["class"] == knob.row) if "class" in frame else rows


def current_value(knob: Knob, parameters: Parameters, book: Book) -> float | None:
    """The knob's present value; None where its rows differ."""
    if knob.row is None:
        value = getattr(getattr(parameters, knob.group), knob.field)
        return float(value if knob.place is None else value[knob.place])
    rows = book[knob.group][rows_of(knob, book[knob.group])]
    values = rows[TOGETHER.get(knob.field, (knob.field,))[0]]
    if knob.field == "margin":
        now, values = values - (1 - rows["floating"]) * parameters.economy.rate, rows["refinancing_margin"]
        values = values.where(np.isclose(now, values, rtol=0.0, atol=1e-9))
    distinct = values.unique()
    return float(distinct[0]) if len(distinct) == 1 and not np.isnan(distinct[0]) else None


def turn(settings: dict[Knob, float], parameters: Parameters, book: Book) -> tuple[Parameters, Book]:
    """Copies of parameters and book with every knob at its value."""
    parameters, tables = copy.deepcopy(parameters), dict(book.tables)
    for knob, value in settings.items():
        if knob.row is not None:
            tables[knob.group] = set_cells(knob, value, tables[knob.group].copy(), parameters)
        elif knob.place is None:
            setattr(getattr(parameters, knob.group), knob.field, value)
        else:
            getattr(getattr(parameters, knob.group), knob.field)[knob.place] = value
    return parameters, dataclasses.replace(book, tables=types.MappingProxyType(tables))


def set_cells(knob: Knob, value: float, frame: Frame, parameters: Parameters) -> Frame:
    """The table with the knob's value written into its rows."""
    rows = rows_of(knob, frame)
    if knob.field == "advance":
        growth = value / frame.loc[rows, "ltv_target"]
        frame.loc[rows, ["drawn", "committed"]] = frame.loc[rows, ["drawn", "committed"]].mul(growth, axis=0)
        frame.loc[rows, "ltv_target"] = value
    elif knob.field == "margin":
        frame.loc[rows, "coupon"] = value + (1 - frame.loc[rows, "floating"]) * parameters.economy.rate
        frame.loc[rows, "refinancing_margin"] = value
    else:
        frame.loc[rows, knob.field] = value
    return frame


def book_problems(settings: dict[Knob, float], book: Book) -> list[str]:
    """Problems of a book once its cells have the knobs' values, one sentence each."""
    cells = [knob for knob in settings if knob.row is not None]
    problems = []
    for knob in cells:
        frame = book[knob.group]
        rows = frame[rows_of(knob, frame)]
        for column in TABLES[knob.group].columns:
            if column.name in TOGETHER.get(knob.field, (knob.field,)):
                wrong = [value for value in rows[column.name] if not in_range(column, value)]
                problems += [f"{knob.name}: got {wrong[0]:g}, expected {column.expected}"] if wrong else []
    if cells and not problems:
        problems = [str(problem) for problem in check_tables(dict(book.tables), set())]
    return problems
