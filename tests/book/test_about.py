"""What a book says of itself: dates and their names, the assumed row, capex by calendar year."""

import pytest

from engine.book.about import About, about_from
from engine.book.load import load_book

WINTER = About("A book", "2031-12-31", "USD", ("A1", "B2"), {"ABS": "Rent bonds"})
SPRING = About("A book", "2031-05", "USD", ("A1",), {})


@pytest.mark.parametrize(
    ("about", "period", "month"),
    [(WINTER, "2031", 0), (WINTER, "2031Q3", -3), (WINTER, "2030-12", -12), (WINTER, "2032-01-31", 1),
     (SPRING, "2031", 7), (SPRING, "2031Q1", -2)],
)  # fmt: skip
def test_months_count_from_the_date(about, period, month):
    assert about.month(period) == month


def test_quarters_and_years_of_the_run_have_names():
    assert [WINTER.quarter_name(quarter) for quarter in (1, 4, 5)] == ["Q1 2032", "Q4 2032", "Q1 2033"]
    assert [WINTER.year_name(year) for year in (1, 2)] == ["2032", "2033"]
    assert SPRING.quarter_name(3) == "the quarter to February 2032"
    assert SPRING.year_name(2) == "the year to May 2033" and WINTER.year == 2032.0


def test_a_class_without_a_name_is_its_id_in_words():
    assert WINTER.class_name("ABS") == "Rent bonds" and WINTER.class_name("CLUB_DEALS") == "Club deals"


def test_it_is_read_back_from_a_summary():
    assert about_from(WINTER.entry() | {"benchmarks": ["A1", "B2"]}) == WINTER


def test_a_book_that_does_not_say_is_dated_as_the_shipped_one(small):
    before = load_book(small.folder)
    (small.folder / "about.csv").unlink()
    book = load_book(small.folder)
    assert book.repairs == (
        "about: absent, taken as date 2025-12-31, currency USD, benchmark OLD, second_benchmark NEW",
    )
    assert book.about.name == "small" and book.about.date == before.about.date
    small.drop("chips", 3)
    small.drop("pledges", 3)
    assert load_book(small.folder).about.benchmarks == ("OLD",)


def test_capex_may_be_given_by_calendar_year(small):
    """capex_2027 is that of the second year after December 2025; of another date it is no column."""
    before = load_book(small.folder)
    rows = small.read("firms")
    names = {"capex_1": "capex_2026", "capex_2": "capex_2027"}
    small.write("firms", [[names.get(cell, cell) for cell in rows[0]], *rows[1:]])
    assert load_book(small.folder).hash == before.hash and before["firms"]["capex_2"].any()
    small.set("about", 2, "date", "2026-12-31")
    assert ("firms.csv", 1, "capex_2026") in {(p.file, p.row, p.column) for p in small.problems()}


def test_without_classes_every_id_is_one(small):
    small.write("classes", small.read("classes")[:1])
    small.set("loans", 3, "class", "JUNK")
    book = load_book(small.folder)
    assert book.about.class_name("JUNK") == "Junk" and "JUNK" in set(book["loans"]["class"])
