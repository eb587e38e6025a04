"""What makes up the tail adds up to it, and is what the paths say."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from engine.tail.contributions import (
    cause_shares,
    composition,
    default_probabilities,
    es_contributions,
    fans,
    marginal_expected_shortfall,
)
from engine.tail.histogram import FAN
from engine.tail.intervals import sectioned
from engine.tail.measures import column_losses, expected_shortfall
from engine.tail.outcome import Outcome
from engine.vocabulary import CAUSES
from tests.tail.samples import of_losses, outcome, relative_error, tally_of

K = 4.0
"""Standard errors of the estimate."""


@pytest.fixture(scope="module")
def split():
    """A tally whose system loss is exactly the sum of its columns, and of its components; with weights."""
    random = np.random.default_rng(31)
    # Multiples of 2^-8 below 2^10 with weights of 1 or 2 are exact in float32 and in fixed point.
    columns = np.round(random.lognormal(2.0, 1.0, (4, 20_000)) * 256) / 256
    columns = np.minimum(columns, 250.0)
    fraction = np.round(random.random(20_000) * columns[0] * 256) / 256
    components = np.stack([fraction, columns.sum(axis=0) - fraction])
    weight = random.integers(1, 3, 20_000)
    losses = np.concatenate([columns.sum(axis=0, keepdims=True), columns])
    return tally_of(of_losses(losses, weight, components)), losses, components, weight


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99, 0.9997])
@pytest.mark.parametrize("self_normalised", [False, True])
def test_euler_contributions_add_up_to_the_systems_shortfall(split, level, self_normalised):
    tally, losses, components, _ = split
    parts = es_contributions(tally, 0, level, self_normalised=self_normalised)
    es = expected_shortfall(column_losses(tally, 0, self_normalised=self_normalised), level)
    assert parts.shape == (losses.shape[0] + components.shape[0],)
    # The integers add up exactly; what is left is rounding of float64 products and sums.
    assert parts[0] == pytest.approx(es, rel=1e-12)
    assert parts[1:5].sum() == pytest.approx(es, rel=1e-12)
    assert parts[5:].sum() == pytest.approx(es, rel=1e-12)


def test_the_conditional_sums_of_the_system_are_its_own_bins(split):
    tally, *_ = split
    np.testing.assert_array_equal(np.asarray(tally.conditional)[:, :, 0], np.asarray(tally.losses)[:, 0])
    inner = np.asarray(tally.conditional)[0]
    np.testing.assert_array_equal(inner[:, 1:5].sum(axis=1), inner[:, 0])
    np.testing.assert_array_equal(inner[:, 5:].sum(axis=1), inner[:, 0])


def test_contributions_are_the_means_over_the_paths_in_the_tail(split):
    tally, losses, components, weight = split
    system, parts = losses[0], np.concatenate([losses, components])
    # A level at which the tail ends between two bins, so that it is a set of whole paths.
    threshold = 96.0
    beyond = system >= threshold
    level = 1.0 - weight[beyond].sum() / weight.sum()
    expected = (parts * weight)[:, beyond].sum(axis=1) / weight[beyond].sum()
    got = es_contributions(tally, 0, level, self_normalised=True)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    mes = marginal_expected_shortfall(tally, 0, level, self_normalised=True)
    np.testing.assert_allclose(mes, expected[:5], rtol=1e-9)


def test_gaussian_contributions_follow_the_covariances():
    # C_j = E L_j + Cov(L_j, L) / Var(L) (ES - E L) for elliptical losses (McNeil, Frey and Embrechts, 8.5.2).
    random, level = np.random.default_rng(32), 0.95
    covariance = np.asarray([[9.0, 3.0, 0.0], [3.0, 4.0, 1.0], [0.0, 1.0, 16.0]])
    mean = np.asarray([40.0, 30.0, 50.0])
    beta = covariance.sum(axis=1) / covariance.sum()
    excess = np.sqrt(covariance.sum()) * norm.pdf(norm.ppf(level)) / (1 - level)
    sections = []
    for _ in range(20):
        x = random.multivariate_normal(mean, covariance, 5_000).T
        sections.append(
            es_contributions(tally_of(of_losses(np.concatenate([x.sum(axis=0)[None], x]))), 0, level)
        )
    got, error = sectioned(sections)
    assert (np.abs(got[1:] - (mean + beta * excess)) < K * error[1:]).all()


def test_bands_of_the_system_loss_make_up_its_tail(split):
    tally, losses, _, weight = split
    levels = (0.5, 0.9, 0.99)
    bands = composition(tally, 0, levels, self_normalised=True)
    assert bands.shape == (3, 7)
    widths = np.asarray([0.4, 0.09, 0.01])
    whole = es_contributions(tally, 0, 0.5, self_normalised=True)
    np.testing.assert_allclose(widths @ bands / 0.5, whole, rtol=1e-12)
    assert (np.diff(bands[:, 0]) > 0).all()
    order = np.argsort(-losses[0])
    mass = np.cumsum(weight[order]) / weight.sum()
    middle = order[(mass > 0.01) & (mass <= 0.1)]
    expected = np.average(losses[:, middle], axis=1, weights=weight[middle])
    # A path at either end may fall in or out, and the two edge bins are shared pro rata: half a percent.
    np.testing.assert_allclose(bands[1, :5], expected, rtol=0.005)
    with pytest.raises(ValueError, match="levels: got .*, expected them to increase"):
        composition(tally, 0, (0.9, 0.5))


def test_default_probabilities_count_what_happened_by_each_month():
    paths = outcome(seed=33, paths=400, weighted=False)
    month = np.asarray(paths.default_month)
    probability, error = default_probabilities(tally_of(paths), (1, 3, 5))
    for i, last in enumerate((1, 3, 5)):
        happened = (month > 0) & (month <= last)
        p = happened.mean(axis=1)
        np.testing.assert_allclose(probability[:, i], p, rtol=1e-12)
        np.testing.assert_allclose(error[:, i], np.sqrt(p * (1 - p) / 400), rtol=1e-9)
    for months in ((0,), (6,)):
        with pytest.raises(ValueError, match="months: got .*, expected each from 1 to 5"):
            default_probabilities(tally_of(paths), months)


def test_weighted_default_probabilities_are_unbiased_with_the_stated_error():
    # Default means z > 2.5; z is drawn about 2 and weighted back.
    random, truth, found = np.random.default_rng(34), norm.sf(2.5), []
    for _ in range(40):
        z = random.standard_normal(2_000) + 2.0
        base = of_losses(np.zeros((1, 2_000)), np.exp(2.0 - 2.0 * z))
        month = jnp.asarray((z > 2.5)[None], jnp.int32)
        paths = Outcome(**{**vars(base), "default_month": month, "cause": month})
        found.append(default_probabilities(tally_of(paths), (1,)))
    values, errors = np.asarray(found)[:, :, 0, 0].T
    assert abs(values.mean() - truth) < K * values.std(ddof=1) / np.sqrt(40)
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=K / np.sqrt(2 * 39))


def test_causes_share_out_the_defaults():
    paths = outcome(seed=35, paths=300)
    cause = np.asarray(paths.cause).copy()
    cause[0] = 0
    tally = tally_of(Outcome(**{**vars(paths), "cause": jnp.asarray(cause)}))
    shares, weight = cause_shares(tally), np.asarray(paths.weight, np.float64)
    assert np.isnan(shares[0]).all()
    np.testing.assert_allclose(shares[1:].sum(axis=1), 1.0, rtol=1e-12)
    assert (shares[1:, 0] == 0).all()
    for code in range(1, len(CAUSES)):
        expected = weight[cause[2] == code].sum() / weight[cause[2] > 0].sum()
        # Fixed point rounds each weight by 2^-29 at most.
        assert shares[2, code] == pytest.approx(expected, abs=300 * 2.0**-29)


def test_fans_are_the_quantiles_of_each_month():
    paths = outcome(seed=36, paths=1001, weighted=False)
    levels = (0.05, 0.5, 0.95)
    got = fans(tally_of(paths), levels)
    assert got.shape == (3, 5, 3)
    expected = np.quantile(np.asarray(paths.trace), levels, axis=-1, method="inverted_cdf")
    # Anywhere in the bin the quantile lies in: a whole bin width, twice the representative's error.
    np.testing.assert_allclose(got, expected, rtol=2 * relative_error(FAN))
    with pytest.raises(ValueError, match="levels: got .*, expected numbers between 0 and 1"):
        fans(tally_of(paths), (5.0,))


def test_a_fan_of_nothing_is_zero():
    paths = outcome(seed=37, paths=10)
    still = Outcome(**{**vars(paths), "trace": jnp.zeros_like(paths.trace)})
    assert (fans(tally_of(still), (0.05, 0.5, 0.95)) == 0).all()
