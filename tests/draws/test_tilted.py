"""A tilted path weighs what the nominal law says it should, and every density is the textbook's."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.draws.tilted import SPAN, Moments, Nominal, Tilted, log_ratios, mixed, probabilities, untilted

MONTHS, FACTORS, COMMON, FIRMS = 12, 2, 3, 2
PATHS = 2**15
P = np.asarray([[0.95, 0.04, 0.01], [0.1, 0.85, 0.05], [0.05, 0.15, 0.8]])


@pytest.fixture(scope="module")
def nominal():
    pools = jnp.asarray([[1, 1, 0], [0, 0, 1], [0, 0, 0]], jnp.float32)
    cumulative = jnp.asarray(np.cumsum(P, axis=1), jnp.float32)
    return Nominal(cumulative, jnp.asarray([1.0, 0.0, 0.0], jnp.float32), pools)


@pytest.fixture(scope="module")
def plain(nominal):
    return untilted(nominal, MONTHS, FACTORS, COMMON, FIRMS)


@pytest.fixture(scope="module")
def tilt(nominal, plain):
    rng = np.random.default_rng(5)

    def moved(leaf, by):
        noise = rng.normal(0.0, by, (2, *leaf.shape[1:]))
        return jnp.concatenate([leaf, leaf]) + jnp.asarray(noise, jnp.float32)

    rows = jnp.concatenate([plain.transition] * 2) * jnp.exp(moved(jnp.zeros_like(plain.transition), 0.4))
    parts = dataclasses.replace(
        plain,
        share=jnp.asarray([0.7, 0.3], jnp.float32),
        transition=rows / rows.sum(-1, keepdims=True),
        drift=moved(plain.drift, 0.2),
        common=moved(plain.common, 0.4),
        firm_rate=jnp.exp(moved(jnp.zeros_like(plain.firm_rate), 0.4)),
        pool_rate=jnp.exp(moved(jnp.zeros_like(plain.pool_rate), 0.3)),
    )
    return mixed(parts, plain, 0.2)


@pytest.fixture(scope="module")
def drawn(tilt, nominal):
    sampler = Tilted(tilt, nominal)
    ids = jnp.arange(PATHS, dtype=jnp.int64)
    found = jax.jit(jax.vmap(lambda path: sampler(seed_words(3), path, MONTHS, FACTORS)))(ids)
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), found)


def regimes_of(uniforms):
    """The chain as the model draws it from uniforms [paths months]."""
    state = np.zeros(len(uniforms), int)
    for u in uniforms.T:
        state = (u[:, None] >= np.cumsum(P, axis=1)[state][:, :2]).sum(axis=1)
        yield state


def test_weighted_paths_have_the_nominal_law(drawn):
    w = np.exp(drawn.log_weight)
    moments, last = drawn.moments, list(regimes_of(drawn.uniforms))[-1]
    truth = {
        "one": (np.ones(PATHS), 1.0),
        "bust at the end": (last == 2, np.linalg.matrix_power(P, MONTHS)[0, 2]),
        "mean shock": (drawn.normals[:, :, 0].mean(axis=1), 0.0),
        "square of a shock": (drawn.normals[:, 3, 1] ** 2, 1.0),
        "common normal": (moments.common[:, 1], 0.0),
        "late threshold": (moments.firms[:, 0] > 1.0, np.exp(-1.0)),
        "both of a pool": (moments.pools[:, 0] > 3.0, stats.gamma.sf(3.0, 2)),
        "single of a pool": (moments.pools[:, 1], 1.0),
    }
    # Eight means, each within 4.5 of its own standard errors: by chance one in 18,000.
    for name, (h, value) in truth.items():
        error = (w * h).std() / np.sqrt(PATHS)
        assert abs((w * h).mean() - value) < 4.5 * error, name


def test_without_weights_it_has_not(drawn):
    assert abs(drawn.moments.common.mean(axis=0)).max() > 10 / np.sqrt(PATHS)


def test_no_weight_exceeds_one_over_the_nominal_share(drawn):
    assert np.exp(drawn.log_weight).max() <= 5.0 * (1 + 1e-4)


def test_moments_are_those_of_the_path_the_model_sees(drawn):
    steps = np.zeros((PATHS, MONTHS // SPAN, 3, 3))
    before = np.zeros(PATHS, int)
    for month, state in enumerate(regimes_of(drawn.uniforms)):
        steps[np.arange(PATHS), month // SPAN, before, state] += 1.0
        before = state
    np.testing.assert_array_equal(drawn.moments.transitions, steps)
    sums = drawn.normals.reshape(PATHS, -1, SPAN, FACTORS).sum(axis=2)
    np.testing.assert_allclose(drawn.moments.shocks, sums, atol=1e-4)


def test_a_density_is_the_textbooks(tilt, nominal):
    rng = np.random.default_rng(2)
    normals, states = rng.normal(size=(MONTHS, FACTORS)), [0, *rng.integers(0, 3, MONTHS)]
    common, firms, obligors = rng.normal(size=COMMON), rng.exponential(size=FIRMS), rng.exponential(size=3)
    steps = np.zeros((MONTHS // SPAN, 3, 3))
    expected = 0.0
    part = jax.tree.map(lambda leaf: np.asarray(leaf[0], np.float64), tilt)
    for month in range(MONTHS):
        span, move = month // SPAN, (states[month], states[month + 1])
        steps[span, move[0], move[1]] += 1.0
        expected += np.log(part.transition[span][move] / P[move])
        shift = stats.norm.logpdf(normals[month], part.drift[span]) - stats.norm.logpdf(normals[month])
        expected += shift.sum()
    expected += (stats.norm.logpdf(common, part.common) - stats.norm.logpdf(common)).sum()
    for threshold, rate in [*zip(firms, part.firm_rate, strict=True),
                            *zip(obligors, part.pool_rate[[0, 0, 1]], strict=True)]:  # fmt: skip
        expected += stats.expon.logpdf(threshold, scale=1.0 / rate) - stats.expon.logpdf(threshold)
    sums = normals.reshape(-1, SPAN, FACTORS).sum(axis=1)
    pools = np.asarray([obligors[:2].sum(), obligors[2], 0.0])
    moments = Moments(*(jnp.asarray(leaf, jnp.float32) for leaf in (steps, sums, common, firms, pools)))
    # Float32 sums of some forty terms of order one.
    assert float(log_ratios(tilt, nominal, moments)[0]) == pytest.approx(expected, abs=1e-4)


def test_the_nominal_law_alone_is_plain_sampling(plain, nominal):
    path = jnp.asarray(11, jnp.int64)
    found = Tilted(plain, nominal)(seed_words(3), path, MONTHS, FACTORS)
    same = PSEUDO_RANDOM(seed_words(3), path, MONTHS, FACTORS)
    np.testing.assert_array_equal(found.normals, same.normals)
    assert float(found.log_weight) == pytest.approx(0.0, abs=1e-6)
    states = [list(regimes_of(np.asarray(u, np.float64)[None])) for u in (found.uniforms, same.uniforms)]
    np.testing.assert_array_equal(*states)


def test_a_transition_that_cannot_happen_never_does(nominal):
    rows = np.asarray([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]])
    shut = dataclasses.replace(nominal, transition=jnp.asarray(np.cumsum(rows, axis=1), jnp.float32))
    law = untilted(shut, MONTHS, FACTORS, COMMON, FIRMS)
    found = Tilted(law, shut)(seed_words(3), jnp.asarray(1, jnp.int64), MONTHS, FACTORS)
    assert np.isfinite(float(found.log_weight)) and float(found.moments.transitions[..., 2].sum()) == 0.0
    assert probabilities(shut.transition)[0, 2] == 0.0


def test_a_share_of_nothing_is_refused(plain):
    with pytest.raises(ValueError, match="defensive: got 0.0, expected a share between 0 and 1"):
        mixed(plain, plain, 0.0)
