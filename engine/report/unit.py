"""The unit in which a report tells losses: billions, or millions of a small book; JSON stays in USD bn.

It is chosen once, from the debt drawn today, for every task, and the results are read in it: every loss,
debt and capital is a thousand times as large, and whatever names the unit asks `Results.unit`. What is the
sector's and not the book's stays in billions: AI revenue, payments under contracts, leverage, the book's
references, the history of a calibration. Settings are as they are asked for.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from engine.report.search_words import is_rate
from engine.results.comparison import Comparison
from engine.results.folder import BILLION, MILLION, Results
from engine.results.units import MONEY, SERIES, SQUARE, unit_of

SMALL = 10.0
"""USD bn drawn today below which a book is told in millions."""

FACTOR = 1000.0
POWERS = {MONEY: 1, SQUARE: 2}
"""How often the factor goes into a number, by its unit."""

SECTOR = ("payments", "plausibility_bands", "plausibility_losses", "leverage")
"""Tables of the sector."""

FANS = ("exposure", "accounting_gap", "loss")
"""Monthly series that are amounts of the book."""

OWN = {"replay_events": ("amount", "loss"), "replay_paths": ("loss_",)}
"""Columns of amounts by how they begin, of tables whose columns have no one unit."""

Entry = dict[str, Any]


def readable(results: Results, small: float = SMALL) -> Results:
    """The results in the unit of their report; as they are where that is chosen or the book large."""
    if results.unit != BILLION or not is_small(results.system(results.last), small):
        return results
    tables = {name: in_millions(name, table) for name, table in results.tables.items()}
    return Results(entries_in_millions(results.summary), tables, MILLION)


def unit_remark(unit: str) -> str:
    """What the first line of a report says of its unit; nothing of billions."""
    return "" if unit == BILLION else f" · losses in {unit}"


def is_small(loss: Mapping[str, Any], small: float = SMALL) -> bool:
    """Whether a system's loss, as the summary has it, is that of a book to be told in millions."""
    exposure = loss.get("exposure")
    return exposure is not None and 0.0 < exposure < small


def readable_comparison(comparison: Comparison, small: float = SMALL) -> Comparison:
    """The comparison in millions where each of its runs is told in them; else as it is."""
    runs = [dataclasses.replace(run, results=readable(run.results, small)) for run in comparison.runs]
    if comparison.unit != BILLION or any(run.results.unit == BILLION for run in runs):
        return comparison
    base, *others = runs
    parts = [
        dataclasses.replace(part, run=run, losses=in_millions("losses", part.losses))
        for part, run in zip(comparison.parts, others, strict=True)
    ]
    return Comparison(base, tuple(parts))


def in_millions(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table with its amounts in millions."""
    if name in SECTOR:
        return table
    table = table.copy()
    for column in table.select_dtypes("number").columns:
        unit = unit_here(name, column)
        if unit in POWERS:
            table[column] *= FACTOR ** POWERS[unit]
        elif unit == SERIES and "series" in table:
            table.loc[table["series"].isin(FANS), column] *= FACTOR
    if name == "replay_months":
        table.loc[table["unit"] == MONEY, "value"] *= FACTOR
    return table


def unit_here(name: str, column: str) -> str | None:
    """The unit of a table's column, or of its amounts where it has no one unit."""
    return MONEY if column.startswith(("balance", *OWN.get(name, ()))) else unit_of(name, column)


def entries_in_millions(summary: Any) -> Any:
    """The summary with the amounts that a report reads in millions."""
    own = {name: entry(summary[name]) for name, entry in ENTRIES.items() if name in summary}
    return dict(summary) | own


def losses(entry: Entry) -> Entry:
    """Measures of a loss, as in table `losses`, in millions."""
    return {
        key: FACTOR * value if isinstance(value, float) and unit_of("losses", key) == MONEY else value
        for key, value in entry.items()
    }


def by_horizon(entry: Entry) -> Entry:
    """Measures of a loss at every horizon."""
    return {horizon: losses(loss) for horizon, loss in entry.items()}


def scenario(entry: Entry) -> Entry:
    """A scenario given as paths, with the losses without it."""
    return entry | {"free": by_horizon(entry["free"])} if "free" in entry else entry


def nearest(entry: Entry) -> Entry:
    """A path told, and its distance from the mean of the tail where it was sought."""
    distance = entry.get("distance")
    return entry if distance is None else entry | {"distance": FACTOR * distance}


def stress(entry: Entry) -> Entry:
    """A reverse stress: its target, and the most that any scenario loses where that is out of reach."""
    entry = entry | {"target": FACTOR * entry["target"]}
    reach = entry.get("unreachable")
    return entry if reach is None else entry | {"unreachable": reach | {"most": FACTOR * reach["most"]}}


def search(entry: Entry) -> Entry:
    """A search: bounds, and results of every setting."""
    best = [
        trial | {key: trial[key] and amounts(trial[key]) for key in ("results", "fresh")}
        for trial in entry["best"]
    ]
    return entry | {"bounds": amounts(entry["bounds"]), "today": amounts(entry["today"]), "best": best}


def amounts(results: Mapping[str, list[float | None]]) -> dict[str, list[float | None]]:
    """Numbers by the name of a result, in millions where it is an amount; None where there is none."""
    return {
        name: [number if is_rate(name) or number is None else FACTOR * number for number in numbers]
        for name, numbers in results.items()
    }


ENTRIES: Mapping[str, Callable[[Entry], Entry]] = {
    "system": by_horizon,
    "focus": losses,
    "scenario_path": scenario,
    "anatomy": nearest,
    "replay": nearest,
    "reverse_stress": stress,
    "search": search,
}
"""Entries of the summary with amounts that a report reads."""
