"""Dates of a tape: usual forms in one way, orders settled by the column or refused."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.book.tape import dates
from engine.book.tape.values import Unclear

DAYS = st.dates(datetime.date(2001, 1, 1), datetime.date(2099, 12, 31))
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d.%m.%Y", "%d-%b-%y",
    "%Y-%m-%d 00:00:00",
)  # fmt: skip


@given(DAYS, st.sampled_from(FORMS))
def test_forms_with_one_reading(day, form):
    assert dates.date(day.strftime(form)) == day


@given(DAYS)
def test_serial_numbers_count_from_the_end_of_1899(day):
    """1 January 2000 is 36,526 in every spreadsheet program."""
    assert dates.date("36526") == datetime.date(2000, 1, 1)
    assert dates.date(str((day - datetime.date(1899, 12, 30)).days)) == day


@given(DAYS)
def test_numbers_by_the_order_of_the_column(day):
    assert dates.date(day.strftime("%d/%m/%Y"), dates.DAY) == day
    assert dates.date(day.strftime("%m/%d/%Y"), dates.MONTH) == day or day.day > 12


@given(DAYS.filter(lambda day: day.day <= 12 and day.day != day.month))
def test_either_order_alone_is_refused(day):
    with pytest.raises(Unclear, match="day first or month first"):
        dates.date(day.strftime("%d/%m/%Y"))


@pytest.mark.parametrize(
    ("cell", "day"),
    [("Q3 2028", "2028-09-30"), ("2028Q3", "2028-09-30"), ("3Q28", "2028-09-30"), ("Dec-27", "2027-12-31"),
     ("Feb 2028", "2028-02-29"), ("2028", "2028-12-31"), ("2028-02", "2028-02-29"), 
     ("30/06/27", "2027-06-30"),
     ("06/30/2028", "2028-06-30"), ("05/05/2028", "2028-05-05"), ("1st Jul 2030", "2030-07-01"),
     ("31.03.29", "2029-03-31")],
)  # fmt: skip
def test_months_quarters_and_clear_numbers(cell, day):
    assert dates.date(cell) == datetime.date.fromisoformat(day)


@pytest.mark.parametrize(
    "cell", ["31-Feb-2029", "2029-13-01", "13/13/2029", "soon", "5 years", "12", "99999999", "2/30"]
)
def test_dates_that_are_none(cell):
    with pytest.raises(Unclear):
        dates.date(cell)


def test_clear_cells_settle_the_order_of_a_column():
    assert dates.order_of(["30/06/2028", "03/04/2028", "x"]) == dates.DAY
    assert dates.order_of(["06/30/2028", "03/04/2028"]) == dates.MONTH
    assert dates.order_of(["03/04/2028"]) is None and dates.order_of(["30/06/2028", "06/30/2028"]) is None
