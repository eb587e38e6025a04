"""One cell of a tape to an amount, a rate, a share, a count or a yes: in one way, or `Unclear`."""

import dataclasses
import re
from collections.abc import Iterable

NOTHING = {"", *"- – — -- ? n/a na n.a. n.a #n/a nil none null tbd tbc nm n.m.".split()}
"""Cells that say there is nothing, in lower case."""

SCALES = {
    "k": 1e3, "000": 1e3, "000s": 1e3, "'000": 1e3, "'000s": 1e3, "thousand": 1e3, "thousands": 1e3,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "mln": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9, "billions": 1e9,
}  # fmt: skip
"""Words of scale, in lower case. M is a million: a thousand is k."""

CURRENCIES = {
    **{code.lower(): code for code in (
        "USD EUR GBP CHF JPY CAD AUD SEK NOK DKK SGD HKD INR CNY AED SAR KRW BRL PLN".split()
    )},
    "us$": "USD", "$": "USD", "dollars": "USD", "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP",
    "sterling": "GBP", "¥": "JPY",
}  # fmt: skip
"""Currencies by the signs and codes that stand for them, in lower case."""

ENGLISH = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+"
CONTINENTAL = r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?|[0-9]+,?[0-9]*|,[0-9]+"
SPACED = r"[0-9]{1,3}(?:[ '’][0-9]{3})+"
"""Digits in groups of three, with the mark of decimals that a country has."""

REFERENCE = (
    r"(?:1m |3m |1-month |3-month |term )?(?:sofr|euribor|estr|€str|sonia|libor|base rate|base|prime|s|e|l|r)"
)
FLOATING = re.compile(rf"{REFERENCE}\s*\+\s*(.+)")
FLOOR = re.compile(r"[\s,;(/]*(?:floor.*|[0-9.,]+\s*%?\s*floor.*)$")


class Unclear(ValueError):
    """A cell that cannot be read in one way only; the text says what was expected."""


@dataclasses.dataclass(frozen=True)
class Amount:
    """A number with the scale and currency that its own cell names; None where it names none."""

    number: float
    scale: float | None
    currency: str | None


@dataclasses.dataclass(frozen=True)
class Rate:
    """A rate: `unit` is %, bp, or "" for a bare number; `floating` is None where the cell does not say."""

    number: float
    unit: str
    floating: bool | None

    @property
    def decimal(self) -> float:
        """The rate a year as a decimal; of a bare number the number."""
        return self.number / {"%": 100.0, "bp": 1e4}.get(self.unit, 1.0)


def plain(cell: str) -> str:
    """A cell with blanks of all kinds as one, in lower case, without an apostrophe that hides a formula."""
    return " ".join(cell.replace("\u00a0", " ").replace("\u202f", " ").strip().lstrip("'").split()).lower()


def nothing(cell: str) -> bool:
    """Whether a cell says that there is nothing."""
    return plain(cell) in NOTHING


def own_mark(digits: str) -> str:
    """The mark of decimals that digits can only have: a comma or a point, "" where either will do."""
    english, continental = (re.fullmatch(form, digits) for form in (ENGLISH, CONTINENTAL))
    if bool(english) == bool(continental):
        return ""
    return "." if english else ","


def decimal_mark(cells: Iterable[str], otherwise: str = ".") -> str:
    """The mark of decimals in a column: what its cells can only have, `otherwise` where either will do.

    "" where some have the one and some the other: then each cell must say it.

    >>> decimal_mark(["1.250,5", "3"]), decimal_mark(["1,250", "3.5"]), decimal_mark(["1.5", "1,5"])
    (',', '.', '')
    """
    digits = [each for cell in cells for each in re.findall(r"[0-9][0-9.,]*[0-9]|[0-9]", plain(cell))]
    marks = {own_mark(each) for each in digits} - {""}
    return otherwise if not marks else "" if len(marks) > 1 else marks.pop()


def number(text: str, mark: str = ".") -> float:
    """Digits, in groups or not, to a number of at least 0.

    >>> number("1,250,000"), number("1.250.000,5", ","), number("250 000"), number("2.5e8")
    (1250000.0, 1250000.5, 250000.0, 250000000.0)
    """
    if re.fullmatch(SPACED, text):
        return float(re.sub(r"[ '’]", "", text))
    if not mark and not text.isdecimal():
        mark = own_mark(text)
        if not mark:
            raise Unclear("a number whose comma or point is clear: its column has both marks of decimals")
    form, group = (CONTINENTAL, ".") if mark == "," else (ENGLISH, ",")
    if re.fullmatch(form, text):
        return float(text.replace(group, "").replace(mark or ".", "."))
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?e[+-]?[0-9]{1,2}", text):
        return float(text)
    raise Unclear("a number")


