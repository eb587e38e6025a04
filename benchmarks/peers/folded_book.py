"""Multiples of the shipped book: a synthetic book of any size, for scaling measurements."""

import dataclasses

import pandas as pd

from engine.book.tables import TABLES

BORROWERS = {"firms", "contracts", "loans", "pools", "tranches"}
"""Tables of borrowers and their debt."""
LENDERS = {"lenders"}


def folded(book, copies: int, tables: set[str]):
    """The book with so many copies of these tables' rows, and of every row that refers to one of them.

    Copy k has its own ids, ending in _k; all copies refer to the rows that are not copied. Shares and amounts
    stay as they are, so only the size of the book is meaningful. It is not checked.
    """
    made = {}
    for name, frame in book.tables.items():
        ids = [
            column.name
            for column in TABLES[name].columns
            if (column.kind == "id" and name in tables)
            or (column.kind == "reference" and set(column.tables) & tables)
        ]
        copied = range(copies) if ids else range(1)
        made[name] = pd.concat([renamed(frame, ids, k) for k in copied], ignore_index=True)
    return dataclasses.replace(book, tables=made)


def renamed(frame, ids, k: int):
    """The rows with another copy's ids; blanks stay blank."""
    if k == 0:
        return frame
    ending = {
        name: frame[name].where(frame[name].isna() | (frame[name] == ""), frame[name] + f"_{k}")
        for name in ids
    }
    return frame.assign(**ending)
