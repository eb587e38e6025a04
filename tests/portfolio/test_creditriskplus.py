"""CreditRisk+ against closed forms, convolution and published numbers."""

import json
import pathlib

import numpy as np
import pytest
from scipy import stats

from engine.portfolio.creditriskplus import creditrisk_plus, matched_variance

FILE = pathlib.Path(__file__).parents[1] / "oracles" / "06_creditriskplus.json"
ORACLE = json.loads(FILE.read_text())
PAPER, PACKAGE = ORACLE["A_integrating_correlations_1999"], ORACLE["B_GCPM_run"]
ROUNDING = 1e-13
"""Of recursions over a few hundred float64 terms, none of which cancel."""


def grouped(groups, sectors, variances):
    """Homogeneous groups, one row of sector weights each."""
    n = [group["n"] for group in groups]
    pd, exposure = (np.repeat([float(group[key]) for group in groups], n) for key in ("pd", "exposure"))
    return creditrisk_plus(pd, exposure, weights=np.repeat(sectors, n, axis=0), variances=variances)


@pytest.fixture(scope="module")
def package():
    """The three groups of the package's run, a sector each."""
    groups = [PACKAGE["inputs"][key] for key in "ABC"]
    return grouped(groups, np.eye(3), [group["sector_variance"] for group in groups])


@pytest.fixture(scope="module")
def mixed():
    """Obligors with parts in two sectors and an idiosyncratic rest."""
    random = np.random.default_rng(3)
    weights = random.uniform(0.0, 0.5, (40, 2))
    return creditrisk_plus(
        random.uniform(0.005, 0.08, 40), random.integers(1, 9, 40).astype(float),
        weights=weights, variances=[0.8, 1.7],
    )  # fmt: skip


def negative_binomial(obligors, pd, variance, size, length):
    """P(L = x) of equal obligors in one sector."""
    count = stats.nbinom(1.0 / variance, 1.0 / (1.0 + variance * obligors * pd))
    pmf = np.zeros(length)
    pmf[::size] = count.pmf(np.arange(len(pmf[::size])))
    return pmf


def test_the_two_sectors_of_integrating_correlations():
    given, expected = PAPER["inputs"], PAPER["expected"]
    groups, variances = [given["sector1"], given["sector2"]], given["relative_default_variance"]
    allowed = expected["tolerances"]
    for group, variance, el, ul in zip(
        groups, variances, expected["sector_EL"], expected["sector_UL"], strict=True
    ):
        alone = grouped([group], [[1.0]], [variance])
        assert alone.mean == pytest.approx(el, rel=1e-12)
        assert alone.deviation == pytest.approx(ul, rel=0.0, abs=allowed["sector_UL"])
    matched = matched_variance(expected["sector_EL"], variances, given["sector_correlation"])
    assert matched == pytest.approx(expected["relative_default_variance"], rel=0.0, abs=allowed["rel_var"])
    whole = grouped(groups, [[1.0], [1.0]], [matched])
    assert whole.mean == pytest.approx(expected["EL"], rel=1e-12)
    assert whole.deviation == pytest.approx(expected["UL"], rel=0.0, abs=allowed["UL"])
    law = whole.distribution
    assert law.value_at_risk(0.99) == pytest.approx(expected["VaR99"], rel=0.0, abs=allowed["VaR99"])


def test_the_distribution_is_the_packages(package):
    expected, law = PACKAGE["expected"], package.distribution
    assert package.mean == pytest.approx(expected["EL"], rel=1e-12)
    assert package.deviation == pytest.approx(expected["SD_analytic"], rel=0.0, abs=1e-9)
    for k, probability in expected["PDF"].items():
        assert law.pmf[int(k)] == pytest.approx(probability, rel=0.0, abs=1e-9)
    for k, probability in expected["CDF"].items():
        assert 1.0 - law.beyond(float(k)) == pytest.approx(probability, rel=0.0, abs=1e-9)


@pytest.mark.parametrize("level", PACKAGE["expected"]["VaR"])
def test_the_tail_is_the_packages(package, level):
    """Its shortfall is E[L | L >= VaR], printed to nine decimals."""
    var = package.distribution.value_at_risk(float(level))
    assert var == PACKAGE["expected"]["VaR"][level]
    theirs = PACKAGE["expected"]["ES_convention E[L|L>=VaR]"][level]
    assert package.expected_from(var).sum() == pytest.approx(theirs, rel=1e-9)


