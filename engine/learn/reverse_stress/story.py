"""The story of a scenario, quarter by quarter: events of most of its paths, medians of their series."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from engine.learn.reverse_stress.regimes import Regimes
from engine.learn.reverse_stress.trials import CHECK_IDS, FEW, Scenario, Trials
from engine.paths.simulate import QUARTER
from engine.vocabulary import CAUSES, REGIMES, price_of, rent_of

MAJORITY = 0.5
"""A breach or default is part of the story if at least this share of paths has it."""

Series = dict[str, Float[np.ndarray, "months paths"]]
"""Monthly series of some paths by name."""


class Story(NamedTuple):
    """Tables of one scenario."""

    quarters: pd.DataFrame  # regime, medians, losses, names of those who breach and default
    firms: pd.DataFrame  # share of paths on which each firm breaches and defaults, when and why
    months: pd.DataFrame  # median, 5% and 95% quantile of every series


def story(trials: Trials, scenario: Scenario) -> Story:
    """Tables of paths with exactly these systematic draws."""
    first = CHECK_IDS + (1 << 20) * FEW
    results = trials.observe([scenario], 0.0, first, trials.effort.story, lambda results: results)
    paths = {
        name: np.concatenate(list(getattr(results, name)), axis=-1)
        for name in ("trace", "default_month", "cause", "breached")
    }
    borrowers = np.asarray(trials.system.loans.borrower)[: paths["breached"].shape[1]]
    firms = firms_table(trials.system.names.firms, borrowers, paths)
    names = trials.system.names
    series = {name: paths["trace"][:, at] for at, name in enumerate(names.series)}
    quarters = quarters_table(scenario.regimes, firms, series, shown(names.benchmarks[0]))
    return Story(quarters, firms, months_table(series))


def shown(chip: str) -> tuple[str, ...]:
    """Series of the quarterly table; `chip` is the first benchmark."""
    return ("revenue", price_of(chip), rent_of(chip), "rate", "spread", "supply", "exposure")


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
    regimes: Regimes, firms: pd.DataFrame, series: Series, medians: Sequence[str]
) -> pd.DataFrame:
    """One row a quarter: regime and `medians` at its end, mean losses, firms that breach or default in it."""
    ends = np.arange(QUARTER - 1, len(series["loss"]), QUARTER)
    loss = series["loss"][ends].mean(axis=1, dtype=np.float64)
    table = pd.DataFrame({"quarter": np.arange(1, len(ends) + 1)})
    table["regime"] = [REGIMES[regimes[end]] for end in ends]
    for name in medians:
        table[name] = np.median(series[name][ends], axis=1)
    table["loss"], table["cumulative_loss"] = np.diff(loss, prepend=0.0), loss
    for column, key in (("breaches", "breach_quarter"), ("defaults", "default_quarter")):
        table[column] = [", ".join(firms["firm"][firms[key] == quarter]) for quarter in table["quarter"]]
    return table


def months_table(series: Series) -> pd.DataFrame:
    """Median and quantiles over paths of every series, month by month."""
    parts = []
    for name, values in series.items():
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=1)
        months = np.arange(1, len(values) + 1)
        rows = {"series": name, "month": months, "p05": low, "p50": middle, "p95": high}
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)
