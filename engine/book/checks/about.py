"""What must hold of a book's own words: its date and benchmarks, its classes, its references."""

import calendar
from collections.abc import Iterator

from engine.book.checks.faults import Check, faults, register
from engine.book.checks.problems import Problem
from engine.book.frames import Tables

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""(columns read, check) of this module, in order of report."""

reads = register(CHECKS)


@reads("about.name", "about.date", "about.benchmark", "about.second_benchmark")
def one_row_about_the_book(frames: Tables) -> Iterator[Problem]:
    """One row; its date ends a month; its benchmarks differ."""
    about = frames["about"]
    yield from faults("about", about[1:], "name", "one row")
    inside = about[~about["date"].map(ends_a_month).astype(bool)]
    yield from faults("about", inside, "date", "the last day of a month")
    same = about[about["benchmark"] == about["second_benchmark"]]
    yield from faults("about", same, "second_benchmark", "another chip than benchmark, or blank")


def ends_a_month(date: str) -> bool:
    """Whether a period ends with a month: of a day, whether it is the month's last."""
    if len(date) < len("2031-12-31"):
        return True
    year, month, day = (int(part) for part in date.split("-"))
    return day == calendar.monthrange(year, month)[1]


@reads("classes.class", "loans.class", "tranches.class", "priors.class", "paper.class")
def classes_are_listed(frames: Tables) -> Iterator[Problem]:
    """Every class is a row of `classes`; without rows, those of loans and tranches are the classes."""
    listed, tables = frames["classes"]["class"].tolist(), ("loans", "tranches", "priors", "paper")
    if not listed:
        listed = sorted({*frames["loans"]["class"], *frames["tranches"]["class"]})
    for table in tables:
        strange = frames[table][~frames[table]["class"].isin(listed)]
        yield from faults(table, strange, "class", f"one of {', '.join(listed)}")


@reads("references.quantity", "references.firm")
def references_name_a_firm(frames: Tables) -> Iterator[Problem]:
    """A default probability has a firm, nothing else has."""
    rows = frames["references"]
    own = rows["quantity"] == "pd"
    yield from faults("references", rows[own & (rows["firm"] == "")], "firm", "the firm of pd")
    yield from faults("references", rows[~own & (rows["firm"] != "")], "firm", "blank: quantity = {quantity}")
