"""The section on instruments: which debt makes the tail, which contracts and guarantees stand behind it."""

from engine.report import charts, findings
from engine.report.section import Chart, Heading, Part, Section, finding
from engine.report.sections.contracts import contracts
from engine.report.sections.leverage import leverage_table
from engine.report.table import Table, amount, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years

COUNT = 12
"""Instruments in the table."""


def instruments(results: Results) -> Section:
    """Instruments by their part of the tail, the contracts between firms, leverage."""
    classes = Chart(
        "composition", charts.composition(results), "Tail loss by instrument class",
        "share of the loss in the worst 1% of system paths, beside the share of debt drawn today.",
    )  # fmt: skip
    leverage = leverage_table(results)
    hidden: tuple[Part, ...] = (Heading("What balance sheets leave out"), leverage) if leverage.rows else ()
    parts = (finding(findings.composition(results)), classes, contributions_table(results))
    return Section("door", "Where the loss comes from", (*parts, *contracts(results), *hidden))


def contributions_table(results: Results) -> Table:
    """The instruments with the greatest Euler contributions."""
    contributions = results.tables["contributions"]
    contributions = contributions[contributions["horizon"] == results.last]
    largest = contributions.sort_values("es_99", ascending=False).head(COUNT)
    rows = tuple(
        row(
            instrument["name"], instrument["borrower"], results.about.class_name(instrument["class"]),
            amount(instrument["exposure"]), amount(instrument["es_99"]), share(instrument["share"]),
            instrument["grade"],
        )
        for instrument in largest.to_dict("records")
    )  # fmt: skip
    head = ("Instrument", "Borrower", "Class", "Drawn today", "Part of ES 99%", "Share of ES 99%", "Grade")
    title = f"Largest contributions to the system's ES 99%, {horizon_years(results.last)}"
    return Table("contributions", title, head, rows, "", results.unit, words=3)
