"""Multiples of a book: synthetic books of any size, to measure scaling."""

import dataclasses

import pandas as pd

from engine.book.tables import TABLES

BORROWERS = {"firms", "contracts", "loans", "pools", "tranches"}
"""Tables of borrowers and their debt."""
LENDERS = {"lenders"}


def fold_book(book, copies: int, tables: set[str]):
    """The book with `copies` of the rows of these tables, and of every row that refers to one of them.

    Ids of copy k end in _k; all copies refer to the same other rows. Shares and amounts stay as they are, so
    only the size of the book is meaningful. It is not checked.
    """
    frames = {}
    for name, frame in book.tables.items():
        ids = [
            column.name
            for column in TABLES[name].columns
            if (column.kind == "id" and name in tables)
            or (column.kind == "reference" and set(column.tables) & tables)
        ]
        numbers = range(copies) if ids else range(1)
        frames[name] = pd.concat([rename_copy(frame, ids, k) for k in numbers], ignore_index=True)
    return dataclasses.replace(book, tables=frames)


def rename_copy(frame, ids, k: int):
    """The rows with another copy's ids; blanks stay blank."""
    if k == 0:
        return frame
    ending = {
        name: frame[name].where(frame[name].isna() | (frame[name] == ""), frame[name] + f"_{k}")
        for name in ids
    }
    return frame.assign(**ending)
