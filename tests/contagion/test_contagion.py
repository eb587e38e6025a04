"""The pure pieces by hand: chip value, payments, waterfall, clearing of vehicles."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from engine.contagion.clearing import clear_vehicles, fail_each
from engine.contagion.cross_holdings import clear_holdings
from engine.contagion.networks import RogersVeraart
from engine.contagion.payments import clear, pay
from engine.contagion.valuation import income_value, market_price, saturating_impact
from engine.contagion.waterfall import tranche_loss

ROUNDING = 32 * float(np.finfo(np.float32).eps)
"""A few dozen float32 operations."""


@pytest.mark.parametrize(
    "rental, cost, rate, decline, life",
    [
        (18.0, 5.0, 0.127, 0.24, 6.0),
        (9.0, 4.8, 0.10, 0.24, 8.0),
        (30.0, 2.0, 0.15, 0.36, 3.0),
        (4.0, 5.0, 0.1, 0.2, 5.0),
    ],
)
def test_income_value_is_the_integral_of_discounted_cash(rental, cost, rate, decline, life):
    def cash(t):
        return max(rental * np.exp(-decline * t) - cost, 0.0) * np.exp(-rate * t)

    expected, _ = integrate.quad(
        cash, 0.0, life, points=[min(max(np.log(rental / cost) / decline, 0.0), life)]
    )
    got = income_value(*(jnp.float32(x) for x in (rental, cost, rate, decline, life)))
    assert float(got) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_price_is_what_is_left_of_income_and_scrap_and_impact_saturates():
    assert float(market_price(jnp.float32(10), jnp.float32(np.log(2)), jnp.float32(1))) == pytest.approx(6.0)
    assert float(market_price(jnp.float32(0), jnp.float32(5), jnp.float32(1))) == 1.0
    sold = jnp.float32([0.0, 0.5, 1.0, 1e6])
    discount = saturating_impact(jnp.float32(0.4), sold, jnp.float32(1.0), jnp.float32(0.8), jnp.float32(0.8))
    np.testing.assert_allclose(discount, [0.4, 0.6, 0.8, 0.8], rtol=ROUNDING)


def test_seniors_are_paid_first():
    senior, junior = pay(
        jnp.float32([3.0, 6.0, 20.0, 0.0]), jnp.full(4, 4.0, jnp.float32), jnp.full(4, 8.0, jnp.float32)
    )
    np.testing.assert_allclose(senior, [0.75, 1.0, 1.0, 0.0], rtol=ROUNDING)
    np.testing.assert_allclose(junior, [0.0, 0.25, 1.0, 0.0], rtol=ROUNDING)


def web(pairs, firms, due, resources, rounds, senior=None, able=None):
    """Clear contracts given as (buyer, seller) pairs, all of margin one."""
    buyers, sellers = zip(*pairs, strict=True)
    identity = np.eye(firms, dtype=np.float32)
    paid, share, _, move = clear(
        jnp.float32(due),
        jnp.zeros(len(pairs), jnp.float32) if senior is None else jnp.float32(senior),
        jnp.asarray(buyers, jnp.int32),
        jnp.asarray(identity[:, list(buyers)]),
        jnp.asarray(identity[:, list(sellers)]),
        jnp.ones(len(pairs), jnp.float32),
        jnp.float32(resources),
        jnp.ones(firms, jnp.float32) if able is None else jnp.float32(able),
        jnp.zeros(firms, jnp.float32),
        rounds,
    )
    return np.asarray(paid), np.asarray(share), float(move)


def test_a_chain_passes_the_shortfall_on():
    paid, _, move = web([(0, 1), (1, 2)], 3, [4.0, 4.0], [2.0, 1.0, 0.0], 4)
    np.testing.assert_allclose(paid, [2.0, 3.0], rtol=ROUNDING)
    assert move == 0.0


def test_a_ring_clears_at_its_greatest_payments():
    """Everybody owes 10 to the next and has nothing else: full payment is a fixed point, and the greatest."""
    paid, _, move = web([(0, 1), (1, 2), (2, 0)], 3, [10.0, 10.0, 10.0], [0.0, 0.0, 0.0], 4)
    np.testing.assert_array_equal(paid, [10.0, 10.0, 10.0])
    assert move == 0.0


def test_an_eisenberg_noe_triangle_by_hand():
    """0 owes 1 and 2 six each with 6 in hand; 1 owes 2 five with 1: p = (3, 3, 4)."""
    paid, share, _ = web([(0, 1), (0, 2), (1, 2)], 3, [6.0, 6.0, 5.0], [6.0, 1.0, 0.0], 4)
    np.testing.assert_allclose(paid, [3.0, 3.0, 4.0], rtol=ROUNDING)
    np.testing.assert_allclose(share, [0.5, 0.5, 0.8], rtol=ROUNDING)


def test_the_dead_pay_nothing():
    paid, _, _ = web([(0, 1), (1, 2)], 3, [4.0, 4.0], [9.0, 1.0, 0.0], 4, able=[0.0, 1.0, 1.0])
    np.testing.assert_allclose(paid, [0.0, 1.0], rtol=ROUNDING)


def test_tranches_share_the_pool_loss():
    attach, detach = jnp.float32([0.0, 0.15, 0.30]), jnp.float32([0.15, 0.30, 1.0])
    for loss, expected in [
        (0.1, [0.1, 0, 0]),
        (0.2, [0.15, 0.05, 0]),
        (0.5, [0.15, 0.15, 0.2]),
        (1.0, [0.15, 0.15, 0.7]),
    ]:
        np.testing.assert_allclose(
            tranche_loss(jnp.float32(loss), attach, detach), expected, rtol=ROUNDING, atol=1e-7
        )


def vehicles(loss, capital, debt, debt_share, equity_share, cost=0.0, rounds=4, passing=1.0):
    arrays = (jnp.float32(x) for x in (loss, capital, debt, debt_share, equity_share, passing, cost))
    passed, theta, move = clear_vehicles(*arrays, rounds)
    return np.asarray(passed), np.asarray(theta), float(move)


def test_equity_bears_the_loss_before_debt():
    shares = [[0.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]
    for loss, bank, pension in [(4.0, 0.0, 4.0), (10.0, 0.0, 10.0), (12.0, 2.0, 10.0), (20.0, 10.0, 10.0)]:
        passed, _, move = vehicles([loss], [10.0], [10.0], *shares)
        np.testing.assert_allclose(passed, [0.0, bank, pension], rtol=ROUNDING, atol=1e-6)
        assert move == 0.0


def test_bankruptcy_destroys_value_only_in_failure():
    shares = [[0.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]
    alive, _, _ = vehicles([9.0], [10.0], [10.0], *shares, cost=0.05)
    np.testing.assert_allclose(alive, [0.0, 0.0, 9.0], rtol=ROUNDING)
    failed, theta, _ = vehicles([12.0], [10.0], [10.0], *shares, cost=0.05)
    # Eight are left, five percent of them are lost: 7.6 of 10 are paid.
    np.testing.assert_allclose(theta, [0.76], rtol=ROUNDING)
    np.testing.assert_allclose(failed, [0.0, 2.4, 10.0], rtol=ROUNDING)


def test_a_chain_of_vehicles_conserves_the_loss():
    """Fund 0 is owned by fund 1, which a pension owns; a bank lends to both. Nothing is lost on the way."""
    debt_share = [[0, 0], [0, 0], [1, 1], [0, 0]]
    equity_share = [[0, 0], [1, 0], [0, 0], [0, 1]]
    passed, _, move = vehicles([8.0, 1.0], [5.0, 10.0], [5.0, 4.0], debt_share, equity_share)
    np.testing.assert_allclose(passed, [0.0, 5.0, 3.0, 6.0], rtol=ROUNDING, atol=1e-6)
    assert move == 0.0
    assert passed[2] + passed[3] == pytest.approx(8.0 + 1.0, rel=ROUNDING)


def test_without_the_network_nothing_passes():
    passed, _, _ = vehicles([12.0], [10.0], [10.0], [[0.0], [1.0]], [[0.0], [0.0]], passing=0.0)
    np.testing.assert_array_equal(passed, [0.0, 0.0])


def test_what_a_failure_passes_on_along_a_chain_of_vehicles():
    """The bank and the first fund own half of the second each, the pension the first; debts lose a tenth."""
    capital, debt = jnp.float64([10.0, 8.0]), jnp.float64([5.0, 20.0])
    debt_share = jnp.float64([[0, 0], [0, 0], [1, 1], [0, 0]])
    equity_share = jnp.float64([[0, 0.5], [0, 0], [0, 0.5], [1, 0]])
    lost, move = fail_each(capital, debt, debt_share, equity_share, 1.0, 0.1)
    np.testing.assert_allclose(lost, [[0, 0, 0.5, 10.0], [4.0, 0, 2.0 + 4.0, 4.0]], rtol=1e-12, atol=1e-12)
    assert float(move) == 0.0
    still, _ = fail_each(capital, debt, debt_share, equity_share, 0.0, 0.1)
    assert not np.asarray(still).any()


def test_a_failure_is_that_of_the_stand_alone_clearing():
    """The same losses as of `clear_holdings` on balance sheets with room for them, before and after."""
    rng = np.random.default_rng(8)
    capital, debt = rng.uniform(1, 2, 3), rng.uniform(8, 16, 3)
    stakes = rng.random((2, 6, 3)) * np.tril(np.ones((6, 3)), -1)  # each is held by those further down
    stakes[:, :3] *= 0.1
    debt_share, equity_share = stakes / stakes.sum(axis=1, keepdims=True)
    lost, _ = fail_each(*(jnp.asarray(x) for x in (capital, debt, debt_share, equity_share)), 1.0, 0.2)

    liabilities, held = np.zeros((1, 6, 6)), np.zeros((6, 6))
    liabilities[0, :3], held[:3] = (debt_share * debt).T, equity_share.T
    claims = debt_share @ debt + equity_share @ capital
    outside = np.concatenate([capital + debt, np.full(3, 50.0)]) - claims
    assert (outside[:3] > capital).all() and (outside > 0.0).all()
    before = clear_holdings(liabilities, outside, equity_held=held)
    for j in range(3):
        fallen = outside.copy()
        fallen[j] -= capital[j] * (1 + 1e-9)
        after = clear_holdings(liabilities, fallen, equity_held=held, valuation=RogersVeraart(0.8, 0.8))
        direct = np.where(np.arange(6) == j, capital[j], 0.0)
        # What is left of assets in default costs a fifth either way; the hair's breadth is 1e-9 of capital.
        np.testing.assert_allclose(before.assets - after.assets, lost[j] + direct, atol=1e-8)
