"""A fire sale by rounds: against loops, its identities, and Greenwood, Landier and Thesmar's formula."""

import numpy as np
import pytest

from engine.contagion.deleveraging import deleverage
from engine.contagion.fire_sale import fire_sale
from tests.contagion.test_sellers import market, sales_by_hand

AGREES = 1e-9


def by_hand(case, execution, rounds):
    """Prices, equity, debt and cash by round, from loops over institutions."""
    case = {name: np.array(value, np.float64) for name, value in case.items()}
    prices, sales, rows = case["prices"], np.zeros(len(case["prices"])), []
    for _ in range(rounds + 1):
        equity = case["holdings"] @ prices + case["cash"] + case["other_assets"] - case["debt"]
        rows.append((prices, equity, case["debt"].copy(), case["cash"].copy()))
        sold = sales_by_hand(case, prices)
        sales = sales + sold.sum(axis=0)
        new = case["prices"] * np.exp(-sales / case["depth"])
        for i in range(len(equity)):
            assets = equity[i] + case["debt"][i]
            failed = equity[i] <= 0 or assets > case["failure"][i] * equity[i]
            need = np.inf if failed else max(assets - case["target"][i] * equity[i], 0.0)
            need = need if failed or assets > case["leverage_limit"][i] * equity[i] else 0.0
            from_cash = min(case["cash"][i], need, case["debt"][i])
            proceeds = sold[i] @ ((1 - execution) * prices + execution * new)
            paid = min(proceeds, case["debt"][i] - from_cash)
            case["debt"][i] -= from_cash + paid
            case["cash"][i] += proceeds - paid - from_cash
        case["holdings"] = case["holdings"] - sold
        prices = new
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("execution", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_rounds_against_loops(seed, execution):
    case = market(seed)
    after = deleverage(**case, execution=execution, rounds=6)
    for name, expected in zip(("prices", "equity", "debt", "cash"), by_hand(case, execution, 6), strict=True):
        np.testing.assert_allclose(getattr(after, name), expected, atol=1e-8, err_msg=name)
    assert np.asarray(after.sales)[-1].any()


@pytest.mark.parametrize("seed", range(4))
def test_equity_is_lost_to_prices_alone(seed):
    """What all lose is the fall of the price on what they kept, and on what they sold that round."""
    case = market(seed)
    after = deleverage(**case, rounds=30)
    prices, sales, equity = (np.asarray(x) for x in (after.prices, after.sales, after.equity))
    held = case["holdings"].sum(axis=0) - sales[:-1]  # before each round's sale
    np.testing.assert_allclose(
        np.diff(equity.sum(axis=1)), (held * np.diff(prices, axis=0)).sum(1), atol=1e-9
    )
    np.testing.assert_allclose(after.holdings.sum(axis=0), case["holdings"].sum(axis=0) - sales[-1])
    assert (np.diff(prices, axis=0) <= 0).all() and bool(after.settled)
    first = np.where(after.defaulted.any(axis=0), after.defaulted.argmax(axis=0), -1)
    np.testing.assert_array_equal(after.default_round, first)


def test_without_impact_one_round_is_the_fixed_point():
    case = market(3) | {"depth": [np.inf] * 4}
    steps, fixed = deleverage(**case, rounds=5), fire_sale(**case)
    np.testing.assert_allclose(steps.sales[-1], fixed.sales, atol=AGREES)
    np.testing.assert_allclose(steps.equity[-1], fixed.equity, atol=AGREES)
    assert int(steps.rounds) <= 2 and bool(steps.settled)


def test_a_first_round_is_greenwood_landier_and_thesmars_spillover():
    """All assets fall by f; bank i, at its target before, sells B_i f A_i, B debt over equity, by its weights
    m_ik; asset k falls by l_k S_k, S_k the sum sold of it: bank i loses sum_k m_ik A_i (1 - f) l_k S_k."""
    rng = np.random.default_rng(5)
    assets, weights = rng.uniform(50, 100, 5), rng.dirichlet(np.ones(3), 5)
    leverage, fall = rng.uniform(5, 12, 5), 0.01
    debt, impact = assets * (1 - 1 / leverage), np.array([1e-5, 2e-5, 5e-5])
    after = deleverage(
        assets[:, None] * weights, debt, leverage * (1 - 1e-12), 1 / (impact * (1 - fall)), [1 - fall] * 3,
        impact="linear", rounds=1,
    )  # fmt: skip
    sold = weights.T @ ((leverage - 1) * fall * assets)
    spillover = (weights * (impact * sold)).sum(axis=1) * assets * (1 - fall)
    np.testing.assert_allclose(after.sales[1] * (1 - fall), sold, rtol=1e-8)
    np.testing.assert_allclose(
        np.asarray(after.equity)[0] - np.asarray(after.equity)[1], spillover, rtol=1e-8
    )


def test_unsettled_is_said():
    case = dict(holdings=[[100.0]], debt=[90.0], leverage_limit=12.0, depth=[1000.0], prices=[0.98])
    assert not bool(deleverage(**case, rounds=1).settled) and bool(deleverage(**case, rounds=200).settled)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"execution": 1.5}, "execution: got 1.5, expected a share in .0, 1."),
        ({"rounds": 0}, "rounds: got 0, expected at least 1"),
        ({"debt": [-1.0]}, r"debt\[0\]: got -1.0"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    case = {"holdings": [[100.0]], "debt": [90.0], "leverage_limit": 12.0, "depth": [1000.0]} | change
    with pytest.raises(ValueError, match=words):
        deleverage(**case)
