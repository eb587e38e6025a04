"""Whatever a cell, a file or a sheet holds, loading gives a book or a `BookError`."""

import pathlib
import shutil
import tempfile

import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.book.checks.problems import BookError
from engine.book.load import load_book, shipped_book
from engine.book.tables import TABLES

WORDS = (
    "",
    " ",
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "1e9",
    "1e400",
    "nan",
    "inf",
    "FUND",
    "CLOUD",
    "CREDIT",
    "RENTS_A",
    '"',
    ",",
)
CELLS = st.one_of(st.sampled_from(WORDS), st.text(max_size=8), st.floats().map(repr), st.integers().map(str))
EDITS = st.lists(
    st.tuples(st.sampled_from(sorted(TABLES)), st.integers(0, 30), st.integers(0, 40), CELLS),
    min_size=1,
    max_size=6,
)


def read(folder, table):
    return [line.split(",") for line in (folder / f"{table}.csv").read_text(encoding="utf-8").splitlines()]


def load(path) -> None:
    """Loads, with repair; only a `BookError` may escape, and it may not be empty."""
    try:
        load_book(path, repair=True)
    except BookError as error:
        assert error.problems
        assert str(error)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=EDITS)
def test_corrupt_cells(edits):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(shutil.copytree(shipped_book("worked_small"), pathlib.Path(name) / "book"))
        for table, row, column, value in edits:
            rows = read(folder, table)
            cells = rows[row % len(rows)]
            cells[column % len(cells)] = value
            text = "\n".join(",".join(line) for line in rows) + "\n"
            (folder / f"{table}.csv").write_text(text, encoding="utf-8", errors="replace")
        load(folder)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=st.sampled_from(sorted(TABLES)), content=st.binary(max_size=200), start=st.integers(0, 400))
def test_corrupt_bytes(table, content, start):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(shutil.copytree(shipped_book("worked_small"), pathlib.Path(name) / "book"))
        file = folder / f"{table}.csv"
        whole = file.read_bytes()
        file.write_bytes(whole[:start] + content + whole[start:])
        load(folder)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=st.sampled_from(sorted(TABLES)), drop=st.lists(st.integers(0, 20), max_size=20))
def test_missing_rows(table, drop):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(shutil.copytree(shipped_book("worked_small"), pathlib.Path(name) / "book"))
        lines = (folder / f"{table}.csv").read_text(encoding="utf-8").splitlines()
        kept = [line for i, line in enumerate(lines) if i not in drop]
        (folder / f"{table}.csv").write_text("\n".join(kept), encoding="utf-8")
        load(folder)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(st.none(), st.booleans(), FLOATS, st.integers(-9, 9), st.dates(), st.sampled_from(WORDS))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(st.tuples(st.integers(0, 14), st.integers(1, 9), st.integers(1, 20), VALUES), max_size=5)
)
def test_corrupt_sheets(edits):
    with tempfile.TemporaryDirectory() as name:
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for table in TABLES:
            sheet = workbook.create_sheet(table)
            for cells in read(shipped_book("worked_small"), table):
                sheet.append(cells)
        for table, row, column, value in edits:
            workbook.worksheets[table % len(workbook.worksheets)].cell(row, column).value = value
        path = pathlib.Path(name) / "book.xlsx"
        workbook.save(path)
        load(path)
