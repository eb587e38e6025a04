"""The recursion against closed forms, enumeration and finer integration; measures by hand."""

import itertools
import json
import pathlib

import numpy as np
import pytest
from scipy import stats

from engine.portfolio.distribution import LossDistribution
from engine.portfolio.recursion import exact_distribution, shortfall_contributions
from engine.portfolio.vasicek import default_count, expected_shortfall, loss_quantile

ORACLES = pathlib.Path(__file__).parents[1] / "oracles"
ROUNDING = 1e-13
"""Of a few thousand additions of float64 probabilities."""

TEN = {
    "pd": np.asarray([0.10, 0.05, 0.02, 0.08, 0.15, 0.03, 0.06, 0.01, 0.5, 0.9]),
    "exposure": np.asarray([2.0, 4.0, 10.0, 6.0, 3.0, 5.0, 8.0, 12.0, 2.0, 4.0]),
    "lgd": np.asarray([0.5, 0.5, 0.4, 0.5, 1.0, 0.4, 0.25, 0.75, 0.5, 0.25]),
    "loading": np.asarray([0.5, 0.3, 0.6, 0.4, 0.2, -0.5, 0.7, 0.45, 0.6, 0.8]),
}


def enumerated(pd, exposure, lgd, loading, nodes=2001):
    """All 2^n sets of defaults: their losses in units and probabilities, and each obligor's part."""
    z = np.linspace(-9.0, 9.0, nodes)
    weights = stats.norm.pdf(z) * (z[1] - z[0])
    p = stats.norm.cdf((loading * z[:, None] - stats.norm.isf(pd)) / np.sqrt(1.0 - loading**2))
    sets = np.asarray(list(itertools.product((0, 1), repeat=len(pd))))
    joint = np.ones((nodes, len(sets)))
    for k in range(len(pd)):
        joint *= np.where(sets[:, k], p[:, [k]], 1.0 - p[:, [k]])
    parts = sets * exposure * lgd
    return np.rint(parts.sum(axis=1)).astype(np.int64), weights @ joint, parts


def pool(n=300, seed=0):
    """A heterogeneous portfolio."""
    random = np.random.default_rng(seed)
    return {
        "pd": random.uniform(0.001, 0.05, n),
        "exposure": random.integers(1, 20, n).astype(float),
        "loading": random.uniform(0.2, 0.7, n),
    }


def test_independent_obligors_are_binomial():
    oracle = json.loads((ORACLES / "11_vasicek_finite_pool_and_binomial.json").read_text())["ore_binomial"]
    given = oracle["inputs"]
    found = exact_distribution(np.full(given["obligors"], given["pd"]), float(given["loss"]))
    exact = stats.binom(given["obligors"], given["pd"]).pmf(np.arange(given["obligors"] + 1))
    np.testing.assert_allclose(found.pmf, exact, rtol=0.0, atol=ROUNDING)


def test_independent_obligors_of_two_sizes_are_a_convolution_of_binomials():
    found = exact_distribution(np.repeat([0.02, 0.05], 40), np.repeat([1.0, 3.0], 40))
    large = np.zeros(121)
    large[::3] = stats.binom(40, 0.05).pmf(np.arange(41))
    exact = np.convolve(stats.binom(40, 0.02).pmf(np.arange(41)), large)
    np.testing.assert_allclose(found.pmf, exact, rtol=0.0, atol=ROUNDING)


@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5])
def test_equal_obligors_are_the_finite_pool(rho):
    found = exact_distribution(np.full(200, 0.02), 1.0, 1.0, np.sqrt(rho))
    np.testing.assert_allclose(found.pmf, default_count(200, 0.02, rho), rtol=0.0, atol=ROUNDING)


def test_many_equal_obligors_approach_the_limit():
    found = exact_distribution(np.full(1000, 0.02), 1.0, 1.0, np.sqrt(0.2))
    # The discreteness and the granularity of 1,000 names are worth about three names.
    assert found.value_at_risk(0.999) / 1000 == pytest.approx(
        float(loss_quantile(0.999, 0.02, 0.2)), abs=5e-3
    )
    assert found.expected_shortfall(0.999) / 1000 == pytest.approx(
        expected_shortfall(0.999, 0.02, 0.2), abs=5e-3
    )


