"""The story of a scenario, quarter by quarter: events of most of its paths, medians of their series."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from engine.learn.reverse_stress.regimes import Regimes
from engine.learn.reverse_stress.trials import CHECK_IDS, FEW, Scenario, Trials
from engine.paths.simulate import QUARTER
from engine.vocabulary import CAUSES, REGIMES, SERIES

STORY_PATHS = 4 * FEW
"""Paths from which a story is told."""

MAJORITY = 0.5
"""A breach or default is part of the story if at least this share of paths has it."""

SHOWN = ("revenue", "price_h100", "rent_h100", "rate", "spread", "supply", "exposure")
"""Series of the quarterly table: medians over paths."""


class Story(NamedTuple):
    """Tables of one scenario."""

    quarters: pd.DataFrame  # regime, medians, losses, names of those who breach and default
    firms: pd.DataFrame  # share of paths on which each firm breaches and defaults, when and why
    months: pd.DataFrame  # median, 5% and 95% quantile of every series


def story(trials: Trials, scenario: Scenario) -> Story:
    """Tables of paths with exactly these systematic draws."""
    first = CHECK_IDS + (1 << 20) * FEW
    results = trials.observe([scenario], 0.0, first, STORY_PATHS, lambda results: results)
    paths = {
        name: np.concatenate(list(getattr(results, name)), axis=-1)
        for name in ("trace", "default_month", "cause", "breached")
    }
    borrowers = np.asarray(trials.system.loans.borrower)[: paths["breached"].shape[1]]
    firms = firms_table(trials.system.names.firms, borrowers, paths)
    trace = paths["trace"]
    return Story(quarters_table(scenario.regimes, firms, trace), firms, months_table(trace))


def firms_table(
    names: Sequence[str], borrowers: Int[np.ndarray, "loans"], results: dict[str, Shaped[np.ndarray, "..."]]
) -> pd.DataFrame:
    """One row a firm that breaches or defaults on any path: shares of paths, dates and the usual cause.

    `breach_quarter` and `default_quarter` are those by which a `MAJORITY` of paths have it; 0 if none.
    """
    month, cause = results["default_month"], results["cause"]
    quarters = results["breached"].shape[0]
    rows = []
    for firm, name in enumerate(names):
        own = results["breached"][:, borrowers == firm].any(axis=1)  # [quarters, paths]
        defaults = (month[firm] > 0) & (
            (month[firm] - 1) // QUARTER <= np.arange(quarters)[:, None]
        )  # [quarters, paths]
        breached, defaulted = np.maximum.accumulate(own, axis=0).mean(axis=1), defaults.mean(axis=1)
        if max(breached[-1], defaulted[-1]) == 0.0:
            continue
        counts = np.bincount(cause[firm][month[firm] > 0], minlength=len(CAUSES))
        rows.append(
            {
                "firm": name, "breached": breached[-1], "breach_quarter": first(breached),
                "defaulted": defaulted[-1], "default_quarter": first(defaulted),
                "default_month": float(np.median(month[firm][month[firm] > 0])) if counts.any() else np.nan,
                "cause": CAUSES[counts.argmax()] if counts.any() else "",
                "cause_share": counts.max() / max(counts.sum(), 1),
            }
        )  # fmt: skip
    columns = (
        "firm", "breached", "breach_quarter", "defaulted", "default_quarter", "default_month", "cause",
        "cause_share",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("defaulted", ascending=False, kind="stable", ignore_index=True)


def first(share: Float[np.ndarray, "quarters"]) -> int:
    """The quarter, from 1, by which a rising share reaches `MAJORITY`; 0 if it never does."""
    return int(np.argmax(share >= MAJORITY)) + 1 if share[-1] >= MAJORITY else 0


def quarters_table(
    regimes: Regimes, firms: pd.DataFrame, trace: Float[np.ndarray, "months series paths"]
) -> pd.DataFrame:
    """One row a quarter: regime and medians at its end, mean losses, firms that breach or default in it."""
    ends = np.arange(QUARTER - 1, trace.shape[0], QUARTER)
    loss = trace[ends, SERIES.index("loss")].mean(axis=1, dtype=np.float64)
    table = pd.DataFrame({"quarter": np.arange(1, len(ends) + 1)})
    table["regime"] = [REGIMES[regimes[end]] for end in ends]
    for name in SHOWN:
        table[name] = np.median(trace[ends, SERIES.index(name)], axis=1)
    table["loss"], table["cumulative_loss"] = np.diff(loss, prepend=0.0), loss
    for column, key in (("breaches", "breach_quarter"), ("defaults", "default_quarter")):
        table[column] = [", ".join(firms["firm"][firms[key] == quarter]) for quarter in table["quarter"]]
    return table


def months_table(trace: Float[np.ndarray, "months series paths"]) -> pd.DataFrame:
    """Median and quantiles over paths of every series, month by month."""
    low, middle, high = np.quantile(trace, (0.05, 0.5, 0.95), axis=2)
    months = np.arange(1, trace.shape[0] + 1)
    return pd.concat(
        [
            pd.DataFrame(
                {"series": name, "month": months, "p05": low[:, at], "p50": middle[:, at], "p95": high[:, at]}
            )
            for at, name in enumerate(SERIES)
        ],
        ignore_index=True,
    )
