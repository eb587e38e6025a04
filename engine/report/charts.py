"""Figures of the report, each drawn from the tables of a run folder and nothing else.

Amounts are in the unit of the results, time is months or years from the book's date. The figures only arrange
and group numbers; quantiles, means and errors come from the tables.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style
from engine.report.reading import MARK
from engine.report.words import amount, class_name
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def figure(height: int = 380, **layout: Any) -> go.Figure:
    """An empty figure in the house style."""
    empty = go.Figure(layout={**style.LAYOUT, "height": height, **layout})
    empty.update_xaxes(style.AXIS)
    empty.update_yaxes(style.AXIS)
    return empty


def exceedance(results: Results) -> go.Figure:
    """P(system loss > x) on log-log axes, one line a horizon, with VaR and ES of the last one."""
    chart = figure(400)
    for colour, horizon in zip(colours(results), results.horizons, strict=True):
        bins = results.bins("system", horizon)
        above = bins.probability[::-1].cumsum()[::-1]
        shown = (bins.loss > 0.01) & (above > 0)
        chart.add_scatter(
            x=thin(bins.loss[shown]),
            y=thin(above[shown]),
            mode="lines",
            name=horizon_years(horizon),
            line={"color": colour, "width": 2.4},
            hovertemplate=f"loss above %{{x:,.1f}} {results.short} in %{{y:.2%}} of paths"
            f"<extra>{horizon}</extra>",
        )
    mark_tail(chart, results)
    chart.update_xaxes(type="log", title_text=f"System loss, {results.unit}", dtick="D2")
    chart.update_yaxes(type="log", title_text="Probability of a larger loss", tickformat="~%", dtick=1)
    return chart


def marks_words(results: Results) -> str:
    """The marks of `mark_tail` in a sentence: ES is a mean of losses, and has no probability of its own."""
    loss, span, unit = results.system(results.last), horizon_years(results.last), results.short
    return (
        f"Marked over {span}: VaR 99%, {amount(loss['var_99'])} {unit}, which 1% of paths exceed, and ES "
        f"99%, {amount(loss['es_99'])} {unit}, the mean loss of that 1%."
    )


def mark_tail(chart: go.Figure, results: Results) -> None:
    """Marks VaR and ES at 99% of the last horizon and shades the worst 1%."""
    loss = results.system(results.last)
    chart.add_hrect(y0=1e-5, y1=0.01, fillcolor=style.RED, opacity=0.06, line_width=0)
    marks = (("VaR 99%", loss["var_99"], 0.01, "circle"), ("ES 99%", loss["es_99"], 0.01, "diamond"))
    for name, value, level, symbol in marks:
        chart.add_scatter(
            x=[value],
            y=[level],
            mode="markers",
            name=f"{name}, {results.last}",
            legendgroup=MARK,
            marker={"color": style.RED, "size": 11, "symbol": symbol},
            hovertemplate=f"{name} {value:,.1f} {results.short}<extra>{results.last}</extra>",
        )


def histogram(results: Results) -> go.Figure:
    """System loss at the last horizon in equal steps, worst 1% in red; the last bar holds the rest."""
    bins, loss = results.bins("system", results.last), results.system(results.last)
    step = nice_step(max(1.3 * loss["es_99"], loss["var_99_9"], 1e-6) / 50.0)
    edges = np.arange(0.0, 51.0) * step
    bar = np.minimum((bins.loss // step).astype(int), len(edges) - 1)
    mass = np.bincount(bar, bins.probability, minlength=len(edges))
    filled = int(np.nonzero(mass)[0].max()) + 1
    edges, mass = edges[:filled], mass[:filled]
    ends = [f"to {edge + step:,.4g}" for edge in edges[:-1]] + [
        "or more" if filled == 51 else f"to {edges[-1] + step:,.4g}"
    ]
    chart = figure(400, bargap=0.04, showlegend=False)
    chart.add_bar(
        x=edges + step / 2,
        y=mass,
        width=step,
        customdata=[*zip(edges.tolist(), ends, strict=True)],
        marker_color=np.where(edges >= loss["var_99"], style.RED, style.BLUE).tolist(),
        hovertemplate="%{y:.2%} of paths lose %{customdata[0]:,.4g} %{customdata[1]} "
        f"{results.short}<extra></extra>",
    )
    for name, key, height in (("mean", "el", 1.0), ("VaR 99%", "var_99", 0.86), ("ES 99%", "es_99", 0.72)):
        mark_value(chart, loss[key], f"{name} {amount(loss[key])}", height)
    chart.update_xaxes(
        title_text=f"System loss in {horizon_years(results.last)}, {results.unit}",
        range=[0, edges[-1] + step],
    )
    chart.update_yaxes(
        title_text=f"Share of paths, per {step:g} {results.short}", type="log", dtick=1, tickformat="~%"
    )
    return chart


def mark_value(chart: go.Figure, at: float, text: str, top: float) -> None:
    """A dotted vertical line up to a share `top` of the plot, with its name at the top."""
    line = {"color": style.INK, "width": 1.2, "dash": "dot"}
    chart.add_shape(type="line", x0=at, x1=at, y0=0, y1=top, yref="paper", line=line)
    chart.add_annotation(
        x=at, y=top, yref="paper", text=text, showarrow=False, xanchor="left", xshift=5, yanchor="top"
    )


def lenders_ranked(results: Results, count: int = 20) -> go.Figure:
    """The lenders with the greatest ES 99% at the last horizon, with 95% intervals."""
    unit, rows = results.short, results.ranked("lender", results.last, "es_99").head(count)[::-1]
    chart = figure(110 + 25 * len(rows), bargap=0.35)
    for lender_class, colour in style.CLASS_COLOURS.items():
        part = rows[rows["class"] == lender_class]
        if part.empty:
            continue
        chart.add_bar(
            x=part["es_99"],
            y=part["name"],
            orientation="h",
            name=class_name(lender_class),
            marker_color=colour,
            error_x=style.bars(part["es_99_se"]),
            customdata=part[["el", "var_99", "es_99_se"]],
            hovertemplate="<b>%{y}</b><br>ES 99% %{x:,.2f} ± %{customdata[2]:.2f} "
            f"{unit} (s.e.)<br>VaR 99% %{{customdata[1]:,.2f}} {unit}<br>"
            f"expected loss %{{customdata[0]:,.2f}} {unit}<extra></extra>",
        )
    chart.update_yaxes(
        categoryorder="array", categoryarray=rows["name"].tolist(), automargin=True, showgrid=False, ticks=""
    )
    span = horizon_years(results.last)
    chart.update_xaxes(title_text=f"Expected shortfall 99%, {span}, {results.unit} (bar: 95% interval)")
    return chart


def bearers(results: Results) -> go.Figure:
    """Loss borne by each group of final bearers, on average and in the worst 1% of system paths."""
    rows = results.tail("bearer", results.last).sort_values("tail_mean")
    rows = rows[(rows["tail_mean"] > 0) | (rows["el"] > 0)]
    names = rows["name"].tolist()
    chart = figure(110 + 42 * len(rows), barmode="group")
    pairs = (("expected", "el", style.SKY), ("in the worst 1% of paths", "tail_mean", style.NAVY))
    horizontal_bars(chart, rows, names, pairs, f"%{{y}}<br>%{{x:,.2f}} {results.short} NAME<extra></extra>")
    chart.update_xaxes(title_text=f"Loss borne, {horizon_years(results.last)}, {results.unit}")
    return chart


def horizontal_bars(
    chart: go.Figure, rows: pd.DataFrame, names: Sequence[str], looks: Sequence[tuple[str, str, str]],
    hover: str, more: list[str] | None = None,
) -> None:  # fmt: skip
    """Adds one horizontal bar a row for each look (name, column, colour); NAME in `hover` is the look's name.

    `more` are further columns that `hover` reads.
    """
    for name, key, colour in looks:
        chart.add_bar(
            x=rows[key],
            y=names,
            orientation="h",
            name=name,
            marker_color=colour,
            customdata=None if more is None else rows[more],
            hovertemplate=hover.replace("NAME", name),
        )
    chart.update_yaxes(automargin=True, showgrid=False, ticks="")


def composition(results: Results) -> go.Figure:
    """Share of the tail beside the share of today's exposure, by instrument class."""
    rows = results.tail("class", results.last).sort_values("tail_share")
    names = [results.about.class_name(key) for key in rows["id"]]
    chart = figure(110 + 34 * len(rows), barmode="group")
    pairs = (
        ("share of debt drawn today", "exposure_share", style.SAND),
        ("share of loss in the worst 1% of paths", "tail_share", style.RED),
    )
    hover = (
        "<b>%{y}</b><br>%{x:.1%} NAME<br>%{customdata[0]:,.1f} "
        f"{results.short} lost in the tail, %{{customdata[1]:,.1f}} {results.short} drawn today"
        "<extra></extra>"
    )
    horizontal_bars(chart, rows, names, pairs, hover, ["tail_mean", "exposure"])
    chart.update_xaxes(title_text="Share", tickformat=".0%")
    return chart


