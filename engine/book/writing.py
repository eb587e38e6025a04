"""A book as a folder of CSV files that loads as the same book."""

import pathlib

from engine.book.tables import TABLES
from engine.files import write_whole


def write_book(book, folder) -> pathlib.Path:
    """Writes every table of a loaded book into `folder`, each file whole; returns the folder."""
    folder = pathlib.Path(folder)
    for name, table in TABLES.items():
        frame = book.tables[name].reindex(columns=list(table.names))
        write_whole(
            folder / f"{name}.csv",
            lambda file, frame=frame: frame.to_csv(file, index=False, lineterminator="\n"),
        )
    return folder
