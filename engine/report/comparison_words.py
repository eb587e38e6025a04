"""Sentences of a comparison of runs, and how its tables name a run."""

from typing import Any

import pandas as pd

from engine.report import words
from engine.results.comparison import Comparison, Part
from engine.results.horizons import horizon_words, joined

PAIRED = (
    "± is one standard error, of changes that of the paired difference: the runs share their random numbers, "
    "and how much of their noise is common is measured on paths simulated again."
)
UNPAIRED = "± is one standard error; of these changes that of independent runs: "


def headline(comparison: Comparison) -> str:
    """The largest change of ES 99% at the last common horizon, in a sentence."""
    if not comparison.horizons:
        return "The runs have no horizon in common."
    last = comparison.horizons[-1]
    changes = {part.run.name: system_row(part, last) for part in comparison.parts}
    name = max(changes, key=lambda each: abs(changes[each]["es_99_change"]))
    change, error = changes[name]["es_99_change"], changes[name]["es_99_change_se"]
    size = words.measured(abs(change), error)
    if change == 0.0 and error == 0.0:
        return f"ES 99% at {horizon_words(last)} is the same in all runs."
    way = "higher" if change > 0 else "lower"
    clear = "" if abs(change) > words.CLEAR * error else ", which is not told from zero"
    return (
        f"ES 99% at {horizon_words(last)} is {size} {comparison.short} {way} in {label(comparison, name)} "
        f"than in {label(comparison, comparison.base.name)}{clear}."
    )


def lead(comparison: Comparison) -> str:
    """What differs between the runs, and how far their errors are paired."""
    axes = comparison.axes
    what = joined([f"{key} ({', '.join(distinct(values))})" for key, values in list(axes.items())[:4]])
    more = f" and {len(axes) - 4} other keys" if len(axes) > 4 else ""
    differs = f"The runs differ in {what}{more}." if axes else "No key that changes a result differs."
    reasons = list(dict.fromkeys(part.unpaired for part in comparison.parts if part.unpaired))
    paired = sum(not part.unpaired for part in comparison.parts)
    if not reasons:
        return f"{differs} All of them share their draws, so that errors of changes are paired."
    kind = (
        f"{paired} of {len(comparison.parts)} changes have paired errors" if paired else "No error is paired"
    )
    return f"{differs} {kind}: {'; '.join(reasons)}."


def distinct(values: list[Any]) -> list[str]:
    """Values in order, each once."""
    return list(dict.fromkeys(shown(value) for value in values))


def shown(value: Any) -> str:
    """A value of a key, in short."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def label(comparison: Comparison, name: str) -> str:
    """A run by what is varied, where that is one key or two; else by its folder."""
    axes = comparison.axes
    if not 1 <= len(axes) <= 2:
        return name
    place = [run.name for run in comparison.runs].index(name)
    return ", ".join(f"{key} = {shown(values[place])}" for key, values in axes.items())


def run_head(comparison: Comparison) -> str:
    """The head of a column of runs: the one key or two that vary."""
    axes = comparison.axes
    return ", ".join(axes) if 1 <= len(axes) <= 2 else "Run"


def run_cell(comparison: Comparison, name: str) -> str:
    """A run under that head: its values, or its folder."""
    text = label(comparison, name)
    return ", ".join(part.rpartition(" = ")[2] for part in text.split(", ")) if " = " in text else text


def system_row(part: Part, horizon: str) -> pd.Series:
    """The system loss of a run at a horizon, with its changes."""
    losses = part.losses
    return losses[(losses["column"] == "system") & (losses["horizon"] == horizon)].iloc[0]


def errors_note(comparison: Comparison) -> str:
    """Which errors are paired, and why others are not."""
    reasons = list(dict.fromkeys(part.unpaired for part in comparison.parts if part.unpaired))
    paired = [PAIRED] if any(not part.unpaired for part in comparison.parts) else []
    return " ".join([*paired, *([UNPAIRED + "; ".join(reasons) + "."] if reasons else [])])
