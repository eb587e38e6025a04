"""Off-balance-sheet debt: guarantees and leases beside reported debt."""

from engine.report import words
from engine.report.table import Cell, Table, amount, row
from engine.results.folder import Results

MEANINGLESS = 50.0
"""Multiple of EBITDA beyond which it says only that there is hardly any EBITDA."""


def leverage_table(results: Results) -> Table:
    """Debt, guarantees, leases and leverage of the borrowers that have guarantees or leases."""
    rows = tuple(
        row(
            firm["name"], *(amount(firm[key]) for key in ("debt", "guarantees", "leases")),
            times_ebitda(firm["reported"]), times_ebitda(firm["effective"]),
        )
        for firm in results.tables["leverage"].to_dict("records")
    )  # fmt: skip
    head = ("Borrower", "Debt drawn", "Guarantees given", "Leases signed, present value", "Debt / EBITDA",
            "With guarantees and leases")  # fmt: skip
    note = (
        "From the book, as of today. Leases: present value at 10% a year of all rents signed, whether or not "
        "they have begun; the multiple that includes leases adds today's rent back to EBITDA. In the run, "
        "lenders use the first multiple until the boom breaks or a sponsored project fails, and from then on "
        "also count guarantees and rents not yet in EBITDA: less can be borrowed, and at a higher price."
    )
    return Table("leverage", "Leverage on and off balance sheet", head, rows, note, "USD bn")


def times_ebitda(ratio: float) -> Cell:
    """A multiple of EBITDA."""
    if not words.known(ratio):
        return Cell("–", "ratio")
    text = f"{ratio:.1f}x" if ratio <= MEANINGLESS else f"over {MEANINGLESS:.0f}x"
    return Cell(text, "ratio", ratio)
