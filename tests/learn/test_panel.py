"""The likelihood of a panel: closed forms, a direct density, and what the data cannot tell."""

import numpy as np
import pytest
from scipy import stats

from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import identify
from engine.learn.calibration.observations import brownian
from engine.learn.calibration.prediction import predict

DAY = 1e-4


def walk(count=40, step=0.25, drift=0.7, sigma=0.3, seed=1):
    """Times and logs of a geometric Brownian motion."""
    increments = np.random.default_rng(seed).normal(drift * step, sigma * step**0.5, count)
    return step * np.arange(count + 1), np.append(0.0, np.cumsum(increments))


def one_series(time, y, error=1e-4):
    """A panel of one series with one drift and one scale."""
    kernel = brownian(time, time + DAY)
    return panels.panel(y, ["A"] * len(y), {"drift": time}, {"sigma": kernel}, error)


def test_drift_and_volatility_of_a_geometric_brownian_motion_are_the_textbook_s():
    """Drift (y_n - y_0)/T with error sigma/sqrt(T); variance of increments with n - 1 degrees of freedom."""
    time, y = walk()
    found = panels.fit(one_series(time, y))
    change, span = np.diff(y), time[-1]
    sigma = np.std(change, ddof=1) / 0.5
    assert float(found.scales[0]) == pytest.approx(sigma, rel=2e-3)
    assert float(found.coefficients[1]) == pytest.approx((y[-1] - y[0]) / span, rel=2e-3)
    assert float(found.covariance[1, 1]) ** 0.5 == pytest.approx(float(found.scales[0]) / span**0.5, rel=2e-3)
    assert float(found.slope) < 1e-4


def test_the_restricted_likelihood_is_the_density_of_what_no_effect_moves():
    """log N(A'y; 0, A'VA) with A an orthonormal basis of the contrasts (Harville 1974)."""
    time, y = walk(count=12)
    entity = np.array(["A", "B"] * 6 + ["A"])
    same = np.equal.outer(entity, entity)
    kernel = brownian(time, time + DAY)
    data = panels.panel(y, entity, {"drift": time}, {"common": kernel, "own": kernel * same}, 0.1)
    for scales in ([0.2, 0.5], [1.0, 0.01]):
        v = np.asarray(panels.covariance_of(data, np.array(scales)))
        basis = np.linalg.svd(np.asarray(data.design))[0][:, data.design.shape[1] :]
        direct = stats.multivariate_normal(cov=basis.T @ v @ basis).logpdf(basis.T @ y)
        design = np.asarray(data.design)
        found = (
            float(panels.likelihood(data, np.array(scales))) + 0.5 * np.linalg.slogdet(design.T @ design)[1]
        )
        assert found == pytest.approx(direct, rel=1e-9)


def test_what_is_masked_is_as_if_it_were_not_there():
    time, y = walk(count=12)
    whole, seen = one_series(time, y), np.r_[np.ones(9), np.zeros(4)]
    part = panels.panel(y[:9], ["A"] * 9, {"drift": time[:9]}, {"sigma": whole.kernels[0][:9, :9]}, 1e-4)
    scales = np.array([0.4])
    constant = -0.5 * 4 * np.log(2.0 * np.pi)
    masked = panels.mask_rows(whole, seen)
    assert float(panels.likelihood(masked, scales)) == pytest.approx(
        float(panels.likelihood(part, scales)) + constant, rel=1e-9
    )
    assert panels.regression(masked, scales)[0] == pytest.approx(panels.regression(part, scales)[0], rel=1e-9)


def test_a_random_walk_is_predicted_from_its_last_value():
    """Mean y_k + b h, variance sigma^2 h (1 + h/T): what is to come and what is not known of the drift."""
    time, y = walk(count=20)
    data, seen = one_series(time, y), np.r_[np.ones(17), np.zeros(4)]
    mean, variance = predict(data, seen, 20)
    past = np.diff(y[:17])
    sigma2, ahead, span = np.var(past, ddof=1) / 0.25, 1.0, time[16]
    assert float(mean) == pytest.approx(y[16] + ahead * (y[16] - y[0]) / span, rel=1e-3)
    assert float(variance) == pytest.approx(sigma2 * ahead * (1.0 + ahead / span), rel=1e-2)


PRIORS = {"drift": 0.9, "sigma": 0.5}


def test_a_drift_and_a_volatility_that_show_are_identified():
    time, y = walk()
    found = identify(one_series(time, y), PRIORS)
    assert (found.scales, found.effects) == (("sigma",), ("drift",))
    for name, truth in (("drift", 0.7), ("sigma", 0.3)):
        fit = found.fits[name]
        assert fit.identified and fit.low < truth < fit.high and fit.low < fit.value < fit.high


def test_one_increment_says_nothing_of_volatility_and_its_prior_gives_the_error_of_growth():
    found = identify(one_series(np.array([0.0, 1.0]), np.array([0.0, 1.5])), PRIORS)
    sigma, drift = found.fits["sigma"], found.fits["drift"]
    assert not sigma.identified and sigma.value == 0.5
    assert drift.identified and drift.value == pytest.approx(1.5, rel=1e-6)
    assert drift.standard_error == pytest.approx(0.5, rel=1e-3)


def test_a_drift_lost_in_noise_stays_at_its_prior():
    time, y = walk(count=12, drift=0.0, sigma=1.0)
    fit = identify(one_series(time, y), PRIORS).fits["drift"]
    assert not fit.identified and fit.value == 0.9 and fit.low < 0.0 < fit.high
    assert "holds 0" in fit.why


def test_an_effect_that_another_explains_has_no_data():
    time, y = walk(count=12)
    kernel = {"sigma": brownian(time, time + DAY)}
    effects = {"drift": time, "again": 3.0 * time - 1.0, "never": 0.0 * time}
    data = panels.panel(y, ["A"] * 13, effects, kernel, 1e-4)
    found = identify(data, {"drift": 0.1, "again": 0.1, "never": 0.2, "sigma": 0.5})
    assert found.fits["never"].why == "no observation moves it" and found.fits["never"].value == 0.2
    assert found.effects == ("again",)  # drift and again are one: the first is held


def test_without_observations_nothing_is_identified():
    data = panels.panel(np.zeros(0), [], {"drift": np.zeros(0)}, {"sigma": np.zeros((0, 0))}, 0.1)
    found = identify(data, PRIORS)
    assert found.converged and not (found.scales or found.effects)
    assert found.fits["drift"].value == 0.9
