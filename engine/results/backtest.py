"""Tables of a backtest: every forecast with what came, coverage by kind, and the PIT histogram."""

from typing import Any

import numpy as np
import pandas as pd

from engine.book.about import About
from engine.learn.backtest.scores import coverage, next_only, pit_shares

TARGET = (0.80, 0.97)
"""Share of observations that bands of 90% should hold, pooled."""

COLUMNS = (
    "kind", "quantity", "level", "series", "known", "target", "quarter", "months", "value", "observed",
    "low", "median", "high", "width", "pit", "hit",
)  # fmt: skip


def tables(rows: pd.DataFrame, missing: dict[str, str], about: About, seed: int) -> dict[str, pd.DataFrame]:
    """Tables by name. `missing`: why a series of the configuration or a kind of quantity has no forecast."""
    return {
        "backtest": rows[list(COLUMNS)],
        "backtest_origins": by_origin(rows, about),
        "backtest_coverage": coverage_table(rows, seed),
        "backtest_pit": pit_table(rows),
        "backtest_missing": pd.DataFrame(missing.items(), columns=["what", "why"]),
    }


def by_origin(rows: pd.DataFrame, about: About) -> pd.DataFrame:
    """Every origin x series x horizon in quarters; forecasts from the same observation repeat."""
    long = rows.explode("origins").rename(columns={"origins": "origin_month"})
    long = long.assign(
        origin=[quarter_name(about, month) for month in long["origin_month"]],
        quarters_ahead=((long["quarter"] - long["origin_month"]) / 3).astype("int64"),
    )
    columns = ["origin", "origin_month", "series", "quarters_ahead", "known", "target"]
    columns += ["observed", "low", "median", "high", "pit", "hit"]
    return long[columns].sort_values(["origin_month", "series", "quarters_ahead"]).reset_index(drop=True)


def quarter_name(about: About, month: int) -> str:
    """The quarter that ends with a month: 2024Q1."""
    year, of_year = about.calendar_month(int(month))
    return f"{year}Q{(of_year + 2) // 3}"


def coverage_table(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Coverage of 90% bands: all forecasts, the next observation of each level alone, by kind, by horizon."""
    near = rows["months"] <= 6.5
    groups = {
        "all": rows,
        "next": next_only(rows),
        **{kind: own for kind, own in rows.groupby("kind", sort=True)},
        "up to 6 months": rows[near],
        "beyond": rows[~near],
    }
    table = []
    for name, own in groups.items():
        covered = coverage(own, seed)
        table.append({
            "group": name, "forecasts": covered.forecasts, "quantities": covered.quantities,
            "hits": covered.hits, "share": covered.share, "low": covered.low, "high": covered.high,
            "median_width": float(own["width"].median()) if len(own) else float("nan"),
        })  # fmt: skip
    return pd.DataFrame(table)


def pit_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of observations in each tenth of their forecast distribution."""
    shares = pit_shares(rows["pit"].to_numpy(np.float64))
    return pd.DataFrame({"from": np.arange(10) / 10.0, "share": shares})


def summary(results: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The entry `backtest` of summary.json."""
    by_group = results["backtest_coverage"].set_index("group").to_dict("index")
    return {
        "coverage": by_group,
        "target": list(TARGET),
        "pit": results["backtest_pit"]["share"].tolist(),
        "origins": int(results["backtest_origins"]["origin"].nunique()),
        "missing": results["backtest_missing"].set_index("what")["why"].to_dict(),
    }
