"""Baskets over dates against Hull and White's tables, closed forms, limits and hand calculations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.portfolio.basket import basket
from engine.portfolio.cliff import tranche_loss_law
from engine.portfolio.copulas import GAUSSIAN, DoubleT, StudentCopula
from engine.portfolio.vasicek import default_count

TIMES = np.arange(1, 21) / 4.0
HAZARD = 1.0 - np.exp(-0.01 * TIMES)
EDGES = [0.0, 0.03, 0.06, 0.10, 1.0]

NTH = {
    (GAUSSIAN, 0.0): (603, 98, 12, 1, 0, 0, 0, 0, 0, 0),
    (GAUSSIAN, 0.3): (440, 139, 53, 21, 8, 3, 1, 0, 0, 0),
    (GAUSSIAN, 0.6): (293, 137, 79, 49, 31, 19, 12, 7, 3, 1),
    (DoubleT(5, None), 0.3): (419, 127, 51, 24, 13, 8, 5, 3, 2, 1),
    (DoubleT(None, 5), 0.3): (474, 127, 44, 18, 7, 3, 1, 0, 0, 0),
    (DoubleT(5, 5), 0.3): (455, 116, 44, 22, 13, 8, 5, 4, 2, 1),
}
"""Hull and White (2004), Tables 2 and 3, basis points: ten names, hazard 1%, recovery 40%, 5 years, 5%."""

TRANCHES = {
    (GAUSSIAN, 0.1): (2279, 450, 89, 1),
    (GAUSSIAN, 0.3): (1487, 472, 203, 7),
    (DoubleT(None, 5), 0.3): (1766, 420, 161, 6),
    (DoubleT(5, None), 0.3): (1444, 408, 171, 10),
    (DoubleT(5, 5), 0.3): (1713, 359, 136, 9),
}
"""The same, Table 7: 100 names, tranches 0-3-6-10-100%."""


def hull_white(names, copula, rho):
    return basket(np.tile(HAZARD, (names, 1)).T, TIMES, lgd=0.6, loading=np.sqrt(rho), copula=copula)


@pytest.mark.parametrize("copula, rho", NTH)
def test_nth_to_default_is_hull_and_whites(copula, rho):
    """Within 2.5% or one basis point; QuantLib's test of two of the columns allows 1.5 and 1.7%."""
    spreads = hull_white(10, copula, rho).nth_to_default(0.05)["spread"] * 1e4
    for own, printed in zip(spreads, NTH[copula, rho], strict=True):
        assert own == pytest.approx(printed, rel=0.025, abs=1.01)


@pytest.mark.parametrize("copula, rho", TRANCHES)
def test_tranche_spreads_are_hull_and_whites(copula, rho):
    """Within 2.5% or one basis point (QuantLib allows 4%): they lose their own digits by bucketing."""
    spreads = hull_white(100, copula, rho).tranche_spreads(EDGES[:-1], EDGES[1:], 0.05)["spread"] * 1e4
    for own, printed in zip(spreads, TRANCHES[copula, rho], strict=True):
        assert own == pytest.approx(printed, rel=0.025, abs=1.01)


def test_every_date_is_the_finite_pool():
    ten = hull_white(10, GAUSSIAN, 0.3)
    for date in (0, 7, 19):
        np.testing.assert_allclose(
            ten.default_count()[date], default_count(10, HAZARD[date], 0.3), rtol=0.0, atol=1e-13
        )
    expected, chance = ten.tranche_loss_law([0.0, 0.1], [0.1, 1.0])
    for place, edges in enumerate(((0.0, 0.1), (0.1, 1.0))):
        want = tranche_loss_law(10, HAZARD[19], 0.6, 0.3, *edges)
        assert (expected[19, place], chance[19, place]) == pytest.approx(want, rel=1e-10)


def test_tranches_that_tile_lose_what_the_pool_loses():
    random = np.random.default_rng(4)
    pds = np.cumsum(random.uniform(0.0, 0.01, (20, 30)), axis=0)
    mixed = basket(pds, TIMES, random.integers(1, 9, 30), 0.5, random.uniform(0.1, 0.8, 30),
                   copula=StudentCopula(4), unit=0.5)  # fmt: skip
    expected, _ = mixed.tranche_loss_law(EDGES[:-1], EDGES[1:])
    whole = 0.5 * pds @ mixed.exposure / mixed.notional
    np.testing.assert_allclose(expected @ np.diff(EDGES), whole, rtol=1e-8)
    np.testing.assert_allclose(mixed.default_count() @ np.arange(31), pds.sum(axis=1), rtol=1e-8)


