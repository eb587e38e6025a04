"""Paths that follow a scenario: what is given is met, and the rest has the law that it leaves."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.book.scenario.pins import Pins
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.conditioning import Impossible, conditioning
from engine.paths.replay import replay
from engine.vocabulary import FACTORS, MONTH

MONTHS, SEED, K = 12, 7, 4.5
"""K standard errors: one check in 150,000 fails by chance."""


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("worked_small"))


@pytest.fixture(scope="module")
def system(book):
    return build_system(book, Parameters(), MONTHS)


def draws_of(sampler, paths):
    """Normals [paths months factors] and uniforms [paths months] of the first paths."""
    one = jax.jit(jax.vmap(lambda path: sampler(seed_words(SEED), path, MONTHS, len(FACTORS))))
    draws = one(jnp.arange(paths, dtype=jnp.int64))
    return np.asarray(draws.normals, np.float64), np.asarray(draws.uniforms, np.float64)


def economy_of(system, normals, uniforms):
    """Factors of one path by month with all credit supplied: docs/model.md, section 1, with S = 1."""
    n = Parameters().economy
    z = normals @ np.asarray(system.economy.loading, np.float64).T
    bounds = np.asarray(system.economy.transition, np.float64)
    jump = np.asarray(system.economy.jump, np.float64)
    common = n.equity_beta * n.volatility
    drift = n.equity_drift - 0.5 * (
        n.equity_volatility**2 + common**2 + 2 * n.equity_volatility * common * n.correlation_demand_equity
    )
    regime, log_r, rate, spread, equity, power = 0, np.log(n.revenue), n.rate, 0.0, 0.0, 0.0
    rows = []
    for month in range(len(z)):
        shock = dict(zip(FACTORS, z[month], strict=True))
        new = int((uniforms[month] >= bounds[regime, :2]).sum())
        pace = n.growth[new] * (max(1.0 - np.exp(log_r) / n.ceiling, 0.0) if new == 0 else 1.0)
        log_r += (pace - 0.5 * n.volatility**2) * MONTH + n.volatility * MONTH**0.5 * shock["demand"]
        rate = n.rate + reverting(rate - n.rate, n.rate_reversion, n.rate_volatility, shock["rates"])
        spread = reverting(spread, n.spread_reversion, n.spread_volatility, shock["credit"])
        power = reverting(power, n.power_reversion, n.power_volatility, shock["power"])
        equity += drift * MONTH + common * MONTH**0.5 * shock["demand"] + jump[regime, new]
        equity += n.equity_volatility * MONTH**0.5 * shock["equity"]
        regime = new
        rows.append([rate, spread, equity, power, log_r, float(regime)])
    names = ("rates", "credit", "equity", "power", "demand", "regime")
    return dict(zip(names, np.array(rows).T, strict=True))


def reverting(value, speed, volatility, normal):
    """One month of a mean-reverting factor with mean zero."""
    decay = np.exp(-speed * MONTH)
    return value * decay + volatility * ((1.0 - decay**2) / (2.0 * speed)) ** 0.5 * normal


def ends(step, **values):
    return Pins(step, {name: np.asarray(series, np.float64) for name, series in values.items()})


def test_what_is_given_is_met_and_the_rest_of_the_run_is_free(system):
    """Rates, spreads, equity and power by quarter, two of them for half of the run."""
    given = {
        "rates": [0.03, 0.02, 0.01, 0.015], "credit": [0.4, 0.8], "equity": [-0.3, -0.5],
        "power": [0.1, 0.1, 0.0, -0.1],
    }  # fmt: skip
    law = conditioning(system, ends(3, **given))
    normals, uniforms = draws_of(law.sampler, 32)
    free, plain = draws_of(PSEUDO_RANDOM, 32)
    for path in range(32):
        factors = economy_of(system, normals[path], uniforms[path])
        for name, values in given.items():
            np.testing.assert_allclose(
                factors[name][2 : 3 * len(values) : 3], values, atol=2e-6, err_msg=name
            )
    technology = FACTORS.index("technology")
    assert (normals[:, :, technology] == free[:, :, technology]).all()
    others = [FACTORS.index(name) for name in ("demand", "credit", "equity")]
    assert np.abs(normals[:, :6, others] - free[:, :6, others]).max() > 0.1
    loading = np.asarray(system.economy.loading, np.float64)
    correlated, own = (each[:, 6:] @ loading.T for each in (normals, free))
    np.testing.assert_allclose(correlated[:, :, others], own[:, :, others], atol=1e-5)


def test_revenue_is_met_in_every_month(system):
    """Between the ends of quarters it grows evenly."""
    levels = np.log([75.0, 90.0, 95.0, 80.0])
    law = conditioning(system, ends(3, demand=levels))
    normals, uniforms = draws_of(law.sampler, 16)
    whole = np.interp(np.arange(1, 13), [0, 3, 6, 9, 12], np.concatenate([[np.log(60.0)], levels]))
    for path in range(16):
        factors = economy_of(system, normals[path], uniforms[path])
        np.testing.assert_allclose(factors["demand"], whole, atol=5e-6)


def test_free_factors_have_the_gaussian_law_given_the_others(system):
    """A spread one deviation up each month: normals of demand and equity shift by correlation, vary less."""
    economy = Parameters().economy
    level, spreads = 0.0, []
    for _ in range(MONTHS):
        level = reverting(level, economy.spread_reversion, economy.spread_volatility, 1.0)
        spreads.append(level)
    law = conditioning(system, ends(1, credit=spreads))
    np.testing.assert_allclose(law.shocks["credit"], 1.0, rtol=1e-5)
    normals, _ = draws_of(law.sampler, 4096)
    z = (normals @ np.asarray(system.economy.loading, np.float64).T).reshape(-1, len(FACTORS))
    np.testing.assert_allclose(z[:, FACTORS.index("credit")], 1.0, atol=1e-4)
    correlations = {"demand": economy.correlation_demand_credit, "equity": economy.correlation_equity_credit}
    for name in ("demand", "equity", "technology", "rates", "power"):
        own, rho = z[:, FACTORS.index(name)], correlations.get(name, 0.0)
        variance, count = 1.0 - rho**2, len(z)
        assert abs(own.mean() - rho) < K * (variance / count) ** 0.5, name
        assert abs(own.var() - variance) < K * variance * (2.0 / count) ** 0.5, name


def test_a_quarter_s_end_leaves_its_months_a_bridge(system):
    """Equity given at the quarter's end, regime in all months: variance of the first month's step is 2/3."""
    law = conditioning(system, ends(3, equity=[0.1] * 4, regime=[0.0] * 4))
    normals, uniforms = draws_of(law.sampler, 4096)
    pairs = zip(normals, uniforms, strict=True)
    steps = np.array([np.diff(economy_of(system, *pair)["equity"], prepend=0.0) for pair in pairs])
    economy = Parameters().economy
    common = economy.equity_beta * economy.volatility
    monthly = MONTH * (
        economy.equity_volatility**2 + common**2
        + 2.0 * economy.equity_volatility * common * economy.correlation_demand_equity
    )  # fmt: skip
    first = steps[:, 0]
    assert abs(first.mean() - 0.1 / 3.0) < K * (monthly * 2 / 3 / len(first)) ** 0.5
    assert abs(first.var() - monthly * 2 / 3) < K * monthly * 2 / 3 * (2.0 / len(first)) ** 0.5


def test_regimes_have_the_law_that_all_the_scenario_leaves(book):
    """Every sequence of a short run weighed by SciPy's density of equity and revenue; and as drawn."""
    economy = dataclasses.replace(Parameters().economy, leave_boom=[1.5, 1.5], leave_bust=[0.5, 1.0])
    system = build_system(book, dataclasses.replace(Parameters(), economy=economy), MONTHS)
    equity, revenue = np.array([-0.25]), np.log([62.0])
    law = conditioning(system, ends(3, equity=equity, demand=revenue))
    bounds = np.asarray(system.economy.transition, np.float64)
    step = np.diff(bounds, axis=1, prepend=0.0)
    common = economy.equity_beta * economy.volatility
    scale = np.array([[economy.volatility, 0.0], [common, economy.equity_volatility]]) * MONTH**0.5
    rho = economy.correlation_demand_equity
    month = scale @ np.array([[1.0, rho], [rho, 1.0]]) @ scale.T
    covariance = np.zeros((4, 4))  # growth of revenue by month, then equity over the quarter
    covariance[:3, :3] = np.eye(3) * month[0, 0]
    covariance[3, :3] = covariance[:3, 3] = month[0, 1]
    covariance[3, 3] = 3.0 * month[1, 1]
    paces, weights = np.diff(np.linspace(np.log(60.0), revenue[0], 4)), {}
    jump = np.asarray(system.economy.jump, np.float64)
    for sequence in itertools.product(range(3), repeat=3):
        whole = (0, *sequence)
        chance = np.prod([step[a, b] for a, b in itertools.pairwise(whole)])
        levels = np.exp(np.log(60.0) + np.arange(3) * paces[0])
        rooms = np.where(np.array(sequence) == 0, 1.0 - levels / economy.ceiling, 1.0)
        pace = np.array(economy.growth)[list(sequence)] * rooms
        growth = (pace - 0.5 * economy.volatility**2) * MONTH
        jumped = sum(jump[a, b] for a, b in itertools.pairwise(whole))
        mean = [*growth, 3.0 * MONTH * (economy.equity_drift - 0.5 * month[1, 1] / MONTH) + jumped]
        density = scipy.stats.multivariate_normal.pdf([*paces, equity[0]], mean, covariance)
        weights[sequence] = chance * density
    total = sum(weights.values())
    exact = np.zeros((3, 3))
    for sequence, weight in weights.items():
        for place, regime in enumerate(sequence):
            exact[place, regime] += weight / total
    np.testing.assert_allclose(law.regimes[:3], exact, atol=1e-5)
    assert 0.05 < exact[2, 0] < 0.95
    normals, uniforms = draws_of(law.sampler, 4096)
    pairs = list(zip(normals[:, :3], uniforms[:, :3], strict=True))
    drawn = np.array([economy_of(system, n, u)["regime"] for n, u in pairs])
    for place in range(3):
        for regime in range(3):
            p = exact[place, regime]
            share = (drawn[:, place] == regime).mean()
            assert abs(share - p) < K * (p * (1.0 - p) / len(drawn)) ** 0.5 + 1e-6


