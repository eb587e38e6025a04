"""Tables of a scenario given as paths: what became of each column, what the economy is given, both tails."""

from typing import Any

import numpy as np
import pandas as pd

from engine.book.load import Book
from engine.book.scenario.reading import Column, Scenario
from engine.book.system import System
from engine.paths.conditioning import Conditioning
from engine.paths.simulate import layout_of
from engine.results.estimates import Estimates
from engine.results.losses import labels_of, losses_table
from engine.tail.tally import Tally
from engine.vocabulary import REGIMES

LOGARITHMS = ("credit", "equity", "power", "demand")
"""Factors that are given as logs."""


def columns_table(scenario: Scenario, law: Conditioning) -> pd.DataFrame:
    """A row a column of the file: its meaning, what it was read as, and the largest shock that it asks for.

    A shock is what a period brings less what the model expects of it, given what went before, in standard
    deviations of the model: of a regime the mean over what it may be.
    """
    return pd.DataFrame([column_row(column, scenario, law) for column in scenario.columns])


def column_row(column: Column, scenario: Scenario, law: Conditioning) -> dict[str, Any]:
    """The row of one column."""
    meaning = column.meaning
    shocks = law.shocks.get(meaning.factor) if column.use == "given" else None
    row: dict[str, Any] = {
        "column": column.name, "publisher": meaning.publisher, "use": column.use, "factor": meaning.factor,
        "reading": meaning.reading, "unit": meaning.unit, "less": meaning.less,
        "elasticity": meaning.elasticity, "periods": column.periods, "first": column.first,
        "lowest": column.lowest, "highest": column.highest, "last": column.last,
    }  # fmt: skip
    period = -1 if shocks is None else int(np.nanargmax(np.abs(shocks)))
    row |= {
        "shock": np.nan if shocks is None else float(shocks[period]),
        "shock_month": (period + 1) * scenario.step,
    }
    return row | {"grade": meaning.grade, "why": meaning.why}


def path_table(scenario: Scenario, law: Conditioning) -> pd.DataFrame:
    """What is given at the end of each period, NaN where nothing is, and the regimes' probabilities then."""
    periods = len(law.regimes) // scenario.step
    ends = np.arange(1, periods + 1) * scenario.step
    table = pd.DataFrame({"month": ends})
    for factor, values in scenario.pins.values.items():
        natural = np.exp(values) if factor in LOGARITHMS else values
        table[factor] = np.concatenate([natural, np.full(periods - len(values), np.nan)])
    for place, regime in enumerate(REGIMES):
        table[f"p_{regime}"] = law.regimes[ends - 1, place]
    return table


def free_losses(tally: Tally, system: System, book: Book) -> pd.DataFrame:
    """Measures of every column at every horizon on the paths without the scenario, as in table `losses`."""
    return losses_table(Estimates(tally), layout_of(system), labels_of(system, book))


def scenario_tables(
    scenario: Scenario, law: Conditioning, free: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name; `free` where the paths ran without the scenario too."""
    tables = {"scenario_columns": columns_table(scenario, law), "scenario_path": path_table(scenario, law)}
    return tables if free is None else tables | {"losses_free": free}


def scenario_entry(scenario: Scenario, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The entry `scenario_path` of summary.json."""
    columns, path = tables["scenario_columns"], tables["scenario_path"]
    used = {use: columns.loc[columns["use"] == use, "column"].tolist() for use in ("given", "part", "unused")}
    ahead = path[path["month"] <= scenario.step * max(columns["periods"])]
    chances = [f"p_{regime}" for regime in REGIMES]
    entry: dict[str, Any] = {
        "file": scenario.file, "history": scenario.history, "source": scenario.source,
        "first": scenario.first, "last": scenario.last, "step": scenario.step, "columns": used,
        "notes": list(scenario.notes),
        "regimes_at_end": ahead[chances].iloc[-1].to_dict() if len(ahead) else {},
    }  # fmt: skip
    free = tables.get("losses_free")
    if free is not None:
        system = free[free["column"] == "system"].set_index("horizon")
        entry["free"] = {horizon: row for horizon, row in system.to_dict("index").items()}
    return entry
