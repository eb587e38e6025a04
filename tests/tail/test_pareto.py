"""k-hat of importance weights with known tails."""

import numpy as np
import pytest

from engine.tail.histogram import WEIGHT
from engine.tail.intervals import distrust, weights
from engine.tail.pareto import k_hat, shape
from tests.tail.samples import of_losses, tally_of


def counts_of(values) -> np.ndarray:
    index = np.searchsorted(WEIGHT.edges, values, side="right")
    return np.bincount(index, minlength=WEIGHT.count)


@pytest.mark.parametrize("k", [0.25, 0.5, 0.9])
def test_shape_of_a_pareto_law(k):
    """Mean of 40 samples; the estimate's error is about (1 + k) / sqrt(M), M = 3 sqrt(100,000) = 949."""
    random = np.random.default_rng(11)
    found = [k_hat(counts_of(random.pareto(1.0 / k, 100_000) + 1.0)) for _ in range(40)]
    error = (1.0 + k) / np.sqrt(949 * 40)
    towards_half = 10.0 * (0.5 - k) / (949 + 10)
    assert np.mean(found) == pytest.approx(k + towards_half, abs=4 * error)


def test_exponential_excesses_have_shape_zero():
    random = np.random.default_rng(12)
    found = [shape(np.sort(random.exponential(1.0, 1000))) for _ in range(40)]
    assert np.mean(found) == pytest.approx(5.0 / 1010.0, abs=4 / np.sqrt(40_000))


def test_equal_weights_have_none():
    assert k_hat(counts_of(np.ones(10_000))) is None


def tally_with(weight):
    return tally_of(of_losses(np.ones((1, len(weight))), weight))


def test_weights_that_do_not_average_one_are_reported():
    random = np.random.default_rng(13)
    fair = random.choice([0.5, 1.5], 40_000)
    assert not distrust(weights(tally_with(fair)))
    (said,) = distrust(weights(tally_with(1.05 * fair)))
    assert "The weights average 1.0" in said and "standard errors from the 1" in said
    (said,) = distrust(weights(tally_with(np.full(100, 2.0))))
    assert "The weights average 2, 1 from the 1" in said


def test_heavy_and_cut_weights_are_reported():
    random = np.random.default_rng(14)
    heavy = random.pareto(1.05, 40_000)
    found = weights(tally_with(heavy / heavy.mean()))
    assert found.k_hat > 0.7
    assert any("k-hat" in said for said in distrust(found))
    assert any("were cut" in said for said in distrust(weights(tally_with(np.asarray([1.0, 5000.0])))))


def test_raw_weights_are_counted_before_they_are_cut():
    tally = tally_with(np.asarray([1.0, 1.0, 2.0**40]))
    index = np.searchsorted(WEIGHT.edges, [1.0, 2.0**40], side="right")
    assert np.asarray(tally.weight_counts)[index].tolist() == [2, 1]
    assert int(np.asarray(tally.weight_counts).sum()) == 3