def test_contributions_are_the_packages(package):
    """Of one name of each group, to the standard deviation and to E[L | L >= VaR]."""
    theirs = PACKAGE["expected"]["contributions_per_name"]
    for name, found in (("SD", package.deviation_contributions()), ("ES99", package.expected_from(247.0))):
        expected = [theirs[name][key] for key in "ABC"]
        np.testing.assert_allclose(found[[0, 1000, 2000]], expected, rtol=0.0, atol=1e-9)


def test_shortfall_is_that_of_three_negative_binomials(package):
    """The sum of independent groups by convolution, and ES as the integral of the quantile."""
    length, pmf = 2000, np.ones(1)
    for key in "ABC":
        group = PACKAGE["inputs"][key]
        alone = negative_binomial(
            group["n"], group["pd"], group["sector_variance"], group["exposure"], length
        )
        pmf = np.convolve(pmf, alone)[:length]
    law = package.distribution
    shared = min(length, len(law.pmf))
    np.testing.assert_allclose(law.pmf[:shared], pmf[:shared], rtol=0.0, atol=ROUNDING)
    cumulated = np.cumsum(pmf)
    for level in (0.5, 0.99, 0.9999):
        above = np.clip(cumulated - np.maximum(np.append(0.0, cumulated[:-1]), level), 0.0, None)
        exact = np.arange(length) @ above / (1.0 - level)
        # Rounding of the 2,000 cumulated probabilities, over 1 - level.
        assert law.expected_shortfall(level) == pytest.approx(exact, rel=1e-9)


def test_equal_exposures_in_one_sector_are_negative_binomial():
    found = creditrisk_plus(np.full(80, 0.05), 3.0, weights=np.ones((80, 1)), variances=[0.7]).distribution
    exact = negative_binomial(80, 0.05, 0.7, 3, len(found.pmf))
    np.testing.assert_allclose(found.pmf, exact, rtol=0.0, atol=ROUNDING)
    # All terms are positive, so that even the smallest keep their digits.
    np.testing.assert_allclose(found.pmf[::3], exact[::3], rtol=1e-10, atol=0.0)


def test_without_sectors_defaults_are_poisson():
    found = creditrisk_plus(np.full(80, 0.05), 2.0, weights=np.zeros((80, 1)), variances=[0.7]).distribution
    exact = stats.poisson(4.0).pmf(np.arange(40))
    np.testing.assert_allclose(found.pmf[:80:2], exact, rtol=0.0, atol=ROUNDING)
    assert not found.pmf[1::2].any()


def test_a_vanishing_variance_is_poisson():
    """The relative error is of the order of the variance times the squared mean."""
    found = creditrisk_plus(np.full(80, 0.05), 1.0, weights=np.ones((80, 1)), variances=[1e-6]).distribution
    np.testing.assert_allclose(found.pmf[:20], stats.poisson(4.0).pmf(np.arange(20)), rtol=2e-4)


def test_a_small_variance_of_a_large_book_is_a_negative_binomial():
    """80,000 obligors expect 800 defaults; 1 + variance 800 rounds most of so small a variance away."""
    law = creditrisk_plus(
        np.full(80_000, 0.01), 1.0, 1.0, weights=np.ones((80_000, 1)), variances=[1e-9], unit=1.0
    )
    k = np.arange(600, 1001)
    exact = stats.nbinom.pmf(k, 1e9, 1.0 / (1.0 + 1e-9 * 800.0))
    np.testing.assert_allclose(law.distribution.pmf[k], exact, rtol=1e-6)


def test_an_idiosyncratic_rest_is_convolved():
    weights = np.full((60, 1), 0.4)
    found = creditrisk_plus(np.full(60, 0.05), 1.0, weights=weights, variances=[1.2]).distribution
    sector = stats.nbinom(1.0 / 1.2, 1.0 / (1.0 + 1.2 * 0.4 * 3.0)).pmf(np.arange(64))
    exact = np.convolve(sector, stats.poisson(0.6 * 3.0).pmf(np.arange(64)))[:64]
    np.testing.assert_allclose(found.pmf[:64], exact, rtol=0.0, atol=ROUNDING)


def test_the_distribution_has_the_closed_moments(mixed, package):
    for model in (mixed, package):
        assert model.distribution.pmf.sum() == pytest.approx(1.0, abs=1e-11)
        assert model.distribution.mean == pytest.approx(model.mean, rel=1e-8)
        assert model.distribution.deviation == pytest.approx(model.deviation, rel=1e-6)


