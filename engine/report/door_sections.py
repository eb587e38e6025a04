"""Parts of the page on what stands behind the debt: what balance sheets leave out."""

from engine.report import words
from engine.report.folder import Results
from engine.report.markup import paragraph, table
from engine.report.words import amount

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
