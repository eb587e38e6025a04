"""The simulated portfolio against enumeration: plain, antithetic, Sobol and importance-sampled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.portfolio import losses, simulate
from engine.portfolio.contributions import euler_contributions
from engine.portfolio.importance import tuned
from engine.portfolio.portfolio import portfolio
from engine.portfolio.recursion import exact_distribution
from engine.run.plan import Plan
from engine.tail.sample import sample_tail
from tests.portfolio.conftest import exact_law

PATHS = 2**17
sampled = jax.jit(losses.sample)


def draw(book, tilt=None, paths=PATHS, seed=7):
    """Losses and weights of the first paths, as float64."""
    drawn = [
        sampled(book, PSEUDO_RANDOM, seed_words(seed), start + jnp.arange(512), tilt)
        for start in range(0, paths, 512)
    ]
    loss, log_weight = (np.concatenate([np.asarray(d[i], np.float64) for d in drawn]) for i in (0, 1))
    return loss, np.exp(log_weight)


@pytest.fixture(scope="module", params=[None, 4.0], ids=["gaussian", "student"])
def case(request, small):
    """A copula's portfolio with its exact law."""
    book = portfolio(small.pd, small.exposure, small.lgd, small.loading, dof=request.param)
    return book, exact_law(small.pd, small.exposure, small.lgd, small.loading, request.param)


@pytest.mark.parametrize("target", [None, 7.0])
def test_probabilities_of_losses(case, target):
    """P(L > y) for five y, within 4 standard errors of the estimate itself."""
    book, (loss, probability, _) = case
    found, weight = draw(book, None if target is None else tuned(book, target))
    for y in (0.5, 2.0, 5.0, 8.0, 11.0):
        exact = probability[loss > y].sum()
        hits = weight * (found > y)
        assert abs(hits.mean() - exact) < 4 * hits.std() / np.sqrt(len(hits)), y


def test_importance_sampling_knows_the_tail_better(case):
    """At the loss it is tuned to: at least five times as well as plain paths."""
    book, (loss, probability, _) = case
    found, weight = draw(book, tuned(book, 9.0))
    p = probability[loss > 9.0].sum()
    assert p * (1 - p) / (weight * (found > 9.0)).var() > 5.0


def test_weights_average_one_and_are_bounded_by_the_defensive_share(case):
    for defensive in (0.1, 0.3):
        _, weight = draw(case[0], tuned(case[0], 9.0, defensive))
        assert abs(weight.mean() - 1.0) < 4 * weight.std() / np.sqrt(len(weight))
        assert weight.max() <= 1.0 / defensive * (1 + 1e-6)


@pytest.mark.parametrize("sampler", simulate.SAMPLERS)
def test_the_table_holds_the_exact_measures(case, sampler):
    """Expected loss and ES within 4 of their standard errors; a VaR that is an atom lies in its interval."""
    book, (loss, probability, _) = case
    found = simulate.portfolio_tail(book, (0.95, 0.99), paths=PATHS, sampler=sampler)
    mean = float(loss @ probability)
    assert abs(found.expected.value - mean) < 4 * found.expected.standard_error
    for row in found.table.itertuples():
        exact = sample_tail(loss, row.level, probability)
        # Bins hold a value to half a bin, 0.2%; on atoms the interval may have no width.
        half_bin = exact.value_at_risk / 512
        assert row.var_lo - half_bin <= exact.value_at_risk <= row.var_hi + half_bin
        error = (row.es_hi - row.es_lo) / (2 * 1.96)
        assert abs(row.es - exact.expected_shortfall) < 4 * error + exact.expected_shortfall / 512
    assert not found.warnings


@pytest.mark.parametrize("sampler", ["pseudo_random", "importance"])
def test_contributions_of_obligors(case, sampler):
    book, (loss, probability, parts) = case
    found = simulate.portfolio_tail(book, (0.99,), paths=PATHS, sampler=sampler)
    own, error = euler_contributions(book, found, 0.99)
    assert own.sum() == pytest.approx(found.table.es[0], rel=1e-5)
    exact = sample_tail(loss, 0.99, probability)
    shares = exact.shares @ parts
    # The VaR bin is shared evenly among its paths, and which atom is VaR is itself sampled: 1% of ES.
    assert np.abs(own - shares).max() < 4 * error.max() + 0.01 * exact.expected_shortfall


