"""How the numbers of one run differ from those of another: changes with paired errors where draws are shared.

`engine/results/compare.py` asks whether two runs are the same to the bit; this file, by how much.
"""

import dataclasses
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from engine.results.estimates import LEVELS
from engine.results.folder import Results
from engine.tail.correlated import beyond, excess, paired_error, unshared
from engine.tail.intervals import HALF_WIDTH

MEASURES = ("el", *(f"{kind}_{suffix}" for suffix in LEVELS for kind in ("var", "es")))
"""Measures of a loss column that are compared."""

NOT_VALUES = ("_se", "_lo", "_hi")
"""Endings of columns that belong to another one."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run: its name in a comparison, its folder, results, configuration and origin."""

    name: str
    folder: pathlib.Path
    results: Results
    config: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def paths(self) -> int:
        """Paths that its estimates rest on."""
        return int(self.results.summary["paths"])


@dataclasses.dataclass(frozen=True)
class Sample:
    """Some paths of a run, simulated again: losses [horizons columns paths], default months [firms paths]."""

    horizons: tuple[str, ...]
    columns: tuple[str, ...]
    firms: tuple[str, ...]
    losses: np.ndarray  # USD bn
    default_month: np.ndarray  # 0: never within the run


def loss_changes(base: Run, other: Run, samples: tuple[Sample, Sample] | None) -> pd.DataFrame:
    """Every measure of every loss column and horizon that both runs have, and its change from `base`.

    For a measure m: `m_base`, `m`, `m_change`, `m_change_se`, and whether both rest on enough paths,
    `m_resolved`. Without samples of the same draws the errors are those of independent runs, too large for
    runs that share draws.
    """
    keys = ["horizon", "column"]
    before = base.results.tables["losses"].set_index(keys)
    after = other.results.tables["losses"].set_index(keys)
    common = before.index.intersection(after.index, sort=False)
    before, after = before.loc[common], after.loc[common]
    table = after[["kind", "id", "name", "class"]].reset_index()
    for measure in MEASURES:
        errors = measure_errors(before, measure), measure_errors(after, measure)
        kappa = None if samples is None else loss_pairing(samples, measure, common)
        table[f"{measure}_base"], table[measure] = before[measure].to_numpy(), after[measure].to_numpy()
        table[f"{measure}_change"] = table[measure] - table[f"{measure}_base"]
        table[f"{measure}_change_se"] = change_errors(table[f"{measure}_change"], errors, kappa, base, other)
        level = f"resolved_{measure.partition('_')[2]}"
        table[f"{measure}_resolved"] = True if measure == "el" else (before[level] & after[level]).to_numpy()
    return table.assign(run=other.name, paired=samples is not None)


def change_errors(
    change: ArrayLike, errors: tuple[np.ndarray, np.ndarray], kappa: np.ndarray | None, base: Run, other: Run
) -> np.ndarray:
    """Standard errors of changes, those of independent runs without `kappa`.

    0 where paired runs agree in a number and in its error to the bit: nothing tells them apart.
    """
    shares = np.ones(len(errors[0])) if kappa is None else kappa
    error = paired_error(*errors, shares, base.paths, other.paths)
    same = (np.asarray(change) == 0.0) & (errors[0] == errors[1]) & (kappa is not None)
    return np.where(same, 0.0, error)


def measure_errors(table: pd.DataFrame, measure: str) -> np.ndarray:
    """Standard errors of a measure; of VaR, those that its 95% interval stands for."""
    if measure.startswith("var"):
        width = table[f"{measure}_hi"] - table[f"{measure}_lo"]
        return (width / (2.0 * HALF_WIDTH)).to_numpy(np.float64)
    return table[f"{measure}_se"].to_numpy(np.float64)


def loss_pairing(samples: tuple[Sample, Sample], measure: str, index: pd.MultiIndex) -> np.ndarray:
    """Share of a measure's variance that pairing leaves, by (horizon, column) of `index`."""
    before, after = (contributions(sample, measure) for sample in samples)
    places = [
        (*place(samples[0], horizon, column), *place(samples[1], horizon, column))
        for horizon, column in index
    ]
    h, c, i, k = np.array(places, np.int64).reshape(-1, 4).T
    return unshared(before[h, c], after[i, k])


def place(sample: Sample, horizon: str, column: str) -> tuple[int, int]:
    """Position of a column at a horizon in a sample."""
    return sample.horizons.index(horizon), sample.columns.index(column)


