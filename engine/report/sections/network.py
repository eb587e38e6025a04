"""The section on unknown holdings: how losses differ between networks consistent with what is known."""

import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.section import Chart, Section, finding, note
from engine.report.table import Row, Table, changed_share, measured, row
from engine.report.words import class_name
from engine.results.folder import Results
from engine.results.horizons import count_words, horizon_years

COUNT = 20
"""Lenders in the chart and the table."""
LARGE = 0.05
"""Share of the greatest lender's ES below which a lender is not mentioned in sentences."""
MEASURES = ("ES 99%", "ES 99%, 5% of networks", "ES 99%, 95% of networks", "Network's share of tail variance",
            "Network's share of loss variance")  # fmt: skip


def network_uncertainty(results: Results) -> Section:
    """Bands of ES over networks, by lender and class, and the network's share of the variance."""
    chart = Chart(
        "networks", bands(results), "Expected shortfall over the networks",
        "dot: mean; bar: 5–95% of networks without Monte Carlo noise; thin line: two standard errors of its "
        "upper end.",
    )  # fmt: skip
    parts = (
        finding(widest(results)),
        chart,
        lenders_table(results),
        groups_table(results),
        note(method(results)),
    )
    return Section("network", "How much depends on who holds what", parts)


def splits(results: Results, kind: str, measure: str = "es_99") -> pd.DataFrame:
    """Rows of the split of a kind, greatest first."""
    rows = results.tables["network_split"]
    rows = rows[(rows["kind"] == kind) & (rows["measure"] == measure)]
    return rows.sort_values("value", ascending=False, kind="stable")


def widest(results: Results) -> str:
    """Error from the unknown network in the system's ES, and in that of the least certain lender."""
    system, lenders = splits(results, "system").iloc[0], splits(results, "lender")
    large = lenders[lenders["value"] > LARGE * lenders["value"].max()]
    if large.empty:
        return "No lender loses anything in these networks."
    width = (large["high"] - large["low"]) / large["value"]
    most, least = large.loc[width.idxmax()], large.loc[width.idxmin()]
    mostly = int((large["network_share"] > 0.5).sum())

    def band(split: pd.Series) -> str:
        return f"{words.amount(split['low'])} to {words.amount(split['high'])} {results.short}"

    return (
        f"Over {results.summary['network']['networks']} networks consistent with all known holdings, the "
        f"system's ES 99% ranges from {band(system)}, that of {most['name']} from {band(most)}, and even "
        f"that of {least['name']} from {band(least)}. For {count_words(mostly)} of the "
        f"{count_words(len(large))} lenders with a large tail loss, more than half of its variance comes "
        "from the network rather than the economy."
    )


def bands(results: Results) -> go.Figure:
    """One bar from the 5% to the 95% network for each lender, with its mean."""
    rows = splits(results, "lender").head(COUNT)[::-1]
    chart = figure(110 + 25 * len(rows), bargap=0.45)
    for lender_class, colour in style.CLASS_COLOURS.items():
        part = rows[rows["class"] == lender_class]
        if part.empty:
            continue
        chart.add_bar(
            x=part["high"] - part["low"], base=part["low"], y=part["name"], orientation="h",
            name=class_name(lender_class), marker_color=colour, opacity=0.75,
            error_x={
                "array": 2.0 * part["high_se"], "arrayminus": 0.0 * part["high_se"], "color": style.MUTED,
                "thickness": 1, "width": 2,
            },
            customdata=part[["low", "high", "value", "value_se", "network_share"]],
            hovertemplate="<b>%{y}</b><br>5–95% of networks: %{customdata[0]:,.2f}–%{customdata[1]:,.2f} "
            f"{results.short}<br>mean %{{customdata[2]:,.2f}} ± %{{customdata[3]:.2f}} {results.short}"
            "<br>network's share of tail variance %{customdata[4]:.0%}<extra></extra>",
        )  # fmt: skip
    chart.add_scatter(
        x=rows["value"], y=rows["name"], mode="markers", name="mean", hoverinfo="skip",
        marker={"color": style.INK, "size": 8},
    )  # fmt: skip
    chart.update_yaxes(
        categoryorder="array", categoryarray=rows["name"].tolist(), automargin=True, showgrid=False, ticks=""
    )
    span = horizon_years(results.last)
    chart.update_xaxes(title_text=f"Expected shortfall 99%, {span}, {results.unit}", rangemode="tozero")
    return chart


def lenders_table(results: Results) -> Table:
    """The lenders with the greatest tail: band, and the network's shares of the variance."""
    rows = tuple(
        row(lender["name"], class_name(lender["class"]), *split_cells(results, lender))
        for lender in splits(results, "lender").head(COUNT).to_dict("records")
    )
    networks = results.summary["network"]["networks"]
    title = f"Lenders: ES 99% over {networks} networks, {horizon_years(results.last)}"
    return Table(
        "network_lenders", title, ("Lender", "Class", *MEASURES), rows, "", results.unit, words=2,
        brief_rows=8, brief_columns=(0, 2, 3, 4, 5),
    )  # fmt: skip


def groups_table(results: Results) -> Table:
    """The same for the system and the holder classes."""
    system = splits(results, "system").head(1).to_dict("records")
    classes = splits(results, "lenders").to_dict("records")
    names = ["The whole system", *(class_name(group["name"]) for group in classes)]
    rows = tuple(
        row(name, *split_cells(results, group)) for name, group in zip(names, system + classes, strict=True)
    )
    networks = results.summary["network"]["networks"]
    title = f"ES 99% over {networks} networks, {horizon_years(results.last)}"
    return Table(
        "network_groups", title, ("Holders together", *MEASURES), rows, "", results.unit, emphasis=0,
        brief_columns=(0, 1, 2, 3, 4),
    )  # fmt: skip


def split_cells(results: Results, split: dict) -> Row:
    """The cells of one holder."""
    whole = splits(results, split["kind"], "el").set_index("id").loc[split["id"]]
    return row(
        *(measured(split[key], split[f"{key}_se"]) for key in ("value", "low", "high")),
        changed_share(split["network_share"], split["network_share_se"]),
        changed_share(whole["network_share"], whole["network_share_se"]),
    )


def method(results: Results) -> str:
    """How the networks were drawn and what the columns say."""
    network = results.summary["network"]
    return (
        f"{network['networks']} networks drawn by {words.method_name(network['method'])}, each simulated on "
        f"the same {network['paths_each']:,} paths: known holdings are fixed, the others are drawn from "
        "priors on totals (docs/network.md). ES is the mean over networks of each network's own ES; ± is one "
        "standard error, from paths and networks. The network's share of tail variance is the part of the "
        "variance of the holder's loss, over its own worst 1% of paths, that differs between networks; the "
        "rest comes from the economy. The share of loss variance is the same over all paths, "
        f"{horizon_years(results.last)}. Other sections of this page pool all networks; their errors come "
        "from blocks of paths, because networks share paths, and path ids count paths over networks."
    )
