"""Tables and summary of a search: its trials, the best of them again on fresh paths, the summary's entry."""

from itertools import zip_longest
from typing import Any

import pandas as pd

from engine.learn.search.search import ERROR, Aim, excess
from engine.tail.measures import Estimate

KNOB = "knob "
FRESH = "fresh "


def best_of(table: pd.DataFrame, aim: Aim) -> list[dict[str, Any]]:
    """Rows of the best trials, by the first objective; the least infeasible one where none is feasible."""
    first, falling = aim.objectives[0], bool(aim.maximise)
    rows = table[table["best"]].sort_values(first, ascending=not falling)
    if not rows.empty:
        return rows.to_dict("records")
    beyond = [
        max(excess(row[name], bound) for name, bound in aim.bounds.items())
        for row in table.to_dict("records")
    ]
    return table.iloc[[beyond.index(min(beyond))]].to_dict("records")


def setting(row: dict[str, Any]) -> dict[str, float]:
    """The knobs of a trial."""
    return {name.removeprefix(KNOB): value for name, value in row.items() if name.startswith(KNOB)}


def with_fresh_results(
    table: pd.DataFrame, best: list[dict[str, Any]], again: list[dict[str, Estimate]]
) -> pd.DataFrame:
    """The trials, with results on fresh paths for the best, blank for the others."""
    table = table.copy()
    for row, results in zip(best, again, strict=False):
        at = table.index[table["trial"] == row["trial"]]
        for name, each in results.items():
            table.loc[at, FRESH + name] = each.value
            table.loc[at, FRESH + name + ERROR] = each.standard_error
    return table


def summary(
    table: pd.DataFrame, aim: Aim, ranges: dict[str, tuple[float, float]], paths: int,
    best: list[dict[str, Any]], again: list[dict[str, Estimate]], present: dict[str, float | None],
    today: dict[str, Estimate],
) -> dict[str, Any]:  # fmt: skip
    """The entry `search` of summary.json.

    `again` is what fresh paths find at the first of the `best` settings, `today` at things as they stand.
    """
    entries = [
        {
            "trial": int(row["trial"]),
            "setting": setting(row),
            "results": {name: [row[name], row[name + ERROR]] for name in aim.results},
            "fresh": None if fresh is None else pairs(fresh),
        }
        for row, fresh in zip_longest(best, again)
    ]
    feasible = int(table["feasible"].sum())
    entry = {
        "maximise": list(aim.maximise), "minimise": list(aim.minimise),
        "bounds": {name: list(bound) for name, bound in aim.bounds.items()},
        "knobs": {name: list(ends) for name, ends in ranges.items()},
        "present": present, "trials": len(table), "feasible": feasible, "paths": paths, "best": entries,
        "today": pairs(today),
    }  # fmt: skip
    return {"search": entry}


def pairs(results: dict[str, Estimate]) -> dict[str, list[float]]:
    """[value, standard error] of every result."""
    return {name: [each.value, each.standard_error] for name, each in results.items()}
