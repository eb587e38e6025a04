"""The unit in which a report tells losses: billions, or millions of a small book; JSON stays in USD bn.

It is chosen once, from the debt drawn today, and the results are read in it: every loss, debt and capital is
a thousand times as large, and whatever names the unit asks `Results.unit`. What is the sector's and not the
book's stays in billions: AI revenue, payments under contracts, leverage, the book's references.
"""

from typing import Any

import pandas as pd

from engine.results.folder import BILLION, MILLION, Results
from engine.results.units import MONEY, unit_of

SMALL = 10.0
"""USD bn drawn today below which a book is told in millions."""

FACTOR = 1000.0
SECTOR = ("payments", "plausibility_losses", "leverage")
"""Tables of the sector."""

FANS = ("exposure", "accounting_gap", "loss")
"""Monthly series that are amounts of the book."""

OWN = {"replay_events": ("amount", "loss"), "replay_paths": ("loss_",)}
"""Columns of amounts by how they begin, of tables whose columns have no one unit."""


def readable(results: Results, small: float = SMALL) -> Results:
    """The results in the unit of their report; as they are where that is chosen already, or the book large.

    Only of the main job: what other tasks find is told in billions.
    """
    exposure = results.system(results.last).get("exposure")
    main = results.summary.get("task", "tail_risk") == "tail_risk"
    if results.unit != BILLION or not main or exposure is None or not 0.0 < exposure < small:
        return results
    tables = {name: in_millions(name, table) for name, table in results.tables.items()}
    return Results(entries_in_millions(results.summary), tables, MILLION)


def in_millions(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table with its amounts in millions."""
    if name in SECTOR:
        return table
    table = table.copy()
    numbers = table.select_dtypes("number").columns
    if name == "fans":
        rows, columns = table["series"].isin(FANS), [each for each in numbers if each != "month"]
        table.loc[rows, columns] *= FACTOR
    elif name == "replay_months":
        table.loc[table["unit"] == MONEY, "value"] *= FACTOR
    else:
        begins = OWN.get(name, ())
        columns = [each for each in numbers if money(name, each) or each.startswith(tuple(begins))]
        table[columns] *= FACTOR
    return table


def money(name: str, column: str) -> bool:
    """Whether a column of a table is an amount; a change of one is."""
    return unit_of(name, column.replace("_change", "")) == MONEY or column.startswith("balance")


def entries_in_millions(summary: Any) -> Any:
    """The summary with the amounts that a report of the main job reads in millions."""
    entries = dict(summary)
    entries["system"] = {name: losses(loss) for name, loss in summary["system"].items()}
    if "focus" in summary:
        entries["focus"] = losses(summary["focus"])
    if "free" in summary.get("scenario_path", {}):
        free = {name: losses(loss) for name, loss in summary["scenario_path"]["free"].items()}
        entries["scenario_path"] = summary["scenario_path"] | {"free": free}
    if "distance" in summary.get("anatomy", {}):
        anatomy = summary["anatomy"]
        entries["anatomy"] = anatomy | {"distance": FACTOR * anatomy["distance"]}
    return entries


def losses(entry: dict[str, Any]) -> dict[str, Any]:
    """Measures of a loss, as in table `losses`, in millions."""
    return {
        key: FACTOR * value if isinstance(value, float) and amount_key(key) else value
        for key, value in entry.items()
    }


def amount_key(key: str) -> bool:
    """Whether an entry of a loss is an amount."""
    return unit_of("losses", key) == MONEY or key == "exposure_then"
