"""CoVaR from the joint histogram against the sample itself."""

import jax
import numpy as np
import pytest

from engine.tail.covar import NONE, covar
from engine.tail.tally import init, merge, update
from tests.tail.samples import identical, of_losses, take

HALF_BIN = 1 / 32


def sample(paths=40_000, seed=17):
    random = np.random.default_rng(seed)
    common, own = random.standard_normal((2, paths))
    system, bank = np.exp(3.0 + common), np.exp(0.8 * common + 0.6 * own)
    calm = np.exp(own)
    quiet = np.where(random.random(paths) < 0.002, 1.0, 0.0)
    return np.stack([system, bank, calm, quiet]).astype(np.float32)


def tally_of(paths):
    return update(init(1, 4, 0, 0, 1, 0, last=3), paths)


def exact(losses, column, level):
    """VaR of the system on the paths at or beyond the column's VaR, and on those up to its median."""
    system, own = losses[0].astype(np.float64), losses[column].astype(np.float64)
    beyond = system[own >= np.quantile(own, level)]
    normal = system[own <= np.median(own)]
    return np.quantile(beyond, level), np.quantile(beyond, level) - np.quantile(normal, level)


@pytest.mark.parametrize("column", [1, 2])
def test_against_the_sample(column):
    losses = sample()
    found = covar(tally_of(of_losses(losses)), column - 1, 0.95)
    value, delta = exact(losses, column, 0.95)
    assert found.covar == pytest.approx(value, rel=HALF_BIN)
    assert found.delta == pytest.approx(delta, abs=2 * HALF_BIN * value)
    assert found.lower < found.covar < found.upper


def test_an_independent_column_has_no_delta():
    """Conditioning on it leaves the system's law: the difference is noise of 2,000 and 20,000 paths."""
    found = covar(tally_of(of_losses(sample(400_000))), 1, 0.95)
    assert abs(found.delta) < 4 * (found.upper - found.lower) / 2 / 1.96


def test_interval_covers_the_truth():
    """Of a lognormal pair: the truth from a large sample; 200 small ones."""
    large = sample(2_000_000, seed=1)
    value, _ = exact(large, 1, 0.95)
    covered = []
    for seed in range(200):
        found = covar(tally_of(of_losses(sample(20_000, seed + 100))), 0, 0.95)
        covered.append(found.lower <= value <= found.upper)
    assert np.mean(covered) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 200)


def test_a_column_that_seldom_loses_is_in_no_distress():
    assert covar(tally_of(of_losses(sample())), 2, 0.95) is NONE
    with pytest.raises(ValueError, match="level: got .*, expected a number between 0 and 1"):
        covar(tally_of(of_losses(sample(100))), 0, 1.0)


def test_weights_count_and_merging_is_exact():
    losses, paths = sample(5000), np.arange(5000)
    twice = of_losses(losses, np.full(5000, 2.0))
    one = of_losses(losses)
    assert (np.asarray(tally_of(twice).joint) == 2 * np.asarray(tally_of(one).joint)).all()
    parts = merge(tally_of(take(one, paths[:2000])), tally_of(take(one, paths[2000:])))
    assert identical(jax.device_get(parts), jax.device_get(tally_of(one)))
    assert np.asarray(parts.joint).sum(axis=(1, 2)).tolist() == [5000 * 2**28] * 3
