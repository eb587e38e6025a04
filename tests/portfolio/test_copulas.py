"""Copulas against the limits in which they are one another, sampling, and SciPy's distributions."""

import numpy as np
import pytest
from scipy import stats

from engine.portfolio.copulas import GAUSSIAN, DoubleT, StudentCopula, unit_cdf, unit_quantile
from engine.portfolio.factor import integrated, principal
from engine.portfolio.recursion import exact_distribution, shortfall_contributions, var_contributions

PD = np.asarray([0.1, 0.05, 0.02, 0.08, 0.15])
SIZE = np.asarray([2.0, 1.0, 3.0, 2.0, 1.0])
LOADING = np.asarray([0.5, 0.3, 0.6, -0.4, 0.2])


@pytest.mark.parametrize("dof", [2.05, 3.0, 5.0, 30.0, 300.0])
def test_the_unit_t_is_scipys(dof):
    x = np.concatenate([-np.logspace(-3, 9, 4001), [0.0], np.logspace(-3, 2, 500)])
    exact = stats.t.cdf(x * np.sqrt(dof / (dof - 2.0)), dof)
    shown = exact > 1e-280
    np.testing.assert_allclose(unit_cdf(x, dof)[shown], exact[shown], rtol=1e-10)
    z = np.linspace(-8.0, 8.0, 33)
    np.testing.assert_allclose(unit_cdf(unit_quantile(z, dof), dof), stats.norm.cdf(z), rtol=1e-8)


@pytest.mark.parametrize("copula", [StudentCopula(4), DoubleT(3, None), DoubleT(None, 3), DoubleT(4, 5)])
def test_pds_are_met(copula):
    given = integrated(PD, LOADING[:, None], copula=copula)
    np.testing.assert_allclose(given.weights @ given.p, PD, rtol=1e-9)


def test_without_tails_all_copulas_are_gaussian():
    gaussian = exact_distribution(PD, SIZE, loading=LOADING)
    double = exact_distribution(PD, SIZE, loading=LOADING, copula=DoubleT(None, None))
    student = exact_distribution(PD, SIZE, loading=LOADING, copula=StudentCopula(1e7))
    np.testing.assert_allclose(double.pmf, gaussian.pmf, atol=1e-11)
    # The t differs from the normal by a multiple of 1 / dof.
    np.testing.assert_allclose(student.pmf, gaussian.pmf, atol=1e-6)


def test_the_t_copula_of_two_is_scipys_bivariate_t():
    """P(both in default) for PD = T(-1), correlation a^2, beside SciPy's integral of the bivariate t."""
    dof, rho = 4.0, 0.3
    p = float(stats.t.cdf(-1.0, dof))
    both = exact_distribution([p, p], 1.0, loading=np.sqrt(rho), copula=StudentCopula(dof)).pmf[2]
    shape = np.asarray([[1.0, rho], [rho, 1.0]])
    given = lambda w: stats.multivariate_normal.cdf(-np.sqrt(w / dof) * np.ones(2), cov=shape)  # noqa: E731
    levels, weights = np.polynomial.legendre.leggauss(60)
    exact = 0.5 * weights @ [given(w) for w in stats.chi2.ppf(0.5 + 0.5 * levels, dof)]
    assert both == pytest.approx(exact, abs=2e-6)


@pytest.mark.parametrize("copula", [StudentCopula(3), DoubleT(3, 5)])
def test_the_law_is_that_of_a_sample(copula):
    random, n = np.random.default_rng(1), 400_000
    if isinstance(copula, StudentCopula):
        scale = np.sqrt(copula.dof / random.chisquare(copula.dof, (n, 1)))
        x = LOADING * random.normal(size=(n, 1)) + np.sqrt(1.0 - LOADING**2) * random.normal(size=(n, 5))
        threshold, x = stats.t.isf(PD, copula.dof), x * scale
    else:
        m, e = (
            random.standard_t(dof, shape) * np.sqrt((dof - 2.0) / dof)
            for dof, shape in ((copula.factor_dof, (n, 1)), (copula.own_dof, (n, 5)))
        )
        x = LOADING * m + np.sqrt(1.0 - LOADING**2) * e
        threshold = copula.thresholds(PD, LOADING[:, None])
    losses = (x > threshold) @ SIZE
    law = exact_distribution(PD, SIZE, loading=LOADING, copula=copula)
    for loss in (0.0, 2.0, 4.0, 6.0):
        p = law.beyond(loss)
        assert (losses > loss).mean() == pytest.approx(p, abs=4.5 * np.sqrt(p * (1.0 - p) / n))


def test_two_factors_that_are_one():
    turned = LOADING[:, None] * [0.6, 0.8]
    one, two = (exact_distribution(PD, SIZE, loading=each) for each in (LOADING, turned))
    np.testing.assert_allclose(two.pmf, one.pmf, atol=1e-13)
    assert principal(turned).shape == (5, 1)


@pytest.mark.parametrize("factors", [2, 3])
def test_groups_with_factors_of_their_own_are_a_convolution(factors):
    """Obligors of different groups share nothing: the law is that of a sum of independent pools."""
    groups = [exact_distribution(np.full(4, 0.1), 1.0, loading=0.6) for _ in range(factors)]
    exact = groups[0].pmf
    for each in groups[1:]:
        exact = np.convolve(exact, each.pmf)
    rows = np.kron(0.6 * np.eye(factors), np.ones((4, 1)))
    law = exact_distribution(np.full(4 * factors, 0.1), 1.0, loading=rows)
    assert np.abs(np.cumsum(law.pmf - exact)).max() < max(law.accuracy, 1e-13) < 2e-4


