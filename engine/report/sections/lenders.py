"""The section on lenders: who loses most, and how much of its capital."""

from engine.report import charts, findings, words
from engine.report.section import Chart, Section, finding
from engine.report.sections.losses import UNRESOLVED, shortfall, value_at_risk
from engine.report.table import Table, amount, row, share
from engine.report.words import class_name
from engine.results.folder import Results
from engine.results.horizons import horizon_years

COUNT = 12
"""Lenders in the table."""


def lenders(results: Results) -> Section:
    """Lenders by expected shortfall."""
    ranked = Chart(
        "lenders", charts.lenders_ranked(results), "Lenders by expected shortfall",
        "over each lender's own worst 1% of paths; a fund's loss appears again at its investors.",
    )  # fmt: skip
    return Section("who", "Who loses", (finding(findings.lenders(results)), ranked, lenders_table(results)))


def lenders_table(results: Results) -> Table:
    """The lenders with the greatest ES 99%."""
    head = ("Lender", "Class", "Held directly", "Expected", "VaR 99%", "ES 99%", "ES 99% / capital today")
    rows = tuple(
        row(
            lender["name"], class_name(lender["class"]), amount(lender["exposure"]), amount(lender["el"]),
            value_at_risk(lender, "99"), shortfall(lender, "99"),
            share(words.ratio(lender["es_99"], lender["capital"])),
        )
        for lender in results.ranked("lender", results.last, "es_99").head(COUNT).to_dict("records")
    )  # fmt: skip
    note = (
        "Capital is what the lender holds against this debt today; during the run it grows with the book, "
        "and so do losses."
    )
    title = f"Lenders by ES 99%, {horizon_years(results.last)}"
    return Table(
        "lenders",
        title,
        head,
        rows,
        note,
        "USD bn",
        UNRESOLVED,
        words=2,
        brief_rows=8,
        brief_columns=(0, 3, 5),
    )
