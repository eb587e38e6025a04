"""A comparison of runs for a reader: tables of changes, lines and heat maps of sweeps; terminal and page."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.html import chart_json, packed_plotly, render
from engine.report.section import Bullets, Chart, Details, Part, Section, finding, note
from engine.report.table import Cell, Row, Table, amount, measured, number, probability, row
from engine.report.terminal import Stream, printed
from engine.results import comparison as data
from engine.results.comparison import Comparison
from engine.results.horizons import horizon_words, horizon_years, joined

SHOWN = {"el": "Expected", "es_95": "ES 95%", "var_99": "VaR 99%", "es_99": "ES 99%", "es_99_9": "ES 99.9%"}
"""Measures of the tables of changes, by the head of their column."""

MOST = 12
"""Rows of a table of lenders, bearers or borrowers."""

SAME = Cell("–")
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
    clear = "" if abs(change) > 2.0 * error else ", which is not told from zero"
    return (
        f"ES 99% at {horizon_words(last)} is {size} bn {way} in {label(comparison, name)} than in "
        f"{label(comparison, comparison.base.name)}{clear}."
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


def system_row(part: data.Part, horizon: str) -> pd.Series:
    """The system loss of a run at a horizon, with its changes."""
    losses = part.losses
    return losses[(losses["column"] == "system") & (losses["horizon"] == horizon)].iloc[0]


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
        "compare", "System loss", head, tuple(rows), errors_note(comparison), "USD bn", words=2,
        brief_columns=(0, 1, 2, 3, 8, 9, 10, 11),
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
    return Table("compare", "System loss", head, tuple(rows), errors_note(comparison), "USD bn", words=2)


def loss_table(comparison: Comparison) -> Table:
    """The system loss, by measure for two runs and by run for more."""
    return pair_table(comparison) if len(comparison.parts) == 1 else system_table(comparison)


def of_base(loss: dict[str, Any], key: str) -> Cell:
    """A measure of the base with its error, where it has one."""
    return measured(loss[key], loss[f"{key}_se"]) if f"{key}_se" in loss else amount(loss[key])


def changed(line: pd.Series, key: str) -> Cell:
    """A change with its error and its sign."""
    cell = measured(line[f"{key}_change"], line[f"{key}_change_se"])
    sign = "+" if cell.value is not None and cell.value > 0.0 and cell.text != "0" else ""
    return Cell(sign + cell.text.replace("-", "−"), cell.kind, cell.value, cell.detail, cell.bounds)


def errors_note(comparison: Comparison) -> str:
    """Which errors are paired, and why others are not."""
    reasons = list(dict.fromkeys(part.unpaired for part in comparison.parts if part.unpaired))
    paired = [PAIRED] if any(not part.unpaired for part in comparison.parts) else []
    return " ".join([*paired, *([UNPAIRED + "; ".join(reasons) + "."] if reasons else [])])


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
    return Table(f"compare_{name}", f"{title}, {span}", head, cells, "", "USD bn", words=2, brief_rows=6)


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
            probability(line["pd"], None), probability(line["pd_change"], line["pd_change_se"]),
            standard(line, "pd"),
        )
        for _, line in rows.iterrows()
    )  # fmt: skip
    head = ("Borrower", run_head(comparison), "PD, base", "PD", "Change", "t")
    title = f"Borrowers by change of default probability, {horizon_years(years[-1])}"
    return Table("compare_defaults", title, head, cells, words=2, brief_rows=6)


def keys_table(comparison: Comparison) -> Table:
    """Keys that differ, by run."""
    rows = tuple(
        row(Cell(key, "code"), *(shown(value) for value in values)) for key, values in comparison.axes.items()
    )
    names = [run.name for run in comparison.runs]
    note_ = "A key whose values follow from another one, as a scenario's numbers from its name, is left out."
    return Table("compare_keys", "What was asked", ("Key", *names), rows, note_, words=len(names) + 1)


def numeric(values: list[Any]) -> bool:
    """Whether all values of a key are numbers."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def sweep_charts(comparison: Comparison) -> list[Chart]:
    """One varied key as lines or points, two as a heat map; none where more vary."""
    axes = comparison.axes
    if not comparison.horizons or len(comparison.runs) < 3 or not 1 <= len(axes) <= 2:
        return []
    return [line_chart(comparison)] if len(axes) == 1 else [heat_chart(comparison)]


