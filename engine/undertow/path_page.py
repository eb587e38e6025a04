"""The report of a path model's run: one HTML file with its losses, parts, defaults and series."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure, thin
from engine.report.html import drawings, packed_plotly, render
from engine.report.page import Card
from engine.report.section import Chart, Section
from engine.report.table import Cell, Table, number, row
from engine.report.table import probability as probability_cell
from engine.report.table import share as share_cell
from engine.results.folder import write_text
from engine.run.path_model import PathModel

MOST_ROWS = 40
"""Rows of a table on the page; the whole table is in the folder."""
FAN = (("p01", "p99", 0.12), ("p05", "p95", 0.2), ("p25", "p75", 0.35))


def write_page(
    path: pathlib.Path, tables: Mapping[str, pd.DataFrame], model: PathModel, summary: Mapping[str, Any]
) -> None:
    """Writes the page whole."""
    contents = sections(tables, model)
    own, unit = tables["losses"], model.unit
    last = own[own["column"] == model.layout.columns[0]].iloc[-1]
    document = render(
        "report.html",
        title="Undertow: a path model",
        kicker=f"Undertow · path model · {summary['paths']:,} paths · seed {summary['seed']}",
        headline=f"The worst path in a hundred loses {short(last['es_99'])} {unit} on average",
        lead=f"Step {last['step']}, sampler {summary['sampler']}. Errors are of the simulation alone.",
        unreliable="",
        doubts=[],
        warnings=summary["warnings"],
        cards=[
            Card(short(last["el"]), f"{unit} expected loss ± {short(last['el_se'])}"),
            Card(short(last["var_99"]), f"{unit} VaR 99%"),
            Card(short(last["es_99"]), f"{unit} expected shortfall 99% ± {short(last['es_99_se'])}"),
            Card(short(last["es_99_9"]), f"{unit} expected shortfall 99.9% ± {short(last['es_99_9_se'])}"),
        ],
        sections=contents,
        plotly=packed_plotly(),
        charts=drawings(chart for _, section in contents for chart in section.charts),
        night=style.night(),
    )
    write_text(path, document)


def sections(tables: Mapping[str, pd.DataFrame], model: PathModel) -> list[tuple[str, Section]]:
    """Sections with their names in the contents; none for what the model does not give."""
    layout, unit = model.layout, model.unit
    curve = Chart("exceedance", exceedance(tables["distribution"], unit), "How likely is a larger loss?")
    own = [
        (
            "How much",
            Section("how-much", "How much can be lost", (curve, losses_table(tables["losses"], unit))),
        )
    ]
    if len(layout.columns) + len(layout.components) > 1:
        parts = parts_table(tables["contributions"], unit)
        own.append(("From what", Section("parts", "What makes up the tail", (parts,))))
    if layout.entities:
        own.append(("Who fails", Section("defaults", "Who fails", (defaults_table(tables["defaults"]),))))
    if layout.series:
        charts = tuple(
            Chart(f"series {place}", fan(tables["fans"], name), name)
            for place, name in enumerate(layout.series)
        )
        own.append(("Along the way", Section("series", "Along the way", charts)))
    return own


def short(value: float) -> str:
    """A number to four figures."""
    return f"{value:,.4g}"


def measured(value: float, error: float) -> Cell:
    """A number with its standard error."""
    return Cell(short(value), "number", value, f"± {error:.2g}", (error,))


def losses_table(losses: pd.DataFrame, unit: str) -> Table:
    """Measures by horizon and column."""
    head = ("Loss", "Step", "Expected", "VaR 95%", "VaR 99%", "VaR 99.9%", "ES 99%", "ES 99.9%")
    rows = [
        row(
            each["column"], number(each["step"], ".0f"), measured(each["el"], each["el_se"]),
            *(number(each[f"var_{level}"], ",.4g") for level in ("95", "99", "99_9")),
            *(measured(each[f"es_{level}"], each[f"es_{level}_se"]) for level in ("99", "99_9")),
        )
        for _, each in losses.head(MOST_ROWS).iterrows()
    ]  # fmt: skip
    return Table("losses", "Losses", head, tuple(rows), "± is one standard error.", unit)


def parts_table(parts: pd.DataFrame, unit: str) -> Table:
    """Parts at the last horizon, the greatest first."""
    last = parts[parts["step"] == parts["step"].max()].sort_values("es_99", ascending=False, kind="stable")
    rows = [
        row(each["part"], number(each["es_99"], ",.4g"), share_cell(each["share"]))
        for _, each in last.head(MOST_ROWS).iterrows()
    ]
    note = "Means beyond VaR 99% of the loss; components that split it add up to its ES."
    return Table(
        "parts", "Contributions to ES 99%", ("Part", "Mean in the tail", "Share"), tuple(rows), note, unit
    )


def defaults_table(defaults: pd.DataFrame) -> Table:
    """Entities at the last horizon, the likeliest first."""
    last = defaults[defaults["step"] == defaults["step"].max()].sort_values(
        "pd", ascending=False, kind="stable"
    )
    rows = [
        row(each["entity"], probability_cell(each["pd"], each["pd_se"]))
        for _, each in last.head(MOST_ROWS).iterrows()
    ]
    return Table("defaults", "Probability of default", ("Entity", "By the last step"), tuple(rows))


def exceedance(distribution: pd.DataFrame, unit: str) -> go.Figure:
    """P(loss > x) on logarithmic axes, one line a horizon."""
    chart = figure(400)
    for step, own in distribution.groupby("step"):
        above = own["probability"].to_numpy()[::-1].cumsum()[::-1]
        visible = (own["loss"].to_numpy() > 0.0) & (above > 0.0)
        x, y = thin(own["loss"].to_numpy()[visible]), thin(above[visible])
        chart.add_scatter(x=x, y=y, mode="lines", name=f"step {step}")
    chart.update_xaxes(type="log", title_text=f"Loss, {unit}" if unit else "Loss")
    chart.update_yaxes(type="log", title_text="Probability of a larger loss", tickformat="~%", dtick=1)
    return chart


def fan(fans: pd.DataFrame, name: str) -> go.Figure:
    """Quantiles of a series by step."""
    own, chart = fans[fans["series"] == name], figure(320)
    steps = np.concatenate([own["step"], own["step"][::-1]])
    for low, high, opacity in FAN:
        band = np.concatenate([own[low], own[high][::-1]])
        chart.add_scatter(x=steps, y=band, fill="toself", mode="none", opacity=opacity, fillcolor=style.BLUE,
                          name=f"{low[1:]}% to {high[1:]}%")  # fmt: skip
    chart.add_scatter(x=own["step"], y=own["p50"], mode="lines", line={"color": style.BLUE}, name="median")
    chart.update_xaxes(title_text="Step")
    return chart
