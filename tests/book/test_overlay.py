"""A book over a shipped one: rows replace and add by key, contradictions are refused, files are named."""

import csv

import pytest

from engine.book.checks.problems import BookError
from engine.book.load import load_book, shipped_book
from engine.book.tables import TABLES
from engine.book.writing import write_book

ABOUT = "name,date,benchmark,second_benchmark,base,source,grade\nMine,2025-12-31,OLD,NEW,worked_small,me,C\n"
FIRMS = "firm,name,kind,hazard,source,grade\n"
LOANS = "loan,name,borrower,class,committed,drawn,maturity_month,coupon,source,grade\n"
HOLDINGS = "instrument,lender,share,source,grade\n"


@pytest.fixture(scope="module")
def small():
    return load_book(shipped_book("worked_small"))


def over(tmp_path, about=ABOUT, **tables: str):
    for name, text in {"about": about, **tables}.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def problems(folder):
    with pytest.raises(BookError) as caught:
        load_book(folder)
    return [str(each) for each in caught.value.problems]


def test_an_overlay_without_rows_is_the_book_below(tmp_path, small):
    book = load_book(over(tmp_path))
    for name in TABLES:
        if name != "about":
            assert book[name].equals(small[name]), name
    assert (book.about.name, book.about.date) == ("Mine", small.about.date) and book["about"]["base"][0] == ""
    assert book.repairs == ("lies over worked_small unchanged",)


def test_rows_replace_by_key_in_their_place_and_others_are_added_at_the_end(tmp_path, small):
    folder = over(
        tmp_path,
        firms=FIRMS + "MINE,My borrower,host,0.01,me,B\nSITE,Campus company,project,0.02,me,B\n",
        loans=LOANS + "MY_LOAN,My loan,MINE,HY_CONV,0.5,0.4,40,0.08,me,A\n",
        holdings=HOLDINGS + "MY_LOAN,LIFE,1,me,A\n",
    )
    book = load_book(folder)
    firms, before = book["firms"].set_index("firm"), small["firms"].set_index("firm")
    assert [*firms.index] == [*before.index, "MINE"]
    assert firms.loc["SITE", "hazard"] == 0.02 and firms.loc["SITE", "debt_multiple"] == 0.0  # the whole row
    assert firms.drop(["MINE", "SITE"]).equals(before.drop("SITE"))
    assert book["loans"].iloc[-1]["loan"] == "MY_LOAN" and len(book["loans"]) == len(small["loans"]) + 1
    assert book.repairs == (
        "lies over worked_small: rows of firms 1 added, 1 replaced; loans 1 added; holdings 1 added",
    )


def test_written_whole_it_is_the_same_book_without_a_base(tmp_path):
    (tmp_path / "over").mkdir()
    book = load_book(over(tmp_path / "over", firms=FIRMS + "MINE,My borrower,host,0.01,me,B\n"))
    assert load_book(write_book(book, tmp_path / "whole")).hash == book.hash


def test_a_base_that_no_book_has_is_refused(tmp_path):
    words = (
        "about.csv, row 2, column base: got 'sector', expected one of ai_credit_2025, worked_small, or blank"
    )
    assert problems(over(tmp_path, ABOUT.replace("worked_small", "sector"))) == [words]


def test_another_date_is_refused(tmp_path):
    [problem] = problems(over(tmp_path, ABOUT.replace("2025-12-31", "2026-06-30")))
    assert problem.startswith(
        "about.csv, row 2, column date: got '2026-06-30', expected 2025-12-31, the date of"
    )


@pytest.mark.parametrize(
    ("table", "text", "words"),
    [
        ("loans", LOANS + "HOST_NOTES,x,CLOUD,HY_CONV,1,1,40,0.08,me,A\n",
         "column borrower: got 'CLOUD', expected HOST"),
        ("firms", FIRMS + "CLOUD,GPU cloud,host,0.01,me,A\n", "column kind: got 'host', expected neocloud"),
    ],
)  # fmt: skip
def test_a_row_that_makes_something_else_of_a_key_is_refused(tmp_path, table, text, words):
    found = problems(over(tmp_path, **{table: text}))
    assert any(problem.startswith(f"{table}.csv, row 2, {words}") for problem in found), found


CHIPS = (
    "generation,name,release_month,price_kusd,list_price_kusd,rental_usd_per_hour,operating_cost_usd_per_hour,"
    "installed_million,source,grade\nOLD,Old,-30,10,20,2,0.5,0.0001,me,C\n"
)


def test_problems_name_the_file_they_are_in(tmp_path):
    """Chips of the book below are pledged beyond those that the overlay leaves installed."""
    with open(shipped_book("worked_small") / "pledges.csv", newline="", encoding="utf-8") as file:
        row = next(number for number, cells in enumerate(csv.reader(file), 1) if "OLD" in cells)
    found = problems(over(tmp_path, chips=CHIPS, firms=FIRMS + "CLOUD,GPU cloud,host,0.01,me,A\n"))
    assert any(
        each.startswith(f"worked_small/pledges.csv, row {row}, column thousand_units") for each in found
    )
    assert any(each.startswith("firms.csv, row 2, column kind") for each in found)


def test_a_key_twice_in_the_overlay_is_refused(tmp_path):
    found = problems(over(tmp_path, firms=FIRMS + 2 * "MINE,My borrower,host,0.01,me,B\n"))
    assert any(
        "firms.csv, row 3, column firm: got 'MINE', expected firm once (also in row 2)" in each
        for each in found
    )