def contributions(sample: Sample, measure: str) -> np.ndarray:
    """What each path contributes to a measure, up to a constant and a factor [horizons columns paths]."""
    kind, _, suffix = measure.partition("_")
    if kind == "el":
        return sample.losses
    return (excess if kind == "es" else beyond)(sample.losses, LEVELS[suffix])


def default_changes(base: Run, other: Run, samples: tuple[Sample, Sample] | None) -> pd.DataFrame:
    """Every borrower's default probability by year in both runs: `pd_base`, `pd`, `pd_change`, its error."""
    before, after = (run.results.tables["firms"].set_index("firm") for run in (base, other))
    firms = list(before.index.intersection(after.index, sort=False))
    years = [name for name in before if name in after and name.startswith("pd_") and name.endswith("y")]
    parts = []
    for year in years:
        kappa = None if samples is None else default_pairing(samples, firms, year)
        a, b = before.loc[firms], after.loc[firms]
        errors = a[f"{year}_se"].to_numpy(np.float64), b[f"{year}_se"].to_numpy(np.float64)
        error = change_errors(b[year] - a[year], errors, kappa, base, other)
        parts.append(pd.DataFrame({
            "horizon": year.removeprefix("pd_"), "firm": firms, "name": b["name"].to_numpy(),
            "kind": b["kind"].to_numpy(), "pd_base": a[year].to_numpy(), "pd": b[year].to_numpy(),
            "pd_change": (b[year] - a[year]).to_numpy(), "pd_change_se": error,
        }))  # fmt: skip
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return table.assign(run=other.name, paired=samples is not None)


def default_pairing(samples: tuple[Sample, Sample], firms: Sequence[str], year: str) -> np.ndarray:
    """Share of the variance of default by the end of a year that pairing leaves, by firm."""
    months = 12 * int(year.removeprefix("pd_").removesuffix("y"))
    defaults = []
    for sample in samples:
        month = sample.default_month[[sample.firms.index(firm) for firm in firms]]
        defaults.append(((month > 0) & (month <= months)).astype(np.float64))
    return unshared(*defaults)


def table_changes(base: Run, other: Run) -> tuple[pd.DataFrame, list[str]]:
    """Every number of every other table that both runs have and that differs, and what has no counterpart.

    A row is known by its words and whole numbers. `change_se` is that of independent runs where both give an
    error, else missing.
    """
    parts, notes = [], []
    theirs, ours = base.results.tables, other.results.tables
    for name in sorted(theirs.keys() & ours.keys() - {"losses", "firms", "distribution", "worst_paths"}):
        rows, note = one_table(name, theirs[name], ours[name])
        parts += [rows] if len(rows) else []
        notes += [note] if note else []
    for name in sorted(theirs.keys() ^ ours.keys()):
        notes.append(f"{name}: a table that only {(base if name in theirs else other).name} has")
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return table.assign(run=other.name), notes


COLUMNS = ("table", "row", "column", "base", "value", "change", "change_se")


def one_table(name: str, before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The numbers of one table that differ, a row each, and a note on rows that only one has."""
    shared = [column for column in before if column in after]
    values = [each for each in shared if is_value(before[each]) and is_value(after[each])]
    values = [each for each in values if not each.endswith(NOT_VALUES)]
    keys = [each for each in shared if not is_value(before[each]) and before[each].dtype != bool]
    before, after = with_place(before, keys), with_place(after, keys)
    both = before.merge(after, on=[*keys, "place"], suffixes=("_a", "_b"))
    words = both[keys or ["place"]].astype(str).itertuples(index=False)
    label = [" · ".join(row) for row in words]
    parts = []
    for column in values:
        a, b = both[f"{column}_a"].to_numpy(np.float64), both[f"{column}_b"].to_numpy(np.float64)
        errors = [both.get(f"{column}_se{side}", pd.Series(math.nan, both.index)) for side in ("_a", "_b")]
        with np.errstate(invalid="ignore"):
            change = b - a  # of two infinities there is none
        differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        parts.append(pd.DataFrame({
            "table": name, "row": label, "column": column, "base": a, "value": b, "change": change,
            "change_se": np.hypot(*(each.to_numpy(np.float64) for each in errors)),
        })[differs])  # fmt: skip
    alone = len(before) + len(after) - 2 * len(both)
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return rows, f"{name}: {alone} rows without a counterpart" if alone else ""


def is_value(column: pd.Series) -> bool:
    """Whether a column holds numbers that a comparison may subtract."""
    return np.issubdtype(getattr(column.dtype, "type", object), np.floating)


def with_place(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The table with the place of each row among those of the same key."""
    if not keys:
        return table.assign(place=np.arange(len(table)))
    return table.assign(place=table.groupby(keys, dropna=False, sort=False).cumcount())
