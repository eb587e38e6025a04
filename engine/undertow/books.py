"""Books by name or by path."""

import pathlib

from engine.book import load
from engine.book.load import Book, shipped_book


def load_book(book: str | pathlib.Path = "ai_credit_2025", repair: bool = False) -> Book:
    """A checked book: one that comes with the package by its name, or your own by its path.

    Args: book, `ai_credit_2025`, `worked_small`, or the path of a folder of CSV files or of an .xlsx file;
    repair, whether a correlation table that is not a correlation matrix is replaced by the nearest that is.
    Returns a `Book`, whose tables are pandas DataFrames: `book["loans"]`; units are in docs/book.md.

    Raises ValueError for a name or path that does not exist, and `BookError`, a ValueError, with every
    problem of the files at once: file, row, column, value and what was expected.

    Example:
        >>> book = load_book("worked_small")
        >>> book.name, book["loans"].shape[0]
        ('worked_small', 8)
    """
    path = pathlib.Path(book)
    if not path.exists():
        try:
            path = shipped_book(str(book))
        except ValueError as error:
            raise ValueError(f"book: {error}, or the path of a folder or an .xlsx file") from None
    return load.load_book(path, repair)
