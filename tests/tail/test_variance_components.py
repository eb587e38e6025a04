"""The split between networks and economy, on losses whose variances are known."""

import numpy as np
import pytest
from scipy import stats

from engine.tail.measures import from_losses
from engine.tail.variance_components import (
    added,
    between,
    interaction,
    pseudo_values,
    variance_beyond,
    variance_within,
)

NETWORKS, BLOCKS, PATHS = 8, 4, 4096
SPREAD, COMMON, OWN = 0.3, 1.0, 0.4
"""Sd of the networks' shift, of what paths do to all networks, of what they do to each alone."""

LEVEL, REPEATS = 0.99, 50


def losses(rng, spread=SPREAD):
    """X_kn = 10 + a_k + b_n + c_kn [networks, paths], all normal."""
    a, b = rng.normal(0.0, spread, (NETWORKS, 1)), rng.normal(0.0, COMMON, PATHS)
    return 10.0 + a + b + rng.normal(0.0, OWN, (NETWORKS, PATHS))


def split(sample, level):
    """The split of the mean or of ES from a sample [networks, paths]."""
    cut = [[from_losses(block, self_normalised=False) for block in row.reshape(BLOCKS, -1)] for row in sample]
    table = np.stack([pseudo_values(blocks, level) for blocks in cut])[:, :, None]
    whole = [added(blocks) for blocks in cut]
    within = [variance_within(row) if level is None else variance_beyond(row, level) for row in whole]
    return between(table, np.array(within)[:, None])


def repeated(level, spread=SPREAD, times=REPEATS):
    """(value, error, variance between, share) of independent repetitions."""
    rng = np.random.default_rng(3)
    found = [split(losses(rng, spread), level) for _ in range(times)]
    return np.array([[f.mean[0], f.error[0], f.variance[0], f.share[0], f.share_error[0]] for f in found])


def near(values, truth, errors=4.0):
    """The mean of repetitions lies within some standard errors of the truth."""
    assert abs(values.mean() - truth) < errors * values.std(ddof=1) / np.sqrt(len(values)), values.mean()


def shortfall() -> float:
    """ES of the normal loss of one network."""
    return 10.0 + np.hypot(COMMON, OWN) * stats.norm.pdf(stats.norm.ppf(LEVEL)) / (1.0 - LEVEL)


@pytest.fixture(scope="module")
def of_mean():
    return repeated(None)


@pytest.fixture(scope="module")
def of_shortfall():
    return repeated(LEVEL)


def test_the_variance_between_means_is_the_networks(of_mean):
    near(of_mean[:, 2], SPREAD**2)
    near(of_mean[:, 0], 10.0)


def test_the_variance_between_shortfalls_is_the_networks(of_shortfall):
    """A shift moves ES by as much; the noise of 41 tail paths, as large as the shift, is taken off."""
    near(of_shortfall[:, 2], SPREAD**2)


def test_the_shortfall_is_that_of_the_law(of_shortfall):
    near(of_shortfall[:, 0], shortfall())


def test_stated_errors_are_the_spread_of_repetitions(of_mean, of_shortfall):
    """A sd from n repetitions is known to 1 / sqrt(2 (n - 1)) of itself."""
    for table in (of_mean, of_shortfall):
        stated, seen = np.sqrt(np.mean(table[:, 1] ** 2)), table[:, 0].std(ddof=1)
        assert abs(stated / seen - 1.0) < 4.0 / np.sqrt(2 * (REPEATS - 1))


def test_without_a_network_effect_there_is_none_on_average():
    """Plain differences of shortfalls would say more: noise. About half of the estimates are negative."""
    table = repeated(LEVEL, spread=0.0)
    near(table[:, 2], 0.0)
    assert 0.2 < (table[:, 2] < 0.0).mean() < 0.8


def test_the_share_is_the_networks_of_all_the_variance(of_mean):
    """The share is a ratio of estimates: biased by 1 / networks of itself."""
    truth = SPREAD**2 / (SPREAD**2 + COMMON**2 + OWN**2)
    assert abs(of_mean[:, 3].mean() - truth) < 4.0 * of_mean[:, 3].std() / np.sqrt(REPEATS) + truth / NETWORKS


