"""Systemic measures from the joint histogram: bivariate normal laws, the sample itself, stated errors."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from engine.tail.contributions import es_contributions
from engine.tail.covar import covar, quantile
from engine.tail.histogram import DISTRESS
from engine.tail.measures import column_losses, expected_shortfall
from engine.tail.systemic import systemic
from engine.tail.tally import init, update
from tests.tail.samples import of_losses

K = 4.0
"""Standard errors of the estimate."""

LEVEL = 0.95
SYSTEM, OWN, RHO = (40.0, 12.0), (1.1, 1.0), 0.6
"""Means and standard deviations; own is where the bins about its median and its VaR lie alike about both."""

EXCESS = norm.pdf(norm.ppf(LEVEL)) / (1.0 - LEVEL)
"""Mean of a standard normal beyond its VaR."""


def normal_pair(paths, seed):
    """System and own losses [2 paths], bivariate normal."""
    z = np.random.default_rng(seed).standard_normal((2, paths))
    own = OWN[0] + OWN[1] * (RHO * z[0] + np.sqrt(1 - RHO**2) * z[1])
    return np.stack([SYSTEM[0] + SYSTEM[1] * z[0], own])


def tally_of(losses, weight=None):
    return update(init(1, len(losses), 0, 0, 1, 0, last=len(losses) - 1), of_losses(losses, weight))


@pytest.fixture(scope="module")
def normal():
    return tally_of(normal_pair(400_000, seed=41))


def test_shortfall_of_a_bivariate_normal(normal):
    """E[X | S >= VaR] = mean + rho sd phi(z) / (1 - a)."""
    found = systemic(normal, LEVEL)[0]
    expected = OWN[0] + RHO * OWN[1] * EXCESS
    assert abs(found.shortfall.value - expected) < K * found.shortfall.standard_error
    share = expected / (SYSTEM[0] + SYSTEM[1] * EXCESS)
    assert abs(found.share.value - share) < K * found.share.standard_error


def test_importance_of_a_bivariate_normal(normal):
    found = systemic(normal, LEVEL)[0].importance
    assert abs(found.value - RHO * SYSTEM[1] * EXCESS) < K * found.standard_error


def test_covar_of_a_bivariate_normal(normal):
    """P(S <= CoVaR | X beyond VaR) = a, and the same below the median, with the bivariate normal law."""
    both = multivariate_normal([0.0, 0.0], [[1.0, RHO], [RHO, 1.0]])

    def below(x, low, high):
        return (both.cdf([x, high]) - both.cdf([x, low])) / (norm.cdf(high) - norm.cdf(low)) - LEVEL

    stressed = brentq(below, -3, 6, args=(norm.ppf(LEVEL), 8.0))
    calm = brentq(below, -3, 6, args=(-8.0, 0.0))
    found = covar(normal, 0, LEVEL)
    half_bin = (SYSTEM[0] + SYSTEM[1] * stressed) / 32
    delta = SYSTEM[1] * (stressed - calm)
    assert abs(found.delta - delta) < K * found.delta_error + half_bin
    assert (
        abs(found.covar - SYSTEM[0] - SYSTEM[1] * stressed) < K * (found.upper - found.lower) / 4 + half_bin
    )


def test_the_joint_law_holds_the_point_form_of_delta_covar(normal):
    """VaR of S given X = its VaR less that given X = its median is rho sd z_q (Adrian and Brunnermeier 2016).

    X is known to a bin, which adds its slope across the bin to the spread: by less than 2% of it here."""
    table = np.asarray(normal.joint)[0].astype(float)
    at = [
        np.searchsorted(DISTRESS.lower, OWN[0] + OWN[1] * z, side="right") - 1 for z in (norm.ppf(LEVEL), 0)
    ]
    stressed, calm = (quantile(table[row], 1 - LEVEL) for row in at)
    paths = table[at].sum(axis=1) / 2**28
    spread = SYSTEM[1] * np.sqrt(1 - RHO**2)
    one = (
        spread * np.sqrt(LEVEL * (1 - LEVEL)) / norm.pdf(norm.ppf(LEVEL))
    )  # s.e. of a normal quantile, one path
    middles = (DISTRESS.lower[at] + DISTRESS.upper[at]) / 2 - OWN[0] - OWN[1] * np.array([norm.ppf(LEVEL), 0])
    assert np.abs(middles).max() < 0.03
    slack = RHO * SYSTEM[1] / OWN[1] * np.abs(middles).sum() + 0.02 * spread * norm.ppf(LEVEL)
    assert (
        abs(stressed - calm - RHO * SYSTEM[1] * norm.ppf(LEVEL))
        < K * one * np.sqrt((1 / paths).sum()) + slack
    )


def test_shares_of_parts_add_up_to_one():
    random = np.random.default_rng(42)
    parts = random.lognormal(1.0, 0.8, (4, 20_000))
    tally = tally_of(np.concatenate([parts.sum(axis=0)[None], parts]))
    found = systemic(tally, LEVEL)
    # float32 rounds each loss, and so their sum, by at most 2^-24 of it.
    assert sum(each.share.value for each in found) == pytest.approx(1.0, abs=5 * 2.0**-24)
    es = expected_shortfall(column_losses(tally, 0), LEVEL)
    assert sum(each.shortfall.value for each in found) == pytest.approx(es, rel=5 * 2.0**-24)
    assert found[1].shortfall.value == es_contributions(tally, 0, LEVEL)[2]


def test_the_system_itself_has_all_of_it():
    losses = normal_pair(50_000, seed=43)[0]
    found = systemic(tally_of(np.stack([losses, losses])), LEVEL)[0]
    assert found.share.value == pytest.approx(1.0, rel=1e-12)
    assert found.importance.value == pytest.approx(
        SYSTEM[1] * EXCESS, abs=K * found.importance.standard_error
    )
    # The share cannot vary; what is stated is what a quarter of an octave leaves open, spread evenly.
    assert found.share.standard_error < 0.25 / np.sqrt(12) / np.sqrt(0.05 * 50_000)


def weighted(random, paths):
    """The pair drawn with its common factor shifted by one and a half, and the likelihood ratios."""
    shift = 1.5
    z = random.standard_normal((2, paths))
    z[0] += shift
    own = OWN[0] + OWN[1] * (RHO * z[0] + np.sqrt(1 - RHO**2) * z[1])
    return np.stack([SYSTEM[0] + SYSTEM[1] * z[0], own]), np.exp(shift**2 / 2 - shift * z[0])


def plain(random, paths):
    return normal_pair(paths, random.integers(2**32)), np.ones(paths)


@pytest.mark.parametrize("draw", [plain, weighted])
def test_stated_errors_are_the_spread_of_replications(draw):
    """Spread of 200 replications against the mean error; weighted paths are centred on the truth, too."""
    random, replications = np.random.default_rng(44), 200
    found = [systemic(tally_of(*draw(random, 4_000)), LEVEL)[0] for _ in range(replications)]
    truth = {
        "shortfall": OWN[0] + RHO * OWN[1] * EXCESS,
        "share": (OWN[0] + RHO * OWN[1] * EXCESS) / (SYSTEM[0] + SYSTEM[1] * EXCESS),
        "importance": RHO * SYSTEM[1] * EXCESS,
    }
    for name, expected in truth.items():
        values = np.array([getattr(each, name).value for each in found])
        stated = np.array([getattr(each, name).standard_error for each in found])
        spread = values.std(ddof=1)
        assert abs(values.mean() - expected) < K * spread / np.sqrt(replications), name
        assert stated.mean() == pytest.approx(spread, rel=K / np.sqrt(2 * (replications - 1))), name


def test_independence_has_no_importance():
    random = np.random.default_rng(45)
    found = systemic(tally_of(random.lognormal(1.0, 0.7, (2, 100_000))), LEVEL)[0]
    assert abs(found.importance.value) < K * found.importance.standard_error


def test_a_column_that_seldom_loses_has_a_shortfall_and_no_importance():
    random = np.random.default_rng(46)
    losses = np.stack([random.lognormal(1.0, 0.7, 10_000), np.where(random.random(10_000) < 0.01, 1.0, 0.0)])
    found = systemic(tally_of(losses), LEVEL)[0]
    assert np.isnan(found.importance.value) and found.shortfall.standard_error > 0.0
    nothing = systemic(tally_of(np.zeros((2, 100))), LEVEL)[0]
    assert np.isnan(nothing.share.value) and nothing.shortfall.value == 0.0
