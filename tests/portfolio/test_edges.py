"""Portfolios at their edges: next to one name, nothing to lose, factors that do nothing, very far out."""

import time

import numpy as np
import pytest
from scipy import stats

from engine.portfolio.contributions import euler_contributions
from engine.portfolio.creditriskplus import creditrisk_plus
from engine.portfolio.portfolio import portfolio
from engine.portfolio.recursion import exact_distribution, shortfall_contributions
from engine.portfolio.simulate import SAMPLERS, portfolio_tail
from engine.portfolio.vasicek import default_count

K = 4.0
"""Standard errors a comparison may miss by."""


@pytest.mark.parametrize("loading", [0.999, 0.99999, 1.0 - 1e-7])
def test_a_pool_that_is_nearly_one_name_keeps_its_mean(loading):
    law = exact_distribution(np.full(10, 1e-4), 1.0, loading=loading)
    assert law.mean == pytest.approx(1e-3, rel=1e-8)
    # All ten default together: of the mean little is left for any other number of defaults.
    assert law.pmf[10] > 0.5e-4 if loading < 0.99999 else law.pmf[10] == pytest.approx(1e-4, rel=0.05)


def test_a_count_of_defaults_that_is_nearly_one_name_keeps_its_mean():
    counts = default_count(10, 1e-4, 0.99999)
    assert counts @ np.arange(11) == pytest.approx(1e-3, rel=1e-8)


def test_loadings_that_no_grid_resolves_are_refused():
    with pytest.raises(ValueError, match="loading: got obligor 0: 0.999999999, expected one further from 1"):
        exact_distribution(np.full(3, 0.01), 1.0, loading=1.0 - 1.001e-9)


def test_contributions_of_a_thousand_obligors_add_up_in_seconds():
    random = np.random.default_rng(0)
    pool = dict(pd=random.uniform(0.001, 0.05, 1000), exposure=random.integers(1, 11, 1000).astype(float))
    begun = time.process_time()
    parts = shortfall_contributions(**pool, loading=0.4, level=0.99)
    spent = time.process_time() - begun
    shortfall = exact_distribution(**pool, loading=0.4).expected_shortfall(0.99)
    assert parts.sum() == pytest.approx(shortfall, rel=1e-10)
    assert spent < 20.0  # 2 s on a quiet core; obligor by obligor and node by node it was 29


def test_many_independent_obligors_are_poisson():
    """exp(-800) is zero in float64: the recursion keeps the scale apart."""
    pool = creditrisk_plus(np.full(80_000, 0.01), 1.0, weights=np.zeros((80_000, 1)), variances=[0.8])
    assert pool.distribution.value_at_risk(0.99) == 867.0
    pmf = pool.distribution.pmf
    np.testing.assert_allclose(pmf, stats.poisson(800.0).pmf(np.arange(len(pmf))), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("exposure", [1e4, 1e6])
def test_a_grid_that_would_take_hours_is_refused(exposure):
    pool = dict(weights=np.full((100, 1), 0.5), variances=[0.8])
    with pytest.raises(ValueError, match="unit: got 1, expected a larger one"):
        _ = creditrisk_plus(np.full(100, 0.1), exposure, **pool).distribution


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("nothing", [dict(exposure=0.0), dict(lgd=0.0), dict(pd=0.0)])
def test_nothing_to_lose_is_zero_exactly(sampler, nothing):
    given = dict(pd=0.02, exposure=1.0, lgd=0.45) | nothing
    book = portfolio(np.full(100, given["pd"]), given["exposure"], given["lgd"], 0.4)
    tail = portfolio_tail(book, (0.99,), paths=4096, sampler=sampler)
    assert (tail.expected.value, tail.expected.standard_error) == (0.0, 0.0)
    assert (tail.table.iloc[0, 1:] == 0.0).all()
    assert not any("8,192" in sentence or "nan" in sentence for sentence in tail.warnings)
    assert given["pd"] == 0.0 or tail.warnings == ()


def test_importance_without_factors_twists_defaults_alone():
    book = portfolio(np.full(100, 0.02), 1.0, 0.45, 0.0)
    tail = portfolio_tail(book, (0.99,), paths=2**14, sampler="importance")
    exact = stats.binom(100, 0.02)
    assert not np.asarray(tail.twist.mean).any()
    assert tail.table["var"][0] == pytest.approx(0.45 * exact.ppf(0.99), rel=1 / 512)
    assert abs(tail.expected.value - 0.9) < K * tail.expected.standard_error
    beyond = exact.sf(6)
    shortfall = (exact.expect(lambda k: k * (k > 6)) + 6 * (0.01 - beyond)) / 0.01 * 0.45
    error = (tail.table.es_hi[0] - tail.table.es_lo[0]) / (2 * 1.96)
    assert abs(tail.table.es[0] - shortfall) < K * error + shortfall / 512


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**30])
def test_losses_come_out_in_the_unit_of_the_exposures(unit):
    """A power of two moves no bit."""
    given = dict(levels=(0.9, 0.999), paths=4096)
    one = portfolio_tail(portfolio(np.full(50, 0.02), 3.0, 0.45, 0.4), **given)
    other = portfolio_tail(portfolio(np.full(50, 0.02), 3.0 * unit, 0.45, 0.4), **given)
    np.testing.assert_array_equal(one.table.iloc[:, 1:] * unit, other.table.iloc[:, 1:])
    assert other.expected.value == one.expected.value * unit


