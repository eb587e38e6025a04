"""Books that are small in one way each, made of the worked one: a single lender, a single loan."""

import pathlib
import shutil

from engine.book.load import shipped_book
from tests.book.conftest import Copy

EMPTY = ("pools", "tranches", "tenants", "interlender", "paper", "priors", "history", "market", "references")


def bare(folder: pathlib.Path) -> Copy:
    """The worked book without pools, unnamed obligors and funds, all of it held by the bank."""
    book = Copy(pathlib.Path(shutil.copytree(shipped_book("worked_small"), folder)))
    for table in EMPTY:
        book.write(table, book.read(table)[:1])
    keep(book, "firms", lambda row: not row[0].startswith("OBLIGOR"))
    keep(book, "loans", lambda row: not row[0].startswith("OBLIGOR"))
    keep(book, "lenders", lambda row: row[0] == "BANK")
    keep(book, "incidence", lambda row: row[0] == "BANK")
    book.set("lenders", 2, "lending_weight", "1")
    head = book.read("holdings")[:1]
    loans = [row[0] for row in book.read("loans")[1:]]
    book.write("holdings", head + [[loan, "BANK", "1", "1", "a tape", "A"] for loan in loans])
    return book


def one_loan(folder: pathlib.Path) -> Copy:
    """One loan of one lender, behind whom stands one group."""
    book = bare(folder)
    keep(book, "loans", lambda row: row[0] == "CLOUD_GPU")
    keep(book, "holdings", lambda row: row[0] == "CLOUD_GPU")
    keep(book, "security", lambda row: row[0] == "CLOUD_GPU")
    book.set("firms", row_of(book, "firms", "CLOUD"), "growth_loan", "")
    keep(book, "bearers", lambda row: row[0] == "SHAREHOLDERS")
    for row in (2, 3):
        book.set("incidence", row, "bearer", "SHAREHOLDERS")
    return book


def row_of(book: Copy, table: str, key: str) -> int:
    """Row of a key, as an editor shows it."""
    return next(place for place, row in enumerate(book.read(table), 1) if row[0] == key)


def keep(book: Copy, table: str, kept) -> None:
    """Rows of a table that are kept, under its head."""
    head, *rows = book.read(table)
    book.write(table, [head, *filter(kept, rows)])
