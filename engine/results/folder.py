"""The run folder: tables and documents written whole or not at all, and read back.

Layout: summary.json, results/<table>.parquet (zstd), report.html. Whoever reads while a run is still writing
sees the old file or the new one.
"""

import csv
import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from engine.book.about import About, about_from
from engine.files import inert, write_whole
from engine.results.horizons import horizon_months
from engine.results.summary import Summary, read_summary


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a UTF-8 text file whole."""

    def write(name: str) -> None:
        pathlib.Path(name).write_text(text, encoding="utf-8")

    write_whole(path, write)


def write_json(path: pathlib.Path, document: Mapping[str, Any]) -> None:
    """Writes a JSON document whole; a number that is not finite becomes null, which JSON can say."""
    write_text(path, json.dumps(plain(document), indent=1, allow_nan=False) + "\n")


def write_table(folder: pathlib.Path, name: str, table: pd.DataFrame) -> None:
    """Writes results/<name>.parquet, zstd."""
    path = folder / "results" / f"{name}.parquet"
    write_whole(path, lambda file: table.to_parquet(file, compression="zstd", index=False))


def write_csv(path: pathlib.Path, table: pd.DataFrame) -> None:
    """Writes a CSV file whole, whose text no spreadsheet program takes for a formula."""
    options = {"index": False, "lineterminator": "\n", "quoting": csv.QUOTE_NONNUMERIC}
    write_whole(path, lambda file: inert(table).to_csv(file, **options))


def plain(value: Any) -> Any:
    """The value in the types that JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating | float):
        return float(value) if np.isfinite(value) else None
    return value if value is None or isinstance(value, int | str) else str(value)


class Bins(NamedTuple):
    """A loss distribution: mean loss and probability of each filled bin, losses ascending."""

    loss: np.ndarray
    probability: np.ndarray


BILLION, MILLION = "USD bn", "USD m"


class Results(NamedTuple):
    """What a run folder holds: the summary and the tables by name; losses are in `unit`."""

    summary: Summary
    tables: dict[str, pd.DataFrame]
    unit: str = BILLION

    @property
    def short(self) -> str:
        """The unit behind a number: bn or m."""
        return self.unit.rpartition(" ")[2]

    @property
    def unit_word(self) -> str:
        """The unit in a sentence: billion or million."""
        return {BILLION: "billion", MILLION: "million"}[self.unit]

    @property
    def about(self) -> About:
        """The book's name, date, benchmark chips and classes."""
        return about_from(self.summary["about"])

    @property
    def horizons(self) -> list[str]:
        """Names of the horizons, shortest first."""
        return sorted(self.summary["system"], key=lambda horizon: self.months[horizon])

    @property
    def last(self) -> str:
        """The longest horizon, the one the report is about."""
        return self.horizons[-1]

    @property
    def months(self) -> dict[str, int]:
        """Months of each horizon."""
        return {horizon: horizon_months(horizon) for horizon in self.summary["system"]}

    def system(self, horizon: str) -> dict[str, Any]:
        """System loss at a horizon, from the summary."""
        return self.summary["system"][horizon]

    def losses(self, kind: str, horizon: str) -> pd.DataFrame:
        """Loss measures of the columns of a kind at a horizon."""
        table = self.tables["losses"]
        return table[(table["kind"] == kind) & (table["horizon"] == horizon)]

    def ranked(self, kind: str, horizon: str, by: str) -> pd.DataFrame:
        """The same, greatest first."""
        return self.losses(kind, horizon).sort_values(by, ascending=False, kind="stable")

    def tail(self, kind: str, horizon: str) -> pd.DataFrame:
        """Mean of the columns of a kind in the worst 1% of system paths."""
        table = self.tables["tail"]
        return table[(table["kind"] == kind) & (table["horizon"] == horizon)]

    def fan(self, series: str) -> pd.DataFrame:
        """Monthly quantiles of a series."""
        table = self.tables["fans"]
        return table[table["series"] == series].sort_values("month")

    def bins(self, column: str, horizon: str) -> Bins:
        """The loss distribution of a column at a horizon."""
        table = self.tables["distribution"]
        rows = table[(table["column"] == column) & (table["horizon"] == horizon)].sort_values("loss")
        return Bins(rows["loss"].to_numpy(), rows["probability"].to_numpy())


def read_results(folder: str | pathlib.Path) -> Results:
    """Reads a run folder.

    Raises FileNotFoundError where it holds no summary, `UnreadableSummary` where this version cannot read it.
    """
    folder = pathlib.Path(folder)
    summary = read_summary(folder / "summary.json")
    files = sorted((folder / "results").glob("*.parquet"))
    return Results(summary, {file.stem: pd.read_parquet(file) for file in files})
