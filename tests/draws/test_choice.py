"""A chosen path is one of its candidates, taken as often as it is preferred, and its weight pays for that."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.choice import SMALL, SPAN, Choice, Nominal, Preference, Surrogate
from engine.draws.samplers import PSEUDO_RANDOM
from engine.learn.importance.pilot import nominal_of
from engine.paths.draws import path_draws

MONTHS, FACTORS, SEED = 2 * SPAN, 3, 5
LAST = FACTORS * (MONTHS // SPAN - 1)
"""Place of the first factor's level at the end."""


@pytest.fixture(scope="module")
def nominal():
    cumulative = jnp.asarray([[0.9, 0.98, 1.0], [0.1, 0.95, 1.0], [0.05, 0.2, 1.0]], jnp.float32)
    start, one = jnp.asarray([1.0, 0.0, 0.0], jnp.float32), jnp.ones((1, 2), jnp.float32)
    labs = jnp.asarray([1], jnp.int32)
    return Nominal(cumulative, start, jnp.eye(FACTORS, dtype=jnp.float32), one, labs, 1, 2)


def itself(place):
    """A net whose estimate is one feature, as silu(x) - silu(-x) = x."""
    both = jnp.asarray([[1.0, -1.0]], jnp.float32)
    zero = jnp.zeros(2, jnp.float32)
    weights = (both, jnp.asarray([[1.0, -1.0], [-1.0, 1.0]], jnp.float32), both.T)
    one = jnp.ones(1, jnp.float32)
    return Surrogate(jnp.asarray([place], jnp.int32), 0.0 * one, one, weights, (zero, zero, 0.0 * one))


def steep(slope):
    """ln q = slope x between -1 and 3."""
    return Preference(jnp.asarray([-1.0, 3.0], jnp.float32), jnp.asarray([slope, 0.0], jnp.float32))


def drawn(sampler, paths=2**13):
    ids = jnp.arange(paths, dtype=jnp.int64)
    return jax.jit(jax.vmap(lambda path: sampler(seed_words(SEED), path, MONTHS, FACTORS)))(ids)


def levels_of(economies):
    """The first factor's level at the end of these plain paths: a standard normal."""
    plain = jax.jit(jax.vmap(lambda path: PSEUDO_RANDOM(seed_words(SEED), path, MONTHS, FACTORS).normals))
    return np.asarray(plain(jnp.asarray(economies))[:, :, 0], np.float64).sum(axis=1) / MONTHS**0.5


@pytest.mark.parametrize("candidates", [2, 5])
def test_a_path_has_the_draws_of_one_of_its_candidates(nominal, candidates):
    got = drawn(Choice(nominal, itself(LAST), steep(1.0), candidates), 256)
    ids = np.arange(256)
    economy = np.asarray(got.economy)
    assert ((economy >= candidates * ids) & (economy < candidates * (ids + 1))).all()
    plain = jax.vmap(lambda path: PSEUDO_RANDOM(seed_words(SEED), path, MONTHS, FACTORS))(got.economy)
    np.testing.assert_allclose(got.normals, plain.normals, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(got.uniforms, plain.uniforms)


def test_weights_and_choices_are_those_of_the_preferences(nominal):
    paths, candidates = 2**13, 4
    got = drawn(Choice(nominal, itself(LAST), steep(1.0), candidates), paths)
    q = np.exp(np.clip(levels_of(np.arange(paths * candidates)), -1.0, 3.0) + 1.0).reshape(paths, candidates)
    place = np.asarray(got.economy) - candidates * np.arange(paths)
    own = q[np.arange(paths), place]
    np.testing.assert_allclose(np.exp(np.asarray(got.log_weight)), q.mean(axis=1) / own, rtol=1e-5)
    share = q / q.sum(axis=1, keepdims=True)
    for each in range(candidates):
        surprise = ((place == each) - share[:, each]).sum()
        assert abs(surprise) < 4 * np.sqrt((share[:, each] * (1 - share[:, each])).sum()), each


@pytest.mark.parametrize("slope", [-0.5, 0.7, 1.5])
def test_weighted_means_are_those_of_plain_paths(nominal, slope):
    got = drawn(Choice(nominal, itself(LAST), steep(slope), 8), 2**15)
    weight, level = np.exp(np.asarray(got.log_weight, np.float64)), levels_of(got.economy)
    for value, exact in ((1.0 + 0.0 * level, 1.0), (level, 0.0), (level**2, 1.0), (level > 2.0, 0.022750132)):
        each = weight * value
        assert abs(each.mean() - exact) < 4 * each.std() / np.sqrt(len(each)) + 1e-9
    assert (level > 2.0).mean() > 0.05 or slope < 1.0


def test_without_preference_all_weigh_one_and_each_place_is_as_likely(nominal):
    got = drawn(Choice(nominal, itself(LAST), steep(0.0), 4))
    np.testing.assert_allclose(got.log_weight, 0.0, atol=1e-6)
    counts = np.bincount(np.asarray(got.economy) % 4, minlength=4)
    assert np.abs(counts - 2**11).max() < 4 * np.sqrt(2**13 * 3 / 16)


def test_features_are_those_of_the_path_s_draws():
    system = build_system(load_book(shipped_book("worked_small")), Parameters(), MONTHS)
    own, seed = nominal_of(system), seed_words(SEED)
    factors = system.economy.loading.shape[0]
    for path in (3, 2**35):
        address = jnp.asarray(path, jnp.int64)
        draws = PSEUDO_RANDOM(seed, address, MONTHS, factors)
        got = np.asarray(own.features(seed, address, draws), np.float64)
        once = path_draws(system, seed, address)
        moved = np.asarray(draws.normals, np.float64) @ np.asarray(system.economy.loading, np.float64).T
        regime, row = [], int(system.numbers.economy.start)
        for u in np.asarray(draws.uniforms):
            row = int((u >= np.asarray(system.economy.transition)[row][:-1]).sum())
            regime.append(row)
        regime, spans = np.array(regime), MONTHS // SPAN
        boom = (np.maximum.accumulate(regime > 0) == 0).mean()
        firms = -np.log(np.asarray(once.firms, np.float64))
        obligors, pools = (
            -np.log(np.asarray(once.obligors, np.float64)),
            np.asarray(system.pools.obligor_pool),
        )
        sums = [obligors[pools == pool].sum() for pool in range(system.pools.hazard.shape[0])]
        expected = np.concatenate(
            [
                np.cumsum(moved.reshape(spans, SPAN, factors).sum(axis=1), axis=0).ravel() / MONTHS**0.5,
                np.stack(
                    [[(regime[: SPAN * (k + 1)] == r).sum() / MONTHS for r in (1, 2)] for k in range(spans)]
                ).ravel(),
                [boom, float(boom == 1.0)],
                np.asarray(once.release_effect), np.asarray(once.frailty),
                np.asarray(once.leadership)[np.asarray(system.firms.labs)],
                np.asarray(once.slip), np.asarray(once.slip_length),
                np.log(firms + 1e-3), np.log(np.array(sums) + 1e-3),
                *(np.exp(-firms / size) for size in SMALL),
            ]
        )  # fmt: skip
        np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)