def test_ten_different_obligors_are_enumerated():
    units, probability, _ = enumerated(**TEN)
    found = exact_distribution(**TEN)
    np.testing.assert_allclose(found.pmf, np.bincount(units, probability), rtol=0.0, atol=ROUNDING)
    assert found.unit == 1.0 and found.pmf.sum() == pytest.approx(1.0, abs=ROUNDING)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_contributions_of_ten_different_obligors_are_enumerated(level):
    units, probability, parts = enumerated(**TEN)
    var = exact_distribution(**TEN).value_at_risk(level)
    beyond, atom = units > var, units == var
    share = (1.0 - level - probability[beyond].sum()) / probability[atom].sum()
    exact = (probability * (beyond + share * atom)) @ parts / (1.0 - level)
    found = shortfall_contributions(**TEN, level=level)
    # Differences of probabilities to 1e-13 over 1 - level.
    np.testing.assert_allclose(found, exact, rtol=0.0, atol=10.0 * ROUNDING / (1.0 - level))


@pytest.mark.parametrize("level", [0.9, 0.99, 0.999])
def test_contributions_add_up_to_the_shortfall(level):
    given = pool(80)
    shortfall = exact_distribution(**given).expected_shortfall(level)
    found = shortfall_contributions(**given, level=level)
    assert found.sum() == pytest.approx(shortfall, rel=1e-10)
    assert (found >= 0.0).all() and (found <= given["exposure"]).all()


@pytest.mark.parametrize("loading", [0.0, 0.3])
@pytest.mark.parametrize("pd", [0.3, 0.7])
def test_equal_obligors_share_alike(pd, loading):
    """Taking one of 300 likely defaults out of the sum is a series of many terms, from either side."""
    given = dict(pd=np.full(300, pd), exposure=1.0, loading=loading)
    shortfall = exact_distribution(**given).expected_shortfall(0.99)
    parts = shortfall_contributions(**given, level=0.99)
    np.testing.assert_allclose(parts, shortfall / 300, rtol=1e-10)


def test_certain_and_impossible_defaults_contribute_all_and_nothing():
    found = shortfall_contributions([1.0, 0.0, 0.1, 0.1], [7.0, 5.0, 1.0, 2.0], 1.0, 0.3, level=0.95)
    assert found[:2].tolist() == pytest.approx([7.0, 0.0], abs=1e-12)


def test_contributions_are_the_derivatives_of_the_shortfall():
    """Euler: scaling one exposure moves ES by its contribution, between atoms of an integer grid."""
    given, level, step = pool(60, seed=1), 0.99, 1.0 / 64.0
    found = shortfall_contributions(**given, level=level)
    for k in (0, 17):
        moved = [
            given["exposure"] + side * step * given["exposure"] * (np.arange(60) == k) for side in (1, -1)
        ]
        up, down = (
            exact_distribution(given["pd"], e, 1.0, given["loading"], unit=step).expected_shortfall(level)
            for e in moved
        )
        # ES is convex in the exposures and kinked where VaR jumps: its derivative lies within a few per cent.
        assert (up - down) / (2.0 * step) == pytest.approx(found[k], rel=0.05)


def test_twice_the_nodes_change_nothing():
    given = pool()
    coarse, fine = exact_distribution(**given), exact_distribution(**given, nodes=802)
    assert coarse.value_at_risk(0.999) == fine.value_at_risk(0.999)
    assert coarse.expected_shortfall(0.999) == pytest.approx(fine.expected_shortfall(0.999), rel=1e-10)
    np.testing.assert_allclose(coarse.pmf, fine.pmf, rtol=0.0, atol=1e-12)


def test_too_few_nodes_do_change_it():
    given = pool()
    miss = np.abs(exact_distribution(**given, nodes=31).pmf - exact_distribution(**given).pmf).max()
    assert miss > 1e-6


