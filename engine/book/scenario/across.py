"""A table whose dates stand across: one variable a row, quarters, months or years in the columns.

Beside the name of the variable there may be a column Region or Country, and one Scenario; of each the chosen
rows are read.
"""

import dataclasses
from collections.abc import Sequence

from engine.book.checks.problems import Problem
from engine.book.scenario.mapping import ScenarioError, key_of
from engine.book.scenario.regions import rank
from engine.book.scenario.table import Paths, month_of, paths_of
from engine.book.sheets import Cells, Records, Sheet

VARIABLES = ("variable", "indicator", "series", "name")
REGIONS = ("region", "country", "area")
CASES = ("scenario", "scenarioname", "case")
ADVERSE = "adverse"


def across(records: Records) -> bool:
    """Whether the head of a table has dates in it and no column Date."""
    head = records[0][1] if records else ()
    return sum(month_of(text) is not None for text in head) > 0 and "date" not in map(key_of, head)


def place_of(head: Cells, names: Sequence[str]) -> int | None:
    """The place of a column that goes by one of the names."""
    return next((place for place, text in enumerate(head) if key_of(text) in names), None)


def paths(label: str, records: Records, case: str | None, region: str) -> Paths:
    """The paths of the chosen scenario and region. Raises ScenarioError where the table leaves a choice."""
    (line, head), rows = records[0], records[1:]
    dates = [place for place, text in enumerate(head) if month_of(text) is not None]
    variable = place_of(head, VARIABLES)
    if variable is None:
        variable = next((place for place in range(dates[0]) if place == 0), None)
    if variable is None or variable in dates:
        got = ", ".join(head)[:80]
        raise ScenarioError([Problem(label, line, "", got, "a column Variable before the dates")])
    country, scenario = place_of(head, REGIONS), place_of(head, CASES)
    name = ""
    if scenario is not None:
        name = case_of(label, [cells[scenario] for _, cells in rows], case)
        rows = [(each, cells) for each, cells in rows if cells[scenario].lower() == name]
    if country is not None:
        rows = [row for row in rows if not row[1][country] or rank([row[1][country]], region) is not None]
        if not rows:
            raise ScenarioError([Problem(label, None, head[country], "", f"a row of {region}")])
    wide = [(each, cells + ("",) * (len(head) - len(cells))) for each, cells in rows]
    header = ("Date", *(cells[variable] for _, cells in wide))
    turned = [(line, (head[place], *(cells[place] for _, cells in wide))) for place in dates]
    table = paths_of(Sheet(label, header, tuple(turned)))
    return dataclasses.replace(table, case=name, region=region if country is not None else "")


def case_of(label: str, names: Sequence[str], case: str | None) -> str:
    """The scenario that is read: the chosen, the only one, or the adverse one."""
    known = list(dict.fromkeys(text.lower() for text in names))
    chosen = case.lower() if case else known[0] if len(known) == 1 else ADVERSE
    if chosen not in known:
        kind = f"one of {', '.join(known)}, the scenarios of {label}"
        raise ScenarioError([Problem("scenario.case", None, "", case or "nothing", kind)])
    return chosen
