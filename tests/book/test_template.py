"""The template: its worked book loads, its empty book has headers, its page explains every column."""

import csv

import pytest

from engine.book.checks.problems import BookError
from engine.book.load import load_book, shipped_book
from engine.book.tables import TABLES
from engine.book.template import write_template


@pytest.fixture
def template(tmp_path):
    return write_template(tmp_path / "mine")


def test_the_worked_book_loads(template):
    assert load_book(template / "worked_small").hash == load_book(shipped_book("worked_small")).hash


def test_the_empty_book_asks_for_rows_and_nothing_else(template):
    with pytest.raises(BookError) as caught:
        load_book(template / "empty")
    asked = {(problem.file, problem.expected) for problem in caught.value.problems}
    needed = {(f"{name}.csv", "at least 1 row") for name, table in TABLES.items() if table.least}
    assert asked == needed


def test_headers_are_the_schema(template):
    for name, table in TABLES.items():
        with open(template / "empty" / f"{name}.csv", newline="", encoding="utf-8") as file:
            assert list(csv.reader(file)) == [list(table.names)]


def test_the_page_explains_every_column(template):
    page = (template / "README.md").read_text(encoding="utf-8")
    for name, table in TABLES.items():
        part = page.split(f"## {name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| {column.name} | {column.meaning} | {column.expected} |" in part


def test_nothing_is_written_over(template):
    with pytest.raises(FileExistsError, match="README.md"):
        write_template(template)