def test_a_path_given_its_own_economy_loses_what_it_lost(system):
    """Every factor by month as the model drew it: the same losses to float32 rounding, the same defaults."""
    drawn, losing = (((path, *replay(system, SEED, path)) for path in range(400)), 0)
    for path, state, info in drawn:
        if float(info.loss.sum()) == 0.0:
            continue
        normals, uniforms = (each[path] for each in draws_of(PSEUDO_RANDOM, path + 1))
        law = conditioning(system, ends(1, **economy_of(system, normals, uniforms)))
        again, repeated = replay(system, SEED, path, law.sampler)
        np.testing.assert_array_equal(state.credit.default_month, again.credit.default_month)
        np.testing.assert_allclose(repeated.loss, info.loss, rtol=2e-4, atol=1e-6)
        np.testing.assert_allclose(repeated.economy.spread, info.economy.spread, rtol=1e-5)
        losing += 1
        if losing == 3:
            break
    assert losing == 3


def test_a_scenario_that_gives_nothing_changes_no_bit(system):
    free = draws_of(PSEUDO_RANDOM, 64)
    for sampler in (
        conditioning(system, Pins(3, {})).sampler,
        conditioning(system, ends(3, credit=[1.0], regime=[2.0])).sampler.released(),
    ):
        for own, plain in zip(draws_of(sampler, 64), free, strict=True):
            np.testing.assert_array_equal(own, plain)


