"""Figures of replayed paths: one path's economy above its losses, and the losses of all."""

import pandas as pd
import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure
from engine.results.folder import Results

COLOURS = {"plateau": style.SAND, "bust": style.RED}
TICKS = [digit * 10.0**power for power in range(-4, 4) for digit in (1, 2, 5)]
"""Of an index on a logarithmic axis."""
LARGEST_CIRCLE, SMALLEST_CIRCLE = 30.0, 6.0
"""Pixels."""


def series(months: pd.DataFrame, what: str, who: str = "") -> pd.Series:
    """A quantity by month."""
    rows = months[(months["what"] == what) & (months["who"] == who)]
    return rows.set_index("month")["value"].sort_index()


def timeline(results: Results, path: int) -> go.Figure:
    """The economy as indices, and below it the cumulative loss with the defaults on it."""
    months = results.tables["replay_months"]
    months = months[months["path"] == path]
    chart = figure(560, margin={"l": 60, "r": 24, "t": 60, "b": 48}, hovermode="closest")
    shade(chart, series(months, "regime"))
    for name, colour, line in lines(results, months):
        chart.add_scatter(
            x=line.index, y=line / line.iloc[0], mode="lines", name=name,
            line={"color": colour, "width": 2.2},
            hovertemplate=f"<b>{name}</b>, month %{{x}}: %{{y:.2f}} of month 1<extra></extra>",
        )  # fmt: skip
    loss = series(months, "loss")
    chart.add_scatter(
        x=loss.index, y=loss, yaxis="y2", mode="lines", name="Cumulative loss", fill="tozeroy",
        fillcolor=style.rgba(style.RED, 0.12), line={"color": style.RED, "width": 2.4},
        hovertemplate=f"month %{{x}}: %{{y:,.1f}} {results.short} lost so far<extra></extra>",
    )  # fmt: skip
    circles(chart, results, path, loss)
    chart.update_layout(yaxis2={**style.AXIS, "domain": [0.0, 0.46], "anchor": "x", "rangemode": "tozero"})
    chart.update_layout(yaxis2_title_text=f"Loss so far, {results.unit}")
    chart.update_layout(
        yaxis_domain=[0.54, 1.0], yaxis_type="log", yaxis_tickvals=TICKS, yaxis_title_text="Month 1 = 1"
    )
    chart.update_xaxes(title_text="Months from the book's date", dtick=12, tick0=0, anchor="y2")
    return chart


def lines(results: Results, months: pd.DataFrame) -> list[tuple[str, str, pd.Series]]:
    """Name, colour and monthly values of what is drawn of the economy."""
    chip = results.about.benchmarks[0]
    wanted = (
        ("AI revenue", style.NAVY, ("ai_revenue", "")),
        (f"{chip} resale price", style.TEAL, ("chip_price", chip)),
        ("Credit supply", style.AMBER, ("credit_supply", "")),
        ("AI debt outstanding", style.PLUM, ("debt_outstanding", "")),
    )
    each = [(name, colour, series(months, *key)) for name, colour, key in wanted]
    return [(name, colour, line) for name, colour, line in each if len(line) and line.iloc[0] > 0.0]


def shade(chart: go.Figure, regime: pd.Series) -> None:
    """Shades the months of plateau and bust over both panels."""
    run = (regime != regime.shift()).cumsum()
    for _, part in regime.groupby(run):
        name = ("boom", "plateau", "bust")[int(part.iloc[0])]
        if name in COLOURS:
            chart.add_shape(
                type="rect", xref="x", yref="paper", y0=0.0, y1=1.0, line_width=0, layer="below",
                x0=part.index[0] - 0.5, x1=part.index[-1] + 0.5, fillcolor=style.rgba(COLOURS[name], 0.10),
            )  # fmt: skip


def circles(chart: go.Figure, results: Results, path: int, loss: pd.Series) -> None:
    """Marks the defaults on the line of the loss, in circles whose area is what they cost."""
    events = results.tables["replay_events"]
    rows = events[(events["path"] == path) & (events["event"] == "default")]
    if rows.empty:
        return
    largest = max(float(rows["loss"].max()), 1e-9)
    size = LARGEST_CIRCLE * (rows["loss"] / largest).clip(lower=0.0) ** 0.5
    chart.add_scatter(
        x=rows["month"], y=loss.reindex(rows["month"]).to_numpy(), yaxis="y2", mode="markers",
        name="Defaults", customdata=rows[["name", "loss", "why"]],
        marker={
            "size": size.clip(lower=SMALLEST_CIRCLE), "color": style.rgba(style.NAVY, 0.55),
            "line": {"color": style.PAPER, "width": 1},
        },
        hovertemplate="<b>%{customdata[0]}</b>, month %{x}: %{customdata[1]:,.1f} "
        f"{results.short}<br>%{{customdata[2]}}<extra></extra>",
    )  # fmt: skip


def losses_chart(results: Results) -> go.Figure:
    """Cumulative losses of all replayed paths, the first in red."""
    months = results.tables["replay_months"]
    rows = months[months["what"] == "loss"]
    chart = figure(340, showlegend=False)
    paths = results.tables["replay_paths"]["path"].tolist()
    for path in reversed(paths):
        line = series(rows[rows["path"] == path], "loss")
        first = path == paths[0]
        chart.add_scatter(
            x=line.index, y=line, mode="lines",
            line={"color": style.RED if first else style.BLUE, "width": 2.6 if first else 1.2},
            hovertemplate=f"path {path:,}, month %{{x}}: %{{y:,.1f}} {results.short}<extra></extra>",
        )  # fmt: skip
    chart.update_xaxes(title_text="Months from the book's date", dtick=12, tick0=0)
    chart.update_yaxes(title_text=f"Cumulative system loss, {results.unit}", rangemode="tozero")
    return chart