def test_independent_names_by_hand():
    """One date, no interest: P(at least n) of a binomial, paid over half a period's wear."""
    one = basket([[0.1] * 4], [1.0], lgd=0.6)
    reached = stats.binom(4, 0.1).sf(np.arange(4))
    table = one.nth_to_default()
    np.testing.assert_allclose(table["probability"], reached, rtol=1e-12)
    np.testing.assert_allclose(table["spread"], 0.6 * reached / (1.0 - 0.5 * reached), rtol=1e-12)


def test_comonotone_names_are_one():
    """Towards a correlation of one all default together, and each n-th to default is a single name's swap."""
    nearly = basket(np.full((1, 5), 0.1), [1.0], lgd=0.6, loading=np.sqrt(0.9999), nodes=20_001)
    spreads = nearly.nth_to_default()["spread"]
    np.testing.assert_allclose(spreads, 0.6 * 0.1 / 0.95, rtol=0.03)


def test_a_basket_of_one_is_a_default_swap():
    """LGD x hazard where premium and protection fall together; here premium waits half a quarter longer."""
    one = basket(HAZARD[:, None], TIMES, lgd=0.6, loading=0.7)
    table = one.nth_to_default(0.05, running=0.01)
    assert table["spread"][0] == pytest.approx(0.6 * 0.01 * np.exp(0.05 / 8), rel=2e-4)
    fair = table["protection"][0] - 0.01 * table["annuity"][0]
    assert table["up_front"][0] == pytest.approx(fair, rel=1e-12) and fair < 0.0


def test_rates_by_date():
    flat, curve = (hull_white(10, GAUSSIAN, 0.3).nth_to_default(rate) for rate in (0.05, np.full(20, 0.05)))
    pd.testing.assert_frame_equal(flat, curve)


def test_pandas_goes_in():
    frame = pd.DataFrame(np.tile(HAZARD, (3, 1)).T, index=TIMES, columns=list("abc"))
    lgd = pd.Series(0.6, list("abc"))
    np.testing.assert_array_equal(
        basket(frame, TIMES, lgd=lgd).default_count(), basket(frame.to_numpy(), TIMES).default_count()
    )
    with pytest.raises(ValueError, match="lgd: got the label 'c' at 0, expected 'a'"):
        basket(frame, TIMES, lgd=lgd.iloc[::-1])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"pd": [[0.1, 0.1], [0.2, 0.05]]}, r"pd\[1, 1\]: got 0.05, expected at least that of the date"),
        ({"pd": [0.1, 0.2]}, r"pd: got shape \(2,\), expected \(2, obligors\)"),
        ({"pd": [[0.1, 1.2], [0.2, 1.3]]}, r"pd\[0, 1\]: got 1.2"),
        ({"times": [1.0, 1.0]}, r"times\[1\]: got 1.0, expected more than the date before, 1"),
        ({"exposure": [1.0, 2.0]}, "unit: got None, expected one that divides every exposure x lgd"),
        ({"exposure": [1.0, 2.0], "unit": 0.35}, "unit: got 0.35"),
        ({"loading": [0.5, 1.5]}, "loading: got obligor 1: 1.5"),
    ],
)  # fmt: skip
def test_bad_baskets_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        basket(**({"pd": [[0.1, 0.1], [0.2, 0.2]], "times": [1.0, 2.0]} | change))


def test_bad_swaps_are_refused():
    two = basket([[0.1, 0.1]], [1.0], lgd=[0.5, 0.25], unit=0.25)
    with pytest.raises(ValueError, match=r"lgd\[1\]: got 0.25, expected that of all, 0.5"):
        two.nth_to_default()
    with pytest.raises(ValueError, match=r"detachment\[1\]: got 0.1, expected more than the attachment, 0.2"):
        two.tranche_spreads([0.0, 0.2], [0.1, 0.1])
    with pytest.raises(ValueError, match=r"rate: got shape \(2,\), expected one number or \(1,\)"):
        two.tranche_spreads([0.0], [0.1], rate=[0.1, 0.1])


def test_dates_by_name_are_those_of_the_probabilities():
    pds = pd.DataFrame([[0.01, 0.02], [0.02, 0.04]], index=["2026", "2027"])
    with pytest.raises(ValueError, match="rows of pd: got the label '2026' at 0, expected '2027'"):
        basket(pds, pd.Series([1.0, 2.0], index=["2027", "2026"]), loading=0.3)
    assert basket(pds, pd.Series([1.0, 2.0], index=["2026", "2027"])).default_count().shape == (2, 3)


def test_an_interest_rate_is_a_decimal():
    with pytest.raises(ValueError, match="rate: got 5.0, expected a number from -1 to 1"):
        basket([[0.01, 0.02]], [1.0]).nth_to_default(rate=5)
