"""What a book says of itself: name, date, currency, benchmark chips, and its instrument classes in words.

Month 0 is the month in which the book's date ends; month 1 is the first of a run.
"""

import calendar
import dataclasses
import re
import types
from collections.abc import Iterable, Mapping
from typing import Any

from engine.book.frames import Tables


@dataclasses.dataclass(frozen=True)
class About:
    """The row of the table `about`, with `classes` by id.

    `benchmarks` are one or two generations of `chips`: the report shows the rent of the first and the resale
    price of each.
    """

    name: str
    date: str
    currency: str
    benchmarks: tuple[str, ...]
    classes: Mapping[str, str]

    def class_name(self, key: str) -> str:
        """Name of an instrument class; the id in words where the book gives none."""
        return self.classes.get(key) or in_words(key)

    @property
    def year(self) -> float:
        """The end of month 0 as a calendar year: 2032.0 for a date of December 2031."""
        return last_month(self.date) / 12.0

    def month(self, period: str) -> int:
        """Last month of a period, counted from month 0: "2031", "2031Q4", "2031-12" or "2031-12-31".

        >>> About("", "2031-12-31", "USD", ("A",), {}).month("2031Q3")
        -3
        """
        return last_month(period) - last_month(self.date)

    def quarter_name(self, quarter: int) -> str:
        """A quarter of the run, from 1: "Q3 2032", or "the quarter to August 2032" off the calendar's."""
        year, month = self.calendar_month(3 * quarter)
        quarters = f"Q{month // 3} {year}"
        return quarters if month % 3 == 0 else f"the quarter to {calendar.month_name[month]} {year}"

    def year_name(self, year: int) -> str:
        """A year of the run, from 1: "2032", or "the year to June 2032" where the calendar's ends later."""
        ends_in, month = self.calendar_month(12 * year)
        return str(ends_in) if month == 12 else f"the year to {calendar.month_name[month]} {ends_in}"

    def calendar_month(self, month: int) -> tuple[int, int]:
        """Calendar year and month (1 to 12) of a month of the run."""
        year, before = divmod(last_month(self.date) + month - 1, 12)
        return year, before + 1

    def entry(self) -> dict[str, Any]:
        """The entry `about` of summary.json."""
        return dataclasses.asdict(self)


def about_of(tables: Tables) -> About:
    """What the tables `about` and `classes` say."""
    row = tables["about"].iloc[0]
    benchmarks = tuple(chip for chip in (row["benchmark"], row["second_benchmark"]) if chip)
    named = dict(zip(tables["classes"]["class"], tables["classes"]["name"], strict=True))
    proper = proper_words(name for table in ("firms", "lenders", "bearers") for name in tables[table]["name"])
    kinds = dict.fromkeys([*tables["loans"]["class"], *tables["tranches"]["class"]])
    names = {kind: in_words(kind, proper) for kind in kinds if kind} | named
    return About(row["name"], row["date"], row["currency"], benchmarks, names)


ACRONYMS = {
    word.lower(): word
    for word in (
        "ABS", "AI", "CDS", "CLO", "CLOs", "CMBS", "DDTL", "ETF", "ETFs", "EU", "GPU", "HY", "IG", "LP",
        "LPs", "PE", "RCF", "REIT", "REITs", "RMBS", "SPV", "SPVs", "TPU", "UK", "US", "USD",
    )
}  # fmt: skip
"""Words that keep their capitals wherever they stand."""


def proper_words(names: Iterable[str]) -> dict[str, str]:
    """Words of names that are not written as ordinary words are, by their small letters.

    >>> proper_words(["OpenAI notes", "First Bank"])
    {'openai': 'OpenAI'}
    """
    words = [word for name in names for word in re.findall(r"\w+", name)]
    return {word.lower(): word for word in words if word[1:] != word[1:].lower()}


def in_words(key: str, proper: Mapping[str, str] = types.MappingProxyType({})) -> str:
    """An id as a reader would write it; names and acronyms keep their letters, other small ones stay.

    >>> in_words("FIRST_LIEN"), in_words("OUR_LPS"), in_words("OPENAI_NOTES", {"openai": "OpenAI"})
    ('First lien', 'Our LPs', 'OpenAI notes')
    """
    known = ACRONYMS | dict(proper)
    words = [known.get(word.lower(), word.lower() if key.isupper() else word) for word in key.split("_")]
    if words[0].lower() not in known:
        words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words)


def about_from(entry: Mapping[str, Any]) -> About:
    """The inverse of `About.entry`."""
    return About(**{**entry, "benchmarks": tuple(entry["benchmarks"])})


def last_month(period: str) -> int:
    """Months from the beginning of year 0 to the end of a period."""
    month = 3 * int(period[5]) if "Q" in period else int(period[5:7]) if len(period) >= 7 else 12
    return 12 * int(period[:4]) + month