def test_regimes_can_be_given(system):
    law = conditioning(system, ends(3, regime=[0.0, 2.0, 2.0, 1.0]))
    normals, uniforms = draws_of(law.sampler, 16)
    for path in range(16):
        regimes = economy_of(system, normals[path], uniforms[path])["regime"]
        np.testing.assert_array_equal(regimes, np.repeat([0.0, 2.0, 2.0, 1.0], 3))


def test_what_the_model_cannot_follow_is_said(book):
    def with_economy(**changes):
        economy = dataclasses.replace(Parameters().economy, **changes)
        return build_system(book, dataclasses.replace(Parameters(), economy=economy), MONTHS)

    with pytest.raises(Impossible, match="rates: got values, expected none: its volatility is 0"):
        conditioning(with_economy(rate_volatility=0.0), ends(3, rates=[0.03]))
    with pytest.raises(Impossible, match="regime: got a path that the model cannot take"):
        conditioning(with_economy(leave_boom=[0.3, 0.0], leave_plateau=[0.2, 0.0]), ends(3, regime=[2.0]))
    tied = with_economy(equity_volatility=0.0)
    with pytest.raises(Impossible, match="equity, demand: got values of all, expected fewer"):
        conditioning(tied, ends(1, equity=[0.1], demand=[np.log(61.0)]))
