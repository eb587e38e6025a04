"""The backtest: what counts as known, Systems of the past without the future in them, and scores."""

import dataclasses

import jax
import numpy as np
import pandas as pd
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.samplers import PSEUDO_RANDOM
from engine.learn.backtest.backtest import Inputs, predicted, scored
from engine.learn.backtest.observed import (
    Forecast,
    Observation,
    Quantity,
    forecasts,
    observed,
    quantity_of,
    quarter_of,
)
from engine.learn.backtest.origins import Past
from engine.learn.backtest.scores import coverage, next_only, pit_shares
from engine.learn.backtest.simulation import Market
from engine.paths.replay import replay
from engine.run.plan import Plan

SERIES = {
    "AI_REVENUE": "revenue", "OPENAI_REVENUE": "lab OAI", "OPENAI_RUN_RATE": "lab OAI",
    "RENT_H100": "rent H100", "RENT_A100": "rent A100", "RENT_H200": "rent H200", "TOP4_CAPEX": "capex",
    "NVIDIA_DATACENTRE_REVENUE": "capex", "SOFR": "rate",
}  # fmt: skip
GAINS = {"H100": 2.28, "H200": 1.20, "B200": 1.95, "GB200": 1.05}


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="module")
def past(book, year):
    return Past(
        book,
        Parameters(),
        year,
        observed(book, SERIES),
        GAINS,
        400.0,
        "TOP4_CAPEX",
        "NVIDIA_DATACENTRE_REVENUE",
    )


def quote(name, start, end, value, kind="rent H100", level=None):
    return Observation(f"{name} {end}", level or name, Quantity(*kind.split()), start, end, value)


@pytest.mark.parametrize(
    ("month", "quarter"),
    [(-3.0, -3), (-2.8, -3), (-2.0, -3), (-1.9, 0), (-0.2, 0), (0.0, 0), (-24.0, -24), (-25.0, -24)],
)
def test_a_quarter_takes_what_ends_up_to_a_month_after_it(month, quarter):
    assert quarter_of(month) == quarter


def test_a_forecast_is_made_from_what_was_known_and_counts_once():
    """Quotes at months -24, -15 and -6: from origins -24 to -18 the first is the latest, then the second."""
    rows = [quote("RENT", end - 3.0, end, 2.0) for end in (-24.0, -15.0, -6.0)]
    pairs = {(pair.known.end, pair.target.end): pair.origins for pair in forecasts(rows, -24, -3, 4)}
    assert pairs == {
        (-24.0, -15.0): (-24, -21, -18),
        (-24.0, -6.0): (-18,),
        (-15.0, -6.0): (-15, -12, -9),
    }


def test_a_year_that_had_begun_is_no_forecast():
    """A run-rate of July does not forecast the revenue of that year, half over by then."""
    rate = quote("LAB_RUN_RATE", -5.03, -5.0, 12.0, "lab OAI", "LAB")
    flow, later = (
        quote("LAB_REVENUE", *span, 13.0, "lab OAI", "LAB") for span in ((-12.0, 0.0), (0.0, 12.0))
    )
    assert [pair.target.end for pair in forecasts([rate, flow, later], -6, -3, 8)] == [12.0]


def test_the_last_of_a_quarter_counts():
    rows = [quote("CDS", -3.0, -3.0, 1.0), quote("CDS", -1.2, -1.2, 2.0), quote("CDS", -0.4, -0.4, 3.0)]
    assert [pair.target.value for pair in forecasts(rows, -3, -3, 4)] == [3.0]


def test_a_flow_is_compared_with_the_mean_of_its_months():
    year = quote("REVENUE", -12.0, 0.0, 60.0, "revenue")
    assert year.month == -6 and year.months_after(-18) == tuple(range(7, 19))
    assert quote("CAPEX", -12.0, 0.0, 60.0, "capex").month == 0
    assert quote("SHARE", -0.77, -0.73, 86.0).months_after(-9) == (8,)


def test_the_shipped_history_holds_something_of_every_kind(book):
    pairs = forecasts(observed(book, SERIES), -24, -3, 4)
    assert {pair.target.quantity.kind for pair in pairs} == {"revenue", "lab", "rent", "capex", "rate"}
    assert all(pair.known.quarter <= min(pair.origins) for pair in pairs)
    assert all(max(pair.origins) < pair.target.quarter <= min(pair.origins) + 24 for pair in pairs)


def test_the_system_of_the_book_s_date_is_the_book_s(past, year):
    """At month 0 units and releases are the book's; rents are the last quotes."""
    table = past.chips(0)
    np.testing.assert_allclose(table["installed_million"], past.book["chips"]["installed_million"])
    assert table["release_month"].tolist() == past.book["chips"]["release_month"].tolist()
    assert past.capex(0) == pytest.approx(Parameters().chips.capex)


