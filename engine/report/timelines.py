"""Figures along time: fans, timing of losses and defaults, regimes, rents past and simulated.

Months are counted from the book's date; amounts are in the unit of the results.
"""

import pandas as pd
import plotly.graph_objects as go

from engine.book.about import About
from engine.report import style
from engine.report.charts import figure
from engine.report.words import kind_name
from engine.results.folder import Results
from engine.vocabulary import UNBROKEN, price_of, rent_of

Look = tuple[str, str, bool]
"""Title and unit of a fan, and whether its axis is logarithmic."""


def fans(about: About, unit: str) -> dict[str, Look]:
    """The monthly series that are drawn, with their looks."""
    prices = {price_of(chip): (f"{chip} resale price", "thousand USD", False) for chip in about.benchmarks}
    return {
        "revenue": ("AI revenue", "USD bn a year", True),
        "utilisation": ("Utilisation of compute", "index, 0.7 is normal", False),
        **prices,
        "supply": ("Credit supply", "index, 1 is normal", False),
        "spread": ("Credit spreads", "index, 1 is normal", False),
        "exposure": ("Debt outstanding", unit, False),
        "accounting_gap": ("Pledged chips: book value above market", unit, False),
    }


def default_timing(results: Results) -> go.Figure:
    """Expected number of defaults in each month, by kind of borrower."""
    rows = results.tables["defaults"]
    chart = figure(360, barmode="stack", bargap=0.08)
    for kind in [kind for kind in style.KIND_COLOURS if kind in set(rows["kind"])]:
        part = rows[rows["kind"] == kind]
        chart.add_bar(
            x=part["month"],
            y=part["expected"],
            name=kind_name(kind),
            marker_color=style.KIND_COLOURS[kind],
            hovertemplate="month %{x}: %{y:.3f} defaults expected<extra>" + kind_name(kind) + "</extra>",
        )
    chart.update_xaxes(title_text="Months from the book's date", dtick=12, tick0=0)
    chart.update_yaxes(title_text="Expected defaults a month")
    return chart


def boom_breaks(results: Results) -> go.Figure:
    """Expected loss by the quarter in which the boom breaks, with twice its standard error."""
    rows = results.tables["boom_breaks"].dropna(subset=["el"])
    chart = figure(370, showlegend=False, bargap=0.25, margin={"l": 64, "r": 24, "t": 40, "b": 76})
    chart.add_bar(
        x=[*map(list, zip(*map(break_place, rows["quarter"]), strict=True))],
        y=rows["el"],
        error_y={"type": "data", "array": 2.0 * rows["el_se"], "color": style.NAVY, "thickness": 1.2},
        marker_color=[style.SAND if quarter == UNBROKEN else style.BLUE for quarter in rows["quarter"]],
        customdata=rows[["share", "tail_share", "es_95"]],
        hovertemplate=f"break in %{{x}}: expected loss %{{y:,.0f}} {results.short}, "
        f"worst 5% %{{customdata[2]:,.0f}} {results.short}<br>"
        "%{customdata[0]:.1%} of all paths, %{customdata[1]:.1%} of the worst 1%<extra></extra>",
    )
    chart.update_xaxes(title_text="Quarter in which the boom breaks", title_standoff=12, tickangle=0)
    chart.update_yaxes(title_text=f"Expected loss, {results.unit}", rangemode="tozero")
    return chart


def break_place(quarter: str) -> tuple[str, str]:
    """Year and quarter, counted from the book's date, for a nested axis."""
    if quarter == UNBROKEN:
        return "", "lasts"
    number = int(quarter) - 1
    return f"year {number // 4 + 1}", f"Q{number % 4 + 1}"


def default_causes(results: Results) -> go.Figure:
    """Why borrowers default: share of each cause, by kind of borrower."""
    rows = results.tables["causes"]
    kinds = [kind for kind in style.KIND_COLOURS if kind in set(rows["kind"])][::-1]
    chart = figure(360, barmode="stack")
    for cause, colour in style.CAUSE_COLOURS.items():
        part = rows[rows["cause"] == cause].set_index("kind").reindex(kinds)
        chart.add_bar(
            x=part["share"],
            y=[kind_name(kind) for kind in kinds],
            orientation="h",
            marker_color=colour,
            name=cause.replace("_", " "),
            customdata=part["expected"],
            hovertemplate="%{y}: %{x:.0%} of defaults, %{customdata:.2f} expected<extra>"
            + cause.replace("_", " ")
            + "</extra>",
        )
    chart.update_xaxes(title_text="Share of defaults", tickformat=".0%", range=[0, 1])
    chart.update_yaxes(automargin=True, showgrid=False, ticks="")
    return chart


