"""Tables of changes: the system loss, lenders, bearers and borrowers, keys, and every other table."""

import dataclasses
from typing import Any

import pandas as pd

from engine.report import words
from engine.report.comparison_words import errors_note, label, run_cell, run_head, shown, system_row
from engine.report.section import Details, Part
from engine.report.table import Cell, Row, Table, amount, changed_share, measured, number, probability, row
from engine.results.comparison import Comparison
from engine.results.horizons import horizon_years
from engine.tail.intervals import RESOLVED_PATHS

SHOWN = {"el": "Expected", "es_95": "ES 95%", "var_99": "VaR 99%", "es_99": "ES 99%", "es_99_9": "ES 99.9%"}
"""Measures of the tables of changes, by the head of their column."""

MOST = 12
"""Rows of a table of lenders, bearers or borrowers."""

SAME = Cell("–")

DOUBTFUL = (
    f"* Not told from zero: within {words.CLEAR:g} standard errors of it, or in one of the runs fewer than "
    f"{RESOLVED_PATHS} effective paths lie beyond this level."
)
"""Footnote of a change that should not be acted on."""


def system_table(comparison: Comparison) -> Table:
    """The system loss by horizon and run: every measure, and its change from the base."""
    rows: list[Row] = []
    for horizon in comparison.horizons:
        own = comparison.base.results.system(horizon)
        rows.append(row(
            horizon_years(horizon), run_cell(comparison, comparison.base.name),
            *(cell for key in SHOWN for cell in (of_base(own, key), SAME)),
        ))  # fmt: skip
        for part in comparison.parts:
            line = system_row(part, horizon)
            changes = (cell for key in SHOWN for cell in (amount(line[key]), changed(line, key)))
            rows.append(row(horizon_years(horizon), run_cell(comparison, part.run.name), *changes))
    head = ("Horizon", run_head(comparison), *(text for name in SHOWN.values() for text in (name, "Change")))
    return Table(
        "compare", "System loss", head, tuple(rows), errors_note(comparison), comparison.unit, DOUBTFUL,
        words=2, brief_columns=(0, 1, 2, 3, 8, 9, 10, 11),
    )  # fmt: skip


def pair_table(comparison: Comparison) -> Table:
    """The system loss of two runs: a row for each horizon and measure."""
    [part] = comparison.parts
    rows = []
    for horizon in comparison.horizons:
        own, line = comparison.base.results.system(horizon), system_row(part, horizon)
        theirs = part.run.results.system(horizon)
        rows += [
            row(horizon_years(horizon), name, of_base(own, key), of_base(theirs, key), changed(line, key),
                standard(line, key))
            for key, name in SHOWN.items()
        ]  # fmt: skip
    names = [label(comparison, run.name) for run in comparison.runs]
    head = ("Horizon", "Measure", *names, "Change", "t")
    return Table(
        "compare", "System loss", head, tuple(rows), errors_note(comparison), comparison.unit, DOUBTFUL,
        words=2,
    )  # fmt: skip


def loss_table(comparison: Comparison) -> Table:
    """The system loss, by measure for two runs and by run for more."""
    return pair_table(comparison) if len(comparison.parts) == 1 else system_table(comparison)


def of_base(loss: dict[str, Any], key: str) -> Cell:
    """A measure of the base with its error, where it has one."""
    return measured(loss[key], loss[f"{key}_se"]) if f"{key}_se" in loss else amount(loss[key])


def changed(line: pd.Series, key: str) -> Cell:
    """A change with its error and its sign."""
    mark = star(line, key)
    cell = measured(line[f"{key}_change"], line[f"{key}_change_se"], mark)
    sign = "+" if cell.value is not None and cell.value > 0.0 and cell.text != "0" else ""
    return dataclasses.replace(cell, text=sign + cell.text)


def star(line: pd.Series, key: str) -> str:
    """The mark of a change that cannot be told from zero, or of a tail that is not resolved."""
    change, error = line[f"{key}_change"], line[f"{key}_change_se"]
    if change == 0.0 and error == 0.0:
        return ""  # the same to the bit, which is known
    return "" if abs(change) > words.CLEAR * error and line.get(f"{key}_resolved", True) else " *"


def plus(change: float) -> str:
    """The sign of a rise."""
    return "+" if change > 0.0 else ""


