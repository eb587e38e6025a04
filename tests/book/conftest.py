"""A copy of the worked small book that a test may spoil, cell by cell."""

import csv
import pathlib
import shutil

import pytest

from engine.book.checks.problems import BookError
from engine.book.load import load_book, shipped_book


class Copy:
    """A folder book under edit. Rows are numbered as an editor shows them: the header is row 1."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def read(self, table: str) -> list[list[str]]:
        with open(self.folder / f"{table}.csv", newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def write(self, table: str, rows: list[list[str]]) -> None:
        with open(self.folder / f"{table}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)

    def set(self, table: str, row: int, column: str, value: str) -> None:
        """Puts `value` in a cell; a column of defaults that the file left out is added."""
        rows = self.read(table)
        if column not in rows[0]:
            rows = [[*cells, column if i == 0 else ""] for i, cells in enumerate(rows)]
        rows[row - 1][rows[0].index(column)] = value
        self.write(table, rows)

    def drop(self, table: str, row: int) -> None:
        rows = self.read(table)
        self.write(table, rows[: row - 1] + rows[row:])

    def add(self, table: str, **cells: str) -> None:
        """A further row; columns not given stay blank."""
        rows = self.read(table)
        given = {"source": "test", "grade": "C", **cells}
        self.write(table, [*rows, [given.get(name, "") for name in rows[0]]])

    def problems(self) -> list:
        """What loading says is wrong; empty if it loads."""
        try:
            load_book(self.folder)
        except BookError as error:
            return list(error.problems)
        return []


@pytest.fixture
def small(tmp_path) -> Copy:
    return Copy(pathlib.Path(shutil.copytree(shipped_book("worked_small"), tmp_path / "small")))