def test_the_variance_beyond_the_level_is_that_of_the_cut_normal():
    rng = np.random.default_rng(5)
    sample = from_losses(10.0 + rng.normal(0.0, 1.0, 400_000), self_normalised=False)
    truth = stats.truncnorm(stats.norm.ppf(LEVEL), np.inf).var()
    # Fourth moment of the tail: kurtosis 9 at most, 4,000 paths; and bins of 0.4%.
    assert variance_beyond(sample, LEVEL) == pytest.approx(truth, rel=4.0 * np.sqrt(8.0 / 4000) + 0.05)


SETS = 48


def effects(rng, crossed):
    """Pseudo-values [members, blocks, 1] of two sources with sd 3 and 2, and of both with an interaction.

    The sources' effects are multiplied for the interaction, whose sd is `crossed` x 3 x 2.
    """
    a, b = rng.normal(0.0, 3.0, SETS), rng.normal(0.0, 2.0, SETS)
    blocks = rng.normal(0.0, 5.0, BLOCKS)

    def table(effect):
        return (100.0 + effect[:, None] + blocks + rng.normal(0.0, 2.0, (SETS, BLOCKS)))[:, :, None]

    return table(a), table(b), table(a + b + crossed * a * b)


def test_sds_of_two_sources_are_those_of_their_law():
    """V of each source is its variance, whatever the blocks have in common."""
    rng = np.random.default_rng(11)
    tables = [effects(rng, 0.0) for _ in range(REPEATS)]
    for place, truth in ((0, 9.0), (1, 4.0), (2, 13.0)):
        splits = [between(each[place], np.ones((SETS, 1))) for each in tables]
        near(np.array([split.variance[0] for split in splits]), truth)
        assert all(split.sd[0] ** 2 == pytest.approx(max(split.variance[0], 0.0)) for split in splits)


def test_the_stated_error_of_an_sd_is_its_spread():
    """The mean stated error and the spread of repetitions; the bootstrap understates by 1 / SETS or so."""
    rng = np.random.default_rng(12)
    splits = [between(effects(rng, 0.0)[0], np.ones((SETS, 1))) for _ in range(REPEATS)]
    stated = np.mean([split.sd_error[0] for split in splits])
    seen = np.std([split.sd[0] for split in splits], ddof=1)
    assert abs(stated / seen - 1.0) < 4.0 / np.sqrt(2 * (REPEATS - 1)) + 1.0 / SETS


@pytest.mark.parametrize(("crossed", "truth"), [(0.0, 0.0), (0.5, 9.0)])
def test_interaction_is_what_both_vary_beyond_the_sum(crossed, truth):
    """Var(c a b) = c^2 9 x 4 for independent a and b of mean zero; nothing without it."""
    rng = np.random.default_rng(13)
    pairs = [interaction(whole, parts) for *parts, whole in (effects(rng, crossed) for _ in range(REPEATS))]
    values, errors = np.array([[value[0], error[0]] for value, error in pairs]).T
    near(values, truth)
    assert abs(np.sqrt(np.mean(errors**2)) / values.std(ddof=1) - 1.0) < 4.0 / np.sqrt(2 * (REPEATS - 1))


def test_common_paths_leave_no_noise():
    """Networks that shift every path alike are told apart exactly, however few the paths."""
    paths = np.random.default_rng(1).normal(10.0, 1.0, 512)
    found = split(np.stack([paths, paths + 1.0]), None)
    assert found.noise[0] < 1e-12 and found.variance[0] == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 8, 1), (8, 1, 1)])
def test_one_network_or_block_is_refused(shape):
    with pytest.raises(ValueError, match="expected at least 2 of each"):
        between(np.zeros(shape), np.zeros((shape[0], 1)))
    with pytest.raises(ValueError, match="blocks: got 1, expected at least 2"):
        pseudo_values([from_losses([1.0])], None)
