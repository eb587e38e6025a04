"""Closed forms and exact distributions against each other, by hand and by enumeration."""

import numpy as np
import pytest
from scipy import integrate, stats

from engine.portfolio import vasicek
from engine.portfolio.creditriskplus import creditrisk_plus
from engine.portfolio.distribution import LossDistribution
from engine.portfolio.migration import (
    bond_value,
    default_probabilities,
    generator,
    joint_migration,
    nearest_row,
    thresholds,
    transition,
    transition_matrix,
)
from engine.portfolio.recursion import exact_distribution, shortfall_contributions
from engine.tail.sample import sample_tail
from tests.portfolio.conftest import exact_law

SMALL = dict(
    pd=np.asarray([0.10, 0.05, 0.02, 0.60, 0.15, 0.03]),
    exposure=np.asarray([1.0, 2.0, 7.0, 3.0, 1.0, 5.0]),
    lgd=1.0,
    loading=np.asarray([0.5, 0.3, 0.6, 0.4, 0.2, 0.5]),
)


@pytest.fixture(scope="module")
def enumerated():
    return exact_law(**SMALL)


def test_recursion_against_enumeration(enumerated):
    loss, probability, _ = enumerated
    exact = np.bincount(loss.astype(int), probability)
    assert exact_distribution(**SMALL).pmf == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_recursive_contributions_against_enumeration(enumerated, level):
    """Also for an obligor that defaults more often than not, which is taken out from the other side."""
    loss, probability, parts = enumerated
    law, own = exact_distribution(**SMALL), shortfall_contributions(**SMALL, level=level)
    assert own.sum() == pytest.approx(law.expected_shortfall(level), rel=1e-10)
    order = np.argsort(-loss, kind="stable")
    exact = np.zeros(len(own))
    for value in np.unique(loss):  # the parts of one atom are shared, whatever the order of its sets
        at = np.flatnonzero(loss == value)
        parts[at] = probability[at] @ parts[at] / probability[at].sum()
    exact = sample_tail(loss[order], level, probability[order]).contributions(parts[order])
    assert own == pytest.approx(exact, abs=1e-9)


def test_more_nodes_change_nothing():
    random = np.random.default_rng(8)
    book = random.uniform(0.001, 0.05, 50), random.integers(1, 200, 50).astype(float), 1.0
    laws = [exact_distribution(*book, 0.6, nodes=n) for n in (401, 801)]
    assert laws[0].pmf == pytest.approx(laws[1].pmf, abs=1e-14)
    assert laws[0].pmf.sum() == pytest.approx(1.0, abs=1e-12)


def test_recursion_of_equal_obligors_is_the_finite_pool():
    law = exact_distribution(np.full(40, 0.03), 1.0, 1.0, np.sqrt(0.2))
    assert law.pmf == pytest.approx(vasicek.default_count(40, 0.03, 0.2), abs=1e-12)
    assert law.mean == pytest.approx(40 * 0.03, rel=1e-10)


def test_measures_of_a_distribution_with_atoms():
    law = LossDistribution(np.asarray([0.9, 0.0, 0.06, 0.04]), 10.0)
    assert law.value_at_risk(0.9) == 0.0 and law.value_at_risk(0.95) == 20.0
    assert law.expected_shortfall(0.95) == pytest.approx((30.0 * 0.04 + 20.0 * 0.01) / 0.05)
    assert law.beyond(-1.0) == 1.0 and law.beyond(20.0) == pytest.approx(0.04) and law.beyond(99.0) == 0.0
    with pytest.raises(ValueError, match="level: got 1.0"):
        law.value_at_risk(1.0)


def test_limit_law_is_a_law_and_its_shortfall_the_mean_of_quantiles():
    levels = np.linspace(0.01, 0.99, 21)
    quantiles = vasicek.loss_quantile(levels, 0.02, 0.25)
    assert vasicek.loss_cdf(quantiles, 0.02, 0.25) == pytest.approx(levels, rel=1e-12)
    mean, _ = integrate.quad(lambda u: float(vasicek.loss_quantile(u, 0.02, 0.25)), 0.99, 1.0, epsrel=1e-10)
    assert vasicek.expected_shortfall(0.99, 0.02, 0.25) == pytest.approx(mean / 0.01, rel=1e-7)
    square, _ = integrate.quad(
        lambda z: stats.norm.pdf(z) * float(vasicek.conditional_pd(0.02, 0.25, z)) ** 2, -12, 12
    )
    assert vasicek.unexpected_loss(0.02, 0.25) == pytest.approx(np.sqrt(square - 0.02**2), rel=1e-7)


def test_granularity_adjustment_is_what_finite_pools_lie_above_the_limit():
    """Of first order: for 1,600 obligors it leaves less than a tenth of what it explains."""
    limit = float(vasicek.loss_quantile(0.99, 0.05, 0.3))
    n = 1600
    finite = exact_distribution(np.full(n, 0.05), 1.0, 1.0, np.sqrt(0.3)).value_at_risk(0.99) / n
    adjusted = vasicek.granularity_adjustment(0.99, 0.05, 0.3, 1.0, 1 / n)
    assert adjusted > 0.0 and abs(finite - limit - adjusted) < 1 / n  # VaR is a whole number of defaults