def test_contributions_of_groups():
    """Sums of their obligors', with errors as their spread over 40 seeds; groups of one are the obligors."""
    random = np.random.default_rng(12)
    pd, exposure = random.uniform(0.01, 0.1, 40), random.gamma(2.0, 1.0, 40)
    book, labels = portfolio(pd, exposure, 0.5, loadings=0.5), np.arange(40) % 2
    each = []
    for seed in range(40):
        found = simulate.portfolio_tail(book, (0.95,), paths=2**13, seed=seed)
        each.append(euler_contributions(book, found, 0.95, labels))
    single = euler_contributions(book, found, 0.95)
    for alone, grouped in zip(single, euler_contributions(book, found, 0.95, np.arange(40)), strict=True):
        np.testing.assert_allclose(grouped, alone, rtol=1e-6)
    np.testing.assert_allclose(each[-1][0], [single[0][labels == k].sum() for k in (0, 1)], rtol=1e-9)
    values, errors = (np.stack(part) for part in zip(*each, strict=True))
    np.testing.assert_allclose(errors.mean(axis=0), values.std(axis=0, ddof=1), rtol=0.35)
    independent = np.sqrt([(single[1][labels == k] ** 2).sum() for k in (0, 1)])
    assert (errors[-1] > 1.2 * independent).all()
    with pytest.raises(ValueError, match=r"groups: got shape \(2,\)"):
        euler_contributions(book, found, 0.95, [0, 1])


@pytest.mark.parametrize("sampler", ["pseudo_random", "antithetic", "sobol", "importance"])
def test_the_probability_of_a_loss(case, sampler):
    """Between atoms, where the tally's bins do not matter: within 4 standard errors of enumeration."""
    book, (loss, probability, _) = case
    found = simulate.portfolio_tail(book, (0.99,), paths=2**16, sampler=sampler)
    for y in (2.05, 5.05, 8.05):
        p = found.beyond(y)
        exact = probability[loss > y].sum()
        assert abs(p.value - exact) < 4.0 * p.standard_error and 0.0 < p.standard_error < 0.3 * exact


def test_contributions_need_addresses(case):
    found = simulate.portfolio_tail(case[0], (0.99,), paths=2**14, sampler="sobol")
    with pytest.raises(ValueError, match="sampler: got 'sobol'"):
        euler_contributions(case[0], found, 0.99)


def test_random_lgd_keeps_its_mean_and_a_shared_factor_makes_it_a_downturn_lgd(small):
    def expected(**more):
        book = portfolio(small.pd, small.exposure, small.lgd, small.loading, **more)
        loss, _ = draw(book)
        return loss.mean(), loss.std() / np.sqrt(len(loss))

    exact = float(small.pd @ (small.exposure * small.lgd))
    mean, error = expected(lgd_volatility=0.8)
    assert abs(mean - exact) < 4 * error
    mean, error = expected(lgd_volatility=0.8, lgd_loadings=0.9)
    assert mean - exact > 4 * error


def test_random_lgd_is_unbiased_under_importance_sampling(small):
    book = portfolio(small.pd, small.exposure, small.lgd, small.loading, lgd_volatility=0.8, lgd_loadings=0.5)
    plain, _ = draw(book)
    loss, weight = draw(book, tuned(book, 9.0))
    for y in (2.0, 9.0):
        hits, direct = weight * (loss > y), plain > y
        error = np.hypot(hits.std(), direct.std()) / np.sqrt(PATHS)
        assert abs(hits.mean() - direct.mean()) < 4 * error


def test_a_path_is_the_same_in_any_company(small):
    book = portfolio(small.pd, small.exposure, small.lgd, small.loading)
    tilt = tuned(book, 9.0)
    together, weight = draw(book, tilt, 1024)
    backwards = sampled(book, PSEUDO_RANDOM, seed_words(7), jnp.arange(1024)[::-1][:512], tilt)
    assert np.array_equal(together[512:][::-1], np.asarray(backwards[0], np.float64))
    assert np.array_equal(weight[512:][::-1], np.exp(np.asarray(backwards[1], np.float64)))