def fan(
    results: Results, series: str, title: str, unit: str, log: bool = False, height: int = 290
) -> go.Figure:
    """Quantiles of a monthly series: 1-99%, 5-95% and 25-75% bands with the median."""
    rows = results.fan(series)
    chart = figure(height, showlegend=False, margin={"l": 60, "r": 16, "t": 16, "b": 48})
    shades = (("1–99%", "p01", "p99", 0.12), ("5–95%", "p05", "p95", 0.18), ("25–75%", "p25", "p75", 0.30))
    for name, low, high, opacity in shades:
        chart.add_scatter(
            x=pd.concat([rows["month"], rows["month"][::-1]]),
            y=pd.concat([rows[high], rows[low][::-1]]),
            fill="toself",
            fillcolor=style.rgba(style.BLUE, opacity),
            line={"width": 1 if name == "1–99%" else 0, "color": style.SKY},
            mode="lines",
            name=name,
            hoverinfo="skip",
        )
    chart.add_scatter(
        x=rows["month"],
        y=rows["p50"],
        mode="lines",
        name="median",
        line={"color": style.NAVY, "width": 2.4},
        customdata=rows[["p01", "p05", "p25", "p75", "p95", "p99"]],
        hovertemplate=f"<b>{title}</b>, month %{{x}}<br>median %{{y:,.3~g}}<br>25–75%: "
        f"%{{customdata[2]:,.3~g}} to "
        "%{customdata[3]:,.3~g}<br>5–95%: %{customdata[1]:,.3~g} to %{customdata[4]:,.3~g}<br>"
        "1–99%: %{customdata[0]:,.3~g} to %{customdata[5]:,.3~g}<extra></extra>",
    )
    chart.update_xaxes(title_text="Months from the book's date", dtick=12, tick0=0)
    chart.update_yaxes(
        title_text=unit, type="log" if log else "linear", rangemode="normal" if log else "tozero"
    )
    if log:
        chart.update_yaxes(dtick="D2")
    return chart


def loss_timing(results: Results) -> go.Figure:
    """Cumulative system loss month by month, with the expected loss at the horizons."""
    chart = fan(results, "loss", "Cumulative loss", f"Cumulative system loss, {results.unit}", height=360)
    points = [results.system(horizon) for horizon in results.horizons]
    chart.add_scatter(
        x=[results.months[horizon] for horizon in results.horizons],
        y=[point["el"] for point in points],
        mode="markers+text",
        name="mean",
        text=[f"mean {point['el']:,.1f}" for point in points],
        textposition="top left",
        marker={"color": style.RED, "size": 9},
        hovertemplate=f"expected loss by month %{{x}}: %{{y:,.2f}} {results.short}<extra></extra>",
    )
    return chart


def regimes(results: Results) -> go.Figure:
    """Share of paths in each regime, month by month."""
    rows = results.tables["regimes"]
    chart = figure(290, margin={"l": 60, "r": 16, "t": 34, "b": 48})
    for regime, colour in (("boom", style.TEAL), ("plateau", style.SAND), ("bust", style.RED)):
        chart.add_scatter(
            x=rows["month"],
            y=rows[regime],
            name=regime,
            mode="lines",
            stackgroup="all",
            fillcolor=colour,
            line={"width": 0.5, "color": style.PAPER},
            hovertemplate="month %{x}: %{y:.1%} of paths<extra>" + regime + "</extra>",
        )
    chart.update_xaxes(title_text="Months from the book's date", dtick=12, tick0=0)
    chart.update_yaxes(title_text="Share of paths", tickformat=".0%", range=[0, 1])
    return chart


def rental(results: Results) -> go.Figure:
    """Past rent of the first benchmark chip beside the fan of the model."""
    chip, history = results.about.benchmarks[0], results.tables["history"]
    chart = fan(results, rent_of(chip), f"{chip} rent", "USD per GPU-hour", height=320)
    past = history[history["series"] == chip]
    chart.add_scatter(
        x=past["month"],
        y=past["value"],
        mode="lines+markers",
        name="history",
        line={"color": style.RED, "width": 1.6},
        marker_size=6,
        hovertemplate="history, month %{x}: %{y:.2f} USD<extra></extra>",
    )
    chart.add_vline(x=0, line={"color": style.MUTED, "width": 1, "dash": "dot"})
    chart.add_annotation(x=0, y=1, yref="paper", text="model", showarrow=False, xanchor="left", xshift=5)
    chart.add_annotation(x=0, y=1, yref="paper", text="history", showarrow=False, xanchor="right", xshift=-5)
    return chart
