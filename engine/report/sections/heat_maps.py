"""Who drags whom as heat maps: lenders while the system's loss grows, and lenders if one fund alone fails."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.section import Chart
from engine.results.folder import Results
from engine.results.horizons import horizon_years

LENDERS, LOSERS, FUNDS = 18, 12, 20
"""Rows of the first map, columns and rows of the second; what is left of the columns is one more."""

REST = "All others"
ROW = 23
"""Pixels."""


def heat_maps(results: Results) -> tuple[Chart, ...]:
    """Both maps; none for a run of before their tables."""
    if "conditional_losses" not in results.tables:
        return ()
    return tuple(each for each in (conditional(results), claims(results)) if each is not None)


def conditional(results: Results) -> Chart | None:
    """Share of capital that a lender loses, by where the system's loss lies in its own law."""
    table = results.tables["conditional_losses"]
    table = table[table["capital"] > 0.0].assign(share=lambda rows: rows["mean"] / rows["capital"])
    if table.empty:
        return None
    names = {row["level"]: band_name(row["level"], row["level_to"]) for row in table.to_dict("records")}
    wide = table.pivot_table(index="name", columns="level", values="share", sort=False)
    wide = wide[sorted(wide.columns)].sort_values(table["level"].max(), ascending=False, kind="stable")
    rows = wide.head(LENDERS)[::-1]
    chart = map_of(rows, [names[level] for level in rows.columns], "capital lost", share=True)
    chart.update_xaxes(title_text="Where the system's loss lies among all paths")
    caption = (
        f"mean loss over {horizon_years(results.last)} as a share of the lender's capital today, from the "
        "system's best paths to its worst; the lenders that lose most of it."
    )
    return Chart("conditional", chart, "Who is dragged along as the system's loss grows", caption)


def band_name(level: float, level_to: float) -> str:
    """A band of paths, the worst last.

    >>> band_name(0.0, 0.5), band_name(0.5, 0.9), band_name(0.99, 1.0)
    ('best 50%', '50–90%', 'worst 1%')
    """
    if level == 0.0:
        return f"best {100.0 * level_to:g}%"
    if level_to == 1.0:
        return f"worst {100.0 * (1.0 - level):.3g}%"
    return f"{100.0 * level:g}–{100.0 * level_to:g}%"


def claims(results: Results) -> Chart | None:
    """What each lender loses if one fund alone fails; by class of lender where there is little width."""
    table = results.tables["claims"]
    if table.empty:
        return None
    loss = table.groupby("vehicle_name")["loss"].sum().sort_values(ascending=False, kind="stable")
    funds = loss.index[:FUNDS][::-1]
    by_loss = table.groupby("name")["loss"].sum().sort_values(ascending=False, kind="stable").index
    column = table["name"].where(table["name"].isin(by_loss[:LOSERS]), REST)
    order = [*by_loss[:LOSERS], *([REST] if len(by_loss) > LOSERS else [])]
    lenders = matrix(table.assign(column=column), funds, order)
    classes = matrix(table.assign(column=table["class"].map(words.class_name)), funds, None)
    chart, narrow = (
        map_of(each, [*each.columns], f"{results.unit} lost", share=False) for each in (lenders, classes)
    )
    chart.update_xaxes(title_text="Lender that loses on its claims", tickangle=-40)
    narrow.update_xaxes(title_text="Class of lender that loses", tickangle=-60)
    for each in (chart, narrow):
        each.update_yaxes(title_text="")
    caption = (
        f"{results.unit} that owners and creditors lose if this fund lost all its capital today and nothing "
        "else happened, bankruptcy costs included: cause, not correlation."
    )
    return Chart("claims", chart, "If one fund fails, who loses", caption, narrow=narrow)


def matrix(table: pd.DataFrame, rows: pd.Index, columns: list[str] | None) -> pd.DataFrame:
    """Losses by fund and column; columns by size where they are not given."""
    wide = table.pivot_table(
        index="vehicle_name", columns="column", values="loss", aggfunc="sum", fill_value=0.0
    )
    order = wide.sum().sort_values(ascending=False, kind="stable").index if columns is None else columns
    return wide.loc[rows, order]


def map_of(table: pd.DataFrame, columns: list[str], unit: str, share: bool) -> go.Figure:
    """A heat map with its numbers in the cells; a share is at full colour where all is lost."""
    values = table.to_numpy(np.float64)
    text = [
        [(words.share if share else words.amount)(value) if value else "" for value in line]
        for line in values
    ]
    most = float(np.nanmax(values, initial=1e-9))
    chart = figure(150 + ROW * len(table), margin={"l": 64, "r": 16, "t": 16, "b": 56})
    chart.add_trace(go.Heatmap(
        x=columns, y=table.index.tolist(), z=values, text=text, texttemplate="%{text}",
        colorscale=[[0.0, style.WASH], [1.0, style.HEAT]], zmin=0.0, zmax=min(most, 1.0) if share else most,
        showscale=False, colorbar={"tickformat": ".0%" if share else ""}, xgap=1, ygap=1,
        textfont={"size": 11},
        hovertemplate=f"%{{y}}, %{{x}}: %{{text}} {unit}<extra></extra>",
    ))  # fmt: skip
    chart.update_xaxes(type="category", showgrid=False, automargin=True, ticks="")
    chart.update_yaxes(type="category", showgrid=False, automargin=True, ticks="")
    return chart
