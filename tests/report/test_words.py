"""Number formats: what a reader sees."""

import math

import pytest

from engine.report import words
from engine.results.horizons import horizon_months, horizon_name, horizon_words, horizon_years, joined


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0"), (0.4213, "0.42"), (3.14, "3.1"), (25.84, "25.8"), (99.96, "100"), (148.2, "148"),
     (1204.3, "1,204"), (None, "–"), (math.nan, "–"), (math.inf, "–")],
)  # fmt: skip
def test_amounts_have_three_figures(value, said):
    assert words.amount(value) == said


@pytest.mark.parametrize(
    ("error", "beside", "said"),
    [(1.64, 148.2, "2"), (0.21, 148.2, "0.2"), (0.04, 3.1, "0.04"), (0.0, 0.0, "0")],
)
def test_errors_keep_a_figure_of_their_own(error, beside, said):
    assert words.error(error, beside) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0005, "0.05%"),
        (0.0312, "3.1%"),
        (0.26, "26%"),
        (0.0, "0%"),
        (9.2, "920%"),
        (933.58, "934x"),
        (-0.05, "-5.0%"),
        (-0.00001, "0.00%"),
        (None, "–"),
    ],
)
def test_shares_are_percent(value, said):
    assert words.share(value) == said


@pytest.mark.parametrize("months", [12, 18, 60, 120])
def test_horizon_names_come_back(months):
    assert horizon_months(horizon_name(months)) == months


def test_horizons_in_words():
    assert horizon_years("1y") == "1 year" and horizon_words("5y") == "five years"
    assert horizon_words("18m") == "18 months"


def test_words_in_a_row():
    assert [joined(list(row)) for row in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_ratios_of_unknown_things_are_unknown():
    assert words.ratio(1.0, 4.0) == 0.25
    assert (
        words.ratio(1.0, 0.0) is None
        and words.ratio(None, 1.0) is None
        and words.ratio(1.0, math.nan) is None
    )


def test_names_keep_their_letters_within_a_sentence():
    assert words.lower_first("Taxpayers of the state") == "taxpayers of the state"
    assert words.lower_first("OpenAI holders") == "OpenAI holders"
    assert words.lower_first("US pensions") == "US pensions"
    assert words.class_name("OUR_LPS") == "Our LPs" and words.class_name("BANK") == "Banks"
