"""The part of the page on what is not known because nobody knows who holds what."""

import plotly.graph_objects as go

from engine.report import markup, style, words
from engine.report.charts import figure
from engine.report.markup import Charts, paragraph, probability, table
from engine.report.words import amount, class_name, measured
from engine.results.folder import Results
from engine.results.horizons import count_words, horizon_years

SHOWN = 20
LEAST = 0.05
"""Lenders below this share of the greatest lender's ES are not told of in sentences."""


def unknown_network(results: Results, holder: Charts) -> str:
    """Bands of ES over networks, by lender and class, and how much of the tail the network is."""
    if "network_split" not in results.tables:
        return ""
    chart = holder.place(
        "networks", bands(results), "Expected shortfall over the networks",
        "dot: mean; bar: 5–95% of networks, Monte Carlo noise removed; thin end: its two standard errors.",
    )  # fmt: skip
    return markup.section(
        "network", "How much is simply not known", markup.finding(finding(results)), chart,
        lenders_table(results), groups_table(results), paragraph(note(results), "note"),
    )  # fmt: skip


def rows_of(results: Results, kind: str, measure: str = "es_99"):
    """Rows of the split of a kind, greatest first."""
    rows = results.tables["network_split"]
    rows = rows[(rows["kind"] == kind) & (rows["measure"] == measure)]
    return rows.sort_values("value", ascending=False, kind="stable")


def finding(results: Results) -> str:
    """What the network does to the system, and to the lender of which it leaves least known."""
    system = rows_of(results, "system").iloc[0]
    lenders = rows_of(results, "lender")
    large = lenders[lenders["value"] > LEAST * lenders["value"].max()]
    if large.empty:
        return "No lender loses anything in these networks."
    width = (large["high"] - large["low"]) / large["value"]
    widest, surest = large.loc[width.idxmax()], large.loc[width.idxmin()]
    mostly = int((large["network_share"] > 0.5).sum())

    def band(row) -> str:
        return f"{amount(row['low'])} to {amount(row['high'])} bn"

    return (
        f"Over {results.summary['network']['networks']} networks that agree with all that is known, the "
        f"system's ES 99% runs from {band(system)}, that of {widest['name']} from {band(widest)} and even "
        f"that of {surest['name']} from {band(surest)}. For {count_words(mostly)} of the "
        f"{count_words(len(large))} lenders with a large tail more than half of what is uncertain "
        "about it is the network, not the economy."
    )


def bands(results: Results) -> go.Figure:
    """One bar from the 5% to the 95% network for each lender, with its mean."""
    rows = rows_of(results, "lender").head(SHOWN)[::-1]
    chart = figure(110 + 25 * len(rows), bargap=0.45)
    for kind, colour in style.CLASS_COLOURS.items():
        part = rows[rows["class"] == kind]
        if part.empty:
            continue
        chart.add_bar(
            x=part["high"] - part["low"], base=part["low"], y=part["name"], orientation="h",
            name=class_name(kind), marker_color=colour, opacity=0.75,
            error_x={
                "array": 2.0 * part["high_se"], "arrayminus": 0.0 * part["high_se"], "color": style.MUTED,
                "thickness": 1, "width": 2,
            },
            customdata=part[["low", "high", "value", "value_se", "network_share"]],
            hovertemplate="<b>%{y}</b><br>5–95% of networks: %{customdata[0]:,.2f}–%{customdata[1]:,.2f} bn"
            "<br>mean %{customdata[2]:,.2f} ± %{customdata[3]:.2f} bn"
            "<br>network's share of the tail's variance %{customdata[4]:.0%}<extra></extra>",
        )  # fmt: skip
    chart.add_scatter(
        x=rows["value"], y=rows["name"], mode="markers", name="mean", hoverinfo="skip",
        marker={"color": style.INK, "size": 8},
    )  # fmt: skip
    chart.update_yaxes(
        categoryorder="array", categoryarray=rows["name"].tolist(), automargin=True, showgrid=False, ticks=""
    )
    span = horizon_years(results.last)
    chart.update_xaxes(title_text=f"Expected shortfall 99%, {span}, USD bn", rangemode="tozero")
    return chart


def lenders_table(results: Results, count: int = SHOWN) -> str:
    """The lenders with the greatest tail: band, and shares of the network."""
    head = ("Lender", "Class", "ES 99%", "5% of networks", "95% of networks", "Network's share of its tail",
            "Network's share of its loss")  # fmt: skip
    return table(
        head,
        [split_cells(results, row, class_name(row["class"])) for row in first(results, "lender", count)],
        2,
    )


def groups_table(results: Results) -> str:
    """The same for the system and the holder classes."""
    rows = [split_cells(results, row, "") for row in first(results, "system", 1)]
    rows += [split_cells(results, row, "") for row in first(results, "lenders", 100)]
    cells = [(class_name(name) if name != "system" else "The whole system", *rest) for name, _, *rest in rows]
    head = ("Holders together", "ES 99%", "5% of networks", "95% of networks", "Network's share of its tail",
            "Network's share of its loss")  # fmt: skip
    return table(head, cells, 1, strong=0)


def first(results: Results, kind: str, count: int) -> list[dict]:
    """Rows of a kind as dictionaries, greatest first."""
    return rows_of(results, kind).head(count).to_dict("records")


def split_cells(results: Results, row: dict, group: str) -> tuple[str, ...]:
    """The cells of one holder."""
    whole = rows_of(results, row["kind"], "el").set_index("id").loc[row["id"]]
    return (
        row["name"], group, measured(row["value"], row["value_se"]), measured(row["low"], row["low_se"]),
        measured(row["high"], row["high_se"]), probability(row["network_share"], row["network_share_se"]),
        probability(whole["network_share"], whole["network_share_se"]),
    )  # fmt: skip


def note(results: Results) -> str:
    """How the networks were drawn and what the columns say."""
    network = results.summary["network"]
    return (
        f"{network['networks']} networks by {words.method_name(network['method'])}, each on the same "
        f"{network['paths_each']:,} paths: known holdings are fixed, the rest drawn from priors on totals "
        "(docs/network.md). ES is the mean over networks of each network's own; ± one standard error, of "
        "paths and networks. Share of the tail: of the variance of the holder's loss in its own worst 1%, "
        "what differs between networks; the rest is the economy. Share of the loss: the same over all paths, "
        f"{horizon_years(results.last)}. In the other parts of this page all networks are pooled, and "
        "errors come from blocks of paths, since networks share them; path ids count paths over networks."
    )
