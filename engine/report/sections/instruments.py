"""Parts of the page on what stands behind the debt: what balance sheets leave out."""

from engine.report import charts, findings, words
from engine.report.markup import (
    Charts,
    finding,
    paragraph,
    section,
    table,
)
from engine.report.sections import instruments, web
from engine.report.words import amount, class_name, share
from engine.results.folder import Results

MEANINGLESS = 50.0
"""Multiples of an EBITDA beyond which it says only that there is none to speak of."""


def leverage(results: Results) -> str:
    """Debt, guarantees, leases and leverage of the borrowers that have either beside their debt."""
    rows = results.tables["leverage"].to_dict("records")
    if not rows:
        return ""
    cells = [
        (row["name"], *(amount(row[key]) for key in ("debt", "guarantees", "leases")),
         multiple(row["reported"]), multiple(row["effective"]))
        for row in rows
    ]  # fmt: skip
    head = (
        "Borrower", "Debt drawn", "Guarantees given", "Leases signed, present value", "Debt / EBITDA",
        "With guarantees and leases",
    )  # fmt: skip
    note = (
        "Today, from the book; USD bn. Leases: all rents signed, begun or not, at 10% a year; where they "
        "count, rent paid today is added back to EBITDA. In the run lenders go by the first multiple until "
        "the boom breaks or a sponsored project falls, and then count what guarantees and rents not yet in "
        "EBITDA add: less can be borrowed, and it costs more."
    )
    return "<h3>What balance sheets leave out</h3>" + table(head, cells) + paragraph(note, "note")


def multiple(ratio: float) -> str:
    """A multiple of EBITDA in a cell."""
    if not words.known(ratio):
        return "–"
    return f"{ratio:.1f}x" if ratio <= MEANINGLESS else f"over {MEANINGLESS:.0f}x"


def through_which_door(results: Results, holder: Charts) -> str:
    """Instruments that make the tail."""
    classes = holder.place(
        "composition", charts.composition(results), "What the tail is made of",
        "loss by instrument class in the worst 1% of system paths, beside its share of debt drawn today.",
    )  # fmt: skip
    return section(
        "door", "Through which door it comes", finding(findings.composition(results)), classes,
        contributions_table(results), web.web(results, holder),
        instruments.leverage(results),
    )  # fmt: skip


def contributions_table(results: Results, count: int = 12) -> str:
    """The instruments with the greatest Euler contributions."""
    rows = results.tables["contributions"]
    rows = rows[rows["horizon"] == results.last].sort_values("es_99", ascending=False).head(count)
    cells = [
        (row.name, row.borrower, class_name(row.instrument_class), amount(row.exposure),
         amount(row.es_99), share(row.share), row.grade)
        for row in rows.rename(columns={"class": "instrument_class"}).itertuples(index=False)
    ]  # fmt: skip
    head = (
        "Instrument",
        "Borrower",
        "Class",
        "Drawn today",
        "Part of ES 99%",
        "Share",
        "Grade",
    )
    return table(head, cells, 3)