def amount(cell: str, mark: str = ".") -> Amount:
    """An amount of money with its scale and currency.

    >>> amount("$250,000,000")
    Amount(number=250000000.0, scale=None, currency='USD')
    >>> amount("EUR 50 mm")
    Amount(number=50.0, scale=1000000.0, currency='EUR')
    """
    text = plain(cell)
    if re.fullmatch(r"\(.*\)|[-−–].*|.*[0-9]-", text):
        raise Unclear("an amount of at least 0 (this one is negative)")
    match = re.fullmatch(r"([^0-9.,]*)([0-9.,](?:[0-9.,'’ ]*[0-9.,])?(?:e[+-]?[0-9]{1,2})?)([^0-9]*)", text)
    if not match:
        raise Unclear("an amount, as 250,000,000 or 250m")
    before, digits, after = (part.strip() for part in match.groups())
    scale = currency = None
    for word in (*words_of(before), *words_of(after)):
        if word in SCALES and scale is None:
            scale = SCALES[word]
        elif word in CURRENCIES and currency is None:
            currency = CURRENCIES[word]
        else:
            raise Unclear(f"an amount with a known scale and currency; {word!r} is neither")
    return Amount(number(digits, mark), scale, currency)


def words_of(text: str) -> list[str]:
    """Words and currency signs of a text; `€m` is two."""
    return re.findall(r"us\$|[$€£¥]|[^\s$€£¥]+", text)


def rate(cell: str, mark: str = ".") -> Rate:
    """A margin or a coupon; with a reference rate and a plus it floats, and 650 behind it are basis points.

    >>> rate("S+650")
    Rate(number=650.0, unit='bp', floating=True)
    >>> rate("6.25%").decimal, rate("SOFR + 6.5%").decimal, rate("0.0575").decimal
    (0.0625, 0.065, 0.0575)
    """
    text = FLOOR.sub("", plain(cell))
    floating = None
    if match := FLOATING.fullmatch(text):
        floating, text = True, match.group(1)
    for word, answer in (("fixed", False), ("floating", True), ("variable", True)):
        if re.search(rf"\b{word}\b", text):
            floating, text = answer, re.sub(rf"\b{word}\b", "", text).strip()
    match = re.fullmatch(r"([0-9.,]+)\s*(%|pct|percent|bps|bp|b\.p\.)?", text)
    if not match:
        raise Unclear("a rate, as 6.25%, 625bp or S+625")
    value = number(match.group(1), mark)
    unit = {"": "", "%": "%", "pct": "%", "percent": "%"}.get(match.group(2) or "", "bp")
    if floating and not unit and match.group(1) and FLOATING.fullmatch(plain(cell)):
        if 30.0 < value < 50.0:
            raise Unclear("a margin in % or bp: as a bare number it may be either")
        unit = "bp" if value >= 50.0 else "%" if value >= 1.0 else ""
    return Rate(value, unit, floating)


def bare_unit(values: Iterable[float]) -> str:
    """The unit of a column's bare rates: decimals up to 0.5, % from 1 to 30, bp from 50; `Unclear` else.

    >>> bare_unit([0.0575, 0.08]), bare_unit([5.75, 8]), bare_unit([575, 800])
    ('', '%', 'bp')
    """
    values = [value for value in values if value > 0.0]
    for unit, low, high in (("", 0.0, 0.5), ("%", 1.0, 30.0), ("bp", 50.0, 3000.0)):
        if all(low <= value <= high for value in values):
            return unit
    raise Unclear("rates in one unit: decimals, % or bp")


def share(cell: str, mark: str = ".") -> Rate:
    """A ratio as an LTV: 62%, 0.62, or 62 where the column is in %; 0.62x too."""
    match = re.fullmatch(r"([0-9.,]+)\s*(%|x)?", plain(cell))
    if not match:
        raise Unclear("a ratio, as 62% or 0.62")
    return Rate(number(match.group(1), mark), "%" if match.group(2) == "%" else "", None)


def bare_share_unit(values: Iterable[float]) -> str:
    """The unit of a column's bare ratios: decimals up to 2, % from 5."""
    values = [value for value in values if value > 0.0]
    for unit, low, high in (("", 0.0, 2.0), ("%", 5.0, 200.0)):
        if all(low <= value <= high for value in values):
            return unit
    raise Unclear("ratios in one unit: decimals or %")


def count(cell: str, mark: str = ".") -> float:
    """A whole number of things: 8,192, 8192, 8.2k.

    >>> count("5,120"), count("5.12k")
    (5120.0, 5120.0)
    """
    value = amount(cell, mark)
    total = value.number * (value.scale or 1.0)
    if value.currency or abs(total - round(total)) > 1e-6:
        raise Unclear("a whole number")
    return float(round(total))


def yes(cell: str) -> bool:
    """Y or N, in the usual spellings."""
    answers = {"y": True, "yes": True, "true": True, "1": True, "x": True, "✓": True, "j": True, "ja": True}
    answers |= {"n": False, "no": False, "false": False, "0": False, "nein": False}
    if plain(cell) not in answers:
        raise Unclear("Y or N")
    return answers[plain(cell)]
