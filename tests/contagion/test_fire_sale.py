"""A fire-sale spiral: one bank in closed form, both ends, rounds by hand, identities of many."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import lambertw

from engine.contagion.fire_sale import fire_sale

AGREES = 1e-9
BANK = {"holdings": [[100.0]], "debt": [90.0], "leverage_limit": 12.0}


def random_market(seed, institutions=6, assets=4):
    """Holdings, debt, limits, depth, prices after a shock, other assets: some sell, some default."""
    rng = np.random.default_rng(seed)
    holdings = rng.exponential(10.0, (institutions, assets)) * (rng.random((institutions, assets)) < 0.6)
    other = rng.exponential(5.0, institutions)
    total = holdings.sum(axis=1) + other
    leverage = rng.uniform(4, 15, institutions)
    return {
        "holdings": holdings,
        "debt": total * (1 - 1 / leverage),
        "leverage_limit": leverage * rng.uniform(1.0, 1.3, institutions),
        "depth": rng.uniform(300, 3000, assets),
        "prices": rng.uniform(0.93, 1.0, assets),
        "other_assets": other,
    }


@pytest.mark.parametrize("depth", [1500.0, 2000.0, 6000.0])
@pytest.mark.parametrize("price", [0.97, 0.975, 0.98])
def test_one_bank_and_one_asset_in_closed_form(price, depth):
    """While a part is sold, ln p = ln q - (100 / depth) (L D / (100 p) - L + 1): Lambert's W."""
    after = fire_sale(**BANK, depth=[depth], prices=[price])
    slope = 12.0 * 90.0 / depth
    level = price * np.exp(11.0 * 100.0 / depth)
    expected = -slope / lambertw(-slope / level).real
    assert 0.0 < float(after.sold[0]) < 1.0
    assert float(after.prices[0]) == pytest.approx(expected, rel=1e-12)
    assert float(after.sales[0]) == pytest.approx(-depth * np.log(expected / price), rel=AGREES)


def test_a_market_too_shallow_for_one_bank_takes_all_it_has():
    """Each fall of the price forces sales that lower it by L D / (depth p) > 1 times as much again."""
    after = fire_sale(**BANK, depth=[1000.0], prices=[0.98])
    assert float(after.prices[0]) == pytest.approx(0.98 * np.exp(-0.1), rel=AGREES)
    assert bool(after.defaulted[0]) and bool(after.over_limit[0]) and bool(after.converged)


def test_without_a_shock_there_may_still_be_a_worse_end():
    """At leverage 10 of 12 nobody need sell; if all is sold, at e^(-1/5), the bank is bust and must."""
    best, worst = (fire_sale(**BANK, depth=[500.0], start=start) for start in ("greatest", "least"))
    assert float(best.prices[0]) == 1.0 and int(best.sale_round[0]) == -1 and not bool(best.defaulted[0])
    assert float(worst.prices[0]) == pytest.approx(np.exp(-0.2), rel=AGREES)
    assert bool(worst.defaulted[0]) and int(worst.default_round[0]) == 0


def test_rounds_by_hand():
    """The shock ruins a, which sells 50 at once: 0.95 e^-0.05 = 0.9037 leaves b 2.18 of equity for 95.2 of
    assets, over its limit of 40; b's sale, 4.1 of each, takes c over its own in round 2; 3 ruins both."""
    after = fire_sale(
        holdings=[[50, 0], [50, 50], [0, 50]],
        debt=[49, 93, 49.7],
        leverage_limit=[60, 40, 200],
        depth=[1000, 1000],
        prices=[0.95, 1.0],
    )
    assert after.sale_round.tolist() == [0, 1, 2]
    assert after.default_round.tolist() == [0, 3, 3]
    np.testing.assert_allclose(after.prices, np.exp(-0.1) * np.array([0.95, 1.0]), rtol=AGREES)


