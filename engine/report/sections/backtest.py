"""The section on the backtest: forecasts from past quarters beside what came."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure
from engine.report.section import Chart, Pair, Section, finding, note
from engine.report.table import Table, number, row, share
from engine.results.folder import Results

NAMES = {
    "all": "All forecasts",
    "next": "Next observation only",
    "revenue": "AI revenue",
    "lab": "Labs' revenue",
    "rent": "Rents of chips",
    "spread": "Spreads",
    "equity": "Equity values",
    "capex": "Capex and chip sales",
    "rate": "Short rate",
}


def backtest(results: Results) -> Section:
    """Coverage, forecasts against observations, PIT."""
    parts = (
        finding(pooled(results)),
        coverage_table(results),
        Pair((bands_chart(results), pit_chart(results))),
        forecasts_table(results),
        missing_table(results),
        note("Parameters were set with the history in view: the test is of widths, less of centres."),
    )
    return Section("backtest", "What it would have said before", parts)


def pooled(results: Results) -> str:
    """Pooled coverage and its interval."""
    every = results.tables["backtest_coverage"].set_index("group").loc["all"]
    low, high = results.summary["backtest"]["target"]
    return (
        f"Of {every['forecasts']:.0f} forecasts from past quarters, bands of 90% held {every['share']:.0%} "
        f"(95% interval {every['low']:.0%} to {every['high']:.0%}, by resampling {every['quantities']:.0f} "
        f"quantities); the aim is {low:.0%} to {high:.0%}."
    )


def coverage_table(results: Results) -> Table:
    """Coverage by group."""
    table = results.tables["backtest_coverage"]
    rows = tuple(
        row(
            NAMES.get(each.group, each.group), number(each.forecasts, "d"), number(each.hits, "d"),
            share(each.share), f"{each.low:.0%}–{each.high:.0%}", number(each.median_width, ".2f"),
        )
        for each in table[table["forecasts"] > 0].itertuples()
    )  # fmt: skip
    head = ("Forecasts of", "Number", "In band", "Share", "95% interval", "Width")
    text = "Width: ln of the band's high end over its low one, median; of the short rate the difference."
    return Table(
        "backtest_coverage", "What 90% bands held", head, rows, text, words=1, brief_columns=(0, 1, 2, 3, 4)
    )


def forecasts_table(results: Results) -> Table:
    """Every forecast."""
    rows = tuple(
        row(
            each.known, each.target, number(each.months, ".0f"), number(each.value, ".3g"),
            number(each.observed, ".3g"), f"{each.low:.3g} to {each.high:.3g}", number(each.pit, ".2f"),
            "in" if each.hit else "out",
        )
        for each in results.tables["backtest"].itertuples()
    )  # fmt: skip
    head = ("Known", "Forecast", "Months", "Value then", "Observed", "90% band", "PIT", "Band")
    return Table("backtest", "Every forecast", head, rows, words=2)


def missing_table(results: Results) -> Table:
    """What has no forecast, and why."""
    rows = tuple(row(each.what, each.why) for each in results.tables["backtest_missing"].itertuples())
    return Table("backtest_missing", "Not tested", ("What", "Why"), rows, words=2)


def bands_chart(results: Results) -> Chart:
    """Bands and observations over the median forecast."""
    rows = results.tables["backtest"]
    rows = rows[rows["kind"] != "rate"].iloc[::-1].reset_index(drop=True)
    chart = figure(max(420, 19 * len(rows) + 90))
    names = [
        f"{known} → {target.split()[-1]}" for known, target in zip(rows["known"], rows["target"], strict=True)
    ]
    place = np.arange(len(rows))
    for hit, colour, name in ((True, style.TEAL, "in the band"), (False, style.RED, "outside")):
        own = rows["hit"].to_numpy(bool) == hit
        draw(chart, rows[own], place[own], colour, name)
    chart.update_xaxes(type="log", title_text="Over the median forecast", dtick="D2")
    chart.update_yaxes(tickvals=place, ticktext=names, tickfont={"size": 10}, automargin=True)
    caption = "bar: 90% band; point: what came; both over the median of the forecast."
    return Chart("backtest-bands", chart, "Forecasts and what came", caption)


def draw(chart: go.Figure, rows: pd.DataFrame, place: np.ndarray, colour: str, name: str) -> None:
    """Bands and points of some forecasts."""
    ends, levels = np.full((len(rows), 3), np.nan), np.full((len(rows), 3), np.nan)  # gaps between bars
    ends[:, 0], ends[:, 1] = rows["low"] / rows["median"], rows["high"] / rows["median"]
    levels[:, 0] = levels[:, 1] = place
    chart.add_scatter(
        x=ends.ravel(), y=levels.ravel(), mode="lines", line={"color": colour, "width": 5}, opacity=0.35,
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    chart.add_scatter(
        x=rows["observed"] / rows["median"], y=place, mode="markers", name=name,
        marker={"color": colour, "size": 8}, text=rows["target"],
        hovertemplate="%{text}: %{x:.2f} of the median<extra></extra>",
    )  # fmt: skip


def pit_chart(results: Results) -> Chart:
    """Histogram of the observations' place in their forecast distribution."""
    table = results.tables["backtest_pit"]
    chart = figure(420)
    chart.add_bar(x=table["from"] + 0.05, y=table["share"], width=0.095, marker={"color": style.BLUE})
    chart.add_hline(y=0.1, line={"color": style.MUTED, "dash": "dot"})
    chart.update_xaxes(title_text="Place in the forecast distribution", range=[0, 1])
    chart.update_yaxes(title_text="Share of observations", tickformat=".0%")
    caption = (
        "dotted: where forecasts are right. Left of the middle came less than foreseen, right of it more."
    )
    return Chart("backtest-pit", chart, "Where observations fell", caption)