def default_probability(results: Results) -> go.Figure:
    """One-year default probability in the run and implied by CDS or rating, by borrower."""
    rows = results.tables["plausibility_pd"].dropna(subset=["implied_pd_1y"])
    rows = rows[(rows["pd_1y"] > 0) | (rows["implied_pd_1y"] > 0)].sort_values("implied_pd_1y", kind="stable")
    chart = figure(110 + 21 * len(rows))
    for low, high, name in zip(rows["pd_1y"], rows["implied_pd_1y"], rows["name"], strict=True):
        chart.add_scatter(
            x=[max(low, 1e-5), max(high, 1e-5)],
            y=[name, name],
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            line={"color": style.MUTED, "width": 1},
        )
    looks = (("rating", "circle-open", style.MUTED), ("CDS", "diamond-open", style.RED))
    for basis, symbol, colour in looks:
        part = rows[rows["basis"] == basis]
        chart.add_scatter(
            x=part["implied_pd_1y"].clip(lower=1e-5),
            y=part["name"],
            mode="markers",
            name=f"implied by the {basis}",
            marker={"color": colour, "size": 10, "symbol": symbol, "line": {"width": 2}},
            customdata=part["rating"],
            hovertemplate="<b>%{y}</b> (%{customdata})<br>implied %{x:.2%}<extra></extra>",
        )
    chart.add_scatter(
        x=rows["pd_1y"].clip(lower=1e-5),
        y=rows["name"],
        mode="markers",
        name="this run",
        marker={"color": style.NAVY, "size": 9},
        error_x=style.bars(rows["pd_1y_se"], style.NAVY),
        hovertemplate="<b>%{y}</b><br>run %{x:.2%}<extra></extra>",
    )
    chart.update_xaxes(
        type="log",
        title_text="One-year default probability (bar: 95% interval)",
        tickformat="~%",
        dtick=1,
        range=[-5, 0],
    )
    chart.update_yaxes(
        automargin=True, ticks="", showgrid=False, categoryorder="array", categoryarray=rows["name"].tolist()
    )
    return chart