def test_the_accuracy_stated_is_more_than_the_error():
    rows = np.random.default_rng(3).uniform(0.2, 0.6, (30, 2))
    pd = np.full(30, 0.05)
    for copula, nodes in ((GAUSSIAN, (21, 41)), (StudentCopula(5), (41, 61))):
        loading = rows if copula is GAUSSIAN else rows[:, 0]
        fine = exact_distribution(pd, 1.0, loading=loading, copula=copula, nodes=161)
        for number in nodes:
            law = exact_distribution(pd, 1.0, loading=loading, copula=copula, nodes=number)
            error = np.abs(np.cumsum(law.pmf - fine.pmf)).max()
            assert error < law.accuracy


@pytest.mark.parametrize("copula", [GAUSSIAN, StudentCopula(4), DoubleT(4, 4)])
def test_contributions_add_up_whatever_the_copula(copula):
    whole = exact_distribution(PD, SIZE, loading=LOADING, copula=copula)
    for level in (0.5, 0.9, 0.99):
        es, var = (
            parts(PD, SIZE, loading=LOADING, level=level, copula=copula)
            for parts in (shortfall_contributions, var_contributions)
        )
        assert es.sum() == pytest.approx(whole.expected_shortfall(level), rel=1e-10)
        assert var.sum() == pytest.approx(whole.value_at_risk(level), rel=1e-12, abs=0.0)


def test_var_contributions_by_enumeration():
    """All 2^5 sets of defaults of independent obligors."""
    sets = np.asarray(np.meshgrid(*[[0, 1]] * 5, indexing="ij")).reshape(5, -1).T
    chance = np.prod(np.where(sets, PD, 1.0 - PD), axis=1)
    losses = sets @ SIZE
    for level in (0.8, 0.95, 0.995):
        var = exact_distribution(PD, SIZE).value_at_risk(level)
        own = losses == var
        exact = SIZE * (chance[own] @ sets[own]) / chance[own].sum()
        np.testing.assert_allclose(var_contributions(PD, SIZE, level=level), exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"copula": StudentCopula(4), "loading": np.eye(5)[:, :4] * 0.5}, "4 factors', expected at most 3"),
        ({"copula": DoubleT(4, 4), "loading": np.full((5, 2), 0.3)}, "expected 1 for DoubleT"),
        ({"loading": np.full((5, 2), 0.8)}, "norm of loading: got obligor 0: 1.13"),
        ({"loading": np.eye(5) * 0.5}, "5 factors', expected at most 4"),
    ],
)
def test_loadings_that_cannot_be_integrated_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        exact_distribution(PD, SIZE, **change)


def test_degrees_of_freedom_out_of_range_are_refused():
    with pytest.raises(ValueError, match="dof: got 0, expected a positive number"):
        StudentCopula(0)
    with pytest.raises(ValueError, match="own_dof: got 2.0, expected a number at least 2.05"):
        DoubleT(4, 2)


@pytest.mark.parametrize("dof", [2.0, 4.0, 10.0])
@pytest.mark.parametrize("factors", [2, 3])
def test_a_t_with_several_factors_is_scipys(dof, factors):
    """All three default with the probability of SciPy's multivariate t, by quasi-Monte Carlo to 1e-5."""
    pd, loading = (
        np.asarray([0.05, 0.1, 0.2]),
        np.asarray([[0.4, 0.3, 0.2], [0.5, -0.2, 0.5], [0.1, 0.6, -0.3]]),
    )
    loading = loading[:, :factors]
    law = exact_distribution(pd, [1, 2, 4], loading=loading, copula=StudentCopula(dof))
    together = loading @ loading.T
    np.fill_diagonal(together, 1.0)
    exact = stats.multivariate_t(shape=together, df=dof).cdf(
        stats.t.ppf(pd, dof), maxpts=1_000_000, random_state=1
    )
    assert law.pmf[7] == pytest.approx(exact, abs=1e-5)
    assert law.mean == pytest.approx(pd @ [1, 2, 4], rel=1e-8)


def test_four_factors_take_as_many_nodes_as_they_need():
    """More than the first 21 a factor, which leave the PDs to 1e-5."""
    loading = np.random.default_rng(0).uniform(-0.45, 0.45, (9, 4))
    law = exact_distribution(np.full(9, 0.01), 1.0, loading=loading)
    assert law.mean == pytest.approx(0.09, rel=1e-8)


def test_too_many_nodes_and_steep_loadings_are_refused_as_given():
    loading = np.asarray([[0.4, 0.3, 0.2], [0.5, -0.2, 0.5], [0.1, 0.6, -0.3]])
    with pytest.raises(
        ValueError, match=r"loading: got obligor 0: 0.4, 0.3, 0.2, expected one further from 1"
    ):
        exact_distribution([0.05, 0.1, 0.2], 1.0, loading=loading, copula=StudentCopula(1))
    with pytest.raises(ValueError, match="nodes: got 500, expected so few .* at most 200,000 in all"):
        exact_distribution([0.05, 0.1, 0.2], 1.0, loading=loading, nodes=500)