def test_block_size_does_not_matter(small):
    book = portfolio(small.pd, small.exposure, small.lgd, small.loading)
    tallies = [simulate.run(book, Plan(5000, block, 7), (PSEUDO_RANDOM,), None)[0] for block in (512, 4096)]
    same = jax.tree.map(lambda a, b: bool(np.array_equal(a, b)), *tallies)
    assert all(jax.tree.leaves(same))


def test_a_twist_makes_the_target_the_expected_loss(small):
    p = jnp.asarray(np.random.default_rng(1).uniform(0.01, 0.3, (4, 2, 64)), jnp.float32)
    size = losses.layers(jnp.asarray(small.exposure / small.exposure.max(), jnp.float32))[..., None]
    plain = np.asarray(jnp.sum(size * p, axis=(0, 1)))
    theta, p, size = (
        np.asarray(x, np.float64) for x in (losses.twist_to(p, size, jnp.float32(1.0)), p, size)
    )
    lifted = p * np.exp(theta * size)
    reached = (size * lifted / (1.0 - p + lifted)).sum(axis=(0, 1))
    assert reached == pytest.approx(np.maximum(plain, 1.0), rel=2 * losses.CLOSE)
    assert (theta[plain >= 1.0] == 0.0).all() and (theta[plain < 1.0] > 0.0).any()


def test_an_unresolved_level_is_said(small):
    book = portfolio(small.pd, small.exposure, small.lgd, small.loading)
    found = simulate.portfolio_tail(book, (0.9999,), paths=2**14)
    assert any("effective paths lie beyond the 99.99% level" in said for said in found.warnings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(levels=(1.0,)), "levels: got"),
        (dict(sampler="quasi"), "sampler: got 'quasi'"),
        (dict(sampler="importance", target=1e9), "target: got 1e\\+09, expected a loss between 0"),
        (dict(sampler="importance", defensive=1.0), "defensive: got 1.0"),
        (dict(sampler="antithetic", paths=1000, replications=7), "expected a multiple of 7"),
    ],
)
def test_refusals(small, arguments, message):
    book = portfolio(small.pd, small.exposure, small.lgd, small.loading)
    with pytest.raises(ValueError, match=message):
        simulate.portfolio_tail(book, **{"paths": 2**12, **arguments})


@pytest.mark.parametrize("sampler", ["pseudo_random", "importance"])
@pytest.mark.parametrize("lgd", [1.0, 0.45])
def test_losses_that_are_multiples_of_a_unit_are_those_multiples(sampler, lgd):
    """P(L > x) at a possible loss leaves it out; VaR is one, and ES of one obligor what it can lose."""
    pd, exposure = np.tile([0.01, 0.03], 30), np.tile([1.0, 2.0, 3.0], 20)
    law = exact_distribution(pd, exposure, lgd, loading=0.45, unit=lgd)
    tail = simulate.portfolio_tail(
        portfolio(pd, exposure, lgd, 0.45), levels=(0.99,), paths=2**15, sampler=sampler
    )
    for units in (15, 15.5, 18, 20):
        p = tail.beyond(units * lgd)
        assert abs(p.value - law.beyond(units * lgd)) < 3.5 * p.standard_error
    assert tail.table["var"][0] == pytest.approx(law.value_at_risk(0.99), rel=1e-6)
    one = simulate.portfolio_tail(portfolio([0.02], 5.0, lgd), levels=(0.99,), paths=2**12, sampler=sampler)
    assert one.table[["var", "es", "es_hi"]].to_numpy()[0] == pytest.approx(5.0 * lgd, rel=1e-6)


@pytest.mark.parametrize(
    ("exposure", "unit"),
    [([1, 2, 3], 1.0), ([4, 6], 2.0), ([6, 10, 15], 1.0), ([0.1, 0.25], 0.05), ([1, 3000], None)],
)  # fmt: skip
def test_the_unit_of_losses(exposure, unit):
    assert simulate.unit_of(portfolio(np.full(len(exposure), 0.1), exposure)) == (
        unit and pytest.approx(unit)
    )


def test_groups_need_labels():
    book = portfolio([0.1, 0.1], 1.0, loadings=0.3)
    tail = simulate.portfolio_tail(book, paths=1024)
    with pytest.raises(ValueError, match=r"groups\[1\]: got nan, expected a label"):
        euler_contributions(book, tail, 0.95, groups=[1.0, np.nan])
