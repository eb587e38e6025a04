"""One cell of a tape to a date, and the order of day and month that a column has as a whole."""

import calendar
import datetime
import re
from collections.abc import Iterable

from engine.book.tape.values import Unclear, plain

MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}
"""Months by their English names."""

EPOCH = datetime.date(1899, 12, 30)
"""Day 0 of a spreadsheet's serial values."""

SERIALS = (30_000, 80_000)
"""Serial numbers that are dates: of 1982 to 2119."""

DAY, MONTH = "day first", "month first"
EXPECTED = "a date, as 2031-03-31 or 31-Mar-2031"

NAME = "|".join(sorted(MONTHS, key=len, reverse=True))


def full_year(text: str) -> int:
    """A year of four digits, or of two: of this century."""
    return int(text) if len(text) == 4 else 2000 + int(text)


def end_of(year: int, month: int) -> datetime.date:
    """The last day of a month."""
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def readings(cell: str) -> dict[str, datetime.date]:
    """The dates that a cell may mean: one under "" where it is clear, else by the order of day and month.

    A month, a quarter or a year stands for its last day. Raises `Unclear` where it is no date.

    >>> readings("31-Mar-2031"), readings("Q3 2031"), sorted(readings("03/04/2031"))
    ({'': datetime.date(2031, 3, 31)}, {'': datetime.date(2031, 9, 30)}, ['day first', 'month first'])
    """
    text = re.sub(r"(?<=[0-9])(st|nd|rd|th)\b", "", plain(cell)).replace(",", " ")
    text = re.sub(r"[ t]0?0:00(:00)?(\.0+)?$", "", " ".join(text.split()))
    try:
        return clear(text) or by_order(text)
    except ValueError as error:
        raise Unclear(EXPECTED) from error


def clear(text: str) -> dict[str, datetime.date]:
    """The date of a text that has one reading; empty where day and month may be in either order."""
    if match := re.fullmatch(r"([0-9]{4})[-/. ]([0-9]{1,2})(?:[-/. ]([0-9]{1,2}))?", text):
        year, month, day = match.groups()
        return {"": datetime.date(int(year), int(month), int(day)) if day else end_of(int(year), int(month))}
    if match := re.fullmatch(rf"([0-9]{{1,2}})[-/. ]*({NAME})[-/. ']*([0-9]{{4}}|[0-9]{{2}})", text):
        day, month, year = match.groups()
        return {"": datetime.date(full_year(year), MONTHS[month], int(day))}
    if match := re.fullmatch(rf"({NAME})\.? ([0-9]{{1,2}}) ([0-9]{{4}})", text):
        month, day, year = match.groups()
        return {"": datetime.date(int(year), MONTHS[month], int(day))}
    if match := re.fullmatch(rf"({NAME})[-/. ']*([0-9]{{4}}|[0-9]{{2}})", text):
        return {"": end_of(full_year(match.group(2)), MONTHS[match.group(1)])}
    if match := re.fullmatch(r"(?:q([1-4])|([1-4])q)[-/ ']*([0-9]{4}|[0-9]{2})", text):
        return {"": end_of(full_year(match.group(3)), 3 * int(match.group(1) or match.group(2)))}
    if match := re.fullmatch(r"([0-9]{4})[-/ ]?q([1-4])", text):
        return {"": end_of(int(match.group(1)), 3 * int(match.group(2)))}
    if match := re.fullmatch(r"([0-9]{1,2})[-/.]([0-9]{4})", text):
        return {"": end_of(int(match.group(2)), int(match.group(1)))}
    if re.fullmatch(r"[0-9]+(\.0+)?", text):
        serial = int(float(text))
        if SERIALS[0] <= serial <= SERIALS[1]:
            return {"": EPOCH + datetime.timedelta(days=serial)}
        if 2000 <= serial <= 2200 and len(text) == 4:
            return {"": end_of(serial, 12)}
        raise ValueError(text)
    return {}


def by_order(text: str) -> dict[str, datetime.date]:
    """The dates of a text of three numbers by the order of day and month; with points the day is first."""
    match = re.fullmatch(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})", text)
    if not match:
        raise ValueError(text)
    first, mark, second, year = int(match[1]), match[2], int(match[3]), full_year(match[4])
    dates = {}
    for order, day, month in ((DAY, first, second), (MONTH, second, first)):
        if month <= 12 and day <= calendar.monthrange(year, month)[1]:
            dates[order] = datetime.date(year, month, day)
    if not dates:
        raise ValueError(text)
    clear_order = first == second or mark == "."
    return {"": dates[DAY]} if clear_order and DAY in dates else dates


def order_of(cells: Iterable[str]) -> str | None:
    """The order of day and month that a column's clear dates have; None where they have none or both.

    >>> order_of(["30/06/2031", "03/04/2031"]), order_of(["03/04/2031"])
    ('day first', None)
    """
    orders = set()
    for cell in cells:
        try:
            dates = readings(cell)
        except Unclear:
            continue
        if len(dates) == 1:
            orders |= set(dates) - {""}
    return orders.pop() if len(orders) == 1 else None


def date(cell: str, order: str | None = None) -> datetime.date:
    """The date of a cell in a column of this order; raises `Unclear` where two remain.

    >>> date("03/04/2031", "day first")
    datetime.date(2031, 4, 3)
    """
    dates = readings(cell)
    if len(dates) == 1:
        return next(iter(dates.values()))
    if order is None:
        either = " or ".join(day.strftime("%d %b %Y") for day in dates.values())
        raise Unclear(f"a date that is not {either}, or the column's order: {DAY} or {MONTH}")
    return dates[order]
