"""Threefry reproduces the published known answers; uniforms and normals have the laws they claim."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from engine.draws import address, random

# Random123 distribution, tests/kat_vectors, "threefry4x32 20": counter, key, answer.
KNOWN_ANSWERS = [
    ((0,) * 4, (0,) * 4, (0x9C6CA96A, 0xE17EAE66, 0xFC10ECD4, 0x5256A7D8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 4, (0x2A881696, 0x57012287, 0xF6C7446E, 0xA16A6732)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0, 0x082EFA98, 0xEC4E6C89),
        (0x59CD1DBB, 0xB8879579, 0x86B5D00C, 0xAC8B6D84),
    ),
]


@pytest.mark.parametrize("counter, key, answer", KNOWN_ANSWERS)
def test_known_answers_bit_for_bit(counter, key, answer):
    words = random.threefry(tuple(map(jnp.uint32, key)), tuple(map(jnp.uint32, counter)))
    assert tuple(int(word) for word in words) == answer


def test_every_coordinate_of_the_address_changes_the_words():
    seed, path, month = address.seed_words(7), jnp.int64(3), jnp.int32(5)
    base = address.words(seed, path, month, "loans", 8)
    others = [
        address.words(address.seed_words(8), path, month, "loans", 8),
        address.words(address.seed_words(7 + 2**32), path, month, "loans", 8),
        address.words(seed, path + 1, month, "loans", 8),
        address.words(seed, path + 2**32, month, "loans", 8),
        address.words(seed, path, month + 1, "loans", 8),
        address.words(seed, path, month, "firms", 8),
    ]
    assert all(not np.any(np.asarray(base) == np.asarray(other)) for other in others)
    assert not np.any(np.asarray(base[:4]) == np.asarray(base[4:]))


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_outside_64_bits_is_refused(seed):
    with pytest.raises(ValueError, match="expected an integer from 0"):
        address.seed_words(seed)


@pytest.fixture(scope="module")
def words():
    """2^20 words of 2^15 paths, 32 dimensions."""
    function = jax.vmap(lambda path: address.words(address.seed_words(11), path, jnp.int32(1), "loans", 32))
    return jax.jit(function)(jnp.arange(2**15, dtype=jnp.int64)).ravel()


def test_uniforms_are_uniform_and_open(words):
    for values in (random.uniform(words), *random.halves(words)):
        values = np.asarray(values, np.float64)
        assert 0.0 < values.min() and values.max() < 1.0
        # Kolmogorov-Smirnov at one in ten thousand.
        assert stats.kstest(values, "uniform").pvalue > 1e-4


def test_normals_have_normal_moments_and_tails(words):
    first, second = random.normal_pair(words[: 2**19], words[2**19 :])
    values = np.concatenate([first, second]).astype(np.float64)
    n = values.size
    # Standard errors of mean, variance, skewness and kurtosis of n normals.
    for got, want, error in [
        (values.mean(), 0.0, 1 / np.sqrt(n)),
        (values.var(), 1.0, np.sqrt(2 / n)),
        (stats.skew(values), 0.0, np.sqrt(6 / n)),
        (stats.kurtosis(values), 0.0, np.sqrt(24 / n)),
    ]:
        assert abs(got - want) < 4 * error
    for sigma in (2.0, 3.0, 4.0):
        expected = n * 2 * stats.norm.sf(sigma)
        assert abs((np.abs(values) > sigma).sum() - expected) < 4 * np.sqrt(expected)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(n / 2)


def test_normals_reach_beyond_six_sigma():
    extreme, _ = random.normal_pair(jnp.uint32(0), jnp.uint32(0))
    assert float(extreme) == pytest.approx(np.sqrt(-2 * np.log(0.5 * 2.0**-32)), rel=1e-6)
    assert float(extreme) > 6.7
    assert np.isfinite(random.normal_pair(jnp.uint32(2**32 - 1), jnp.uint32(7))[0])
