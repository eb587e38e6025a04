"""One maximisation against what its equations give for paths that are all alike, and what it leaves alone."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.draws.tilted import SPAN, Moments, Nominal, mixed, untilted
from engine.learn.importance.importance import NEAR, Tail, TailTarget, repeat_part, tail_parts
from engine.learn.importance.mixture import (
    CAUTION,
    LEAST_SHARE,
    PRIOR,
    RATES,
    fit_mixture,
    maximise,
    responsibilities,
)
from engine.learn.importance.second_moment import descend, from_unbounded, scale_squares, to_unbounded

PATHS, SPANS, FACTORS, COMMON, FIRMS = 400, 2, 3, 2, 2
P = np.asarray([[0.9, 0.08, 0.02], [0.1, 0.85, 0.05], [0.05, 0.15, 0.8]])
STEPS = np.asarray([[4.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
POOLS = np.asarray([[1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])


@pytest.fixture(scope="module")
def nominal():
    pools, cumulative = jnp.asarray(POOLS, jnp.float32), jnp.asarray(np.cumsum(P, axis=1), jnp.float32)
    return Nominal(cumulative, jnp.asarray([1.0, 0.0, 0.0], jnp.float32), pools)


def nominal_moments(random, paths):
    """Moments of plain paths that stay in the first regime."""
    steps = np.zeros((paths, SPANS, 3, 3))
    steps[:, :, 0, 0] = SPAN
    thresholds = random.exponential(size=(paths, POOLS.shape[1])) @ POOLS.T
    normals = (paths, SPANS, FACTORS), (paths, COMMON)
    shocks, common = random.normal(0.0, SPAN**0.5, normals[0]), random.normal(size=normals[1])
    leaves = (steps, shocks, common, random.exponential(size=(paths, FIRMS)), thresholds)
    return Moments(*(jnp.asarray(leaf, jnp.float32) for leaf in leaves))


def alike(away):
    """Paths whose moments all lie `away` standard errors of their mean from the nominal ones."""
    error, sizes = away / PATHS**0.5, POOLS.sum(axis=1)
    one = (
        np.tile(STEPS, (SPANS, 1, 1)),
        np.full((SPANS, FACTORS), SPAN**0.5 * error),
        np.full(COMMON, error),
        np.full(FIRMS, 1.0 + error),
        sizes + sizes**0.5 * error,
    )
    return Moments(*(jnp.broadcast_to(jnp.asarray(leaf, jnp.float32), (PATHS, *leaf.shape)) for leaf in one))


@pytest.mark.parametrize("away", [-6.0, 3.0, 6.0])
def test_a_mean_is_drawn_to_the_nominal_one_by_its_error(nominal, away):
    """James and Stein: m (1 - (2 error / m)^2), with the error of PATHS paths, months and obligors."""
    law = fit_mixture(nominal, alike(away), np.ones(PATHS), np.ones((PATHS, 1)))
    kept = away * (1.0 - (CAUTION / away) ** 2) / PATHS**0.5
    sizes = POOLS.sum(axis=1)[:2]
    np.testing.assert_allclose(law.drift, np.full((1, SPANS, FACTORS), kept / SPAN**0.5), rtol=1e-4)
    np.testing.assert_allclose(law.common, np.full((1, COMMON), kept), rtol=1e-4)
    np.testing.assert_allclose(law.firm_rate, np.full((1, FIRMS), 1.0 / (1.0 + kept)), rtol=1e-4)
    np.testing.assert_allclose(law.pool_rate[0, :2], 1.0 / (1.0 + kept / sizes**0.5), rtol=1e-4)
    assert float(law.pool_rate[0, 2]) == 1.0, "a pool without obligors is not tilted"


def test_a_mean_within_its_caution_is_the_nominal_one(nominal):
    law = fit_mixture(nominal, alike(0.99 * CAUTION), np.ones(PATHS), np.ones((PATHS, 1)))
    for leaf, value in ((law.drift, 0.0), (law.common, 0.0), (law.firm_rate, 1.0), (law.pool_rate, 1.0)):
        np.testing.assert_array_equal(leaf, np.full_like(leaf, value))


def test_steps_are_counted_beside_the_prior(nominal):
    law = fit_mixture(nominal, alike(0.0), np.ones(PATHS), np.ones((PATHS, 1)))
    counts = PATHS * STEPS + PRIOR * P
    expected = np.tile(counts / counts.sum(axis=1, keepdims=True), (1, SPANS, 1, 1))
    np.testing.assert_allclose(law.transition, expected, rtol=1e-4)


def test_uneven_paths_know_as_much_as_fewer_even_ones(nominal):
    """Noise of plain paths is taken for a tilt as rarely as CAUTION says, 5%, though few paths carry it."""
    random, told, asked = np.random.default_rng(3), 0, 0
    for _ in range(40):
        value = random.lognormal(0.0, 1.2, PATHS)
        law = fit_mixture(nominal, nominal_moments(random, PATHS), value, np.ones((PATHS, 1)))
        leaves = (law.drift, 0.0), (law.common, 0.0), (law.firm_rate, 1.0), (law.pool_rate[:, :2], 1.0)
        for leaf, plain in leaves:
            told, asked = told + int((np.asarray(leaf) != plain).sum()), asked + leaf.size
    share = told / asked
    assert abs(share - 0.0455) < 4 * np.sqrt(0.0455 * 0.9545 / asked) + 0.01  # weighted means are not normal


def test_a_part_that_explains_nothing_lives_on(nominal):
    mass = np.stack([np.ones(PATHS), np.full(PATHS, 1e-6)], axis=1)
    share = maximise(nominal, alike(0.0), jnp.asarray(mass, jnp.float32), RATES).share
    assert float(share[1]) == pytest.approx(LEAST_SHARE / (1.0 + LEAST_SHARE), rel=1e-4)
    assert float(share.sum()) == pytest.approx(1.0, rel=1e-6)


def test_equal_parts_answer_for_paths_by_their_shares(nominal):
    plain = untilted(nominal, SPANS * SPAN, FACTORS, COMMON, FIRMS)
    law = mixed(plain, plain, 0.3)
    found = responsibilities(law, nominal, nominal_moments(np.random.default_rng(4), 50))
    np.testing.assert_allclose(found, np.tile([0.7, 0.3], (50, 1)), rtol=1e-5)


def test_descent_keeps_rates_within_their_bounds(nominal):
    plain = untilted(nominal, SPANS * SPAN, FACTORS, COMMON, FIRMS)
    moments = nominal_moments(np.random.default_rng(5), 2000)
    early = scale_squares(np.exp(-3.0 * np.asarray(moments.firms[:, 0] + moments.pools[:, 1]))[None])
    law = mixed(plain, plain, 0.1)
    free, held = (descend(law, nominal, moments, early, rates) for rates in (RATES, (1.0, 1.0)))
    for name, place in (("firm_rate", 0), ("pool_rate", 1)):
        assert float(getattr(free, name)[0, place]) > 1.01, "what falls early is made to fall earlier"
        np.testing.assert_array_equal(getattr(held, name), np.ones_like(getattr(held, name)))


def test_a_mixture_freed_and_bound_is_the_same(nominal):
    plain = untilted(nominal, SPANS * SPAN, FACTORS, COMMON, FIRMS)
    shares = jnp.asarray([0.5, 0.3, 0.2], jnp.float32)
    law = mixed(dataclasses.replace(repeat_part(plain, 3), share=shares), plain, 0.1)
    again = from_unbounded(to_unbounded(law, nominal), law, nominal)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7), again, law)


def test_a_law_spread_over_parts_is_one_law(nominal):
    shares = repeat_part(untilted(nominal, SPANS * SPAN, FACTORS, COMMON, FIRMS), 4).share
    np.testing.assert_allclose(shares, np.full(4, 0.25), rtol=1e-6)


def test_paths_just_short_of_the_tail_count_a_little(nominal):
    """Half of the paths lie beyond with a common normal of 3, half just short with one of -1."""
    plain = untilted(nominal, SPANS * SPAN, FACTORS, COMMON, FIRMS)
    beyond = np.arange(PATHS) % 2 == 0
    common = jnp.asarray(np.where(beyond, 3.0, -1.0)[:, None] * np.ones(COMMON), jnp.float32)
    moments = dataclasses.replace(alike(0.0), common=common)
    tail = Tail(moments, np.full(PATHS, 1.0 / PATHS), np.where(beyond, 1.0, -1.0)[None])
    law = tail_parts(tail, nominal, plain, TailTarget(parts=2), np.random.default_rng(0))
    mean, sample_size = (3.0 - NEAR) / (1.0 + NEAR), PATHS / 2 * (1.0 + NEAR) ** 2 / (1.0 + NEAR**2)
    expected = mean * (1.0 - CAUTION**2 / (sample_size * mean**2))
    np.testing.assert_allclose(law.common[0], np.full(COMMON, expected), rtol=1e-4)
