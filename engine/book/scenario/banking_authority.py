"""The European Banking Authority's macro-financial scenario: a sheet a variable, years in columns.

Two rows head a sheet: groups of columns (`Historical growth (%)`, `Starting point rates (%) – latest`,
`Baseline rate (%)`, `Adverse rate (%)`, `Deviation from the starting point (%)`) above their years. Rows are
countries by name and code, currencies with tenors, or items such as indices. Cumulated columns and means are
not read.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.book.checks.problems import Problem
from engine.book.scenario.mapping import ScenarioError
from engine.book.scenario.regions import rank, regional
from engine.book.scenario.table import YEAR, Paths
from engine.book.workbook import Grid

PUBLISHER = "European Banking Authority"
START, BASELINE, ADVERSE = "start", "baseline", "adverse"
TENOR = re.compile(r"[0-9]+ ?[MY]")
YEARS = re.compile(r"(19|2[0-9])[0-9]{2}")
Values = dict[str, dict[int, str]]
"""Cells by case (start, baseline, adverse) and year."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """A sheet: where its data begin, and the case and year of each column."""

    grid: Grid
    row: int
    columns: Mapping[int, tuple[str, int]]
    foreign: str  # a deviation from what the table does not give; blank for none


def panels(grids: Sequence[Grid]) -> list[Panel]:
    """The sheets of this layout; none for a file of another."""
    return [panel for grid in grids if (panel := panel_of(grid)) is not None]


def case_of(label: str) -> str:
    """The case that a group of columns gives: blank for what is derived, `deviation` from something else.

    >>> case_of("Adverse rate (%)"), case_of("Starting point rates (%) – average")
    ('adverse', '')
    """
    text = " ".join(label.lower().split())
    if text.startswith(("level of deviation", "level deviation 2", "cumulative", "minimum", "maximum")):
        return ""
    if "deviation" in text:
        return ADVERSE if "starting point" in text else "deviation"
    if text.startswith(("historical", "starting point")):
        return "" if "average" in text else START
    return next((case for case in (BASELINE, ADVERSE) if text.startswith(case)), "")


def panel_of(grid: Grid) -> Panel | None:
    """The head of a sheet: a row of groups with years below, the first twenty rows searched."""
    for row, ((_, groups), (_, years)) in enumerate(zip(grid.records[:20], grid.records[1:21], strict=False)):
        columns, group, foreign = {}, "", ""
        for place, year in enumerate(years):
            label = groups[place] if place < len(groups) else ""
            group = label or group
            case = case_of(group)
            if YEARS.fullmatch(year) and case == "deviation":
                foreign = group
            elif YEARS.fullmatch(year) and case:
                columns[place] = (case, int(year))
        if {BASELINE, ADVERSE} & {case for case, _ in columns.values()} or foreign:
            return Panel(grid, row + 2, columns, foreign)
    return None


def rows_of(panel: Panel) -> Iterator[tuple[list[str], Values]]:
    """The labels of every row with values, and these; a currency stands above its tenors only once."""
    first, above = min(panel.columns), ""
    for _, cells in panel.grid.records[panel.row :]:
        labels = [text for text in cells[:first] if text]
        values: Values = {}
        for place, (case, year) in panel.columns.items():
            if place < len(cells) and cells[place]:
                values.setdefault(case, {})[year] = cells[place]
        if labels and values:
            if TENOR.fullmatch(labels[-1]):
                above = labels[0] if len(labels) > 1 else above
                labels = [above, labels[-1]]
            yield labels, values


def variables_of(panel: Panel, region: str) -> tuple[dict[str, Values], str]:
    """The variables of a sheet by name for a region, and a note on rows that stand for it or are lacking."""
    name = panel.grid.title.strip().removesuffix(".csv")
    if panel.foreign:
        return {}, f"{name} is left out: {panel.foreign!r} needs a level that the table does not give"
    rows = list(rows_of(panel))
    if not any(regional(labels) for labels, _ in rows):
        return {f"{name}, {labels[0]}": values for labels, values in rows}, ""
    ranks = [rank(labels, region) for labels, _ in rows]
    best = min((place for place in ranks if place is not None), default=None)
    if best is None:
        return {}, f"{name} is left out: it has no row of {region}"
    chosen = [row for row, place in zip(rows, ranks, strict=True) if place == best]
    labels = chosen[0][0]
    note = f"{name}: {labels[0]} for {region}" if best > 1 else ""
    if TENOR.fullmatch(labels[-1]):
        return {f"{name}, {tenor}": values for (_, tenor), values in chosen}, note
    return {name: chosen[0][1]}, note


def paths(label: str, sheets: Sequence[Panel], case: str | None, region: str) -> Paths:
    """The paths of one case, `adverse` where none is named, from the starting point on."""
    name = ADVERSE if case is None else case.lower()
    if name not in (ADVERSE, BASELINE):
        kind = f"{ADVERSE} or {BASELINE}, the scenarios of {label}"
        raise ScenarioError([Problem("scenario.case", None, "", case or "", kind)])
    variables: dict[str, Values] = {}
    notes: list[str] = []
    for panel in sheets:
        own, note = variables_of(panel, region)
        lacking = [variable for variable, values in own.items() if name not in values]
        variables |= {variable: values for variable, values in own.items() if variable not in lacking}
        notes += [note] if note else []
        notes += [f"{', '.join(lacking)}: not in the {name} scenario, left free"] if lacking else []
    ahead = sorted({year for values in variables.values() for year in values[name]})
    if not ahead:
        got = ", ".join(panel.grid.title.strip() for panel in sheets)
        kind = f"a row of {region} with values in the {name} scenario"
        raise ScenarioError([Problem(label, None, "", got, kind)])
    years = [ahead[0] - 1, *ahead]
    values_of = {years[0]: START} | dict.fromkeys(ahead, name)
    return Paths(
        label,
        (None,) * len(years),
        tuple(map(str, years)),
        np.array([YEAR * (year + 1) for year in years], np.int64),
        tuple(variables),
        tuple(
            tuple(values.get(case, {}).get(year, "") for values in variables.values())
            for year, case in values_of.items()
        ),
        PUBLISHER, str(ahead[0]), name, region, tuple(notes),
    )  # fmt: skip
