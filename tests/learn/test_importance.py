"""Learned laws on problems whose answers are known: a linear loss of normals, thresholds that must fall."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from engine.draws.address import seed_words
from engine.draws.tilted import SPAN, Nominal, Tilted, mixed, untilted
from engine.learn.importance.importance import (
    Tail,
    TailTarget,
    broad_of,
    integrands,
    pool_tails,
    repeat_part,
    tail_of,
    tail_parts,
)
from engine.learn.importance.mixture import fit_mixture
from engine.learn.importance.pilot import Pilot
from engine.learn.importance.second_moment import descend, scale_squares, second_moments
from engine.tail.measures import from_losses
from engine.tail.variance_reduction import reduction

MONTHS = 2 * SPAN
LEVELS = (0.999, 0.9997)
ALONG = np.asarray([0.6, 0.0, -0.8])


@pytest.fixture(scope="module")
def nominal():
    cumulative = jnp.asarray([[0.9, 0.98, 1.0], [0.1, 0.95, 1.0], [0.05, 0.2, 1.0]], jnp.float32)
    one = jnp.ones((1, 2), jnp.float32)
    return Nominal(cumulative, jnp.asarray([1.0, 0.0, 0.0], jnp.float32), one)


@pytest.fixture(scope="module")
def plain(nominal):
    return untilted(nominal, MONTHS, 3, 2, 2)


def linear(moments):
    """Standard normal: shocks along a direction, all months alike."""
    return moments.shocks.sum(axis=1) @ ALONG / np.sqrt(MONTHS)


def both_sides(moments):
    """Large along the direction and against it."""
    return np.abs(linear(moments))


def pilot_of(law, nominal, loss, paths=2**15, seed=1):
    sampler = Tilted(law, nominal)
    ids = jnp.arange(paths, dtype=jnp.int64)
    drawn = jax.jit(jax.vmap(lambda path: sampler(seed_words(seed), path, MONTHS, 3)))(ids)
    moments = jax.tree.map(np.asarray, drawn.moments)
    return Pilot(loss(moments), np.exp(np.asarray(drawn.log_weight, np.float64)), moments)


def learned(nominal, plain, loss, parts):
    """The three steps of learning on a loss of the moments."""
    target, rng = TailTarget(parts=parts), np.random.default_rng(0)
    law = repeat_part(plain, parts + 1)
    found = pilot_of(law, nominal, loss, seed=1)
    broad = broad_of(tail_of(found, (0.99,)), nominal)
    law = mixed(repeat_part(broad, parts), plain, 0.1)
    tails = []
    for seed in (2, 3):
        tails.append(tail_of(pilot_of(law, nominal, loss, seed=seed), LEVELS))
        law = mixed(tail_parts(pool_tails(tails), nominal, broad, target, rng), plain, 0.1)
    last = pool_tails(tails)
    moments = jax.tree.map(jnp.asarray, last.moments)
    return descend(law, nominal, moments, scale_squares(last.weight * integrands(last) ** 2))


def ceiling(level):
    """Largest variance reduction that a shift of the mean can give P(Z > a): 291 at 0.999, 873 at 0.9997."""
    a, p = stats.norm.isf(1.0 - level), 1.0 - level
    least = optimize.minimize_scalar(lambda m: np.exp(m * m) * stats.norm.sf(a + m), bracket=(a, a + 0.5)).fun
    return p * (1.0 - p) / (least - p * p)


def test_the_ceilings_are_those_known():
    assert [round(ceiling(level)) for level in LEVELS] == [291, 873]


@pytest.mark.parametrize("level", LEVELS)
def test_a_linear_tail_comes_near_what_a_shift_can_give(nominal, plain, level):
    found = pilot_of(learned(nominal, plain, linear, 2), nominal, linear, paths=2**17, seed=9)
    losses = from_losses(found.loss, found.weight, self_normalised=False)
    hits = found.loss > stats.norm.isf(1.0 - level)
    estimate, error = (found.weight * hits).mean(), (found.weight * hits).std() / np.sqrt(len(hits))
    assert abs(estimate - (1.0 - level)) < 4 * error
    # A tenth of the paths is nominal, 12% go to the broad part, and one law serves two levels.
    assert reduction(losses, level).probability > 0.5 * ceiling(level)
    assert found.weight.max() <= 10.0 * (1 + 1e-4)


def test_two_ways_to_lose_are_both_covered(nominal, plain):
    law = learned(nominal, plain, both_sides, 4)
    found = pilot_of(law, nominal, both_sides, paths=2**17, seed=9)
    point = stats.norm.isf(0.0005)
    for side in (1.0, -1.0):
        hits = side * linear(found.moments) > point
        value = found.weight * hits
        assert abs(value.mean() - 0.0005) < 4 * value.std() / np.sqrt(len(hits))
        assert hits.mean() > 0.05, "one of the two tails is hardly drawn"


def test_cross_entropy_of_one_part_is_the_mean_of_its_tail(nominal, plain):
    found = pilot_of(plain, nominal, linear, paths=2**17)
    far = np.flatnonzero(found.loss > stats.norm.isf(0.01))
    moments = jax.tree.map(lambda leaf: leaf[far], found.moments)
    law = fit_mixture(nominal, moments, np.ones(len(far)), np.ones((len(far), 1)))
    # E[Z | Z > a] = phi(a) / p, spread evenly over months.
    mean = stats.norm.pdf(stats.norm.isf(0.01)) / 0.01
    error = 1.0 / np.sqrt(SPAN * len(far))
    expected = mean * ALONG / np.sqrt(MONTHS)
    # What is within CAUTION errors of zero is zero; the rest is drawn by up to (2 error)^2 / mean towards it.
    assert np.abs(np.asarray(law.drift[0]) - expected).max() < 4 * error + (2 * error) ** 2 / 0.4
    assert np.abs(np.asarray(law.common)).max() < 5 / np.sqrt(len(far))


def test_thresholds_are_tilted_to_where_the_tail_has_them(nominal, plain):
    found = pilot_of(plain, nominal, lambda moments: -moments.firms[:, 0], paths=2**15)
    early = np.flatnonzero(found.moments.firms[:, 0] < 0.2)
    moments = jax.tree.map(lambda leaf: leaf[early], found.moments)
    law = fit_mixture(nominal, moments, np.ones(len(early)), np.ones((len(early), 1)))
    mean = moments.firms[:, 0].mean()
    assert float(law.firm_rate[0, 0]) == pytest.approx(min(1 / mean, 8.0), rel=0.01)
    assert abs(float(law.firm_rate[0, 1]) - 1.0) < 4 / np.sqrt(len(early))


def test_descent_lowers_the_second_moment(nominal, plain):
    tail = tail_of(pilot_of(plain, nominal, linear, paths=2**17), (0.99,))
    moments = jax.tree.map(jnp.asarray, tail.moments)
    squares = scale_squares(tail.weight * integrands(tail) ** 2)
    before = mixed(plain, plain, 0.1)
    after = descend(before, nominal, moments, squares)
    high, low = (second_moments(law, nominal, moments, squares) for law in (before, after))
    assert (low < high).all()
    assert float(after.share[-1]) == pytest.approx(0.1)
    assert float(after.share.sum()) == pytest.approx(1.0, rel=1e-5)


def test_the_second_moment_weighs_as_the_sampler_does(nominal, plain):
    """E_P[h^2 dP/dQ]: of paths that Q has drawn, the sum of w h^2 times the weight w that they carry."""
    shifted = dataclasses.replace(plain, drift=jnp.full_like(plain.drift, 0.1))
    law = mixed(shifted, plain, 0.1)
    found = pilot_of(law, nominal, linear, paths=1024)
    squares = scale_squares(np.stack([np.ones(1024), np.maximum(found.loss, 0.0)]))
    expected = np.asarray(squares, np.float64) @ found.weight
    moments = jax.tree.map(jnp.asarray, found.moments)
    np.testing.assert_allclose(second_moments(law, nominal, moments, squares), expected, rtol=1e-4)


def test_a_tail_keeps_what_lies_beyond_and_just_short(nominal, plain):
    n = 1000
    one = pilot_of(plain, nominal, linear, paths=n)
    tail = tail_of(dataclasses.replace(one, loss=np.arange(1.0, n + 1.0)), (0.99,))
    assert isinstance(tail, Tail) and tail.weight.sum() == pytest.approx(len(tail.weight) / n)
    assert (tail.beyond[0] > 0).sum() in (9, 10) and tail.beyond[0].min() > -0.05 * 991
    np.testing.assert_array_equal(tail.moments.common, one.moments.common[-len(tail.weight) :])
    hit, excess = integrands(tail)
    assert hit @ tail.weight == pytest.approx(1.0) and excess @ tail.weight == pytest.approx(1.0)
    assert not hit[tail.beyond[0] <= 0.0].any() and not excess[tail.beyond[0] <= 0.0].any()


@pytest.mark.parametrize(
    "wanted, message",
    [
        ({"level": 0.9}, "level: got 0.9"),
        ({"parts": 1}, "parts: got 1"),
        ({"defensive": 1.0}, "defensive: got 1.0"),
    ],
)
def test_impossible_wishes_are_refused(wanted, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TailTarget(), **wanted)
