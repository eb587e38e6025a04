"""Worst cases in a relative-entropy ball: closed forms, the ball itself, and limits."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import rel_entr

from engine.portfolio.distribution import LossDistribution
from engine.portfolio.recursion import exact_distribution
from engine.tail.measures import expected_shortfall, from_losses, value_at_risk
from engine.tail.worst_case import likeliest, rarest, worst_case, worst_mean, worst_probability

NORMAL = 100.0 + 10.0 * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)


@pytest.mark.parametrize("radius", [0.001, 0.01, 0.1])
def test_worst_mean_of_a_normal_shifts_it_by_sqrt_2_radius_sigmas(radius):
    """sup E_Q[X] = mu + sigma sqrt(2 radius); 200,000 points hold the tilted mean to 0.1% of the shift."""
    found = worst_case(from_losses(NORMAL), 0.95, radius).mean
    assert found - 100.0 == pytest.approx(10.0 * np.sqrt(2.0 * radius), rel=1e-3)


def test_worst_coin_is_the_one_on_the_edge_of_the_ball():
    p = rarest(0.05, 0.01)
    assert p < 0.05
    assert rel_entr(0.05, p) + rel_entr(0.95, 1.0 - p) == pytest.approx(0.01, rel=1e-9)
    losses = from_losses(NORMAL)
    worst = worst_case(losses, 0.95, 0.01)
    assert worst.value_at_risk == pytest.approx(value_at_risk(losses, 1.0 - p), rel=1e-12)
    assert worst.value_at_risk == pytest.approx(100.0 + 10.0 * stats.norm.isf(p), rel=2e-3)


def test_worst_shortfall_against_laws_found_by_hand():
    """No law in the ball that tilts exponentially beyond some point does worse, and one does as badly."""
    losses = from_losses(np.random.default_rng(4).gamma(2.0, 20.0, 20_000))
    x, p = losses.points()
    radius, level = 0.02, 0.9
    worst = worst_case(losses, level, radius).expected_shortfall
    best = 0.0
    for v in np.linspace(0.0, 140.0, 57):
        low, high = 0.0, 1.0
        for _ in range(60):
            theta = 0.5 * (low + high)
            q = p * np.exp(theta * np.maximum(x - v, 0.0))
            q /= q.sum()
            low, high = (theta, high) if rel_entr(q, p).sum() < radius else (low, theta)
        best = max(best, shortfall(x, q, level))
    assert best <= worst * (1.0 + 1e-6) and best == pytest.approx(worst, rel=2e-3)


def shortfall(x, q, level):
    """ES of the law q on increasing points x."""
    beyond = np.cumsum(q[::-1])[::-1] - q
    part = np.clip(1.0 - level - beyond, 0.0, q)
    return float(part @ x) / (1.0 - level)


def test_radius_zero_is_the_sample_and_a_large_one_its_largest_loss():
    losses = from_losses(NORMAL)
    still = worst_case(losses, 0.99, 0.0)
    assert still.simulated and still.value_at_risk == value_at_risk(losses, 0.99)
    assert still.expected_shortfall == expected_shortfall(losses, 0.99)
    far = worst_case(losses, 0.99, 20.0)
    top = losses.points()[0][-1]
    assert not far.simulated and far.mean == far.value_at_risk == far.expected_shortfall == top


def test_worse_with_radius_and_never_better_than_simulated():
    losses = from_losses(NORMAL)
    found = [worst_case(losses, 0.95, radius) for radius in (0.0, 1e-4, 1e-3, 1e-2)]
    for one in ("mean", "value_at_risk", "expected_shortfall"):
        values = [getattr(case, one) for case in found]
        assert values == sorted(values) and values[-1] > values[0]


def test_a_constant_has_no_worse_mean_and_a_negative_radius_is_refused():
    assert worst_mean(np.asarray([3.0]), np.asarray([1.0]), 0.5) == 3.0
    with pytest.raises(ValueError, match="radius: got -0.1"):
        worst_case(from_losses([1.0, 2.0]), 0.5, -0.1)


def test_an_exact_distribution_is_a_law_as_good_as_a_sample():
    """A pool on its grid, and the same as a weighted sample of its losses, to the last digit."""
    law = exact_distribution(np.full(50, 0.02), 1.0, loading=0.5)
    sample = from_losses(*law.points())
    for radius in (0.0, 0.005, 0.1):
        exact, sampled = (worst_case(each, 0.99, radius) for each in (law, sample))
        for name in ("mean", "value_at_risk", "expected_shortfall"):
            assert getattr(exact, name) == pytest.approx(getattr(sampled, name), rel=1e-7)
        assert worst_probability(law, 5.0, radius) == pytest.approx(worst_probability(sample, 5.0, radius))
    assert worst_case(law, 0.99, 0.0).expected_shortfall == law.expected_shortfall(0.99)


@pytest.mark.parametrize("p, radius", [(0.01, 0.02), (1e-6, 0.001), (0.4, 0.3)])
def test_the_worst_probability_lies_on_the_edge_of_the_ball(p, radius):
    coin = LossDistribution(np.asarray([1.0 - p, p]), 1.0)
    q = worst_probability(coin, 0.5, radius)
    assert q > p and rel_entr(q, p) + rel_entr(1.0 - q, 1.0 - p) == pytest.approx(radius, rel=1e-9)
    assert rarest(q, radius) == pytest.approx(p, rel=1e-7)


def test_a_ball_that_holds_certainty_and_one_without_losses():
    assert likeliest(0.5, np.log(2.0)) == 1.0 and likeliest(0.0, 5.0) == 0.0 and likeliest(0.3, 0.0) == 0.3
