"""Who sells what: impacts, trigger, target, failure, cash, pecking order, against loops and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from engine.contagion.fire_sale import fire_sale

AGREES = 1e-9
BANK = {"holdings": [[100.0]], "debt": [90.0], "leverage_limit": 12.0}
FACTORS = {
    "exponential": lambda part: np.exp(-part),
    "linear": lambda part: max(1.0 - part, 0.0),
    "square_root": lambda part: max(1.0 - np.sqrt(part), 0.0),
}


def market(seed, institutions=6, assets=4):
    """Arguments with every rule in play: some sell, some fail, some have cash enough."""
    rng = np.random.default_rng(seed)
    holdings = rng.exponential(10.0, (institutions, assets)) * (rng.random((institutions, assets)) < 0.7)
    other, cash = rng.exponential(5.0, institutions), rng.exponential(1.0, institutions)
    total = holdings.sum(axis=1) + other + cash
    leverage = rng.uniform(4, 15, institutions)
    limit = leverage * rng.uniform(1.0, 1.3, institutions)
    depth = rng.uniform(300, 3000, assets)
    depth[0] = np.inf
    return {
        "holdings": holdings, "debt": total * (1 - 1 / leverage), "leverage_limit": limit,
        "target": limit * rng.uniform(0.8, 1.0, institutions),
        "failure": limit * rng.uniform(1.2, 3.0, institutions),
        "depth": depth, "prices": rng.uniform(0.93, 1.0, assets), "other_assets": other, "cash": cash,
        "order": rng.integers(0, 3, assets).astype(float),
    }  # fmt: skip


def sales_by_hand(case, prices):
    """Amounts sold [institutions assets] at some prices, by loops over institutions and ranks."""
    holdings = np.asarray(case["holdings"])
    sold = np.zeros_like(holdings)
    for i, own in enumerate(holdings):
        assets = own @ prices + case["cash"][i] + case["other_assets"][i]
        equity = assets - case["debt"][i]
        if equity <= 0 or assets > case["failure"][i] * equity:
            sold[i] = own
            continue
        if assets <= case["leverage_limit"][i] * equity:
            continue
        rest = max(assets - case["target"][i] * equity - case["cash"][i], 0.0)
        for rank in sorted(set(case["order"])):
            group = case["order"] == rank
            value = own[group] @ prices[group]
            share = min(rest / value, 1.0) if value > 0 else 0.0
            sold[i, group] = share * own[group]
            rest -= share * value
    return sold


@pytest.mark.parametrize("impact", FACTORS)
@pytest.mark.parametrize("start", ["greatest", "least"])
@pytest.mark.parametrize("seed", range(3))
def test_the_equations_hold(seed, start, impact):
    """At the solution prices are what the sales, worked out by loops at these prices, make of them."""
    case = market(seed)
    after = fire_sale(**case, start=start, impact=impact)
    prices = np.asarray(after.prices)
    sold = sales_by_hand(case, prices)
    np.testing.assert_allclose(after.sold_assets, sold, atol=1e-7)
    np.testing.assert_allclose(after.sales, sold.sum(axis=0), atol=1e-7)
    factor = [FACTORS[impact](part) for part in sold.sum(axis=0) / case["depth"]]
    np.testing.assert_allclose(prices, case["prices"] * factor, rtol=AGREES)
    assert bool(after.converged) and after.solution == start and sold.any()


@pytest.mark.parametrize("seed", range(3))
def test_the_greatest_is_what_steps_down_by_loops_reach_and_the_least_what_steps_up_reach(seed):
    case = market(seed)
    ends = {
        "greatest": case["prices"],
        "least": case["prices"] * np.exp(-case["holdings"].sum(0) / case["depth"]),
    }
    for start, prices in ends.items():
        for _ in range(5000):
            prices = case["prices"] * np.exp(-sales_by_hand(case, prices).sum(axis=0) / case["depth"])
        np.testing.assert_allclose(fire_sale(**case, start=start).prices, prices, rtol=AGREES)


@pytest.mark.parametrize("price", [0.97, 0.975, 0.98])
def test_linear_impact_is_a_quadratic(price):
    """p^2 - q (1 + (L - 1) H / depth) p + q L D / depth = 0, its larger root."""
    depth, limit, holding, debt = 8000.0, 12.0, 100.0, 90.0
    after = fire_sale(**BANK, depth=[depth], prices=[price], impact="linear")
    roots = np.roots([1.0, -price * (1 + (limit - 1) * holding / depth), price * limit * debt / depth])
    assert float(after.prices[0]) == pytest.approx(roots.max(), rel=1e-11)
    assert 0.0 < float(after.sold[0]) < 1.0


def test_square_root_impact_by_bisection():
    """The root of p - q (1 - sqrt(s H / depth)) nearest to q."""
    depth, price = 4e6, 0.98

    def gap(p):
        return p - price * (1 - np.sqrt(max((90 * 12 - 11 * 100 * p) / p, 0.0) / depth))

    expected = optimize.brentq(gap, 0.97, price, xtol=1e-15)
    after = fire_sale(**BANK, depth=[depth], prices=[price], impact="square_root")
    assert float(after.prices[0]) == pytest.approx(expected, rel=1e-10)


def test_a_function_of_the_user_is_an_impact():
    case = market(1)
    own = fire_sale(**case, impact=lambda sales, depth: jnp.exp(-sales / depth))
    np.testing.assert_allclose(own.prices, fire_sale(**case).prices, rtol=1e-14)


def test_infinite_depth_leaves_the_price_and_sells_the_excess():
    """98 of assets, 8 of equity: 98 - 10 * 8 = 18 of value is sold."""
    after = fire_sale([[100.0]], [90.0], 12.0, [np.inf], [0.98], target=10.0)
    assert float(after.prices[0]) == 0.98 and float(after.sales[0]) == pytest.approx(18 / 0.98)


def test_cash_goes_first():
    """99.8 of assets and 8 of equity are 19.8 too many: 1.8 of cash repays debt, of buildings none."""
    bank = dict(
        holdings=[[100.0]], debt=[91.8], leverage_limit=12.0, depth=[np.inf], prices=[0.98], target=10.0
    )
    assert float(fire_sale(**bank, cash=[1.8]).sales[0]) == pytest.approx(18.0 / 0.98)
    assert float(fire_sale(**bank, other_assets=[1.8]).sales[0]) == pytest.approx(19.8 / 0.98)
    assert float(fire_sale(**bank | {"holdings": [[80.0]]}, cash=[21.4]).sales[0]) == 0.0


def test_between_target_and_trigger_nobody_sells():
    """Leverage 98 / 8 = 12.25: a trigger of 12.5 with a target of 10 sells nothing, one of 12 sells 18."""
    idle, busy = (
        fire_sale([[100.0]], [90.0], limit, [np.inf], [0.98], target=10.0) for limit in (12.5, 12.0)
    )
    assert float(idle.sales[0]) == 0.0 and float(busy.sales[0]) > 18.0


def test_a_bank_below_its_minimum_leverage_ratio_fails_though_solvent():
    """Equity of 8 against 98 is a ratio of 8.2%: a minimum of 8% lets it live, 8.5% makes it sell all."""
    alive, failed = (
        fire_sale([[100.0]], [90.0], 10.0, [1e6], [0.98], failure=1 / ratio) for ratio in (0.08, 0.085)
    )
    assert not bool(alive.defaulted[0]) and 0 < float(alive.sold[0]) < 1
    assert bool(failed.defaulted[0]) and float(failed.sold[0]) == 1.0 and float(failed.equity[0]) > 0.0


def test_a_pecking_order_sells_the_first_rank_first():
    """18 to raise from 10 of bills, then half of 8 from each of two bonds of one rank and value, no loans."""
    after = fire_sale(
        [[10.0, 16.0, 16.0, 58.0]], [92.0], 12.0, [np.inf] * 4, [1.0, 1.0, 1.0, 1.0],
        target=10.25, order=[0, 1, 1, 2],
    )  # fmt: skip
    np.testing.assert_allclose(after.sold_assets[0], [10.0, 4.0, 4.0, 0.0], atol=AGREES)


def test_history_holds_the_rounds_of_the_iteration():
    """Each row follows from the one before; asked for more rounds than there are, the rest is NaN."""
    case = market(0)
    after = fire_sale(**case, history=5)
    rows, rounds = np.asarray(after.history.prices), int(after.rounds)
    np.testing.assert_array_equal(rows[0], case["prices"])
    for before, now in zip(rows[:5], rows[1:], strict=True):
        if np.isnan(now).any():
            break
        expected = case["prices"] * np.exp(-sales_by_hand(case, before).sum(axis=0) / case["depth"])
        np.testing.assert_allclose(now, expected, rtol=1e-12)
    long = fire_sale(**case, history=rounds + 3).history.prices
    assert np.isnan(long[rounds + 1 :]).all() and not np.isnan(long[: rounds + 1]).any()
    assert fire_sale(**case).history is None


def test_a_worthless_asset_stays_sold():
    """All sold at a linear price of zero is a fixed point of the panic, not a reason to take it back."""
    after = fire_sale([[100.0]], [90.0], 12.0, [100.0], [0.98], impact="linear", start="least")
    assert float(after.prices[0]) == 0.0 and float(after.sold[0]) == 1.0 and bool(after.converged)


def test_a_batch_is_each_alone():
    case = market(2)
    shocks = jnp.asarray(np.linspace(0.9, 1.0, 3)[:, None] * np.ones(4))
    batch = jax.jit(jax.vmap(lambda q: fire_sale(**case | {"prices": q}, history=2)))(shocks)
    for i, q in enumerate(np.asarray(shocks)):
        alone = fire_sale(**case | {"prices": q}, history=2)
        np.testing.assert_allclose(batch.prices[i], alone.prices, rtol=AGREES)
        np.testing.assert_allclose(batch.history.sales[i], alone.history.sales, atol=1e-7)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"target": [13.0]}, r"target\[0\]: got 13.0, expected at most the leverage limit, 12"),
        ({"target": [0.5]}, r"target\[0\]: got 0.5, expected a number at least 1"),
        ({"failure": [11.0]}, r"leverage_limit\[0\]: got 12.0, expected at most the leverage of failure, 11"),
        ({"failure": [np.nan]}, r"failure\[0\]: got nan"),
        ({"cash": [-1.0]}, r"cash\[0\]: got -1.0"),
        ({"order": [1.0, 2.0]}, r"order: got shape \(2,\), expected \(1,\)"),
        ({"depth": [-np.inf]}, r"depth\[0\]: got -inf"),
        ({"impact": "cubic"}, "impact: got 'cubic', expected one of exponential, linear, square_root"),
        ({"impact": lambda sales, depth: 0.9 + 0 * sales}, "impact: got .0.9., expected 1 where nothing"),
        ({"impact": lambda sales, depth: 1 + sales}, "impact: got .*falling as sales rise"),
        ({"impact": lambda sales, depth: 1 - sales}, "impact: got .*falling as sales rise"),
        ({"impact": lambda sales, depth: 1.0}, r"impact: got shape \(\), expected \(1,\)"),
        ({"impact": lambda sales: 1.0}, "impact: got TypeError"),
        ({"history": -1}, "history: got -1"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        fire_sale(**BANK | {"depth": [1000.0]} | change)
