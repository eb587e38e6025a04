"""Plausibility: ratings, CDS and histories worked by hand."""

import math

import pandas as pd
import pytest

from engine.results import plausibility


@pytest.mark.parametrize(
    ("rating", "category"),
    [("B+", "B"), ("BBB", "BBB"), ("AAA", "AAA"), ("AA-", "AA"), ("Ba2", "BB"), ("Baa3", "BBB"),
     ("Aa1", "AA"), ("Caa1", "CCC"), ("A-", "A"), ("A2", "A"), ("", None), ("NR", None), ("unrated", None)],
)  # fmt: skip
def test_ratings_lose_their_notch(rating, category):
    assert plausibility.rating_category(rating) == category


def test_a_cds_of_150_basis_points_by_hand():
    # 0.015 / 0.6 = 2.5% a year risk-neutral, over 6 for investment grade and 2.5 below.
    assert plausibility.cds_pd(150.0, "BBB") == pytest.approx(1.0 - math.exp(-0.025 / 6.0))
    assert plausibility.cds_pd(150.0, "B") == pytest.approx(1.0 - math.exp(-0.01))
    assert plausibility.cds_pd(150.0, "") == plausibility.cds_pd(150.0, "B")


def test_five_years_of_the_same_spread_by_hand():
    assert plausibility.cds_pd(150.0, "B", 5) == pytest.approx(1.0 - math.exp(-0.05))
    assert plausibility.rating_pd("B+", 5) == 0.17 and math.isnan(plausibility.rating_pd("NR", 5))


def test_bands_are_those_of_the_fans_at_year_ends(results):
    table = results.tables["plausibility_bands"].set_index(["series", "month"])
    fans = results.tables["fans"].set_index(["series", "month"])
    assert set(table.index.get_level_values("month")) == {12, 24, 36}
    for key in (("revenue", 36), ("rent_h100", 12)):
        assert table.loc[key].tolist() == fans.loc[key, ["p05", "p50", "p95"]].tolist()


def test_the_cds_is_preferred_to_the_rating(results, run):
    table = results.tables["plausibility_pd"].set_index("firm")
    oracle = run.book.tables["firms"].set_index("firm").loc["ORCL"]
    assert table.loc["ORCL", "basis"] == "CDS" and table.loc["META", "basis"] == "rating"
    expected = plausibility.cds_pd(oracle["cds_bps"], oracle["rating"])
    assert table.loc["ORCL", "implied_pd_1y"] == pytest.approx(expected)
    assert table.loc["OAI", "basis"] == "" and math.isnan(table.loc["OAI", "ratio"])
    assert not table.index.str.startswith("UNNAMED").any()


@pytest.mark.parametrize(
    ("date", "month"), [("2025", 0), ("2025Q4", 0), ("2025Q3", -3), ("2024-12", -12), ("2026-01-31", 1)]
)
def test_dates_count_from_the_date_of_the_book(run, date, month):
    assert run.book.about.month(date) == month


def test_declines_are_annual_rates_of_the_last_21_months(results):
    """Rents before month -21, March 2024, do not count: from 4.0 to 2.1 in 21 months."""
    history = pd.DataFrame({"series": "H100", "month": [-24, -21, -9, 0], "value": [9.0, 4.0, 3.0, 2.1]})
    fans = results.tables["fans"]
    table = plausibility.declines(fans, history, results.about).set_index("what")
    observed = table.loc["H100 rent, observed"]
    assert observed["years"] == pytest.approx(1.75)
    assert observed["annual_change"] == pytest.approx((2.1 / 4.0) ** (1 / 1.75) - 1.0)
    price = fans[fans["series"] == "price_h100"].set_index("month")["p50"]
    simulated = table.loc["H100 price, run, median over 3 years"]
    assert simulated["annual_change"] == pytest.approx((price[36] / price[1]) ** (12 / 35) - 1.0)
    assert "H100 price, run, median over 5 years" not in table.index


def test_losses_stand_beside_the_prototype(results):
    table = results.tables["plausibility_losses"].set_index(["horizon", "measure"])
    row = table.loc[("3y", "es_99")]
    assert row["run"] == results.system("3y")["es_99"] and row["prototype"] == 95.6
    assert row["ratio"] == pytest.approx(row["run"] / 95.6)
    assert row["run_share"] == pytest.approx(row["run"] / results.system("3y")["exposure"])


def test_regimes_at_the_horizons(results):
    table = results.tables["plausibility_regimes"]
    assert table.groupby("horizon")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert table["prototype"].isna().all()  # the prototype's shares are those of month 60


def test_the_prototype_s_regimes_stand_at_month_60(run):
    regimes = pd.DataFrame({"month": [60], "boom": [0.5], "plateau": [0.3], "bust": [0.2]})
    table = plausibility.regime_shares(regimes, ["5y"], plausibility.references_of(run.book))
    assert table["prototype"].sum() == pytest.approx(1.0) and table["share"].tolist() == [0.5, 0.3, 0.2]