def test_contributions_add_up(mixed):
    law = mixed.distribution
    assert mixed.deviation_contributions().sum() == pytest.approx(mixed.deviation, rel=1e-12)
    for level in (0.9, 0.99, 0.999):
        found = mixed.shortfall_contributions(level)
        assert (found > 0.0).all()
        assert found.sum() == pytest.approx(law.expected_shortfall(level), rel=1e-8)
    for loss in (5.0, 20.0):
        at = int(loss)
        exact = law.losses[at:] @ law.pmf[at:] / law.pmf[at:].sum()
        assert mixed.expected_from(loss).sum() == pytest.approx(exact, rel=1e-8)


def test_contributions_to_deviation_are_its_derivatives(mixed):
    found = mixed.deviation_contributions()
    for k in (0, 11):
        exposure = mixed.units.astype(float)
        deviations = []
        for side in (1.0, -1.0):
            moved = exposure + side * (np.arange(40) == k) / 1024.0
            model = creditrisk_plus(
                mixed.pd, moved, weights=mixed.weights[:, 1:], variances=mixed.variances, unit=1.0 / 1024.0
            )
            deviations.append(model.deviation)
        slope = (deviations[0] - deviations[1]) * 512.0
        # A central difference is good to the square of its step.
        assert found[k] == pytest.approx(exposure[k] * slope, rel=1e-5)


def test_shortfall_contributions_by_simulation(mixed):
    """Poisson defaults given gamma sectors; within four standard errors of the simulated means."""
    random, paths, level = np.random.default_rng(11), 400_000, 0.95
    sectors = random.gamma(1.0 / mixed.variances, mixed.variances, (paths, 2))
    rates = mixed.pd * (mixed.weights[:, 0] + sectors @ mixed.weights[:, 1:].T)
    parts = random.poisson(rates) * mixed.units
    total, law = parts.sum(axis=1), mixed.distribution
    at = law.index(level)
    share = (1.0 - level - law.survival[at]) / law.pmf[at]
    weighted = parts * ((total > at) + share * (total == at))[:, None] / (1.0 - level)
    errors = weighted.std(axis=0) / np.sqrt(paths)
    assert (np.abs(weighted.mean(axis=0) - mixed.shortfall_contributions(level)) < 4.0 * errors).all()


def test_correlated_sectors_are_matched_between_independent_and_one():
    expected, variances = [30.0, 50.0, 20.0], [0.5, 0.8, 1.5]
    found = [matched_variance(expected, variances, rho) for rho in (0.0, 0.5, 1.0)]
    scaled = np.sqrt(variances) * expected
    assert found[0] == pytest.approx((scaled**2).sum() / 100.0**2)
    assert found[2] == pytest.approx(scaled.sum() ** 2 / 100.0**2)
    assert found[1] == pytest.approx((found[0] + found[2]) / 2.0)


def test_the_unit_scales_losses():
    given = {"pd": np.full(20, 0.1), "weights": np.ones((20, 1)), "variances": [0.5]}
    whole = creditrisk_plus(exposure=4.0, **given)
    money = creditrisk_plus(exposure=2.0, lgd=0.5, unit=0.25, **given)
    np.testing.assert_array_equal(money.distribution.pmf, whole.distribution.pmf)
    for measure in ("mean", "deviation"):
        assert getattr(money, measure) == pytest.approx(0.25 * getattr(whole, measure), rel=1e-12)
    np.testing.assert_allclose(
        money.shortfall_contributions(0.99), 0.25 * whole.shortfall_contributions(0.99), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pd": [0.1, 1.2]}, "pd: got obligor 1: 1.2"),
        ({"lgd": -0.1}, "lgd: got obligor 0: -0.1"),
        ({"exposure": [-1.0, 1.0]}, "exposure: got obligor 0: -1"),
        ({"exposure": [1.0, 1.5]}, "unit: got 1, expected one that divides obligor 1's loss, 1.5"),
        ({"weights": [[0.5], [1.2]]}, "sum of weights: got obligor 1: 1.2"),
        ({"weights": [[0.5], [-0.2]]}, "smallest of weights: got obligor 1: -0.2"),
        ({"weights": [[0.5, 0.5]]}, r"weights: got shape \(1, 2\), expected \(2, 1\)"),
        ({"variances": [0.0]}, r"variances: got \[0.0\], expected positive"),
        ({"variances": [np.nan]}, r"variances: got \[nan\]"),
    ],
)
def test_bad_input_is_refused(changed, message):
    given = {"pd": [0.1, 0.1], "exposure": 1.0, "weights": [[1.0], [1.0]], "variances": [0.5]} | changed
    with pytest.raises(ValueError, match=message):
        creditrisk_plus(**given)


def test_a_level_outside_is_refused(mixed):
    with pytest.raises(ValueError, match="level: got 1.0"):
        mixed.shortfall_contributions(1.0)
