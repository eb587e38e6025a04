"""Cells of a tape: each is read in one way, or refused with what was expected."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.book.tape import values
from engine.book.tape.values import Unclear

AMOUNTS = st.floats(0.0, 1e12).map(lambda value: round(value, 2))


@given(AMOUNTS, st.sampled_from(["${}", "{} USD", "USD {}", " {} ", "'{}"]))
def test_an_amount_in_groups_is_read_to_the_cent(value, form):
    amount = values.amount(form.format(f"{value:,.2f}"))
    assert amount.number == value and amount.scale is None
    assert amount.currency == ("USD" if "U" in form or "$" in form else None)


@given(AMOUNTS, st.sampled_from([("{}", None), ("€{}", "EUR"), ("{} EUR", "EUR")]))
def test_a_continental_amount_is_read_to_the_cent(value, form):
    text = f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
    amount = values.amount(form[0].format(text), ",")
    assert amount.number == value and amount.currency == form[1]


@given(st.floats(0.01, 999.0), st.sampled_from(sorted(values.SCALES)))
def test_a_scale_stands_behind_the_number(value, word):
    if word in ("000", "000s", "'000", "'000s"):
        return
    amount = values.amount(f"{value:.4f}{word}")
    assert amount.number == round(value, 4) and amount.scale == values.SCALES[word]


@given(AMOUNTS.filter(lambda value: value > 0.0), st.sampled_from(["({})", "-{}", "−{}", "{}-", "$({})"]))
def test_a_negative_amount_is_never_read(value, form):
    with pytest.raises(Unclear):
        values.amount(form.format(f"{value:,.2f}"))


@given(st.text(max_size=12))
def test_any_cell_is_a_number_of_at_least_zero_or_refused(cell):
    for mark in (".", ",", ""):
        try:
            amount = values.amount(cell, mark)
        except Unclear:
            continue
        assert amount.number >= 0.0 and math.isfinite(amount.number)


@pytest.mark.parametrize(
    ("cell", "dollars"),
    [("50m", 50e6), ("1.2bn", 1.2e9), ("$50 million", 50e6), ("250k", 250e3), ("US$1.5 mm", 1.5e6),
     ("2.5E+08", 2.5e8),
     ("250 000 000", 250e6), ("1'250'000", 1.25e6), ("0", 0.0), (".5bn", 5e8)],
)  # fmt: skip
def test_usual_amounts(cell, dollars):
    amount = values.amount(cell)
    assert amount.number * (amount.scale or 1.0) == pytest.approx(dollars, rel=1e-12)


@pytest.mark.parametrize(
    "cell",
    ["12,34,567", "1.2.3", "50x", "fifty", "12m bn", "1,00", "£$5", "50 XYZ", "~50m", "50-60m", "1,2345"],
)
def test_amounts_that_are_none(cell):
    with pytest.raises(Unclear):
        values.amount(cell)


@pytest.mark.parametrize(
    ("cell", "decimal", "floating"),
    [("6.25%", 0.0625, None), ("S+650", 0.065, True), ("s + 650bps", 0.065, True), ("SOFR+6.5%", 0.065, True),
     ("SOFR + 6.50%, 1.00% floor", 0.065, True), ("S+700 / 1.0% floor", 0.07, True), ("E+575", 0.0575, True),
     ("3M Euribor + 575 bps", 0.0575, True), ("625bp", 0.0625, None), ("9.5% fixed", 0.095, False),
     ("Fixed 9%", 0.09, False), ("S+6.5", 0.065, True), ("L+400", 0.04, True), ("0.0575", 0.0575, None),
     ("Prime + 2.25%", 0.0225, True), ("Term SOFR + 475", 0.0475, True)],
)  # fmt: skip
def test_rates(cell, decimal, floating):
    rate = values.rate(cell)
    assert rate.decimal == pytest.approx(decimal, rel=1e-12) and rate.floating is floating


@pytest.mark.parametrize(
    "cell", ["S+40", "S+", "6.25%-7%", "-5%", "(5%)", "LIBOR", "n.m.%", "6.25 % PIK and cash"]
)
def test_rates_that_are_none(cell):
    with pytest.raises(Unclear):
        values.rate(cell)


def test_bare_rates_have_one_unit_together():
    assert values.bare_unit([0.0575, 0.08, 0.0]) == "" and values.bare_unit([1.3, 5.75]) == "%"
    assert values.bare_unit([130.0, 575.0]) == "bp"
    for mixture in ([0.0575, 6.5], [0.7], [40.0], [6.0, 600.0]):
        with pytest.raises(Unclear):
            values.bare_unit(mixture)
    assert values.bare_share_unit([0.58, 1.2]) == "" and values.bare_share_unit([58.0, 70.0]) == "%"
    for mixture in ([0.58, 58.0], [3.0]):
        with pytest.raises(Unclear):
            values.bare_share_unit(mixture)


def test_the_mark_of_decimals_is_that_of_the_column():
    assert values.decimal_mark(["1,250", "99"]) == "." and values.decimal_mark(["1.250", "0,5"]) == ","
    assert values.decimal_mark(["1.250"], ",") == "," and values.decimal_mark(["1.5", "1,5"]) == ""
    assert values.number("1,5", "") == 1.5 and values.number("1.250,5", "") == 1250.5
    with pytest.raises(Unclear, match="comma or point"):
        values.number("1,250", "")


@pytest.mark.parametrize(
    ("cell", "units"), [("8192", 8192), ("5,120", 5120), ("5.12k", 5120), ("4,096 ", 4096)]
)
def test_counts(cell, units):
    assert values.count(cell) == units


@pytest.mark.parametrize("cell", ["1.5", "$500", "many", "-3"])
def test_counts_that_are_none(cell):
    with pytest.raises(Unclear):
        values.count(cell)


def test_yes_and_no():
    assert [values.yes(cell) for cell in ("Y", "yes", "TRUE", "x", "1")] == [True] * 5
    assert [values.yes(cell) for cell in ("N", "No", "FALSE", "0")] == [False] * 4
    with pytest.raises(Unclear):
        values.yes("perhaps")


def test_cells_that_say_nothing():
    assert all(values.nothing(cell) for cell in ("", " ", "n/a", "N/A", "–", "-", "TBD", "nil"))
    assert not values.nothing("0") and not values.nothing("no")
