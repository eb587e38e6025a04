"""A tape as a folder: the sheets of its book, and beside them what was understood and what was assumed."""

import dataclasses
import pathlib
import shutil
from collections.abc import Iterator, Sequence

from engine.book.frames import Tables
from engine.book.load import Book, load_book
from engine.book.tape import defaults
from engine.book.tape.entries import Overlay, cells
from engine.book.tape.fields import FIELDS
from engine.book.tape.positions import Position
from engine.book.tape.rows import Tape
from engine.files import write_csv

PAPERS = "tape"
"""Folder within the book of what was understood, left out and assumed; no table of the book."""

UNDERSTOOD = ("loan", "row", "field", "cell", "as it stood", "value as read")


def understood(tape: Tape) -> Iterator[tuple[str, int, str, str, str, str]]:
    """Every cell that was read: loan, row, field, cell, what stood there, value in words."""
    for line in tape.lines:
        for field in FIELDS:
            reading = line.readings.get(field) or line.blanks.get(field)
            if reading is not None:
                loan = line.value("loan", f"ROW-{line.line}")
                yield loan, line.line, field, reading.cell, reading.written, reading.words


def growth(positions: Sequence[Position], below: Tables) -> Iterator[tuple[str, float, float]]:
    """Firms of the book below that the tape lends to: id, committed there, committed on top (USD bn)."""
    owed = below["loans"].groupby("borrower")["committed"].sum()
    for firm in dict.fromkeys(each.firm for each in positions if each.firm):
        more = sum(each.committed for each in positions if each.firm == firm and not each.part_of)
        yield firm, float(owed.get(firm, 0.0)), more


@dataclasses.dataclass(frozen=True)
class Written:
    """A tape's book as written and loaded again."""

    folder: pathlib.Path
    book: Book


def write_folder(
    folder: pathlib.Path, overlay: Overlay, tape: Tape, positions: Sequence[Position]
) -> Written:
    """Write the book and its papers beside `folder`, load it with all checks, and put it in place.

    Raises `BookError` where it does not load; then nothing is left behind.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".{folder.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        for table, rows in overlay.rows.items():
            if rows:
                header, lines = cells(table, rows)
                write_csv(unfinished / f"{table}.csv", header, lines)
        papers = unfinished / PAPERS
        write_csv(papers / "understood.csv", UNDERSTOOD, understood(tape))
        write_csv(papers / "left_out.csv", ("what",), ([each] for each in left_out(tape)))
        write_csv(papers / "assumed.csv", ("loan", "assumed"), assumed(positions))
        write_csv(papers / "defaults.csv", ("name", "value", "unit", "grade", "why"), defaults.assumptions())
        book = load_book(unfinished)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Written(folder, book)


def left_out(tape: Tape) -> list[str]:
    """Everything of the file that is no loan, by name."""
    return [*tape.left_out, *(f"column {each!r}: not read" for each in tape.unread)]


def assumed(positions: Sequence[Position]) -> Iterator[tuple[str, str]]:
    """What was assumed of each loan."""
    for each in positions:
        for what in each.assumed:
            yield each.loan, what


def is_import(folder: pathlib.Path) -> bool:
    """Whether a folder is one that an import wrote."""
    return (folder / PAPERS / "understood.csv").is_file()