def line_chart(comparison: Comparison) -> Chart:
    """Losses along the one key that varies, with 95% intervals of the change from the base."""
    [(key, values)] = comparison.axes.items()
    last, chart = comparison.horizons[-1], figure(400)
    order = (
        sorted(range(len(values)), key=lambda place: values[place]) if numeric(values) else range(len(values))
    )
    for measure, colour in (("es_99", style.NAVY), ("es_95", style.BLUE), ("el", style.TEAL)):
        points = [point(comparison, place, last, measure) for place in order]
        chart.add_scatter(
            x=[values[place] if numeric(values) else shown(values[place]) for place in order],
            y=[value for value, _ in points], name=SHOWN[measure],
            mode="lines+markers" if numeric(values) else "markers",
            line={"color": colour, "width": 2.2}, marker={"color": colour, "size": 9},
            error_y={"type": "data", "array": [1.96 * error for _, error in points], "thickness": 1.4},
            hovertemplate=f"%{{x}}<br>{SHOWN[measure]} %{{y:,.2f}} bn<extra></extra>",
        )  # fmt: skip
    chart.update_xaxes(title_text=key)
    chart.update_yaxes(title_text=f"Loss in {horizon_years(last)}, USD bn", rangemode="tozero")
    caption = (
        f"Bars: 95% of the error of the change from {label(comparison, comparison.base.name)}, "
        "which has none of its own here."
    )
    return Chart("sweep", chart, f"Losses along {key}", caption)


def point(comparison: Comparison, place: int, horizon: str, measure: str) -> tuple[float, float]:
    """A measure of the run at a place, and the error of its change from the base; NaN for the base."""
    if place == 0:
        return float(comparison.base.results.system(horizon)[measure]), math.nan
    line = system_row(comparison.parts[place - 1], horizon)
    return float(line[measure]), float(line[f"{measure}_change_se"])


def grid(comparison: Comparison) -> tuple[list[Any], list[Any], list[list[float]], list[list[float]]]:
    """Values of both keys in order, and ES 99% with the error of its change by cell; NaN where no run is."""
    (_, across), (_, down) = comparison.axes.items()
    columns, rows = in_order(across), in_order(down)
    last, missing = comparison.horizons[-1], math.nan
    value = [[missing] * len(columns) for _ in rows]
    error = [[missing] * len(columns) for _ in rows]
    for place, (x, y) in enumerate(zip(across, down, strict=True)):
        at = rows.index(y), columns.index(x)
        value[at[0]][at[1]], error[at[0]][at[1]] = point(comparison, place, last, "es_99")
    return columns, rows, value, error


def in_order(values: list[Any]) -> list[Any]:
    """Values once each, numbers ascending."""
    once = list(dict.fromkeys(values))
    return sorted(once) if numeric(once) else once


def grid_cell(value: float, error: float) -> Cell:
    """ES 99% of a run with the error of its change; the base has no change."""
    if not words.known(value):
        return SAME
    if math.isnan(error):
        return Cell(words.amount(value), "amount", value, "base")
    return measured(value, error)


def heat_chart(comparison: Comparison) -> Chart:
    """ES 99% over the two keys that vary."""
    columns, rows, value, error = grid(comparison)
    text = [
        [str(grid_cell(v, e)) if words.known(v) else "" for v, e in zip(*pair, strict=True)]
        for pair in zip(value, error, strict=True)
    ]
    across, down = comparison.axes
    chart = figure(160 + 64 * len(rows))
    chart.add_trace(go.Heatmap(
        x=[shown(each) for each in columns], y=[shown(each) for each in rows], z=value, text=text,
        texttemplate="%{text}", colorscale=[[0.0, "#eef4fa"], [1.0, style.BLUE]],
        colorbar={"title": {"text": "USD bn"}}, hoverongaps=False,
        hovertemplate=f"{across} %{{x}}<br>{down} %{{y}}<br>ES 99% %{{text}} bn<extra></extra>",
    ))  # fmt: skip
    chart.update_xaxes(title_text=across, type="category", showgrid=False)
    chart.update_yaxes(title_text=down, type="category", showgrid=False)
    base = label(comparison, comparison.base.name)
    span = horizon_years(comparison.horizons[-1])
    return Chart("sweep", chart, f"ES 99%, {span}, USD bn", f"± is the error of the change from {base}.")


