"""How the cells of a column are read: in what is settled by all of them together, or a question."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.book.tape import dates, values
from engine.book.tape.fields import FIELDS
from engine.book.tape.grid import address
from engine.book.tape.layout import Column, Layout, unit_of_text
from engine.book.tape.questions import Answers, Question
from engine.book.tape.values import Unclear, nothing

FLOATS = {"margin": True, "coupon": False}
"""Whether a rate floats that does not say so itself, by field."""

SMALL = 1e5
"""Amounts all below this are hardly in whole dollars: their unit is asked for."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """One cell: its place, what stood there, its value, and the value in words.

    Amounts are in whole units of `currency`, rates and ratios decimals.
    """

    field: str
    cell: str
    written: str
    value: Any
    words: str
    currency: str = ""


Read = Callable[[str, int, str], Reading]


def reader(column: Column, layout: Layout, answers: Answers, cells: Mapping[int, str]) -> Read:
    """How a column's cells are read: settled by all of them together. Raises `Unclear` where it cannot be."""
    assert column.field is not None
    kind = FIELDS[column.field].kind
    texts = [cell for cell in cells.values() if not nothing(cell)]
    if kind == "amount":
        return amounts(column, layout, answers, texts, cells)
    if kind in ("rate", "share"):
        return rates(column, layout, answers, texts, kind)
    if kind == "date":
        order = answers.of("date order", column.name).lower() or dates.order_of(texts)
        return simple(column, lambda cell: dates.date(cell, order), lambda day: day.strftime("%d %b %Y"))
    if kind == "count":
        mark = values.decimal_mark(texts, sheet_mark(layout))
        return simple(column, lambda cell: values.count(cell, mark), lambda value: f"{value:,.0f}")
    if kind == "flag":
        return simple(column, values.yes, lambda value: "yes" if value else "no")
    if kind == "word":
        return simple(column, floats, lambda value: "floating" if value else "fixed")
    if kind == "currency":
        return simple(column, currency_code, str)
    return simple(column, printable, str)


def sheet_mark(layout: Layout) -> str:
    """The mark of decimals of all columns of numbers, a point where they have both."""
    kinds = ("amount", "rate", "share", "count")
    columns = [each for each in layout.columns if each.field and FIELDS[each.field].kind in kinds]
    cells = [at(row, each) for line, row in layout.grid.records if line > layout.line for each in columns]
    return values.decimal_mark(cells) or "."


def simple(column: Column, value_of: Callable[[str], Any], words_of: Callable[[Any], str]) -> Read:
    """A reader of cells that need nothing but themselves."""

    def read(cell: str, line: int, place: str) -> Reading:
        value = value_of(cell)
        return Reading(column.field or "", place, cell, value, words_of(value))

    return read


def printable(cell: str) -> str:
    """A text on one line, without letters that do not print."""
    return " ".join("".join(letter for letter in cell if letter.isprintable() or letter.isspace()).split())


def floats(cell: str) -> bool:
    """Whether a rate type floats."""
    text = values.plain(cell)
    if (
        text.startswith(("float", "variable", "sofr", "euribor", "libor", "sonia", "term sofr"))
        or text == "fl"
    ):
        return True
    if text.startswith("fix") or text == "fx":
        return False
    return values.yes(cell)


def currency_code(cell: str) -> str:
    """A currency by its code or sign."""
    code = values.CURRENCIES.get(values.plain(cell))
    if code is None:
        raise Unclear("a currency, as USD or EUR")
    return code


def amounts(
    column: Column, layout: Layout, answers: Answers, texts: Sequence[str], cells: Mapping[int, str]
) -> Read:
    """Amounts with the scale and currency of their cell, else the header's, else the title's."""
    mark = values.decimal_mark(texts, sheet_mark(layout))
    answer = unit_of_text(answers.of("unit", column.name))
    title, sister = unit_of_text(layout.title), sister_unit(layout, column)
    plain_answer = answers.of("unit", column.name)
    scale = (
        answer.scale or (1.0 if plain_answer else None) or column.unit.scale or title.scale or sister.scale
    )
    currency = answers.of("currency", "all amounts").upper() or answer.currency or column.unit.currency
    by_row = currencies(layout, answers, cells)
    default = currency or title.currency or sister.currency or ""
    bare = [value.number for text in texts if (value := attempt(text, mark)) and value.scale is None]
    if scale is None and bare and 0.0 < max(bare) < SMALL:
        raise Unclear(f"amounts of at most {max(bare):,.6g} without a unit")

    def read(cell: str, line: int, place: str) -> Reading:
        value = values.amount(cell, mark)
        code = value.currency or by_row.get(line) or default
        if value.currency and by_row.get(line) and value.currency != by_row[line]:
            raise Unclear(f"an amount in {by_row[line]}, as its row says, not {value.currency}")
        total = value.number * (value.scale or scale or 1.0)
        return Reading(column.field or "", place, cell, total, money(total, code), code)

    return read


