"""The exact tail of a sample: by hand, against the bins, and its refusals."""

import numpy as np
import pytest
from scipy import stats

from engine.tail import intervals, measures
from engine.tail.measures import binned, from_losses
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


@pytest.mark.parametrize("ratios", [False, True])
def test_a_probability_is_within_its_error(ratios):
    """Of exponential losses, plain or from a law with half the rate: z-scores of 400 samples are normal."""
    random, scores = np.random.default_rng(9), []
    for _ in range(400):
        x = random.exponential(2.0 if ratios else 1.0, 2000)
        w = 2.0 * np.exp(-0.5 * x) if ratios else np.ones(2000)
        tail = sample_tail(x, 0.9, w, likelihood_ratios=ratios)
        for found in (tail.beyond(3.0), from_losses(x, w, self_normalised=not ratios).beyond(3.0)):
            scores.append((found.value - np.exp(-3.0)) / found.standard_error)
    assert np.mean(np.abs(scores) < 1.96) == pytest.approx(0.95, abs=0.03)


def test_a_probability_by_hand():
    tail = sample_tail(np.arange(1.0, 101.0), 0.95)
    found = tail.beyond(96.0)
    assert found.value == pytest.approx(0.04) and found.standard_error == pytest.approx(
        np.sqrt(0.04 * 0.96 / 100)
    )
    assert tail.beyond(100.0).value == 0.0 and tail.beyond(100.0).standard_error == pytest.approx(0.01)
    assert tail.beyond(0.0).value == 1.0 and tail.beyond(0.0).standard_error == pytest.approx(0.01)


def test_a_binned_probability_is_the_samples_to_half_a_bin():
    x = np.random.default_rng(10).gamma(2.0, 20.0, 50_000)
    exact, bins = from_losses(x), binned(x)
    for loss in (10.0, 60.0, 120.3):
        near = [(x > loss * (1.0 + shift)).mean() for shift in (0.004, -0.004)]
        assert near[0] <= bins.beyond(loss).value <= near[1]
        assert exact.beyond(loss).value == (x > loss).mean()


def test_var_contributions_and_errors_of_parts():
    """Independent normals of deviations 1, 2 and 3: E[part | sum = VaR] is VaR by variance, 1, 4 and 9 in 14.

    So is ES. Errors are held against the spread over 200 samples, and a group's is its column's.
    """
    random, sizes = np.random.default_rng(11), np.asarray([1.0, 2.0, 3.0])
    var, es, var_errors, es_errors = [], [], [], []
    for _ in range(200):
        parts = random.normal(size=(4000, 3)) * sizes
        tail = sample_tail(parts.sum(axis=1), 0.95)
        contribution, error = tail.var_contributions(parts)
        assert contribution.sum() == pytest.approx(tail.value_at_risk)
        var.append(contribution)
        var_errors.append(error)
        es.append(tail.contributions(parts))
        es_errors.append(tail.contribution_errors(parts))
    share = sizes**2 / 14.0
    exact_var, exact_es = (
        stats.norm.isf(0.05) * np.sqrt(14.0),
        stats.norm.pdf(stats.norm.isf(0.05)) / 0.05 * np.sqrt(14.0),
    )
    for each, exact in ((var, exact_var), (es, exact_es)):
        spread = np.std(each, axis=0) / np.sqrt(200)
        assert (np.abs(np.mean(each, axis=0) - share * exact) < 4.0 * spread + 0.01 * exact * share).all()
    np.testing.assert_allclose(np.mean(es_errors, axis=0), np.std(es, axis=0), rtol=0.2)
    np.testing.assert_allclose(np.mean(var_errors, axis=0)[:2], np.std(var, axis=0)[:2], rtol=0.2)
    pair = np.stack([parts[:, 0] + parts[:, 1], parts[:, 2]], axis=1)
    alone = tail.contribution_errors(parts)
    assert abs(alone[0] - alone[1]) < tail.contribution_errors(pair)[0] < alone[0] + alone[1]
