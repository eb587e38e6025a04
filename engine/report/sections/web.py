"""The part of the page on who pays whom, and on what is lost when a node of the web fails."""

import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure, lying_bars
from engine.report.markup import Charts, paragraph, table
from engine.report.words import amount, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years

SHOWN = 14


def web(results: Results, holder: Charts) -> str:
    """Flows of the ordinary and of the worst paths, and the failure of each buyer."""
    if "payments" not in results.tables or results.tables["payments"].empty:
        return ""
    span = horizon_years(results.last)
    caption = f"cash paid over {span}, medians of ordinary and of the worst paths."
    return (
        paragraph(finding(results), "finding")
        + holder.place("web", flows(results), "Who pays whom", caption)
        + failures(results)
    )


def finding(results: Results) -> str:
    """How much of the web is left in the tail, and which link loses most."""
    rows = results.tables["payments"]
    ordinary, tail = rows["ordinary"].sum(), rows["tail"].sum()
    worst = rows.loc[(rows["ordinary"] - rows["tail"]).idxmax()]
    return (
        f"On ordinary paths {amount(ordinary)} bn flow through these contracts, on the worst paths "
        f"{amount(tail)} bn. {worst['buyer']} pays {worst['seller']} {amount(worst['ordinary'])} bn on "
        f"the one and {amount(worst['tail'])} bn on the other (95% interval of the median "
        f"{amount(worst['tail_low'])}–{amount(worst['tail_high'])})."
    )


def flows(results: Results) -> go.Figure:
    """Cash paid under the largest contracts: ordinary paths beside the worst."""
    rows = results.tables["payments"].head(SHOWN)[::-1]
    names = [
        f"{row.buyer} → {row.seller} ({row.kind})" for row in rows[["buyer", "seller", "kind"]].itertuples()
    ]
    chart = figure(120 + 32 * len(rows), barmode="group", margin={"l": 280, "r": 16, "t": 40, "b": 48})
    looks = (("worst paths", "tail", style.RED), ("ordinary paths", "ordinary", style.BLUE))
    hover = "<b>%{y}</b><br>%{x:,.1f} bn on NAME<br>%{customdata[0]:,.1f} bn at full size<extra></extra>"
    lying_bars(chart, rows, names, looks, hover, ["promised"])
    chart.update_xaxes(title_text="USD bn")
    return chart


def failures(results: Results, count: int = 10) -> str:
    """What sellers lose in the year in which a buyer pays nothing."""
    rows = results.tables["failures"].head(count)
    cells = [
        (row.name, amount(row.direct), amount(row.knock_on), row.worst_hit, share(row.worst_share))
        for row in rows.itertuples(index=False)
    ]
    head = (
        "If this one pays nothing", "Lost at once, bn a year", "Lost further on", "Hit hardest",
        "Of what contracts pay it",
    )  # fmt: skip
    note = (
        "The web of the second year on the path on which nothing happens, with capital markets shut. Lost "
        "further on: what the sellers then cannot pay for their own leases and compute. Guarantees, "
        "re-letting and new money, which the simulation has, are left out here."
    )
    return "<h3>If one node fails</h3>" + table(head, cells) + paragraph(note, "note")
