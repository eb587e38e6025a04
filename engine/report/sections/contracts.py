"""Payments under the contracts, and losses when a buyer stops paying."""

import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure, horizontal_bars
from engine.report.section import Chart, Heading, Part, finding
from engine.report.sections.web import web
from engine.report.table import Table, amount, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years

SHOWN = 14
"""Contracts in the chart."""
COUNT = 10
"""Buyers in the table."""


def contracts(results: Results) -> tuple[Part, ...]:
    """Payments on ordinary and on the worst paths, and the failure of each buyer; none without contracts."""
    if "payments" not in results.tables or results.tables["payments"].empty:
        return ()
    caption = f"cash paid over {horizon_years(results.last)}: median over ordinary and over the worst paths."
    chart = Chart("web", payments(results), "The largest contracts", caption)
    heading = Heading("If one company stops paying")
    return (finding(lost_payments(results)), *web(results), chart, heading, failures_table(results))


def lost_payments(results: Results) -> str:
    """How much is still paid on the worst paths, and the contract that loses most."""
    rows = results.tables["payments"]
    worst = rows.loc[(rows["ordinary"] - rows["tail"]).idxmax()]
    return (
        f"Median payments under these contracts add up to {words.amount(rows['ordinary'].sum())} bn on "
        f"ordinary paths and {words.amount(rows['tail'].sum())} bn on the worst paths. The largest "
        f"difference is in what {worst['buyer']} pays {worst['seller']}: {words.amount(worst['ordinary'])} "
        f"bn on ordinary paths and {words.amount(worst['tail'])} bn on the worst (95% interval of the median "
        f"{words.amount(worst['tail_low'])}–{words.amount(worst['tail_high'])} bn)."
    )


def payments(results: Results) -> go.Figure:
    """Cash paid under the largest contracts: ordinary paths beside the worst."""
    rows = results.tables["payments"].head(SHOWN)[::-1]
    names = [
        f"{contract.buyer} → {contract.seller} ({contract.kind})"
        for contract in rows[["buyer", "seller", "kind"]].itertuples()
    ]
    chart = figure(120 + 32 * len(rows), barmode="group", margin={"l": 280, "r": 16, "t": 40, "b": 48})
    looks = (("worst paths", "tail", style.RED), ("ordinary paths", "ordinary", style.BLUE))
    hover = "<b>%{y}</b><br>%{x:,.1f} bn on NAME<br>%{customdata[0]:,.1f} bn at full size<extra></extra>"
    horizontal_bars(chart, rows, names, looks, hover, ["promised"])
    chart.update_xaxes(title_text="USD bn")
    return chart


def failures_table(results: Results) -> Table:
    """Losses of sellers in a year in which a buyer pays nothing."""
    rows = tuple(
        row(firm.name, firm.worst_hit, amount(firm.direct), amount(firm.knock_on), share(firm.worst_share))
        for firm in results.tables["failures"].head(COUNT).itertuples(index=False)
    )
    head = ("If this company pays nothing", "Hit hardest", "Sellers lose", "Knock-on loss",
            "Share of contract income lost by the hardest hit")  # fmt: skip
    note = (
        "Payments of a year as ordinary paths have them two years into the run (medians), with capital "
        "markets shut. "
        "Knock-on loss: what the sellers can then no longer pay on their own leases and compute contracts. "
        "Guarantees, re-letting and new funding, which the simulation includes, are left out here."
    )
    return Table("failures", "Loss of contract income", head, rows, note, "USD bn a year", words=2)
