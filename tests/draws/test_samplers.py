"""Every sampler draws the law it claims, weights it rightly, and is a function of the address."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from engine.draws import samplers
from engine.draws.address import seed_words

SEED = 7


def draw(sampler, paths, steps, factors, first=0):
    ids = first + jnp.arange(paths, dtype=jnp.int64)
    drawn = jax.jit(jax.vmap(lambda path: sampler(seed_words(SEED), path, steps, factors)))(ids)
    return (np.asarray(leaf, np.float64) for leaf in (drawn.normals, drawn.uniforms, drawn.log_weight))


def test_an_antithetic_pair_mirrors_the_path_it_is_named_after():
    normals, uniforms, log_weight = draw(samplers.Antithetic(), 64, 12, 5)
    plain, plain_uniforms, _ = draw(samplers.PSEUDO_RANDOM, 32, 12, 5)
    np.testing.assert_array_equal(normals[::2], plain)
    np.testing.assert_array_equal(normals[1::2], -plain)
    np.testing.assert_allclose(uniforms[::2] + uniforms[1::2], 1.0, atol=2.0**-23)
    np.testing.assert_array_equal(uniforms[::2], plain_uniforms)
    assert not log_weight.any()


def reference_points(replication, points, dims):
    rng = np.random.default_rng([SEED, 0, samplers.SCRAMBLES, replication])
    return qmc.Sobol(dims, scramble=True, bits=32, rng=rng).random(points)


@pytest.mark.parametrize("replication", [0, 1])
def test_sobol_points_are_scipys_bit_for_bit(replication):
    sampler = samplers.sobol(2, 256, 60, 6, 4, SEED)[replication]
    points = jax.vmap(sampler.point)(jnp.arange(256, dtype=jnp.int64))
    np.testing.assert_array_equal(
        np.asarray(points, np.float64) * 2.0**-32, reference_points(replication, 256, 24)
    )


def test_a_scramble_is_drawn_for_its_own_path_ids():
    sampler = samplers.sobol(2, 64, 1, 3, 1, SEED)[1]
    normals, uniforms, _ = draw(sampler, 64, 1, 3, first=64)
    points = reference_points(1, 64, 4)
    # float32 inversion: absolute to 2^-24 near the middle, relative in the tails.
    np.testing.assert_allclose(normals[:, 0], stats.norm.ppf(points[:, :3] + 2.0**-33), rtol=2e-6, atol=2e-7)
    np.testing.assert_allclose(uniforms[:, 0], points[:, 3], atol=2.0**-24)


def test_sobol_moves_the_leading_components_and_keeps_the_law_of_the_rest():
    sampler = samplers.sobol(1, 2**14, 24, 3, 2, SEED)[0]
    normals, _, _ = draw(sampler, 2**14, 24, 3)
    basis = samplers.principal_components(24, 2)
    z = stats.norm.ppf(reference_points(0, 2**14, 6) + 2.0**-33).reshape(-1, 2, 3)
    np.testing.assert_allclose(np.einsum("tk,ntf->nkf", basis, normals), z, atol=2e-5)
    flat = normals.reshape(len(normals), -1)
    # Entries of a sample covariance of n normals have standard errors of about 1 / sqrt(n), twice that on
    # the diagonal; the largest of 2,600 is held to five.
    assert np.abs(flat.T @ flat / len(flat) - np.eye(72)).max() < 5 * np.sqrt(2 / len(flat))


def test_scrambles_beat_plain_sampling_on_a_smooth_loss():
    def mean(normals):
        return np.exp(0.1 * np.cumsum(normals, axis=1).sum(axis=(1, 2)) / 24).mean()

    points, many = 1024, 16
    quasi = [
        mean(next(draw(sampler, points, 24, 2, first=i * points)))
        for i, sampler in enumerate(samplers.sobol(many, points, 24, 2, 4, SEED))
    ]
    plain = [mean(next(draw(samplers.PSEUDO_RANDOM, points, 24, 2, first=i * points))) for i in range(many)]
    # A ratio of two variances with 15 degrees of freedom each is below 1/8 by chance once in 10,000.
    assert np.var(quasi) < np.var(plain) / 8


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: samplers.sobol(1, 100, 12, 3, 2, 7), "points: got 100"),
        (lambda: samplers.sobol(1, 64, 12, 3, 13, 7), "components: got 13, expected from 1 to the 12"),
    ],
)
def test_impossible_samplers_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