def test_idiosyncratic_rest_is_poisson_and_weights_add_up():
    """Without sectors' weight defaults are Poisson; half a sector adds half its loading of variance."""
    pd = np.full(30, 0.05)
    rest = creditrisk_plus(pd, 1.0, weights=np.zeros((30, 1)), variances=[1.0])
    assert rest.distribution.pmf[:20] == pytest.approx(stats.poisson(1.5).pmf(np.arange(20)), abs=1e-14)
    half = creditrisk_plus(pd, 1.0, weights=np.full((30, 1), 0.5), variances=[1.0])
    assert half.deviation == pytest.approx(np.sqrt(1.5 + 0.75**2))
    assert half.distribution.mean == pytest.approx(1.5, rel=1e-9)
    assert half.distribution.deviation == pytest.approx(half.deviation, rel=1e-8)


def test_creditrisk_plus_contributions_add_up():
    random = np.random.default_rng(2)
    weights = random.dirichlet([1.0, 1.0, 1.0], 40)[:, :2]
    model = creditrisk_plus(
        random.uniform(0.01, 0.1, 40), random.integers(1, 9, 40), weights=weights, variances=[0.5, 1.5]
    )
    law = model.distribution
    for level in (0.9, 0.99):
        es = law.expected_shortfall(level)
        assert model.shortfall_contributions(level).sum() == pytest.approx(es, rel=1e-8)
    var = law.value_at_risk(0.99)
    beyond = law.losses[int(var) :] @ law.pmf[int(var) :] / law.pmf[int(var) :].sum()
    assert model.expected_from(var).sum() == pytest.approx(beyond, rel=1e-8)


def test_generator_is_one_and_nearest():
    random = np.random.default_rng(6)
    observed = transition_matrix(np.vstack([random.dirichlet([8.0, 1.0, 0.2, 0.1], 3), [0, 0, 0, 1]]))
    rates = generator(observed)
    off = rates - np.diag(np.diag(rates))
    assert (off >= 0.0).all() and rates.sum(axis=1) == pytest.approx(0.0, abs=1e-14)
    for row in random.normal(0.0, 1.0, (50, 5)):
        moved = nearest_row(row, 2)
        for _ in range(200):  # no admissible row drawn at random lies nearer
            other = np.abs(random.normal(0.0, 1.0, 5))
            other[2] = -(other.sum() - other[2])
            assert np.sum((moved - row) ** 2) <= np.sum((other - row) ** 2) + 1e-12
        assert moved.sum() == pytest.approx(0.0, abs=1e-12)


def test_probabilities_of_default_grow_with_time_and_add_up_over_it():
    rates = np.asarray([[-0.2, 0.15, 0.05], [0.1, -0.4, 0.3], [0.0, 0.0, 0.0]])
    one, two = default_probabilities(rates, [1.0, 2.0])
    assert (two > one).all()
    assert two == pytest.approx((transition(rates, 1.0) @ transition(rates, 1.0))[:-1, -1], rel=1e-12)


def test_joint_migration_has_the_marginals_and_factors_without_correlation():
    a, b = np.asarray([0.2, 0.7, 0.1]), np.asarray([0.05, 0.9, 0.05])
    assert np.diff(stats.norm.cdf(-thresholds(a))) == pytest.approx(a, abs=1e-14)
    together = joint_migration(a, b, 0.4)
    assert together.sum(axis=1) == pytest.approx(a, abs=1e-12) and together[2, 2] > a[2] * b[2]
    assert joint_migration(a, b, 0.0) == pytest.approx(np.outer(a, b), abs=1e-12)
    assert bond_value([1.0, 3.0], [100.0, 80.0]) == pytest.approx((85.0, np.sqrt(75.0)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exact_distribution([0.1, 1.5], 1.0), "pd: got obligor 1: 1.5"),
        (lambda: exact_distribution([0.1], 1.5), "expected one that divides obligor 0's loss, 1.5"),
        (lambda: exact_distribution([0.1], 1.0, 1.0, 1.0), "loading: got obligor 0: 1"),
        (lambda: creditrisk_plus([0.1], 1.0, weights=[[1.2]], variances=[1.0]), "sum of weights: got"),
        (lambda: creditrisk_plus([0.1], 1.0, weights=[[1.0]], variances=[0.0]), "variances: got"),
        (lambda: creditrisk_plus([0.1], 1.0, weights=[1.0], variances=[1.0]), "weights: got shape"),
        (lambda: vasicek.conditional_pd(1.1, 0.2, 0.0), "pd: got 1.1"),
        (lambda: vasicek.conditional_pd(0.1, 1.0, 0.0), "rho: got 1.0"),
        (lambda: vasicek.capital(0.01, asset_class="sovereign"), "asset_class: got 'sovereign'"),
        (lambda: transition_matrix([[0.5, 0.2], [0.0, 1.0]]), r"rows\[0\]: got a sum of 0.7000"),
        (lambda: transition_matrix([[0.5, 0.5]]), "expected a square matrix"),
        (lambda: joint_migration([0.5, 0.5], [0.5, 0.5], 1.0), "correlation: got 1.0"),
    ],
)  # fmt: skip
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