def test_the_unit_changes_the_grid_and_not_the_losses():
    given = pool(50)
    money = given | {"exposure": 0.25 * given["exposure"]}
    whole, scaled = exact_distribution(**given), exact_distribution(**money, unit=0.25)
    fine = exact_distribution(**money, unit=0.125)
    np.testing.assert_allclose(scaled.pmf, whole.pmf, rtol=0.0, atol=ROUNDING)
    np.testing.assert_allclose(fine.pmf[::2], whole.pmf, rtol=0.0, atol=ROUNDING)
    for measure in ("mean", "deviation"):
        assert getattr(scaled, measure) == pytest.approx(0.25 * getattr(whole, measure), rel=1e-12)
        assert getattr(fine, measure) == pytest.approx(getattr(scaled, measure), rel=1e-12)
    assert fine.expected_shortfall(0.99) == pytest.approx(0.25 * whole.expected_shortfall(0.99), rel=1e-12)


def test_the_mean_is_the_expected_loss():
    given = pool()
    assert exact_distribution(**given).mean == pytest.approx(given["pd"] @ given["exposure"], rel=1e-12)


def test_higher_loadings_fatten_the_tail_and_keep_the_mean():
    low, high = (exact_distribution(np.full(100, 0.02), 1.0, 1.0, a) for a in (0.2, 0.6))
    assert low.mean == pytest.approx(high.mean, rel=1e-12)
    assert low.expected_shortfall(0.999) < high.expected_shortfall(0.999)


def test_measures_of_a_distribution_by_hand():
    law = LossDistribution(np.asarray([0.9, 0.06, 0.0, 0.04]), 2.0)
    assert (law.mean, law.deviation) == pytest.approx((0.36, np.sqrt(0.24 + 1.44 - 0.36**2)))
    assert [law.value_at_risk(level) for level in (0.5, 0.9, 0.95, 0.96, 0.97)] == [0.0, 0.0, 2.0, 2.0, 6.0]
    # At 95%: 4 of the 5 points lie at 6, the other is taken from the atom at 2.
    assert law.expected_shortfall(0.95) == pytest.approx((0.04 * 6.0 + 0.01 * 2.0) / 0.05)
    assert law.expected_shortfall(0.98) == pytest.approx(6.0)
    assert [law.beyond(x) for x in (-1.0, 0.0, 1.9, 2.0, 6.0, 99.0)] == pytest.approx(
        [1.0, 0.1, 0.1, 0.04, 0.0, 0.0], abs=1e-15
    )


def test_shortfall_is_the_mean_of_the_values_at_risk_beyond():
    law = exact_distribution(**TEN)
    levels = 0.9 + 0.1 * (np.arange(20_000) + 0.5) / 20_000
    mean = np.mean([law.value_at_risk(level) for level in levels])
    # Midpoints miss each of the at most 30 steps by half a cell.
    assert law.expected_shortfall(0.9) == pytest.approx(mean, abs=30.0 * 0.5 / 20_000)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"exposure": [1.0, 1.5]}, "unit: got 1, expected one that divides obligor 1's loss, 1.5"),
        ({"lgd": [1.0, 0.999]}, "divides obligor 1's loss"),
        ({"pd": [0.1, 1.1]}, "pd: got obligor 1: 1.1, expected numbers from 0 to 1"),
        ({"pd": [np.nan, 0.1]}, "pd: got obligor 0: nan"),
        ({"pd": []}, "pd: got shape"),
        ({"lgd": 1.2}, "lgd: got obligor 0: 1.2"),
        ({"exposure": -1.0}, "exposure: got obligor 0: -1"),
        ({"loading": [0.5, 1.2]}, "loading: got obligor 1: 1.2"),
        ({"loading": np.full((3, 2), 0.3)}, r"loading: got shape \(3, 2\)"),
        ({"exposure": [1.0, 2.0, 3.0]}, r"exposure: got shape \(3,\)"),
    ],
)
def test_bad_input_is_refused(changed, message):
    given = {"pd": [0.1, 0.1], "exposure": 1.0, "lgd": 1.0, "loading": 0.3} | changed
    with pytest.raises(ValueError, match=message):
        exact_distribution(**given)


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, np.nan])
def test_a_level_outside_is_refused(level):
    law = exact_distribution([0.1, 0.1], 1.0)
    for call in (
        lambda: law.value_at_risk(level),
        lambda: law.expected_shortfall(level),
        lambda: shortfall_contributions([0.1, 0.1], 1.0, level=level),
    ):
        with pytest.raises(ValueError, match="level: got"):
            call()
