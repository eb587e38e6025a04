"""A book as a folder of CSV files that loads as the same book.

But for text that a spreadsheet program would take for a formula, which gets an apostrophe in front.
"""

import functools
import os
import pathlib

from engine.book.load import Book
from engine.book.tables import TABLES
from engine.files import inert, write_whole


def write_book(book: Book, folder: str | os.PathLike) -> pathlib.Path:
    """Writes every table of a loaded book into `folder`, each file whole; returns the folder."""
    folder = pathlib.Path(folder)
    for name, table in TABLES.items():
        frame = inert(book.tables[name].reindex(columns=list(table.names)))
        write_whole(
            folder / f"{name}.csv",
            functools.partial(frame.to_csv, index=False, lineterminator="\n"),
        )
    return folder