def ranked_table(comparison: Comparison, kind: str, name: str, title: str) -> Table | None:
    """Columns of a kind with the largest changes of ES 99% at the last common horizon; None without any."""
    losses = comparison.tables["losses"]
    rows = losses[(losses["kind"] == kind) & (losses["horizon"] == comparison.horizons[-1])]
    order = rows["es_99_change"].abs().sort_values(ascending=False, kind="stable").index
    rows = rows.loc[order[:MOST]]
    rows = rows[(rows["es_99_change"] != 0.0) | (rows["el_change"] != 0.0)]
    if rows.empty:
        return None
    cells = tuple(
        row(
            line["name"], run_cell(comparison, line["run"]), amount(line["el_base"]), changed(line, "el"),
            amount(line["es_99_base"]), changed(line, "es_99"), standard(line, "es_99"),
        )
        for _, line in rows.iterrows()
    )  # fmt: skip
    subject, _, _ = title.partition(" by ")
    head = (subject, run_head(comparison), "Expected, base", "Change", "ES 99%, base", "Change", "t")
    span = horizon_years(comparison.horizons[-1])
    return Table(
        f"compare_{name}", f"{title}, {span}", head, cells, "", comparison.unit, DOUBTFUL, words=2,
        brief_rows=6,
    )  # fmt: skip


def standard(line: pd.Series, key: str) -> Cell:
    """A change in its standard errors."""
    error = line[f"{key}_change_se"]
    return number(line[f"{key}_change"] / error, "+.1f") if error > 0.0 else SAME


def defaults_table(comparison: Comparison) -> Table | None:
    """Borrowers with the largest changes of default probability at the last year that all runs have."""
    table = comparison.tables["defaults"]
    years = [name for name in comparison.horizons if name in set(table.get("horizon", []))]
    if not years:
        return None
    rows = table[(table["horizon"] == years[-1]) & (table["kind"] != "synthetic")]
    order = rows["pd_change"].abs().sort_values(ascending=False, kind="stable").index
    rows = rows.loc[order[:MOST]]
    rows = rows[rows["pd_change"] != 0.0]
    if rows.empty:
        return None
    cells = tuple(
        row(
            line["name"], run_cell(comparison, line["run"]), probability(line["pd_base"], None),
            probability(line["pd"], None),
            changed_share(line["pd_change"], line["pd_change_se"], plus(line["pd_change"]), star(line, "pd")),
            standard(line, "pd"),
        )
        for _, line in rows.iterrows()
    )  # fmt: skip
    head = ("Borrower", run_head(comparison), "PD, base", "PD", "Change", "t")
    title = f"Borrowers by change of default probability, {horizon_years(years[-1])}"
    return Table("compare_defaults", title, head, cells, footnote=DOUBTFUL, words=2, brief_rows=6)


def keys_table(comparison: Comparison) -> Table:
    """Keys that differ, by run."""
    rows = tuple(
        row(Cell(key, "code"), *(shown(value) for value in values)) for key, values in comparison.axes.items()
    )
    names = [run.name for run in comparison.runs]
    note_ = "A key whose values follow from another one, as a scenario's numbers from its name, is left out."
    return Table("compare_keys", "What was asked", ("Key", *names), rows, note_, words=len(names) + 1)


def others_parts(comparison: Comparison) -> list[Part]:
    """Every other table that both have, folded: how much of it differs, and its largest changes."""
    table = comparison.tables["others"]
    parts: list[Part] = []
    for name, rows in table.groupby("table", sort=True):
        size = (rows["change"].abs() / rows[["base", "value"]].abs().max(axis=1)).fillna(0.0)
        largest = rows.loc[size.sort_values(ascending=False, kind="stable").index[:MOST]]
        cells = tuple(
            row(line["row"], line["column"], label(comparison, line["run"]), number(line["base"]),
                number(line["value"]), number(line["change"], "+.3g"),
                number(line["change_se"]))
            for _, line in largest.iterrows()
        )  # fmt: skip
        head = ("Row", "Column", "Run", "Base", "Value", "Change", "s.e., unpaired")
        count = f"{name}: {len(rows):,} numbers differ"
        parts.append(Details(count, (Table(f"compare_{name}", "", head, cells, words=3),)))
    return parts