def test_a_past_system_has_the_quotes_and_the_chips_of_its_month(past):
    table = past.chips(-12).set_index("generation")
    assert table.loc["H100", "rental_usd_per_hour"] == 2.99
    assert table.loc["H200", "rental_usd_per_hour"] == 4.5
    assert table.loc["A100", "rental_usd_per_hour"] == 2.0
    assert table.loc["B200", "release_month"] == 0 and table.loc["GB200", "release_month"] == 2
    assert table.loc["GB200", "installed_million"] == 0.0
    assert table.loc["GB200", "performance_gain"] == 1.05
    assert 0.0 < table.loc["H200", "installed_million"] < 1.5
    assert past.capex(-12)[0] == pytest.approx(710.0 * 251.2 / 384.0)


@pytest.mark.parametrize("month", [-18, -12, -6])
def test_nothing_that_came_later_moves_a_past_system(past, month):
    """Tripling every later observation changes no number: but for the scale of chips bought."""
    later = [
        dataclasses.replace(row, value=3.0 * row.value)
        if row.month > month + 1 and row.level != "NVIDIA_DATACENTRE" and row.series != "TOP4_CAPEX"
        else row
        for row in past.rows
    ]
    one, two = past(month), dataclasses.replace(past, rows=later)(month)
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.fixture(scope="module")
def market(year):
    """512 paths of a year from the book's date."""
    names = ("revenue", "rent H100", "spread CRWV", "equity CRWV", "lab OAI", "capex", "rate")
    simulate = Market([quantity_of(name) for name in names], year.names)
    return simulate(year, Plan(paths=512, block=512, seed=7), PSEUDO_RANDOM)


def test_the_market_is_the_engine_s_own(year, market):
    """Month 1 of the full model reads a whole supply of credit too: path by path the same."""
    firm, lab = year.names.firms.index("CRWV"), year.names.firms.index("OAI")
    for path in (0, 9):
        _, info = replay(year, 7, path)
        full = {
            "revenue": info.economy.revenue[0] / 60.0,
            "rent H100": info.chips.rent[0, 1] / year.chips.rental[1],
            "spread CRWV": info.revenue.spread[0, firm],
            "equity CRWV": info.revenue.value[0, firm] / year.firms.equity_value[firm],
            "lab OAI": info.revenue.direct[0, lab] / (year.firms.revenue_share[lab] * 60.0),
            "capex": info.chips.capex[0] / 710.0,
            "rate": info.economy.rate[0] - 0.037,
        }
        for quantity, values in market.items():
            expected = float(full[str(quantity)])
            assert values[0, path] == pytest.approx(expected, rel=2e-5, abs=1e-7), str(quantity)


def test_forecasts_of_the_model_s_own_paths_hold_nine_in_ten(market):
    """What one path does is in the 90% band of all in 90% of paths, and its PIT is uniform."""
    ratios, known = market[Quantity("revenue")], quote("R", -12.0, 0.0, 60.0, "revenue")
    rows = []
    for path in range(0, 512, 2):
        came = 60.0 * float(ratios[5:11, path].mean())
        pair = Forecast(known, quote("R", -1.0, 5.0, came, "revenue"), (0,))
        rows.append(scored(pair, predicted(pair, ratios, 0.0, 7)))
    assert np.mean([row.hit for row in rows]) == pytest.approx(0.9, abs=4.0 * (0.09 / 256) ** 0.5)
    assert np.abs(pit_shares(np.array([row.pit for row in rows])) - 0.1).max() < 4.5 * (0.09 / 256) ** 0.5


def test_errors_of_observation_widen_a_band():
    """Without any other noise ln(high/low) of the 90% band is 2 x 1.645 x sqrt(2) x error."""
    pair = forecasts([quote("R", -9.0, -6.0, 2.0), quote("R", -6.0, -3.0, 2.0)], -6, -6, 4)[0]
    row = scored(pair, predicted(pair, np.ones((12, 40_000)), 0.10, 7))
    assert row.width == pytest.approx(2.0 * 1.645 * 2.0**0.5 * 0.10, rel=0.02)


def test_the_interval_of_a_share_resamples_whole_quantities():
    """Two quantities of many equal forecasts are worth two, not many."""
    rows = pd.DataFrame({"quantity": ["a"] * 50 + ["b"] * 50, "hit": [True] * 50 + [False] * 50})
    covered = coverage(rows, 7)
    assert covered.share == 0.5 and (covered.low, covered.high) == (0.0, 1.0)
    alone = coverage(rows.assign(quantity=[str(place) for place in range(100)]), 7)
    assert 0.35 < alone.low < 0.45 and 0.55 < alone.high < 0.65


def test_next_observations_alone_do_not_overlap():
    rows = pd.DataFrame({"level": ["a", "a", "a"], "known": ["1", "1", "2"], "months": [9.0, 3.0, 6.0]})
    assert next_only(rows)["months"].tolist() == [3.0, 6.0]


def test_inputs_that_no_series_matches_make_no_forecast(book):
    inputs = Inputs({"NO_SERIES": "revenue"}, -24, -3, 4, {}, 400.0, "", "", {})
    assert observed(book, inputs.series) == []
    assert forecasts([], -24, -3, 4) == []


def test_a_system_of_the_past_runs_as_long_as_asked(book):
    system = build_system(book, Parameters(), 24)
    assert Past(book, Parameters(), system, [], {}, 400.0, "", "")(-12).calendar.month.shape == (24,)