def test_the_far_tail_is_exact_within_its_errors():
    """At 1 - 1e-7 weights are so small that 2^-32 holds nothing of their squares."""
    exact = exact_distribution(np.full(1000, 0.01), 1.0, loading=0.3)
    levels = (1.0 - 1e-6, 1.0 - 1e-7)
    tail = portfolio_tail(
        portfolio(np.full(1000, 0.01), 1.0, 1.0, 0.3), levels, paths=2**16, sampler="importance"
    )
    for level, row in zip(levels, tail.table.itertuples(), strict=True):
        value = exact.expected_shortfall(level)
        error = (row.es_hi - row.es_lo) / (2 * 1.96)
        assert 1e-4 * value < error < 0.01 * value
        assert abs(row.es - value) < K * error + value / 512
        assert row.var_lo <= row.var <= row.var_hi and row.var == pytest.approx(
            exact.value_at_risk(level), rel=0.01
        )


def test_far_out_a_t_copula_states_an_error():
    book = portfolio(np.full(50, 0.001), 1.0, 0.45, 0.5, dof=16)
    tail = portfolio_tail(book, (0.999, 1.0 - 1e-6), paths=2**14, sampler="importance")
    error = (tail.table.es_hi - tail.table.es_lo) / (2 * 1.96)
    assert (error > 1e-3 * tail.table.es).all() and (error < 0.1 * tail.table.es).all()


def test_the_error_of_a_scrambled_mean_is_the_spread_of_its_scrambles():
    book = portfolio(np.full(1000, 0.02), 1.0, 0.45, 0.4)
    found = [
        portfolio_tail(book, (0.9,), paths=2**12, sampler="sobol", seed=seed).expected for seed in range(24)
    ]
    spread = np.std([each.value for each in found], ddof=1)
    stated = np.sqrt(np.mean([each.standard_error**2 for each in found]))
    plain = portfolio_tail(book, (0.9,), paths=2**12).expected.standard_error
    # 24 values know their spread to 1/sqrt(46), 15%; independent paths would err more than twice as much.
    assert stated == pytest.approx(spread, rel=K * 0.15) and stated < 0.5 * plain


RARE = np.concatenate([np.full(50, 0.01), np.full(40, 1e-6), np.full(10, 1e-7)])


@pytest.mark.parametrize("sampler", ["pseudo_random", "importance"])
def test_contributions_of_rare_obligors_have_honest_errors(sampler):
    """PDs of 1e-6 and 1e-7, which on most runs of 16,384 paths never default."""
    book = portfolio(RARE, 1.0, 1.0, 0.45)
    exact = shortfall_contributions(RARE, 1.0, loading=0.45, level=0.99)
    scores = []
    for seed in range(16):
        tail = portfolio_tail(book, (0.99,), paths=2**13, sampler=sampler, seed=seed)
        parts, errors = euler_contributions(book, tail, 0.99)
        assert (parts > 0.0).all() and (errors > 0.0).all() and (errors < 0.5 * parts).all()
        scores.append((parts - exact) / errors)
    for group in (slice(0, 50), slice(50, 90), slice(90, 100)):
        # Obligors of a group move together: 16 values know their mean square to 35%.
        assert 0.4 < np.sqrt(np.mean(np.square(np.asarray(scores)[:, group]))) < 1.8


def test_obligors_that_no_path_shows_are_said():
    """The second defaults where the factor is low, and the tail is where it is high."""
    book = portfolio([0.2, 0.01], [1.0, 0.1], 1.0, [0.99, -0.99])
    tail = portfolio_tail(book, (0.9,), paths=512)
    with pytest.warns(
        UserWarning, match=r"1 of 2 obligors, the first of them 1, have a contribution of 0 \+- 0"
    ):
        parts, errors = euler_contributions(book, tail, 0.9)
    assert parts[1] == errors[1] == 0.0 < parts[0]


def test_contributions_are_refused_for_another_portfolio():
    book = portfolio([0.02] * 4, 1.0, 1.0, 0.4)
    tail = portfolio_tail(book, (0.9,), paths=512)
    with pytest.raises(
        ValueError, match="book: got a largest loss of 400, expected the portfolio of the result"
    ):
        euler_contributions(portfolio([0.02] * 4, 100.0, 1.0, 0.4), tail, 0.9)