def grade_shares(results: Results) -> go.Figure:
    """Share of ES 99%, of book rows and of parameters by grade."""
    rows = results.tables["grades"]
    chart = figure(90 + 38 * rows["what"].nunique(), barmode="stack")
    order = rows["what"].drop_duplicates().tolist()[::-1]
    for grade, colour in style.GRADE_COLOURS.items():
        part = rows[rows["grade"] == grade].set_index("what").reindex(order)
        chart.add_bar(
            x=part["share"],
            y=order,
            orientation="h",
            name=f"grade {grade}",
            marker_color=colour,
            text=[f"{share:.0%}" if share >= 0.04 else "" for share in part["share"]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertemplate="%{y}: %{x:.1%} rests on grade " + grade + "<extra></extra>",
        )
    chart.update_xaxes(tickformat=".0%", range=[0, 1])
    chart.update_yaxes(automargin=True, showgrid=False, ticks="", categoryorder="array", categoryarray=order)
    return chart


def colours(results: Results) -> list[str]:
    """One colour a horizon, the last the darkest."""
    count = len(results.horizons)
    palette = list(style.HORIZON_COLOURS)
    return palette[:count] if count <= len(palette) else palette + [style.INK] * (count - len(palette))


def thin(values: np.ndarray, most: int = 500) -> np.ndarray:
    """At most about `most` of the values, with the first and the last: a line needs no more."""
    if len(values) <= most:
        return values
    return values[np.unique(np.linspace(0, len(values) - 1, most).astype(int))]


def nice_step(width: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `width`."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= width * (1.0 - 1e-9)))


def paired_bars(
    results: Results, rows: pd.DataFrame, names: dict[str, str], what: str, pitch: int
) -> go.Figure:
    """ES 99% and expected loss by row, first row on top, with 95% of their paired errors.

    `rows` holds es_99_`what` and el_`what` with their `_se` by key of `names`; `pitch` is a row's height.
    """
    shown = rows.iloc[::-1]
    chart = figure(130 + pitch * len(shown), barmode="group")
    for key, label, colour in (("el", "expected loss", style.SKY), ("es_99", "ES 99%", style.NAVY)):
        chart.add_bar(
            x=shown[f"{key}_{what}"],
            y=[names[name] for name in shown.index],
            orientation="h",
            name=label,
            marker_color=colour,
            error_x=style.bars(shown[f"{key}_{what}_se"]),
            hovertemplate=f"%{{y}}<br>%{{x:+,.2f}} {results.short} {label}<extra></extra>",
        )
    chart.update_xaxes(title_text=f"{what.capitalize()}, {results.unit}", zeroline=True)
    chart.update_yaxes(automargin=True, showgrid=False, ticks="")
    return chart
