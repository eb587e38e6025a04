"""The exact tail of a sample: by hand, against the bins, and its refusals."""

import numpy as np
import pytest

from engine.tail import intervals, measures
from engine.tail.sample import es_interval, sample_tail


def test_by_hand_with_unequal_weights():
    """Upper 30% of weights 4, 3, 2, 1 on 1..4: all of 4 and of 3, which weigh 1 and 2."""
    tail = sample_tail([1.0, 2.0, 3.0, 4.0], 0.7, [4.0, 3.0, 2.0, 1.0])
    assert tail.value_at_risk == 2.0 and tail.expected_shortfall == pytest.approx((4.0 + 2 * 3.0) / 3)
    half = sample_tail([1.0, 2.0, 3.0, 4.0], 0.85, [4.0, 3.0, 2.0, 1.0])
    assert half.value_at_risk == 3.0 and half.expected_shortfall == pytest.approx((4.0 + 0.5 * 3.0) / 1.5)
    assert half.shares.sum() == pytest.approx(1.0)


def test_contributions_add_up_to_es_also_with_ties_at_var():
    random = np.random.default_rng(3)
    parts = np.round(random.exponential(2.0, (5000, 4)))
    tail = sample_tail(parts.sum(axis=1), 0.99, random.exponential(1.0, 5000))
    assert tail.contributions(parts).sum() == pytest.approx(tail.expected_shortfall, rel=1e-12)
    with pytest.raises(ValueError, match="parts: got shape"):
        tail.contributions(parts[:10])


@pytest.mark.parametrize("ratios", [False, True])
def test_bins_agree_with_the_sample(ratios):
    random = np.random.default_rng(5)
    z = random.standard_normal(50_000) + 1.5
    losses, weights = np.exp(z), np.exp(1.5**2 / 2 - 1.5 * z)
    exact = sample_tail(losses, 0.99, weights, likelihood_ratios=ratios)
    binned = measures.binned(losses, weights, self_normalised=not ratios)
    var, half_bin = intervals.var_interval(binned, 0.99), 1 / 512
    assert var.value == pytest.approx(exact.value_at_risk, rel=half_bin)
    assert var.lower == pytest.approx(exact.var_lower, rel=half_bin)
    assert var.upper == pytest.approx(exact.var_upper, rel=half_bin)
    assert measures.expected_shortfall(binned, 0.99) == pytest.approx(exact.expected_shortfall, rel=half_bin)
    assert intervals.es_error(binned, 0.99) == pytest.approx(exact.es_error, rel=0.01)
    assert intervals.effective_beyond(binned, 0.99) == pytest.approx(exact.effective_paths, rel=0.01)


def test_interval_of_es_covers_the_truth():
    random = np.random.default_rng(7)
    truth = np.log(100.0) + 1.0  # of a unit exponential
    found = [es_interval(sample_tail(random.exponential(1.0, 20_000), 0.99)) for _ in range(800)]
    share = np.mean([low <= truth <= high for low, high in found])
    assert abs(share - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 800)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], 1.0), "level: got 1.0"),
        (([1.0, 2.0], 0.999), "expected one that at least one of 2 losses lies beyond"),
        (([1.0, np.nan], 0.5), r"losses\[1\]: got nan"),
        (([1.0, 2.0], 0.5, [1.0, -1.0]), r"weights\[1\]: got -1.0"),
        (([1.0, 2.0], 0.5, [0.0, 0.0]), "weights: got none above zero"),
        (([1.0, 2.0], 0.5, [1.0]), "expected vectors of one length"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        sample_tail(*arguments)
