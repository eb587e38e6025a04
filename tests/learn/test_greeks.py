"""The gradient of ES of models whose own is known: its value, its error, what the mirror image removes."""

import numpy as np
import pytest
import scipy.stats

from engine.learn.greeks.greeks import agreement, changes, design, significance, slopes
from engine.learn.greeks.sections import LEAST, sample_ids, sections_of

LEVEL = 0.9
THETA = np.array([1.0, 0.4, 0.3, 0.2, 0.5])
STEP = np.array([0.05, 0.02, 0.02, 0.1, 0.1])


def lognormal(theta, ids, noise):
    """L = exp(theta_0 + theta_1 Z), and a jump of theta_2 where U < theta_3; theta_4 does nothing."""
    normal, uniform = noise
    jump = theta[2] * (uniform[ids] < theta[3])
    return jump + np.exp(theta[0] + theta[1] * normal[ids])


def noise_of(rng, paths):
    return rng.standard_normal(paths), rng.uniform(size=paths)


def gradient(model, rng, paths=16_384, theta=THETA, step=STEP):
    """The engine's recipe on a model of numpy."""
    noise = noise_of(rng, paths)
    sections = sections_of(model(theta, np.arange(paths), noise), LEVEL)
    signs, spare = design(len(theta), rng)
    ids = sample_ids(sections, len(signs), LEAST * 2, rng)

    def run(jobs):
        return (model(theta + row * step, chosen, noise) for row, chosen in jobs)

    tail, mean = changes(run, signs, sections, ids)
    return slopes(signs, spare, tail), slopes(signs, spare, mean)


def truth(theta=THETA, paths=4_000_000):
    """dES per step by central differences on one large sample."""
    noise, ids = noise_of(np.random.default_rng(1), paths), np.arange(paths)

    def es(theta):
        losses = lognormal(theta, ids, noise)
        return np.sort(losses)[round(LEVEL * paths) :].mean()

    return np.array([(es(theta + row) - es(theta - row)) / 2.0 for row in np.diag(STEP)])


def test_a_lognormal_tail_has_the_slopes_of_its_closed_form():
    """ES = c Phi(s - z), c = exp(m + s^2/2) / (1 - level): dES/dm = ES, dES/ds = s ES + c phi(s - z)."""
    theta = THETA * [1, 1, 0, 1, 1]
    found, average = gradient(lognormal, np.random.default_rng(2), 131_072, theta)
    mean, scale = theta[:2]
    z, whole = scipy.stats.norm.ppf(LEVEL), np.exp(mean + scale**2 / 2.0) / (1.0 - LEVEL)
    es = whole * scipy.stats.norm.cdf(scale - z)
    exact = np.array([es, scale * es + whole * scipy.stats.norm.pdf(scale - z)]) * STEP[:2]
    assert (np.abs(found.value[:2] - exact) < 4.0 * found.standard_error[:2]).all()
    assert (found.standard_error[:2] < 0.03 * exact).all()
    assert found.value[4] == pytest.approx(0.0, abs=4.0 * found.standard_error[4])
    whole = np.exp(mean + scale**2 / 2.0) * np.array([1.0, scale]) * STEP[:2]
    assert (np.abs(average.value[:2] - whole) < 4.0 * average.standard_error[:2]).all()


def test_stated_errors_cover_the_truth():
    """95% intervals of Student's t with the sections' freedom, jumps and all, in 150 replications."""
    exact, runs = truth(), 150
    covered = np.zeros(len(THETA))
    for seed in range(runs):
        found, _ = gradient(lognormal, np.random.default_rng([5, seed]))
        reach = scipy.stats.t.ppf(0.975, found.freedom) * found.standard_error
        covered += np.abs(found.value - exact) <= reach
    low, high = scipy.stats.binom.interval(0.9999, runs, 0.95)
    assert (covered >= low).all() and (covered <= high).all(), covered / runs


def test_the_mirror_image_removes_squares_and_pairs():
    """Terms of even order that move every loss much more than the slopes do leave no trace."""

    def curved(theta, ids, noise):
        away = (theta - THETA) / STEP
        return 3.0 + noise[0][ids] + away[0] + 20.0 * away[1] ** 2 + 20.0 * away[2] * away[3]

    found, _ = gradient(curved, np.random.default_rng(6))
    np.testing.assert_allclose(found.value, [1.0, 0.0, 0.0, 0.0, 0.0], atol=1e-9)


def test_a_shift_of_all_losses_is_free_of_noise_and_of_curvature():
    """VaR moves with each row: losses that all rise by one amount raise ES by that amount, however far."""

    def shifted(theta, ids, noise):
        return np.exp(noise[0][ids]) + theta @ np.ones(len(theta))

    found, _ = gradient(shifted, np.random.default_rng(7), step=10.0 * STEP)
    np.testing.assert_allclose(found.value, 10.0 * STEP, rtol=1e-9)


def test_interaction_of_three_shows_in_the_error():
    """What spare columns find beyond noise is odd interaction; it is added to every error."""

    def cubic(theta, ids, noise):
        away = (theta - THETA) / STEP
        return noise[0][ids] + away[0] + 4.0 * away[1] * away[2] * away[3]

    found, _ = gradient(cubic, np.random.default_rng(8))
    assert found.misfit > 100.0 and found.standard_error.min() > 0.3


@pytest.mark.parametrize("count", [1, 31, 156, 200])
def test_the_columns_of_a_design_are_orthogonal(count):
    signs, spare = design(count, np.random.default_rng(9))
    rows = len(signs)
    every = np.concatenate([signs, spare, np.ones((rows, 1))], axis=1)
    np.testing.assert_array_equal(every.T @ every, rows * np.eye(rows))
    assert signs.shape[1] == count and spare.shape[1] >= 16


def test_false_discoveries_are_held():
    """Among 150 zeros and 50 clear effects hardly any zero is told; without an error nothing is."""
    rng, wrong = np.random.default_rng(10), []
    for _ in range(200):
        value = rng.standard_t(31, 200) + 8.0 * (np.arange(200) < 50)
        told = significance(value, np.ones(200), 31)[1] <= 0.05
        assert told[:50].mean() > 0.9
        wrong.append(told[50:].sum() / told.sum())
    assert np.mean(wrong) < 0.05 + 4.0 * np.std(wrong) / np.sqrt(200)
    assert significance(np.zeros(3), np.zeros(3), 31)[1].tolist() == [1.0, 1.0, 1.0]


def test_agreement_holds_its_level_and_finds_one_that_is_wrong_and_many():
    """False alarms at 5% at most; one of twenty that is far off is found, and six that are off together."""
    rng = np.random.default_rng(11)
    mixing = rng.standard_normal((20, 20))
    runs = [agreement(mixing @ rng.standard_normal((20, 32)))[1] for _ in range(1000)]
    assert np.mean(np.array(runs) < 0.05) < scipy.stats.binom.ppf(0.9999, 1000, 0.05) / 1000
    one = np.zeros((20, 1))
    one[7] = 7.0 / np.sqrt(32)
    found = [agreement(rng.standard_normal((20, 32)) + one) for _ in range(50)]
    assert np.median([p for _, p in found]) < 1e-3 and np.median([t for t, _ in found]) > 5.0
    assert agreement(rng.standard_normal((6, 32)) + 1.5)[1] < 1e-3
    with pytest.raises(ValueError, match="fewer than 32 sections"):
        agreement(rng.standard_normal((32, 32)))