def sister_unit(layout: Layout, column: Column) -> Any:
    """The unit that another column of amounts names: of amounts beside each other one is enough."""
    others = [
        each.unit
        for each in layout.columns
        if each is not column and each.field and FIELDS[each.field].kind == "amount"
    ]
    pick = [each for each in others if each.currency or each.scale]
    return pick[0] if pick else column.unit


def attempt(text: str, mark: str) -> Any:
    """The amount of a cell, None where it is none: such a cell is reported by itself."""
    try:
        return values.amount(text, mark)
    except Unclear:
        return None


def currencies(layout: Layout, answers: Answers, cells: Mapping[int, str]) -> dict[int, str]:
    """Currency of every line that has one in a column of its own."""
    column = layout.column("currency")
    if column is None:
        return {}
    codes = {}
    for line, row in layout.grid.records:
        cell = cell_of(layout, answers, line, row, column)
        code = values.CURRENCIES.get(values.plain(cell))
        if line in cells and code:
            codes[line] = code
    return codes


def money(total: float, currency: str) -> str:
    """An amount in words: 210 m USD."""
    scale, word = (1e9, " bn") if total >= 1e10 else (1e6, " m") if total >= 1e5 else (1.0, "")
    return f"{total / scale:,.6g}{word} {currency}".strip()


def rates(column: Column, layout: Layout, answers: Answers, texts: Sequence[str], kind: str) -> Read:
    """Rates or ratios; bare numbers in the unit of the answer, the header, or all of them together."""
    mark = values.decimal_mark(texts, sheet_mark(layout))
    parse = values.rate if kind == "rate" else values.share
    answer = {"%": "%", "decimal": "", "decimals": "", "bp": "bp", "bps": "bp"}.get(
        answers.of("unit", column.name).lower()
    )
    bare = []
    for text in texts:
        try:
            value = parse(text, mark)
        except Unclear:
            continue
        bare += [value.number] if not value.unit and value.number > 0.0 else []
    settle = values.bare_unit if kind == "rate" else values.bare_share_unit
    unit = answer if answer is not None else unit_of_rates(column.unit.rate, bare, settle)

    def read(cell: str, line: int, place: str) -> Reading:
        value = parse(cell, mark)
        if not value.unit:
            value = dataclasses.replace(value, unit=unit)
        if value.decimal > (0.6 if kind == "rate" else 2.0):
            raise Unclear("a rate of at most 60% a year" if kind == "rate" else "a ratio of at most 200%")
        words = f"{100.0 * value.decimal:.6g}%"
        if kind == "share":
            return Reading(column.field or "", place, cell, value.decimal, words)
        floating = value.floating if value.floating is not None else FLOATS.get(column.field or "")
        if floating is not None:
            words = f"floating, {words} over the reference rate" if floating else f"fixed, {words}"
        return Reading(column.field or "", place, cell, (value.decimal, value.floating), words)

    return read


def unit_of_rates(header: str | None, bare: Sequence[float], settle: Callable[[Sequence[float]], str]) -> str:
    """The unit of bare rates from the header and from all of them; raises `Unclear` where they disagree.

    Cells formatted as % are stored as decimals, so decimals under a header in % are decimals.
    """
    if not bare:
        return header or ""
    try:
        unit = settle(bare)
    except Unclear:
        if header is None or (header == "%" and min(bare) < 0.3):
            raise
        return header
    if header in (None, unit) or (header == "%" and unit == ""):
        return unit
    names = {"": "decimals"}
    raise Unclear(f"one unit: the header says {header}, the numbers look like {names.get(unit, unit)}")


def column_questions(column: Column, why: str) -> list[Question]:
    """The question about a column that cannot be read as a whole."""
    assert column.field is not None
    if FIELDS[column.field].kind == "date":
        return [Question("date order", column.name, why, f"{dates.DAY} or {dates.MONTH}")]
    choices = {
        "amount": "the unit, as USD, USD k, USD m or EUR m",
        "rate": "decimal, % or bp",
        "share": "decimal or %",
    }
    return [Question("unit", column.name, why, choices.get(FIELDS[column.field].kind, why))]


def at(row: Sequence[str], column: Column) -> str:
    """The cell of a column in a row."""
    return row[column.place] if column.place < len(row) else ""


def cell_of(layout: Layout, answers: Answers, line: int, row: Sequence[str], column: Column) -> str:
    """A cell as answered, or as it stands."""
    return answers.of("cell", address(line, column.place)) or at(row, column)