def grid_table(comparison: Comparison) -> Table | None:
    """The heat map's numbers; None unless two keys vary over three runs or more."""
    if not comparison.horizons or len(comparison.axes) != 2 or len(comparison.runs) < 3:
        return None
    columns, rows, value, error = grid(comparison)
    across, down = comparison.axes
    cells = tuple(
        row(shown(name), *(grid_cell(v, e) for v, e in zip(*pair, strict=True)))
        for name, pair in zip(rows, zip(value, error, strict=True), strict=True)
    )
    head = (f"{down} \\ {across}", *(shown(each) for each in columns))
    title = f"ES 99% by {across} and {down}, {horizon_years(comparison.horizons[-1])}"
    remark = f"± is the standard error of the change from {label(comparison, comparison.base.name)}."
    return Table("compare_grid", title, head, cells, remark, "USD bn")


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


def sections(comparison: Comparison) -> list[tuple[str, Section]]:
    """The page's sections by their names in the contents."""
    caveats = [each for part in comparison.parts for each in (*part.caveats, *part.notes)]
    if not comparison.horizons:
        body = (finding(headline(comparison)), Bullets(tuple(caveats)))
        return [("Not comparable", Section("caveats", "What cannot be compared", body))]
    tables = [each for each in (grid_table(comparison), loss_table(comparison)) if each is not None]
    changes: tuple[Part, ...] = (*sweep_charts(comparison), *tables)
    who = [
        ranked_table(comparison, "lender", "lenders", "Lenders by change of ES 99%"),
        ranked_table(comparison, "bearer", "bearers", "Final bearers by change of ES 99%"),
        defaults_table(comparison),
    ]
    listed: tuple[Part, ...] = tuple(each for each in who if each is not None)
    listed = listed or (note("No lender, bearer or borrower changes."),)
    rest: tuple[Part, ...] = (
        note("Numbers of every table that both runs have; results/ beside this page holds all of them."),
        *others_parts(comparison),
    )
    none = "Nothing: book, version, horizons, seed, sampler, paths and tables are the same."
    return [
        ("Changes", Section("changes", "What changes", changes)),
        ("Who", Section("who", "Whose losses change", listed)),
        ("Asked", Section("asked", "What was asked", (keys_table(comparison),))),
        (
            "Not comparable",
            Section("caveats", "What cannot be compared", (Bullets(tuple(caveats or [none])),)),
        ),
        ("All tables", Section("others", "Every other table", rest)),
    ]


def page(comparison: Comparison) -> str:
    """The document."""
    contents = sections(comparison)
    names = " · ".join(run.name for run in comparison.runs[:6])
    return render(
        "report.html",
        title="Undertow: runs compared", kicker=f"Undertow · {len(comparison.runs)} runs · {names}",
        headline=headline(comparison), lead=lead(comparison), unreliable="", doubts=[],
        warnings=[caveat for part in comparison.parts for caveat in part.caveats], cards=[],
        sections=contents,
        plotly=packed_plotly(),
        charts={chart.name: chart_json(chart.figure) for _, part in contents for chart in part.charts},
    )  # fmt: skip


def print_comparison(comparison: Comparison, file: Stream) -> None:
    """Prints a comparison: what changes, whose losses, what cannot be compared."""
    blocks: list[Any] = [headline(comparison), lead(comparison)]
    if comparison.horizons:
        blocks += [
            grid_table(comparison), loss_table(comparison),
            ranked_table(comparison, "lender", "lenders", "Lenders by change of ES 99%"),
            defaults_table(comparison),
        ]  # fmt: skip
    caveats = [f"! {caveat}" for part in comparison.parts for caveat in part.caveats]
    title = f"Undertow · {len(comparison.runs)} runs compared with {comparison.base.name}"
    printed(file, title, [block for block in blocks if block is not None], caveats)
