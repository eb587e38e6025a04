"""Damaged books: the small book with one fault each, hundreds of them, made from the schema."""

import os
from collections.abc import Callable

from engine.book.columns import Column
from engine.book.sheets import MOST_ROWS
from engine.book.tables import TABLES
from tests.book.conftest import Copy

Edit = Callable[[Copy], object]

NUMBERS = (
    "1e39", "-1e39", "1e400", "1e-320", "nan", "inf", "-1", "0", "TRUE", "=1+1", "46022", "2029", "1000000",
    "1,5", "1 000", "$5", "5%", "\u0663", "#N/A", "2031-12-31",
)  # fmt: skip
"""Cells of numbers: too large, too small, none, of other units, and written for people."""

TEXTS = ("", "=1+1", "#REF!", "caf\u00e9", "x" * 100_000, "a\u202eb", "lower case", "TRUE", "1e39")
"""Cells of ids, choices, dates and texts."""


def cells() -> dict[str, Edit]:
    """Every value in the first row of every column."""
    edits = {}
    for name, table in TABLES.items():
        for column in table.columns:
            numeric = column.kind in ("number", "integer", "flag")
            for value in NUMBERS if numeric else TEXTS:
                edits[f"{name}.{column.name}={value[:12]}"] = cell(name, column, value)
    return edits


def cell(table: str, column: Column, value: str) -> Edit:
    """One value in the first row of a column."""
    return lambda book: book.set(table, 2, column.name, value)


def columns() -> dict[str, Edit]:
    """Headers renamed, in capitals, twice, with a blank; columns swapped and scaled."""
    edits = {}
    for name, table in TABLES.items():
        for column in table.names[:-2]:
            edits[f"{name}.{column} in capitals"] = header(name, column, column.upper())
            edits[f"{name}.{column} twice"] = header(name, column, column, table.names[0])
        for column in table.columns:
            if column.kind == "number":
                edits[f"{name}.{column.name} times a million"] = scaled(name, column.name, 1e6)
    return edits


def header(table: str, column: str, name: str, twice: str = "") -> Edit:
    """A column under another name, or a second one of a name."""

    def edit(book: Copy) -> None:
        rows = book.read(table)
        if column in rows[0]:
            rows[0][rows[0].index(column)] = twice or name
        book.write(table, rows)

    return edit


def scaled(table: str, column: str, factor: float) -> Edit:
    """Every number of a column times a factor."""

    def edit(book: Copy) -> None:
        rows = book.read(table)
        if column in rows[0]:
            place = rows[0].index(column)
            for row in rows[1:]:
                row[place] = repr(float(row[place]) * factor) if row[place] else ""
        book.write(table, rows)

    return edit


def files() -> dict[str, Edit]:
    """Files cut, in other encodings, without rows, with rows twice, that are no files."""
    edits: dict[str, Edit] = {}
    for name in TABLES:
        for share in (0.1, 0.5, 0.9):
            edits[f"{name} cut at {share:.0%}"] = content(name, lambda old, s=share: old[: int(len(old) * s)])
        edits[f"{name} without rows"] = lambda book, name=name: book.write(name, book.read(name)[:1])
        edits[f"{name} with every row twice"] = lambda book, name=name: book.write(
            name, book.read(name) + book.read(name)[1:]
        )
        edits[f"{name} absent"] = lambda book, name=name: (book.folder / f"{name}.csv").unlink()
        edits[f"{name} in two files"] = lambda book, name=name: (book.folder / f"{name}.CSV").write_bytes(
            (book.folder / f"{name}.csv").read_bytes()
        )
        edits[f"{name} with semicolons"] = content(name, lambda old: old.replace(b",", b";"))
        edits[f"{name} with tabs"] = content(name, lambda old: old.replace(b",", b"\t"))
        edits[f"{name} with a comma more"] = content(name, lambda old: old.replace(b"\n", b",\n"))
        edits[f"{name} in Latin-1"] = content(name, lambda old: old + "\u00e9".encode("latin-1"))
        edits[f"{name} with a quote"] = content(name, lambda old: old + b'"')
        edits[f"{name} with zeros"] = content(name, lambda old: old + b"\0\0")
    edits["a pipe for a table"] = lambda book: special(book, os.mkfifo)
    edits["zeros without end"] = lambda book: special(book, lambda path: os.symlink("/dev/zero", path))
    edits["a link to itself"] = lambda book: special(book, lambda path: os.symlink(path, path))
    edits["a folder for a table"] = lambda book: special(book, os.mkdir)
    edits["a million rows"] = content("market", lambda old: old + b"A,1,x,t,C\n" * 1_000_000)
    edits["parents in a chain of 40,000"] = lambda book: chain(book, 40_000)
    edits["parents in a chain as long as a table"] = lambda book: chain(book, MOST_ROWS - 20)
    edits["parents in a ring"] = lambda book: chain(book, 5_000, ring=True)
    return edits


def content(table: str, change: Callable[[bytes], bytes]) -> Edit:
    """The bytes of a file changed."""

    def edit(book: Copy) -> None:
        file = book.folder / f"{table}.csv"
        file.write_bytes(change(file.read_bytes()))

    return edit


def special(book: Copy, make: Callable[[str], object]) -> None:
    """Something else in place of loans.csv."""
    file = book.folder / "loans.csv"
    file.unlink()
    make(str(file))


def chain(book: Copy, length: int, ring: bool = False) -> None:
    """Firms that own one another."""
    rows = book.read("firms")
    if "parent" not in rows[0]:
        rows = [[*row, "" if number else "parent"] for number, row in enumerate(rows)]
    names = rows[0]
    for number in range(length):
        parent = f"P{number + 1}" if number + 1 < length else ("P0" if ring else "")
        given = {"firm": f"P{number}", "name": "x", "kind": "project", "parent": parent}
        given |= {"source": "t", "grade": "C"}
        rows.append([given.get(name, "") for name in names])
    book.write("firms", rows)


def books() -> dict[str, Edit]:
    """Every damaged book by its name."""
    return files() | columns() | cells()


SLOW = ("a million rows", "parents in a chain as long as a table")
"""Books that take seconds to write."""


def sample(names: list[str], count: int) -> list[str]:
    """Names at even steps: the same every day, from every kind."""
    return names[:: max(1, len(names) // count)]
