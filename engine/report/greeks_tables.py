"""Tables of the greeks task: what a rise of each number by a tenth of its size does to ES, ranked."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from engine.learn.greeks import Slopes, adjusted, agreement, mean_and_error

TOLD = 0.05
"""Share of false discoveries among the numbers that are told from zero."""

KEPT = ("unit", "grade", "why", "value", "low", "high")
"""What a row keeps of the number."""

ROUTES = ("bump", "ratio")
"""Checks: moved alone on common random numbers; likelihood ratio."""


class Ranked(NamedTuple):
    """Rows by falling effect, and whether the checks agree: F and its p-value over all of them."""

    rows: pd.DataFrame
    statistic: float
    p_value: float


def ranked(steps, tail: Slopes, mean: Slopes, bumps: dict, rates: dict) -> Ranked:
    """One row a number (USD bn per tenth of its size).

    `bumps` holds half differences per step by position, `rates` derivatives by name, each [sections].
    """
    names = [step.name for step in steps]
    size = np.array([step.size for step in steps])
    tenth = np.array([step.tenth for step in steps])
    scale = tenth / size
    t, q = adjusted(tail.value, tail.standard_error, tail.freedom)
    rows = pd.DataFrame(
        {
            "number": names,
            **{key: [getattr(step, key) for step in steps] for key in KEPT},
            "step": size,
            "tenth": tenth,
            "es": tail.value * scale,
            "es_se": tail.standard_error * scale,
            "t": t,
            "q": q,
            "told": q <= TOLD,
            "el": mean.value * scale,
            "el_se": mean.standard_error * scale,
        }
    )
    wide = (rows["high"].astype(float) - rows["low"].astype(float)) / tenth
    rows["es_range"], rows["es_range_se"] = rows["es"] * wide, rows["es_se"] * wide
    own = tail.sections * scale[:, None]
    others = {
        "bump": {place: found * scale[place] for place, found in bumps.items()},
        "ratio": {place: rates[name] * tenth[place] for place, name in enumerate(names) if name in rates},
    }
    for route in ROUTES:
        compared(rows, route, own, others[route])
    apart = [own[place] - found for route in ROUTES for place, found in others[route].items()]
    statistic, p_value = agreement(np.array(apart)) if apart else (0.0, 1.0)
    order = np.argsort(-rows["es"].abs().to_numpy(), kind="stable")
    return Ranked(rows.iloc[order].reset_index(drop=True), statistic, p_value)


def compared(rows: pd.DataFrame, route: str, own, found: dict) -> None:
    """Add a check's answer and how far the estimate lies above it, paired by section; NaN without one."""
    for name in (route, f"{route}_apart"):
        rows[name], rows[f"{name}_se"] = np.nan, np.nan
    for place, sections in found.items():
        for name, values in ((route, sections), (f"{route}_apart", own[place] - sections)):
            rows.loc[place, [name, f"{name}_se"]] = mean_and_error(values)


def summary(table: Ranked, tail: Slopes, first, wanted, rows: int) -> dict[str, Any]:
    """The entry `greeks` of summary.json: how it was made, whether the checks agree, numbers by effect."""
    es, es_se = mean_and_error(first.es)
    return {
        "level": wanted.level,
        "step": wanted.step,
        "rows": rows,
        "row_paths": wanted.paths,
        "es": es,
        "es_se": es_se,
        "told": int(table.rows["told"].sum()),
        "misfit": tail.misfit,
        "checked": int(table.rows["bump"].notna().sum() + table.rows["ratio"].notna().sum()),
        "agreement": table.statistic,
        "agreement_p": table.p_value,
        "numbers": table.rows.set_index("number").to_dict("index"),
    }
