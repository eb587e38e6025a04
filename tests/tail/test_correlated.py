"""Errors of differences between runs on common draws: closed forms, and their coverage over many runs."""

import numpy as np
import pytest

from engine.tail.correlated import beyond, excess, paired_error, unshared

PATHS, SAMPLE, RUNS = 8192, 2048, 400


def test_a_mean_s_error_is_the_closed_form():
    """x, y normal with correlation r: var(y - x) = 2 (1 - r), so kappa = 1 - r."""
    rng, r = np.random.default_rng(1), 0.9
    x, w = rng.standard_normal((2, 50, 20_000))
    kappa = unshared(x, r * x + np.sqrt(1.0 - r * r) * w)
    assert abs(kappa.mean() - (1.0 - r)) < 4.0 * kappa.std(ddof=1) / np.sqrt(50)
    assert float(paired_error(0.3, 0.3, 1.0 - r, 100, 100)) == pytest.approx(0.3 * np.sqrt(2.0 * (1.0 - r)))


def test_only_paths_that_both_have_covary():
    """N_b = 4 N_a of the same draws: var(b - a) = s^2 (1/N_a + 1/N_b - 2/N_b) of equal contributions."""
    error = paired_error(1.0 / np.sqrt(100), 1.0 / np.sqrt(400), 0.0, 100, 400)
    assert float(error) == pytest.approx(np.sqrt(1 / 100 - 1 / 400))
    assert float(paired_error(2.0, 3.0, 1.0, 100, 400)) == pytest.approx(np.hypot(2.0, 3.0))


@pytest.mark.parametrize("measure", ["mean", "es", "var"])
@pytest.mark.parametrize("apart", [0.05, 0.5])
def test_intervals_of_a_change_cover_it(measure, apart):
    """Of 400 pairs of runs, 95% intervals about the change hold the exact one in 95%, within four errors."""
    rng, level = np.random.default_rng(2), 0.95
    z, w = rng.standard_normal((2, RUNS, PATHS))
    x = np.exp(0.5 * z)
    y = 1.1 * np.exp(0.5 * (z + apart * w) / np.sqrt(1.0 + apart**2))
    change, errors, sample = [], [], []
    for losses in (x, y):
        value, error = estimate(losses, measure, level)
        change.append(value)
        errors.append(error)
        sample.append(contribution(losses[:, :SAMPLE], measure, level))
    se = paired_error(*errors, unshared(*sample), PATHS, PATHS)
    exact = 0.1 * exact_of(measure, level)
    held = np.mean(np.abs(change[1] - change[0] - exact) < 1.96 * se)
    assert abs(held - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / RUNS)
    assert se.mean() < 0.75 * np.hypot(*errors).mean()


def contribution(losses, measure, level):
    """What a path contributes to a measure."""
    return losses if measure == "mean" else (excess if measure == "es" else beyond)(losses, level)


def estimate(losses, measure, level):
    """A measure of each run and its standard error for independent paths."""
    count = losses.shape[-1]
    if measure == "mean":
        return losses.mean(axis=-1), losses.std(axis=-1) / np.sqrt(count)
    var = np.quantile(losses, level, axis=-1, method="inverted_cdf")
    if measure == "es":
        part = excess(losses, level) / (1.0 - level)
        return var + part.mean(axis=-1), part.std(axis=-1) / np.sqrt(count)
    scale = np.median(var / exact_of("var", level))  # of the density of the law at hand
    return var, np.full(len(var), np.sqrt(level * (1.0 - level) / count) / density(level) * scale)


def density(level):
    """Of exp(0.5 z) at its quantile."""
    from scipy.stats import norm

    q = norm.ppf(level)
    return norm.pdf(q) / (0.5 * np.exp(0.5 * q))


def exact_of(measure, level):
    """Mean, VaR and ES of exp(0.5 z)."""
    from scipy.stats import norm

    q = norm.ppf(level)
    mean = np.exp(0.125)
    return {"mean": mean, "var": np.exp(0.5 * q), "es": mean * norm.cdf(0.5 - q) / (1.0 - level)}[measure]


def test_runs_that_no_path_tells_apart_are_not_equal_for_sure():
    same = np.arange(1.0, 51.0)
    assert float(unshared(same, same)) == 1 / 50
    assert float(unshared(np.eye(4)[0], np.eye(4)[0])) == 1.0
