"""Reading a book: what is accepted, what is refused and in which words, and what the hash is a hash of."""

import codecs
import csv
import dataclasses
import time

import numpy as np
import openpyxl
import pytest

from engine.book.cells import typed_cell
from engine.book.checks.problems import SHOWN, BookError, Problem, sentences
from engine.book.columns import Column
from engine.book.holdings import holding_shares
from engine.book.load import load_book, shipped_book
from engine.book.tables import TABLES


def workbook(folder, path, typed=True):
    """The folder's tables as one .xlsx file, numbers as numbers when `typed`."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for file in sorted(folder.glob("*.csv")):
        sheet = book.create_sheet(file.stem)
        with open(file, newline="", encoding="utf-8") as lines:
            for cells in csv.reader(lines):
                sheet.append([number(cell) if typed else cell for cell in cells])
    book.save(path)
    return path


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return cell or None


def told(path) -> list[Problem]:
    with pytest.raises(BookError) as caught:
        load_book(path)
    return list(caught.value.problems)


def test_types_and_defaults(small):
    book = load_book(small.folder)
    loans = book["loans"].set_index("loan")
    assert loans["committed"].dtype == np.float64
    assert loans["maturity_month"].dtype == np.int64 and loans["collateral"].dtype == np.int64
    assert loans.loc["CLOUD_NOTES", "tenor_months"] == 60
    assert loans.loc["CLOUD_NOTES", "guarantor"] == ""
    assert np.isnan(book["chips"].set_index("generation").loc["NEXT", "price_kusd"])
    assert book.name == "small" and book.path == small.folder
    assert [list(book[name].columns) for name in TABLES] == [list(table.names) for table in TABLES.values()]


def test_a_book_cannot_be_changed(small):
    book = load_book(small.folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        book.name = "other"
    with pytest.raises(TypeError):
        book.tables["loans"] = None


@pytest.mark.parametrize("typed", [True, False])
def test_a_workbook_is_the_same_book(small, tmp_path, typed):
    path = workbook(small.folder, tmp_path / "small.xlsx", typed)
    assert load_book(path).hash == load_book(small.folder).hash


def test_the_shipped_book_as_a_workbook(tmp_path):
    path = workbook(shipped_book("ai_credit_2025"), tmp_path / "shipped.xlsx")
    assert load_book(path).hash == load_book(shipped_book()).hash


def test_the_hash_is_of_the_content(small):
    before = load_book(small.folder).hash
    for table in TABLES:
        rows = small.read(table)
        small.write(table, [cells[::-1] for cells in rows])
    small.set("loans", 3, "coupon", "9.00e-2")
    assert load_book(small.folder).hash == before
    small.set("loans", 3, "coupon", "0.0901")
    assert load_book(small.folder).hash != before


def test_order_of_rows_is_content(small):
    before = load_book(small.folder).hash
    rows = small.read("contracts")
    small.write("contracts", [rows[0], *rows[:0:-1]])
    assert load_book(small.folder).hash != before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_of_the_same_text(small, encoding):
    before = load_book(small.folder).hash
    file = small.folder / "firms.csv"
    file.write_text(file.read_text(encoding="utf-8"), encoding=encoding)
    assert load_book(small.folder).hash == before


CELLS = {
    "a word for a number": ("loans", 3, "committed", "much", "a number of at least 0 (USD bn)"),
    "nan": ("loans", 3, "committed", "nan", "a number"),
    "infinity": ("loans", 3, "committed", "inf", "a number"),
    "overflow": ("loans", 3, "committed", "1e400", "a number"),
    "a thousands separator": ("loans", 3, "committed", "1,500", "a number"),
    "an underscore": ("loans", 3, "committed", "1_500", "a number"),
    "other digits": ("loans", 3, "committed", "١", "a number"),
    "negative": ("loans", 3, "committed", "-1", "of at least 0"),
    "above one": ("loans", 3, "base_recovery", "1.7", "in [0, 1]"),
    "zero where more is needed": ("pledges", 2, "thousand_units", "0", "above 0"),
    "half a month": ("loans", 3, "maturity_month", "47.5", "a whole number of at least 1 (months)"),
    "two for a flag": ("loans", 3, "collateral", "2", "0 or 1"),
    "blank": ("loans", 3, "coupon", "", "a number in [0, 1] (1/yr)"),
    "blank source": ("loans", 3, "source", " ", "text"),
    "a grade": ("loans", 3, "grade", "D", "one of A, B, C"),
    "a currency": ("about", 2, "currency", "EUR", "one of USD"),
    "a class": ("loans", 3, "class", "JUNK", "one of GPU_DDTL_1_2"),
    "a lower-case id": ("lenders", 3, "lender", "bank", "an id (capital letters, digits, _)"),
    "a date": ("history", 2, "date", "last year", "a date as 2031"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_bad_cell_is_named(small, name):
    table, row, column, value, words = CELLS[name]
    small.set(table, row, column, value)
    found = [p for p in small.problems() if (p.file, p.row, p.column) == (f"{table}.csv", row, column)]
    assert len(found) == 1
    assert words in found[0].expected
    assert found[0].value == (value.strip() or "blank")


def test_rows_are_numbered_as_an_editor_shows_them(small):
    rows = small.read("loans")
    rows[1][rows[0].index("name")] = "two\nlines"
    rows.insert(2, [""] * len(rows[0]))
    rows[3][rows[0].index("coupon")] = "much"
    small.write("loans", rows)
    assert {(p.row, p.column) for p in small.problems()} == {(2, "name"), (5, "coupon")}


def test_a_workbook_names_its_sheet(small, tmp_path):
    small.set("loans", 3, "coupon", "much")
    found = told(workbook(small.folder, tmp_path / "mine.xlsx"))
    assert [(p.file, p.row, p.column) for p in found] == [("mine.xlsx:loans", 3, "coupon")]


def test_tables_missing_and_unknown(small, tmp_path):
    (small.folder / "lenders.csv").rename(small.folder / "lender.csv")
    for path in (small.folder, workbook(small.folder, tmp_path / "mine.xlsx")):
        assert {"table lenders, which is missing", f"one of the tables {', '.join(TABLES)}"} <= {
            p.expected for p in told(path)
        }


@pytest.mark.parametrize("name", ["market", "history", "correlation"])
def test_a_table_that_may_be_absent(small, name):
    (small.folder / f"{name}.csv").unlink()
    assert len(load_book(small.folder)[name]) == 0


def test_columns_missing_unknown_and_twice(small):
    rows = small.read("loans")
    header = rows[0]
    header[header.index("coupon")] = "cupon"
    header[header.index("ltv_target")] = "drawn"
    small.write("loans", rows)
    found = {(p.row, p.column, p.expected.split(",")[0]) for p in small.problems() if p.file == "loans.csv"}
    assert (1, "coupon", "this column") in found
    assert (1, "cupon", "one of loan") in found
    assert (1, "drawn", "each column once") in found


FILES = {
    "empty": (b"", None, "a header line"),
    "header only": (b"loan,name\n", None, "at least 1 row"),
    "not text": (b"loan,name\nA,\xff\xfe\xfd\n", 2, "UTF-8 text"),
    "zero bytes": (b"loan,name\nA,\x00\n", 2, "UTF-8 text"),
    "an open quote": (b'loan,name\nA,"open\n', 2, "quotes closed"),
    "semicolons": (b"loan;name\nA;B\n", 1, "cells separated by commas"),
    "too few cells": (b"loan,name\nA\n", 2, "2 cells, as in the header"),
    "half of a UTF-16 pair": (codecs.BOM_UTF16_LE + b"l\x00o", 1, "UTF-8 text"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file(small, name):
    content, row, words = FILES[name]
    (small.folder / "loans.csv").write_bytes(content)
    assert any(p.file == "loans.csv" and p.row == row and words in p.expected for p in small.problems())


def test_a_place_without_a_book(tmp_path):
    (tmp_path / "text.txt").write_text("no book", encoding="utf-8")
    (tmp_path / "damaged.xlsx").write_bytes(b"no archive")
    (tmp_path / "empty").mkdir()
    assert told(tmp_path / "nowhere")[0].expected == "a folder of CSV files or one .xlsx file"
    assert told(tmp_path / "text.txt")[0].expected == "a folder or a file ending in .xlsx"
    assert told(tmp_path / "damaged.xlsx")[0].expected == "a readable .xlsx workbook"
    assert "table loans, which is missing" in {p.expected for p in told(tmp_path / "empty")}


def test_the_message_is_a_list_with_an_end():
    problems = [Problem("loans.csv", 2 * row, "drawn", "2", "at most 1") for row in range(1, 1 + SHOWN + 7)]
    text = str(BookError(problems))
    assert text.startswith(f"{SHOWN + 7} problems in the book:")
    assert "  loans.csv, row 2, column drawn: got '2', expected at most 1" in text
    assert text.endswith("... and 7 more")
    assert text.count("\n") == SHOWN + 1
    assert len(BookError(problems).problems) == SHOWN + 7


def test_alike_problems_of_rows_in_a_line_are_one():
    rows = [(2, "2"), (3, "2"), (4, "3"), (5, "3"), (7, "3"), (None, "3")]
    problems = [Problem("loans.csv", row, "drawn", value, "at most 1") for row, value in rows]
    problems.append(Problem("holdings.csv", 8, "drawn", "3", "at most 1"))
    assert [line.partition(":")[0] for line in sentences(problems)] == [
        "loans.csv, rows 2 to 3, column drawn",
        "loans.csv, rows 4 to 5, column drawn",
        "loans.csv, row 7, column drawn",
        "loans.csv, column drawn",
        "holdings.csv, row 8, column drawn",
    ]
    assert len(BookError(problems).problems) == 7


def test_a_book_that_is_not_shipped():
    with pytest.raises(ValueError, match="expected one of ai_credit_2025, worked_small"):
        shipped_book("moon_2030")


def test_a_blank_optional_number_is_its_default():
    column = Column("x", "number", "", default=2.5)
    assert typed_cell(column, "") == (2.5, True)
    assert typed_cell(column, "3") == (3.0, True)


def test_blank_holdings_are_filled_by_capital(small):
    book = load_book(small.folder)
    shares = holding_shares(book.tables).set_index(["instrument", "lender"])["share"]
    bank, life = 5.0, 4.0
    assert shares["CLOUD_GPU", "FUND"] == 0.6
    assert shares["CLOUD_GPU", "BANK"] == pytest.approx(0.4 * bank / (bank + life), rel=1e-12)
    assert shares["CLOUD_GPU", "LIFE"] == pytest.approx(0.4 * life / (bank + life), rel=1e-12)


def test_a_loan_of_a_pool_takes_the_pools_holders_unless_it_has_its_own(small):
    shares = holding_shares(load_book(small.folder).tables)
    holders = shares.groupby("instrument")["lender"].agg(set)
    assert holders["OBLIGOR_1_LOAN"] == {"FUND", "BANK"}
    assert holders["OBLIGOR_2_LOAN"] == holders["OBLIGOR_3_LOAN"] == {"FUND", "LIFE", "PENSION"}
    assert "CREDIT" not in holders
    assert np.allclose(shares.groupby("instrument")["share"].sum(), 1.0, rtol=0, atol=1e-12)


def test_loading_is_quick():
    start = time.process_time()
    load_book(shipped_book())
    assert time.process_time() - start < 5.0


def test_a_book_of_one_loan(small):
    """No pools, tranches, contracts, pledges or vehicles: every table but the needed ones is a header."""
    for table in (
        "pools",
        "tenants",
        "pledges",
        "security",
        "tranches",
        "contracts",
        "interlender",
        "priors",
    ):
        small.write(table, small.read(table)[:1])
    small.write("firms", [small.read("firms")[i] for i in (0, 3)])
    small.write("loans", [small.read("loans")[i] for i in (0, 5)])
    small.write("holdings", [small.read("holdings")[i] for i in (0, 10)])
    small.write("lenders", [small.read("lenders")[i] for i in (0, 5)])
    small.write("incidence", [small.read("incidence")[i] for i in (0, 9, 10)])
    small.set("holdings", 2, "lender", "PENSION")
    small.set("lenders", 2, "lending_weight", "1")
    book = load_book(small.folder)
    assert holding_shares(book.tables)[["instrument", "lender", "share"]].to_numpy().tolist() == [
        ["HOST_NOTES", "PENSION", 1.0]
    ]
