"""Vasicek's law against quadrature, Basel against Annex 5, granularity against finite pools."""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.portfolio.vasicek import (
    basel_correlation,
    capital,
    conditional_pd,
    default_count,
    expected_shortfall,
    granularity_adjustment,
    loss_cdf,
    loss_quantile,
    risk_weight,
    unexpected_loss,
)

ORACLES = pathlib.Path(__file__).parents[1] / "oracles"
ROUNDING = 1e-12
"""Of sums of a few thousand float64 terms of order one."""

POOLS = json.loads((ORACLES / "11_vasicek_finite_pool_and_binomial.json").read_text())["open_risk_notebook"]
COLUMNS = {
    "corp_LGD45_M2.5_turnover50": {"turnover": 50.0},
    "corp_LGD45_M2.5_turnover5_SME": {"turnover": 5.0},
    "mortgage_LGD45": {"asset_class": "mortgage"},
    "mortgage_LGD25": {"asset_class": "mortgage", "lgd": 0.25},
    "other_retail_LGD45": {"asset_class": "other_retail"},
    "other_retail_LGD85": {"asset_class": "other_retail", "lgd": 0.85},
    "QRRE_LGD45": {"asset_class": "qualifying_revolving"},
    "QRRE_LGD85": {"asset_class": "qualifying_revolving", "lgd": 0.85},
}


def factor(nodes=20_001, span=9.5):
    """A grid of the factor, far finer than any that the engine uses, with its weights."""
    z = np.linspace(-span, span, nodes)
    weights = stats.norm.pdf(z)
    return z, weights / weights.sum()


@pytest.mark.parametrize("column", COLUMNS)
def test_risk_weights_are_those_of_annex_5(column):
    table = pd.read_csv(ORACLES / "10_basel2_annex5_irb_risk_weights.csv")[["PD_pct", column]].dropna()
    assert len(table) >= 12
    found = 100.0 * risk_weight(table["PD_pct"].to_numpy() / 100.0, **COLUMNS[column])
    np.testing.assert_allclose(found, table[column], rtol=0.0, atol=0.015)


def test_finite_pools_and_their_limit_are_those_of_open_risk():
    law, count = default_count(10, 0.1, 0.2), np.arange(11)
    found = {
        "N=10,k=0,pd=0.3414,rho=0.2": default_count(10, 0.3414, 0.2)[0],
        "N=10,k=4,pd=0.1,rho=0.2": law[4],
        "vasicek_lim_q(0.999,pd=0.01,rho=0.2)": loss_quantile(0.999, 0.01, 0.2),
        "vasicek_lim(theta=0.1,pd=0.01,rho=0.2)": loss_cdf(0.1, 0.01, 0.2),
        "vasicek_base_ul(N=10,pd=0.1,rho=0.2) in defaults": np.sqrt(law @ (count - 1.0) ** 2),
        "vasicek_lim_ul(pd=0.01,rho=0.2)": unexpected_loss(0.01, 0.2),
    }
    assert found == pytest.approx(POOLS["current_code_output"], rel=0.0, abs=1e-9)
    stored = POOLS["stored_notebook_output"]["P"]
    assert default_count(10, 0.3414, 0.04)[0] == pytest.approx(stored, rel=0.0, abs=1e-9)


def test_the_conditional_pd_averages_to_the_pd_and_rises_with_the_factor():
    z, weights = factor()
    p = conditional_pd(0.03, 0.25, z)
    assert weights @ p == pytest.approx(0.03, rel=ROUNDING)
    assert (np.diff(p) >= 0.0).all() and p[-1] > p[0]