@pytest.mark.parametrize("start", ["greatest", "least"])
@pytest.mark.parametrize("seed", range(5))
def test_the_equations_hold(seed, start):
    """Prices are what sales make of them; who sold a part is at the limit; who sold nothing is within."""
    market = random_market(seed)
    after = fire_sale(**market, start=start)
    holdings, prices, sold = market["holdings"], np.asarray(after.prices), np.asarray(after.sold)
    impact = np.exp(-(sold @ holdings) / market["depth"])
    np.testing.assert_allclose(prices, market["prices"] * impact, rtol=AGREES)
    np.testing.assert_allclose(after.sales, sold @ holdings, rtol=AGREES)
    value = holdings @ prices
    equity = value + market["other_assets"] - market["debt"]
    np.testing.assert_allclose(after.equity, equity, atol=AGREES)
    left = value * (1 - sold) + market["other_assets"]
    part = (sold > 0) & (sold < 1)
    np.testing.assert_allclose(left[part], (market["leverage_limit"] * equity)[part], rtol=AGREES)
    assert (left <= market["leverage_limit"] * equity * (1 + AGREES))[sold == 0].all()
    np.testing.assert_array_equal(after.defaulted, equity < 0)
    assert bool(after.converged) and (sold > 0).any()
    assert ((np.asarray(after.default_round) >= 0) == (equity < 0)).all()
    assert ((np.asarray(after.sale_round) >= 0) == (sold > 0)).all()


@pytest.mark.parametrize("seed", range(5))
def test_order(seed):
    """The greatest is not below the least; depth, equity and limits lower no price."""
    market = random_market(seed)
    base = np.asarray(fire_sale(**market).prices)
    assert (base >= np.asarray(fire_sale(**market, start="least").prices) - AGREES).all()
    for kinder in (
        {"depth": 1.5 * market["depth"]},
        {"debt": 0.97 * market["debt"]},
        {"leverage_limit": 1.1 * market["leverage_limit"]},
        {"prices": np.minimum(1.01 * market["prices"], 1.0)},
    ):
        assert (np.asarray(fire_sale(**market | kinder).prices) >= base - AGREES).all()


def test_a_batch_is_each_alone():
    market = random_market(2)
    shocks = jnp.asarray(np.linspace(0.9, 1.0, 4)[:, None] * np.ones(4))
    batch = jax.jit(jax.vmap(lambda q: fire_sale(**market | {"prices": q})))(shocks)
    for i, q in enumerate(np.asarray(shocks)):
        alone = fire_sale(**market | {"prices": q})
        np.testing.assert_allclose(batch.prices[i], alone.prices, rtol=AGREES)
        np.testing.assert_array_equal(batch.default_round[i], alone.default_round)


def test_who_holds_nothing_sells_nothing():
    after = fire_sale([[0.0], [10.0]], [5.0, 5.0], 3.0, [100.0], other_assets=[6.0, 0.0])
    assert after.sold.tolist() == [0.0, 0.0] and after.over_limit.tolist() == [True, False]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"holdings": [[-1.0]]}, r"holdings\[0, 0\]: got -1.0"),
        ({"holdings": [1.0]}, r"holdings: got shape \(1,\), expected \(institutions, assets\)"),
        ({"debt": [-1.0]}, r"debt\[0\]: got -1.0"),
        ({"debt": [1.0, 2.0]}, r"debt: got shape \(2,\), expected \(1,\)"),
        ({"leverage_limit": 0.5}, "leverage_limit: got 0.5, expected a number at least 1"),
        ({"depth": [0.0]}, r"depth\[0\]: got 0.0"),
        ({"prices": [-0.1]}, r"prices\[0\]: got -0.1"),
        ({"other_assets": [np.nan]}, r"other_assets\[0\]: got nan"),
        ({"start": "first"}, "start: got 'first'"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    case = BANK | {"depth": [1000.0]} | change
    with pytest.raises(ValueError, match=words):
        fire_sale(**case)
