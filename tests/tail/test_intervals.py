"""Intervals cover the truth as often as they say, plain and weighted."""

import numpy as np
import pytest
from scipy.stats import binom, expon, norm

from engine.tail.intervals import (
    RESOLVED_PATHS,
    effective_beyond,
    equivalent_paths,
    es_error,
    es_interval,
    resolved,
    sectioned,
    var_interval,
    weights,
)
from engine.tail.measures import binned, expected_loss, from_losses, tail
from engine.tail.tally import WEIGHT_CAP
from tests.tail.samples import of_losses, outcome, tally_of

REPLICATIONS = 1600
"""So many that 93% and 97% lie 3.7 standard errors from 95%, and a right interval passes with any seed."""
LEVEL = 0.99
LAW = expon(scale=20.0)
VAR, ES = LAW.ppf(LEVEL), LAW.ppf(LEVEL) + 20.0
SHIFT, DEFENSIVE = 2.0, 0.2


def plain(random, paths=10_000):
    return from_losses(random.exponential(20.0, paths))


def tilted(random, paths=4_000, self_normalised=False):
    """Exponential losses 20 E with E = -ln(1 - Phi(z)), z from a mixture of N(0, 1) and N(SHIFT, 1)."""
    z = random.standard_normal(paths) + SHIFT * (random.random(paths) > DEFENSIVE)
    weight = 1.0 / (DEFENSIVE + (1 - DEFENSIVE) * np.exp(SHIFT * z - SHIFT**2 / 2))
    return from_losses(-20.0 * norm.logsf(z), weight, self_normalised=self_normalised)


def ratios(random):
    return tilted(random, self_normalised=True)


@pytest.fixture(scope="module", params=[plain, tilted, ratios], ids=lambda sample: sample.__name__)
def replications(request):
    """For each replication whether VaR, ES and mean covered the truth; and ES with its stated error."""
    random = np.random.default_rng(21)
    covered, shortfall = [], []
    for _ in range(REPLICATIONS):
        losses = request.param(random)
        var, es, mean = var_interval(losses, LEVEL), es_interval(losses, LEVEL), expected_loss(losses)
        near = abs(mean.value - 20.0) <= norm.ppf(0.975) * mean.standard_error
        covered.append((var.lower <= VAR <= var.upper, es.lower <= ES <= es.upper, near))
        shortfall.append((es.value, es_error(losses, LEVEL)))
    return np.asarray(covered), np.asarray(shortfall)


def test_intervals_cover_the_truth_in_95_percent_of_replications(replications):
    share = replications[0].mean(axis=0)
    assert (share >= 0.93).all() and (share <= 0.97).all(), share


def test_the_stated_error_of_es_is_the_spread_over_replications(replications):
    es, stated = replications[1].T
    # The spread of n normal values is itself known to 1/sqrt(2n).
    assert stated.mean() == pytest.approx(es.std(ddof=1), rel=4 / np.sqrt(2 * REPLICATIONS))


def test_plain_paths_give_the_binomial_order_statistics():
    x = np.sort(np.random.default_rng(23).exponential(20.0, 10_000))
    losses = from_losses(x)
    assert equivalent_paths(losses, tail(losses, LEVEL)) == pytest.approx(10_000, rel=1e-9)
    interval = var_interval(losses, LEVEL)
    few, many = binom.ppf([0.025, 0.975], 10_000, 1 - LEVEL).astype(int)
    # The continuous binomial quantile lies within one order statistic, the bin within half its width.
    assert x[-few - 2] * 0.998 <= interval.upper <= x[-few] * 1.002
    assert x[-many - 2] * 0.998 <= interval.lower <= x[-many] * 1.002


def test_too_few_paths_give_no_upper_bound():
    assert var_interval(from_losses(np.arange(1.0, 101.0)), 0.99).upper == np.inf
    assert np.isfinite(var_interval(from_losses(np.arange(1.0, 1001.0)), 0.99).upper)


def test_an_unresolved_tail_is_said_in_words_and_a_resolved_one_is_not():
    losses = from_losses(np.arange(1.0, 100.0 * RESOLVED_PATHS + 1.0))
    assert effective_beyond(losses, LEVEL) == pytest.approx(RESOLVED_PATHS, rel=1e-9)
    assert resolved(losses, 0.989) is None
    warning = resolved(losses, 0.999)
    assert warning.startswith("Only 5 effective paths lie beyond the 99.9% level")
    assert "uncertain by 45%" in warning and "Run 10 times as many paths" in warning


def test_less_than_two_paths_beyond_a_level_give_no_error():
    """One loss says nothing of its spread: before, its place in its bin was taken for it."""
    losses = from_losses(np.arange(1.0, 513.0))
    assert np.isnan(es_error(losses, 0.999)) and np.isfinite(es_error(losses, 0.99))
    assert es_error(from_losses(np.zeros(512)), 0.999) == 0.0
    warning = resolved(losses, 0.999)
    assert warning.startswith("Only 0.5 effective paths lie beyond") and "Run 98 times as many" in warning


def test_one_heavy_path_does_not_resolve_a_tail():
    weight = np.ones(10_000)
    weight[-1] = 2_000.0
    losses = from_losses(np.arange(1.0, 10_001.0) / 2, weight)
    assert effective_beyond(losses, 0.8) < 2
    assert "Only 1 effective path lies beyond the 80% level" in resolved(losses, 0.8)


def test_losses_beyond_the_bins_are_said_in_words():
    losses = binned(np.concatenate([np.arange(1.0, 8001.0), [10_000.0]]))
    assert "8,192 USD bn or more" in resolved(losses, 0.95)


def test_weights_are_summed_up_over_paths_that_count():
    paths = outcome(seed=24, paths=500)
    w = np.asarray(paths.weight, np.float64)
    found = weights(tally_of(paths))
    # Fixed point rounds a weight by 2^-29 and its square by 2^-33 at most.
    assert found.effective_paths == pytest.approx(w.sum() ** 2 / np.sum(w**2), rel=1e-7)
    assert found.largest_share == pytest.approx(w.max() / w.sum(), rel=1e-7)
    own = w[w > 0]
    assert found.mean == pytest.approx(own.mean(), rel=1e-7)
    assert found.mean_error == pytest.approx(own.std() / np.sqrt(len(own)), rel=1e-6)
    assert not found.capped
    assert weights(tally_of(of_losses(np.ones((1, 2)), np.asarray([1.0, 2 * WEIGHT_CAP])))).capped


def test_sections_know_the_error_of_a_mean():
    x = np.random.default_rng(25).normal(3.0, 2.0, (100, 400, 2))
    mean, error = sectioned(list(x.mean(axis=1)))
    assert mean.shape == error.shape == (2,)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(error, 2.0 / 200.0, rtol=4 / np.sqrt(2 * 99))
    with pytest.raises(ValueError, match="at least two sections, got 1"):
        sectioned([x[0]])
