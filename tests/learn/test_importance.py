"""What is learned for a tail: a surrogate of known losses, preferences of a known law, the gain they give."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from engine.draws.choice import Preference
from engine.learn.importance.importance import TailTarget, estimates
from engine.learn.importance.preference import APART, apart, nothing, preference
from engine.learn.importance.surrogate import SIGNIFICANT, fit, significance, standard
from engine.tail.measures import from_losses
from engine.tail.variance_reduction import reduction

NOISE = 0.5
LEVELS = (0.99, 0.999)


def linear(paths, columns=300, seed=1):
    """Features, and losses that are the fourth and the ninth with noise, in standard deviations."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(paths, columns)).astype(np.float32)
    loss = 0.8 * features[:, 3] - 0.6 * features[:, 8] + NOISE * rng.normal(size=paths)
    return features, np.asarray(loss, np.float64)


def test_features_that_tell_losses_apart_are_significant():
    features, loss = linear(4096)
    places = np.flatnonzero(significance(features, standard(loss)) > SIGNIFICANT)
    assert set(places) == {3, 8}


def test_a_feature_that_only_the_tail_knows_is_read():
    """A threshold that two paths in a thousand cross: hardly correlated with all losses, but decisive."""
    features, loss = linear(16_384)
    features[:, 17] = np.random.default_rng(2).random(16_384) < 0.002
    assert significance(features, standard(loss + 8.0 * features[:, 17]))[17] > SIGNIFICANT
    assert significance(features, standard(loss))[17] < SIGNIFICANT


def test_the_surrogate_finds_a_linear_loss():
    features, loss = linear(16_384)
    y = standard(loss)
    net = fit(features[:12_288], y[:12_288], seed=3)
    left = np.var(y[12_288:] - estimates(net, features[12_288:]))
    # Noise is a fifth of the variance; the net may miss another twentieth.
    assert NOISE**2 / (1.0 + NOISE**2) - 0.02 < left < 0.25
    again = fit(features[:12_288], y[:12_288], seed=3)
    for one, other in zip(jax.tree.leaves(net), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_losses_that_do_not_vary_are_learned_too():
    features, _ = linear(2048)
    y = standard(np.full(2048, 3.0))
    net = fit(features, y, seed=3)
    assert np.isfinite(estimates(net, features)).all()
    everyone = preference(estimates(net, features), y, LEVELS, 0.3)
    np.testing.assert_allclose(
        jax.vmap(everyone)(jnp.linspace(-3.0, 3.0, 9, dtype=jnp.float32)), 0.0, atol=1e-5
    )


def test_preferences_are_the_conditional_moments_of_a_gaussian_loss():
    """s and the noise normal: E[1{s + noise > v} | s] = Phi((s - v) / NOISE), its partner the mean square."""
    rng = np.random.default_rng(4)
    s = rng.normal(size=2**17)
    loss = s + NOISE * rng.normal(size=2**17)
    plain = 0.3
    got = preference(s, loss, LEVELS, plain)
    points = np.array([1.0, 2.0, 2.5, 3.0, 3.5])
    exact = np.full(len(points), plain)
    grid = np.linspace(-8.0, 8.0, 20_001)
    for level in LEVELS:
        v = stats.norm.isf(1.0 - level) * (1.0 + NOISE**2) ** 0.5
        for moment in (hit, squared_excess):
            root = np.trapezoid(np.sqrt(moment(grid, v)) * stats.norm.pdf(grid), grid)
            exact += (1.0 - plain) / 4 * moment(points, v) / root**2
    log_q = np.asarray(jax.vmap(got)(jnp.asarray(points, jnp.float32)), np.float64)
    np.testing.assert_allclose(log_q, 0.5 * np.log(exact / plain), atol=0.15)


def hit(s, v):
    return stats.norm.cdf((s - v) / NOISE)


def squared_excess(s, v):
    z = (s - v) / NOISE
    return NOISE**2 * ((1.0 + z**2) * stats.norm.cdf(z) + z * stats.norm.pdf(z))


@pytest.mark.parametrize("candidates", [8, 32])
def test_the_gain_is_that_of_the_harmonic_mean(candidates):
    """Choice among R candidates with preference q: second moment (1 - 1/R) E[h^2 / q] E[q] + E[h^2] / R."""
    rng = np.random.default_rng(5)
    s = rng.normal(size=2**17)
    own = preference(s, s + NOISE * rng.normal(size=2**17), LEVELS, 0.3)
    drawn = rng.normal(size=(2**16, candidates))
    q = np.exp(np.asarray(jax.vmap(own)(jnp.asarray(drawn.ravel(), jnp.float32)))).reshape(drawn.shape)
    share = np.cumsum(q / q.sum(axis=1, keepdims=True), axis=1)
    place = np.minimum((rng.random((2**16, 1)) > share).sum(axis=1), candidates - 1)
    rows = np.arange(2**16)
    weight, loss = q.mean(axis=1) / q[rows, place], drawn[rows, place] + NOISE * rng.normal(size=2**16)
    assert abs(weight.mean() - 1.0) < 4 * weight.std() / 2**8
    gains = reduction(from_losses(loss, weight, self_normalised=False), 0.999)
    v = stats.norm.isf(0.001) * (1.0 + NOISE**2) ** 0.5
    fresh = rng.normal(size=2**20)
    every = np.exp(np.asarray(jax.vmap(own)(jnp.asarray(fresh, jnp.float32)), np.float64))
    second = (1 - 1 / candidates) * np.mean(hit(fresh, v) / every) * every.mean() + 0.001 / candidates
    assert gains.probability == pytest.approx(0.001 * 0.999 / (second - 0.001**2), rel=0.2)


def test_knots_keep_their_distance():
    knots = apart(np.array([0.0, 0.0, 0.0, 1.0, 1.001, 5.0]))
    assert (
        (np.diff(knots) >= APART - 1e-12).all() and knots[0] == 0.0 and knots[3] == 1.0 and knots[-1] == 5.0
    )


def test_without_learning_all_paths_are_alike():
    assert isinstance(nothing(), Preference) and float(nothing()(jnp.float32(7.0))) == 0.0


@pytest.mark.parametrize(
    "wanted, message",
    [
        ({"level": 0.9}, "level: got 0.9"),
        ({"candidates": 1}, "candidates: got 1"),
        ({"defensive": 1.0}, "defensive: got 1.0"),
    ],
)
def test_impossible_wishes_are_refused(wanted, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TailTarget(), **wanted)
