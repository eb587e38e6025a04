"""Generators against published ones, joint migration against CreditMetrics, projection against optimality."""

import json
import pathlib

import numpy as np
import pytest
from scipy import linalg, stats

from engine.portfolio.migration import (
    bond_value,
    default_probabilities,
    generator,
    joint_migration,
    nearest_row,
    thresholds,
    transition,
    transition_matrix,
)

ORACLES = pathlib.Path(__file__).parents[1] / "oracles"
BONDS = json.loads((ORACLES / "08_creditmetrics_two_bonds.json").read_text())
MOODYS = json.loads((ORACLES / "09_transition_matrix_generator.json").read_text())
ROUNDING = 1e-13
"""Of a matrix exponential or logarithm of eight ratings."""


def row(rating):
    """Probabilities of a rating of CreditMetrics, of which some miss one by the rounding of the table."""
    printed = np.asarray(BONDS["transition_matrix_pct"][rating], np.float64)
    return printed / printed.sum()


@pytest.fixture(scope="module")
def moodys():
    """The yearly matrix whose rows sum to one, and its generator."""
    return transition_matrix(MOODYS["matrix"]), generator(MOODYS["matrix"])


def test_rows_move_as_far_as_published(moodys):
    observed, rates = moodys
    expected = np.asarray(MOODYS["expected"]["row_euclid_distance(Q - logm)"])
    distance = np.linalg.norm(rates - linalg.logm(observed).real, axis=1)[: len(expected)]
    # 2%, and half a unit of the last printed digit where the published distance is zero.
    np.testing.assert_allclose(distance, expected, rtol=0.02, atol=5e-8)


def test_the_generator_misses_the_matrix_by_as_much_as_published(moodys):
    observed, rates = moodys
    miss = np.abs(transition(rates, 1.0) - observed)
    assert miss.max() == pytest.approx(MOODYS["expected"]["max_abs(expm(Q)-P)"], rel=0.01)
    assert miss.mean() == pytest.approx(MOODYS["expected"]["mean_abs(expm(Q)-P)"], rel=0.01)


def test_default_probabilities_over_the_years(moodys):
    found = default_probabilities(moodys[1], [1.0, 2.0, 3.0])
    expected = [MOODYS["recomputed"][f"PD_{t}y"] for t in (1, 2, 3)]
    # Half a unit of the last digit.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=5e-7)
    assert (np.diff(found, axis=0) > 0.0).all()


def test_a_generator_has_rates_and_rows_that_sum_to_zero(moodys):
    rates = moodys[1]
    off = rates[~np.eye(len(rates), dtype=bool)]
    assert (off >= 0.0).all() and (np.diag(rates) <= 0.0).all()
    np.testing.assert_allclose(rates.sum(axis=1), 0.0, rtol=0.0, atol=ROUNDING)
    assert not rates[-1].any()


def test_a_generator_is_found_again(moodys):
    rates = moodys[1]
    np.testing.assert_allclose(generator(transition(rates, 1.0)), rates, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("seed", range(20))
def test_a_row_is_projected(seed):
    """Of the cone C, q is nearest to a if and only if (a - q).(x - q) <= 0 for every x in C: its edges do."""
    random = np.random.default_rng(seed)
    a = random.normal(0.0, 1.0, 6) * random.choice([0.01, 1.0], 6)
    q = nearest_row(a, 2)
    assert q.sum() == pytest.approx(0.0, abs=ROUNDING)
    assert (np.delete(q, 2) >= 0.0).all()
    assert (a - q) @ q == pytest.approx(0.0, abs=ROUNDING)
    for j in (0, 1, 3, 4, 5):
        edge = np.zeros(6)
        edge[[2, j]] = -1.0, 1.0
        assert (a - q) @ edge <= ROUNDING


def test_transitions_compose(moodys):
    rates = moodys[1]
    halves = transition(rates, 0.5)
    np.testing.assert_allclose(halves @ halves, transition(rates, 1.0), rtol=0.0, atol=ROUNDING)
    np.testing.assert_allclose(transition(rates, 7.0).sum(axis=1), 1.0, rtol=0.0, atol=ROUNDING)
    np.testing.assert_array_equal(transition(rates, 0.0), np.eye(len(rates)))


def test_the_bbb_bond_of_creditmetrics():
    bond = BONDS["BBB_bond"]
    found = bond_value(row("BBB"), bond["year_end_values"])
    assert found == pytest.approx((bond["mean"], bond["sd"]), rel=0.0, abs=0.01)


def test_both_bonds_of_creditmetrics_keep_their_rating():
    both = BONDS["joint_BBB_A"]
    joint = joint_migration(row("BBB"), row("A"), both["asset_correlation"])
    assert joint[3, 2] == pytest.approx(both["P(BBB stays BBB, A stays A)"], rel=0.0, abs=1e-4)
    independent = joint_migration(row("BBB"), row("A"), 0.0)
    assert independent[3, 2] == pytest.approx(both["independent"], rel=0.0, abs=1e-4)


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.3, 0.9])
def test_joint_migration_has_its_margins(correlation):
    joint = joint_migration(row("BBB"), row("A"), correlation)
    np.testing.assert_allclose(joint.sum(axis=1), row("BBB"), rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(joint.sum(axis=0), row("A"), rtol=0.0, atol=1e-12)
    assert joint.min() > -ROUNDING


def test_joint_migration_is_the_integral_over_a_common_factor():
    rho, (first, second) = 0.3, (row("BB"), row("CCC"))
    z = np.linspace(-9.0, 9.0, 4001)
    weights = stats.norm.pdf(z)
    weights /= weights.sum()

    def given(bounds):
        cut = (thresholds(bounds) - np.sqrt(rho) * z[:, None]) / np.sqrt(1.0 - rho)
        return -np.diff(stats.norm.cdf(cut), axis=1)

    exact = np.einsum("z,zi,zj->ij", weights, given(first), given(second))
    np.testing.assert_allclose(joint_migration(first, second, rho), exact, rtol=0.0, atol=1e-12)


def test_uncorrelated_migration_is_a_product():
    exact = np.outer(row("B"), row("A"))
    np.testing.assert_allclose(joint_migration(row("B"), row("A"), 0.0), exact, rtol=0.0, atol=1e-12)


def test_thresholds_give_the_row_back():
    for rating in ("AAA", "BBB", "CCC"):
        found = -np.diff(stats.norm.cdf(thresholds(row(rating))))
        np.testing.assert_allclose(found, row(rating), rtol=0.0, atol=ROUNDING)
    # Default lies lowest: Phi^-1 of 0.18%.
    assert thresholds(row("BBB"))[-2] == pytest.approx(stats.norm.ppf(0.0018), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generator([[0.9, 0.1]]), r"rows: got shape \(1, 2\), expected a square matrix"),
        (lambda: generator([[1.2, -0.2], [0.0, 1.0]]), r"rows: got a number outside \[0, 1\]"),
        (lambda: generator([[np.nan, 0.1], [0.0, 1.0]]), r"rows: got a number outside \[0, 1\]"),
        (lambda: transition_matrix([[0.5, 0.1], [0.0, 1.0]]), r"rows\[0\]: got a sum of 0.6000"),
        (lambda: joint_migration([0.5, 0.5], [0.5, 0.5], 1.0), "correlation: got 1.0"),
        (lambda: joint_migration([0.5, 0.5], [0.5, 0.5], np.nan), "correlation: got nan"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
