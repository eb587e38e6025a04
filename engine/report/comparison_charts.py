"""A sweep as lines or points over one key, or a heat map with its table over two."""

import math
from typing import Any

import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.comparison_tables import SAME, SHOWN
from engine.report.comparison_words import label, shown, system_row
from engine.report.section import Chart
from engine.report.table import Cell, Table, measured, row
from engine.results.comparison import Comparison
from engine.results.horizons import horizon_years


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
            error_y=style.bars((error for _, error in points), colour),
            hovertemplate=f"%{{x}}<br>{SHOWN[measure]} %{{y:,.2f}} {comparison.short}<extra></extra>",
        )  # fmt: skip
    chart.update_xaxes(title_text=key)
    chart.update_yaxes(title_text=f"Loss in {horizon_years(last)}, {comparison.unit}", rangemode="tozero")
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
        texttemplate="%{text}", colorscale=[[0.0, style.WASH], [1.0, style.HEAT]],
        colorbar={"title": {"text": comparison.unit}}, hoverongaps=False,
        hovertemplate=f"{across} %{{x}}<br>{down} %{{y}}<br>ES 99% %{{text}} {comparison.short}"
        "<extra></extra>",
    ))  # fmt: skip
    chart.update_xaxes(title_text=across, type="category", showgrid=False)
    chart.update_yaxes(title_text=down, type="category", showgrid=False)
    base = label(comparison, comparison.base.name)
    span = horizon_years(comparison.horizons[-1])
    remark = f"± is the error of the change from {base}."
    return Chart("sweep", chart, f"ES 99%, {span}, {comparison.unit}", remark)


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
    return Table("compare_grid", title, head, cells, remark, comparison.unit)
