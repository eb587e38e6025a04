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


def test_streams_side_by_side_have_the_words_of_each_alone():
    seed, path, month = address.seed_words(7), jnp.int64(2**33 + 3), jnp.int32(5)
    counts = {"rounds": 2, "loans": 9, "own": 4}
    together = address.words_of(seed, path, month, counts)
    for stream, count in counts.items():
        alone = address.words(seed, path, month, stream, count)
        assert alone.shape == (count,)
        np.testing.assert_array_equal(together[stream], alone)


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


def test_the_ends_of_the_words_are_inside_the_open_interval():
    ends = jnp.asarray([0, 255, 256, 0xFFFFFEFF, 0xFFFFFF00, 0xFFFFFFFF], jnp.uint32)
    values = np.asarray(random.uniform(ends), np.float64)
    np.testing.assert_array_equal(values[:3], [2.0**-25, 2.0**-25, 3 * 2.0**-25])
    np.testing.assert_array_equal(values[-3:], [1 - 2.0**-23, 1 - 2.0**-24, 1 - 2.0**-24])
    for half in random.halves(ends):
        assert 0.0 < np.asarray(half).min() and np.asarray(half).max() < 1.0


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


MAKERS = {
    "pair": address.normals,
    "inverse": random.normal_of,
}
LIMIT = 4.5
"""Standard errors a statistic may be off; one in 150,000 is, were the normals perfect."""
MOMENTS = np.arange(1, 9)
SIGMAS = np.arange(1, 6)
BATCHES, BATCH = 8, 2**22
"""Enough normals that 19 are expected beyond five sigma."""


@pytest.fixture(scope="module", params=list(MAKERS))
def moments_and_exceedances(request):
    """Means of Z^1 to Z^8 and how often |Z| exceeds 1 to 5, of BATCHES x BATCH normals."""
    make = jax.jit(MAKERS[request.param])

    @jax.jit
    def gathered(z):
        exceed = jnp.stack([jnp.sum(jnp.abs(z) > jnp.float32(sigma), dtype=jnp.int64) for sigma in SIGMAS])
        wide, power, sums = z.astype(jnp.float64), jnp.ones_like(z, jnp.float64), []
        for _ in MOMENTS:
            power = power * wide
            sums.append(jnp.sum(power))
        return jnp.stack(sums), exceed

    sums, exceed = np.zeros(len(MOMENTS)), np.zeros(len(SIGMAS), np.int64)
    for batch in range(BATCHES):
        found = address.words(address.seed_words(13), jnp.int64(batch), jnp.int32(1), "normals", BATCH)
        added = gathered(make(found))
        sums, exceed = sums + np.asarray(added[0]), exceed + np.asarray(added[1])
    return sums / (BATCHES * BATCH), exceed


@pytest.mark.parametrize("order", MOMENTS)
def test_moments_to_the_eighth(moments_and_exceedances, order):
    want = stats.norm.moment(order)
    # Of the mean of Z^k: Var(Z^k) = E Z^2k - (E Z^k)^2, exactly.
    error = np.sqrt((stats.norm.moment(2 * order) - want**2) / (BATCHES * BATCH))
    assert abs(moments_and_exceedances[0][order - 1] - want) < LIMIT * error


@pytest.mark.parametrize("sigma", SIGMAS)
def test_tail_probabilities_to_five_sigma(moments_and_exceedances, sigma):
    found = int(moments_and_exceedances[1][sigma - 1])
    chance = 2 * stats.norm.sf(sigma)
    assert stats.binomtest(found, BATCHES * BATCH, chance).pvalue > 2 * stats.norm.sf(LIMIT)


def exact_normal(words):
    """Phi^-1((word + 1/2) / 2^32) in float64, the upper half by symmetry: near one a float64 loses digits."""
    small = np.minimum(words, ~words).astype(np.float64)
    lower = stats.norm.ppf((small + 0.5) * 2.0**-32)
    return np.where(words >= 2**31, -lower, lower)


def spacings_off(words):
    """Errors of the inverse transform in float32 spacings of the value, or of one where that is smaller."""
    exact = exact_normal(words)
    got = np.asarray(random.normal_of(jnp.asarray(words)), np.float64)
    return np.abs(got - exact) / np.spacing(np.maximum(np.abs(exact), 1.0).astype(np.float32))


def test_the_inverse_transform_is_exact_beyond_six_sigma():
    below = np.arange(4, dtype=np.uint32)
    words = np.concatenate([below, ~below])
    assert np.all(np.abs(exact_normal(words)) > 6.0)
    # Neighbours there lie 0.05 apart or more; one spacing is the rounding of the last operation.
    assert np.all(spacings_off(words) <= 1.0)


def test_the_inverse_transform_is_exact_to_rounding_at_every_size():
    ladder = (2.0 ** np.arange(0.0, 31.0, 1 / 64)).astype(np.uint32)
    words = np.unique(np.concatenate([ladder, ~ladder, np.arange(2**31 - 64, 2**31 + 64, dtype=np.uint32)]))
    # A ratio of two polynomials of degree eight: some thirty float32 roundings, partly cancelling.
    assert np.all(spacings_off(words) <= 8.0)


def test_pairs_are_exact_in_the_four_directions_beyond_six_sigma():
    radius = np.array([0, 1, 2, 3], np.uint32)
    exact = np.sqrt(-2 * np.log((radius + 0.5) * 2.0**-32))
    assert np.all(exact > 6.4)
    for quarter in range(4):
        cosine, sine = random.normal_pair(jnp.asarray(radius), jnp.full(4, quarter * 2**30, jnp.uint32))
        turned = exact * np.exp(0.5j * np.pi * quarter)
        # The angle is a float32 up to 2 pi: half a spacing of it moves the normal by that times the radius.
        reach = exact * np.spacing(np.float32(2 * np.pi)) + 2 * np.spacing(exact.astype(np.float32))
        assert np.all(np.abs(np.asarray(cosine) - turned.real) <= reach)
        assert np.all(np.abs(np.asarray(sine) - turned.imag) <= reach)