@pytest.mark.parametrize("rho", [0.05, 0.3, 0.8])
def test_the_quantile_inverts_the_distribution(rho):
    levels = np.asarray([0.01, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(loss_cdf(loss_quantile(levels, 0.02, rho), 0.02, rho), levels, rtol=1e-9)


@pytest.mark.parametrize(("level", "rho"), [(0.5, 0.1), (0.99, 0.2), (0.999, 0.5), (0.9997, 0.12)])
def test_shortfall_is_the_mean_of_the_quantiles_beyond_the_level(level, rho):
    # Gauss-Legendre of p(z) phi(z) over the factors beyond the level; smooth, so 200 nodes are exact.
    nodes, weights = np.polynomial.legendre.leggauss(200)
    low = stats.norm.ppf(level)
    z = low + 0.5 * (nodes + 1.0) * (12.0 - low)
    mean = 0.5 * (12.0 - low) * weights @ (stats.norm.pdf(z) * conditional_pd(0.02, rho, z)) / (1.0 - level)
    assert expected_shortfall(level, 0.02, rho) == pytest.approx(mean, rel=1e-10)
    assert expected_shortfall(level, 0.02, rho) > loss_quantile(level, 0.02, rho)


@pytest.mark.parametrize("rho", [0.01, 0.2, 0.7])
def test_unexpected_loss_is_the_deviation_of_the_limit(rho):
    z, weights = factor()
    variance = weights @ (conditional_pd(0.02, rho, z) - 0.02) ** 2
    assert unexpected_loss(0.02, rho) == pytest.approx(np.sqrt(variance), rel=1e-9)


@pytest.mark.parametrize(("obligors", "pd_", "rho"), [(10, 0.1, 0.2), (100, 0.02, 0.5), (500, 0.01, 0.12)])
def test_a_finite_pool_has_the_moments_of_exchangeable_defaults(obligors, pd_, rho):
    """E[N] = n p and E[N (N - 1)] = n (n - 1) P(two given obligors default)."""
    law, count = default_count(obligors, pd_, rho), np.arange(obligors + 1)
    normals = stats.multivariate_normal(cov=[[1.0, rho], [rho, 1.0]])
    both = normals.cdf(np.full(2, stats.norm.ppf(pd_)))
    assert law.sum() == pytest.approx(1.0, abs=ROUNDING)
    assert law @ count == pytest.approx(obligors * pd_, rel=ROUNDING)
    # SciPy's bivariate normal is good to 1e-8.
    assert law @ (count * (count - 1.0)) == pytest.approx(obligors * (obligors - 1) * both, rel=1e-6)


@pytest.mark.parametrize(("obligors", "rho"), [(10, 0.2), (1000, 0.2), (1000, 0.5)])
def test_a_finite_pool_is_integrated_to_the_last_digit(obligors, rho):
    z, weights = factor()
    p, exact = conditional_pd(0.02, rho, z), np.zeros(obligors + 1)
    for rows in np.array_split(np.arange(len(z)), 40):
        exact += weights[rows] @ stats.binom(obligors, p[rows, None]).pmf(np.arange(obligors + 1))
    np.testing.assert_allclose(default_count(obligors, 0.02, rho), exact, rtol=0.0, atol=ROUNDING)


def test_uncorrelated_obligors_are_binomial():
    exact = stats.binom(50, 0.03).pmf(np.arange(51))
    np.testing.assert_allclose(default_count(50, 0.03, 0.0), exact, rtol=0.0, atol=ROUNDING)


def test_pools_approach_their_limit_as_they_grow():
    far = [
        abs(np.cumsum(default_count(n, 0.02, 0.2))[n // 20] - float(loss_cdf(0.05, 0.02, 0.2)))
        for n in (100, 400, 1600)
    ]
    assert far[0] > 2.0 * far[1] > 4.0 * far[2]


@pytest.mark.parametrize(("rho", "pd_"), [(0.2, 0.01), (0.12, 0.03)])
def test_granularity_is_what_a_finite_pool_loses_beyond_its_limit(rho, pd_):
    """Of n P(L) the continuous quantile, halfway up the atom, lies 1 / 2 above the cumulated one."""
    errors = []
    for obligors in (500, 2000):
        cumulated = np.cumsum(default_count(obligors, pd_, rho))
        quantile = (np.interp(0.999, cumulated, np.arange(obligors + 1)) + 0.5) / obligors
        limit = float(loss_quantile(0.999, pd_, rho))
        adjustment = granularity_adjustment(0.999, pd_, rho, 1.0, 1.0 / obligors)
        errors.append(abs(quantile - limit - adjustment) / adjustment)
    # What is left is of second order in 1 / n: a few per cent of the adjustment, four times less at 4 n.
    assert errors[0] < 0.05
    assert errors[1] < errors[0] / 2.0


def test_granularity_scales_with_lgd_and_concentration():
    base = granularity_adjustment(0.999, 0.01, 0.2, 1.0, 0.01)
    assert base > 0.0
    assert granularity_adjustment(0.999, 0.01, 0.2, 0.45, 0.01) == pytest.approx(0.45 * base, rel=1e-9)
    assert granularity_adjustment(0.999, 0.01, 0.2, 1.0, 0.03) == pytest.approx(3.0 * base, rel=1e-9)


def test_basel_correlations_run_between_their_ends():
    pds = np.asarray([0.0003, 0.01, 0.2, 1.0])
    for asset_class, low, high in (("corporate", 0.12, 0.24), ("other_retail", 0.03, 0.16)):
        found = basel_correlation(pds, asset_class)
        assert (np.diff(found) < 0.0).all()
        assert low - ROUNDING <= found[-1] and found[0] <= high
    np.testing.assert_allclose(
        basel_correlation(pds) - basel_correlation(pds, turnover=1.0), 0.04, rtol=0.0, atol=ROUNDING
    )
    np.testing.assert_array_equal(basel_correlation(pds), basel_correlation(pds, turnover=80.0))


def test_capital_rises_with_maturity_and_vanishes_at_certain_default():
    assert (np.diff(capital(0.01, maturity=np.asarray([1.0, 2.5, 5.0]))) > 0.0).all()
    assert capital(0.01, asset_class="mortgage", maturity=5.0) == capital(0.01, asset_class="mortgage")
    assert float(capital(1.0)) == pytest.approx(0.0, abs=ROUNDING)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conditional_pd(1.2, 0.2, 0.0), "pd: got 1.2, expected numbers from 0 to 1"),
        (lambda: conditional_pd(np.nan, 0.2, 0.0), "pd: got nan"),
        (lambda: loss_quantile(0.99, 0.01, 1.0), "rho: got 1.0, expected correlations"),
        (lambda: loss_cdf(0.1, 0.01, 0.0), "rho: got 0.0, expected correlations"),
        (lambda: default_count(10, -0.1, 0.2), "pd: got -0.1"),
        (lambda: capital(0.0), "pd: got 0.0"),
        (lambda: risk_weight(0.01, asset_class="sovereign"), "asset_class: got 'sovereign', expected one of"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
