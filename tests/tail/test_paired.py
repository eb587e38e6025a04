"""Paired changes of ES: exact cases, and intervals that cover."""

import numpy as np
import pytest

from engine.tail.paired import change, influence, mean_of, ratio, tail_weights, worst
from engine.tail.sample import sample_tail


def shortfall(losses):
    return influence(losses, 0.99)


def test_the_mean_of_the_influence_is_es():
    losses = np.random.default_rng(3).exponential(size=10_000)
    found, exact = mean_of(shortfall(losses)), sample_tail(losses, 0.99)
    assert found.value == pytest.approx(exact.expected_shortfall, rel=1e-9)
    assert found.standard_error == pytest.approx(exact.es_error, rel=0.01)


def test_a_shift_and_a_scale_are_known():
    losses = np.random.default_rng(4).exponential(size=10_000)
    shifted = change(losses, losses + 2.5, shortfall)
    assert shifted.value == pytest.approx(2.5) and shifted.standard_error < 1e-12
    scaled = change(losses, 0.8 * losses, shortfall)
    assert scaled.value == pytest.approx(-0.2 * mean_of(shortfall(losses)).value)


def test_intervals_cover_the_truth():
    """Exponential losses, and 0.8 of them plus noise of their own; ES of both comes from a large sample."""
    rng = np.random.default_rng(5)

    def pair(n):
        common, own = rng.exponential(size=n), rng.exponential(size=n)
        return common, 0.8 * common + 0.1 * own

    big_before, big_after = pair(4_000_000)
    truth, covered, runs = change(big_before, big_after, shortfall), 0, 400
    for _ in range(runs):
        found = change(*pair(8_000), shortfall)
        covered += abs(found.value - truth.value) < 1.96 * found.standard_error
    assert abs(covered / runs - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / runs)


def test_a_scale_is_its_ratio_and_a_ratio_of_means_covers():
    """Twice the losses are a ratio of two; exponential over exponential plus one is 1/2 in the mean."""
    rng = np.random.default_rng(6)
    losses = rng.exponential(size=10_000)
    doubled = ratio(2.0 * losses, losses, shortfall)
    assert doubled.value == pytest.approx(2.0) and doubled.standard_error < 1e-12
    covered, runs = 0, 400
    for _ in range(runs):
        above, own = rng.exponential(size=2_000), rng.exponential(size=2_000)
        found = ratio(above, above + own)
        covered += abs(found.value - 0.5) < 1.96 * found.standard_error
    assert abs(covered / runs - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / runs)
    assert ratio([1.0, 2.0], [0.0, 0.0]).value == np.inf


def test_the_worst_paths():
    assert worst([1.0, 5.0, 3.0, 4.0], 0.5).tolist() == [1, 3]
    assert worst([1.0, 5.0], 0.99).tolist() == [1]


def test_samples_of_different_length_are_refused():
    with pytest.raises(ValueError, match="two equal vectors"):
        change([1.0, 2.0], [1.0])


def test_weights_of_the_tail_give_es_and_parts_that_add_up():
    """A tail of 81.92 of 8,192 paths: VaR's own path counts in part."""
    rng = np.random.default_rng(8)
    parts = rng.exponential(size=(3, 8_192))
    losses = parts.sum(axis=0)
    weights = tail_weights(losses, 0.99)
    assert weights.sum() == pytest.approx(1.0) and np.count_nonzero(weights) == 82
    assert weights @ losses == pytest.approx(mean_of(shortfall(losses)).value, rel=1e-12)
    assert (parts @ weights).sum() == pytest.approx(weights @ losses, rel=1e-12)
