"""Tables of the greeks task: change of ES by a rise of each number by a tenth of its size, ranked."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from engine.learn.greeks.greeks import Slopes, agreement, mean_and_error, significance
from engine.learn.greeks.steps import Step

FALSE_DISCOVERIES = 0.05
"""Share of false discoveries among the numbers whose effect is significant (`told`)."""

DESCRIPTION = ("unit", "grade", "why", "value", "low", "high")
"""Fields of a step in its row."""

ROUTES = ("bump", "ratio")
"""Checks: the number moved alone on common random numbers; its likelihood ratio."""


class Ranking(NamedTuple):
    """Rows by falling effect, and the agreement of the checks: greatest t, and p-value of all."""

    rows: pd.DataFrame
    statistic: float
    p_value: float


def rows_of(steps: list[Step], tail: Slopes, mean: Slopes) -> pd.DataFrame:
    """One row a number in the order of the steps (USD bn per tenth of its size); `line` is over its range."""
    size, tenth = (np.array([getattr(step, key) for step in steps]) for key in ("size", "tenth"))
    t, q = significance(tail.value, tail.standard_error, tail.freedom)
    rows = pd.DataFrame(
        {
            "number": [step.name for step in steps],
            **{key: [getattr(step, key) for step in steps] for key in DESCRIPTION},
            "step": size,
            "tenth": tenth,
            "es": tail.value * tenth / size,
            "es_se": tail.standard_error * tenth / size,
            "t": t,
            "q": q,
            "told": q <= FALSE_DISCOVERIES,
            "el": mean.value * tenth / size,
            "el_se": mean.standard_error * tenth / size,
        }
    ).astype({"low": float, "high": float})
    wide = (rows["high"] - rows["low"]) / tenth
    rows["line"], rows["line_se"] = rows["es"] * wide, rows["es_se"] * wide
    return rows


def rank(rows: pd.DataFrame, tail: Slopes, bumps: dict, rates: dict, ranges: dict) -> Ranking:
    """The rows by falling effect, with the checks of each number.

    `bumps` and `ranges` hold half differences by position, `rates` derivatives by name, each [sections].
    """
    tenth, names = rows["tenth"].to_numpy(), rows["number"].tolist()
    scale = tenth / rows["step"].to_numpy()
    own = tail.sections * scale[:, None]
    others = {
        "bump": {place: effects * scale[place] for place, effects in bumps.items()},
        "ratio": {place: rates[name] * tenth[place] for place, name in enumerate(names) if name in rates},
    }
    for route in ROUTES:
        effects = others[route]
        rows = with_errors(rows, route, effects)
        rows = with_errors(rows, f"{route}_apart", {place: own[place] - effects[place] for place in effects})
    rows = with_errors(rows, "range", {place: 2.0 * effects for place, effects in ranges.items()})
    apart = [own[place] - effects for route in ROUTES for place, effects in others[route].items()]
    statistic, p_value = agreement(np.array(apart)) if apart else (0.0, 1.0)
    order = np.argsort(-rows["es"].abs().to_numpy(), kind="stable")
    return Ranking(rows.iloc[order].reset_index(drop=True), statistic, p_value)


def with_errors(rows: pd.DataFrame, name: str, effects: dict) -> pd.DataFrame:
    """The rows with a column and its standard error from values [sections] by position; NaN without them."""
    columns = np.full((2, len(rows)), np.nan)
    for place, sections in effects.items():
        columns[:, place] = mean_and_error(sections)
    return rows.assign(**{name: columns[0], f"{name}_se": columns[1]})


def summary(
    table: Ranking, tail: Slopes, sections: np.ndarray, design: Mapping[str, float]
) -> dict[str, Any]:
    """The entry `greeks` of summary.json: its design, whether the checks agree, numbers by effect.

    `sections` is ES by section of the tail, USD bn; `design` holds its level, the step, the number of rows
    and the paths of each.
    """
    es, es_se = mean_and_error(sections)
    return {
        **design,
        "es": es,
        "es_se": es_se,
        "told": int(table.rows["told"].sum()),
        "misfit": tail.misfit,
        "checked": int(table.rows["bump"].notna().sum() + table.rows["ratio"].notna().sum()),
        "greatest_t": table.statistic,
        "agreement_p": table.p_value,
        "numbers": table.rows.set_index("number").to_dict("index"),
    }
