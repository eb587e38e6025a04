"""Cross-holdings of shares and ranked debt: worked cases, identities, and clearing as a special case."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.contagion.cross_holdings import clear_holdings
from engine.contagion.networks import EisenbergNoe, RogersVeraart, clear

ROUNDING = 64 * float(np.finfo(np.float64).eps)
AGREES = 1e-9
NONE = np.zeros((1, 2, 2))
EACH_HALF = np.array([[0.0, 0.5], [0.5, 0.0]])


def random_holdings(seed, ranks=2, firms=6):
    """Liabilities, external assets and liabilities, shares of equity, with some firms in default."""
    rng = np.random.default_rng(seed)
    off = 1 - np.eye(firms)
    liabilities = (
        rng.exponential(0.6, (ranks, firms, firms)) * (rng.random((ranks, firms, firms)) < 0.5) * off
    )
    held = rng.random((firms, firms)) * off
    held *= (rng.uniform(0, 0.9, firms) / held.sum(axis=1))[:, None]
    return liabilities, rng.exponential(1.6, firms), rng.exponential(0.5, (ranks, firms)), held


def test_two_firms_that_own_half_of_each_other():
    """E_0 = 3 + E_1 / 2 and E_1 = 6 + E_0 / 2: 8 and 10, twice what is there, of which outsiders own half."""
    owned = clear_holdings(NONE, [3, 6], equity_held=EACH_HALF)
    np.testing.assert_allclose(owned.equity, [8.0, 10.0], rtol=ROUNDING)
    assert bool(owned.converged)


def test_a_default_wipes_out_the_owners_before_the_juniors_and_those_before_the_seniors():
    """b owes 4 + 4 and has 3 and half of a: with a worth 0, 6, 12 and 20, it has 3, 6, 9 and 13."""
    nothing = np.zeros((2, 2, 2))
    for worth, payments, equity in [(0, [3, 0], 0), (6, [4, 2], 0), (12, [4, 4], 1), (20, [4, 4], 5)]:
        owned = clear_holdings(nothing, [worth, 3], [[0, 4], [0, 4]], [[0, 0.5], [0, 0]])
        np.testing.assert_allclose(owned.payments[:, 1], payments, rtol=ROUNDING)
        assert float(owned.equity[1]) == pytest.approx(equity, abs=ROUNDING)
        assert bool(owned.defaulted[1]) == (equity == 0)


def test_juniors_of_one_rank_share_alike():
    """a has 5 and owes 4 senior to b, 2 junior to c and 2 to an outsider: 4, then 1 split in two."""
    liabilities = np.zeros((2, 3, 3))
    liabilities[0, 0, 1] = 4.0
    liabilities[1, 0, 2] = 2.0
    owned = clear_holdings(liabilities, [5, 0, 0], [[0, 0, 0], [2, 0, 0]])
    np.testing.assert_allclose(owned.assets, [5.0, 4.0, 0.5], rtol=ROUNDING)


def test_shares_and_debt_round_a_loop():
    """a owns nine tenths of b and owes it 10; b has 2 and owes outsiders 6. If b had equity, p_a = 3 + 0.9
    (p_a - 4) would be -6: b's equity is gone and a pays the 3 it has."""
    liabilities = np.array([[[0.0, 10], [0, 0]]])
    owned = clear_holdings(liabilities, [3, 2], [[0, 6]], [[0, 0], [0.9, 0]])
    np.testing.assert_allclose(owned.assets, [3.0, 5.0], rtol=ROUNDING)
    np.testing.assert_allclose(owned.payments, [[3.0, 5.0]], rtol=ROUNDING)


def test_the_loop_settles_between_from_either_end():
    """The same with 3.9 and 2.2: p = 3.9 + 0.9 (p - 3.8) = 4.8, less than the 10 owed; b keeps 1."""
    liabilities = np.array([[[0.0, 10], [0, 0]]])
    for start in ("greatest", "least"):
        owned = clear_holdings(liabilities, [3.9, 2.2], [[0, 6]], [[0, 0], [0.9, 0]], start=start)
        assert float(owned.payments[0, 0]) == pytest.approx(4.8, rel=AGREES)


def test_a_ring_of_debt_and_shares_with_default_costs_has_two_ends():
    """Each owes the next 4, which owns a quarter of it, and has 1. From above A = 1 + 4 + (A - 4) / 4 = 16/3;
    from below no equity is left and p = (1 + p) / 2 = 1, so A = 2."""
    ring = 4.0 * np.roll(np.eye(3), 1, axis=1)
    ends = [
        clear_holdings(ring[None], 1.0, equity_held=ring / 16, valuation=RogersVeraart(0.5, 0.5), start=start)
        for start in ("greatest", "least")
    ]
    np.testing.assert_allclose(ends[0].assets, 16 / 3, rtol=AGREES)
    np.testing.assert_allclose(ends[1].assets, 2.0, rtol=AGREES)
    assert not ends[0].defaulted.any() and ends[1].defaulted.all()
    assert all(bool(end.converged) and int(end.rounds) > 0 for end in ends)


@pytest.mark.parametrize("start", ["greatest", "least"])
@pytest.mark.parametrize("valuation", [EisenbergNoe(), RogersVeraart(0.6, 0.8)], ids=["free", "costly"])
@pytest.mark.parametrize("seed", range(4))
def test_one_rank_and_no_shares_is_clearing(seed, valuation, start):
    liabilities, external, outside, _ = random_holdings(seed, ranks=1)
    owned = clear_holdings(liabilities, external, outside, valuation=valuation, start=start)
    cleared = clear(liabilities[0], external, outside[0], valuation=valuation, start=start)
    np.testing.assert_allclose(owned.payments[0], cleared.payments, rtol=AGREES)
    np.testing.assert_allclose(owned.equity, cleared.equity, rtol=AGREES, atol=AGREES)
    np.testing.assert_array_equal(owned.defaulted, cleared.defaulted)
    assert cleared.defaulted.any()


@pytest.mark.parametrize("start", ["greatest", "least"])
@pytest.mark.parametrize("valuation", [EisenbergNoe(), RogersVeraart(0.6, 0.8)], ids=["free", "costly"])
@pytest.mark.parametrize("seed", range(4))
def test_outsiders_get_all_there_is_less_the_cost(seed, valuation, start):
    liabilities, external, outside, held = random_holdings(seed)
    owned = clear_holdings(liabilities, external, outside, held, valuation=valuation, start=start)
    owed = liabilities.sum(axis=2) + outside
    paid_outside = np.sum(np.asarray(owned.payments) * outside / owed)
    owners_outside = np.asarray(owned.equity) @ (1 - held.sum(axis=1))
    there = external.sum() - np.asarray(owned.cost).sum()
    assert paid_outside + owners_outside == pytest.approx(there, rel=AGREES)
    assert bool(owned.converged) and owned.defaulted.any()


def test_a_valuation_is_tried_on_what_firms_are_owed():
    """Before clearing, with all debts at par: the second firm is owed 4."""
    seen = []

    def valuation(assets, receipts, liabilities):
        seen.append((np.asarray(assets), np.asarray(receipts), np.asarray(liabilities)))
        raise ValueError

    with pytest.raises(ValueError, match="valuation: got ValueError"):
        clear_holdings([[[0, 4], [0, 0]]], [6, 3], [[1, 2]], valuation=valuation)
    for got, want in zip(seen[0], ([6, 3], [0, 4], [5, 2]), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("seed", range(4))
def test_order(seed):
    """Seniors are paid before juniors; the greatest is not below the least; more money lowers nothing."""
    liabilities, external, outside, held = random_holdings(seed)
    costs = RogersVeraart(0.6, 0.8)
    most, least, richer = (
        clear_holdings(liabilities, assets, outside, held, valuation=costs, start=start)
        for assets, start in (
            (external, "greatest"),
            (external, "least"),
            (external + np.eye(6)[seed], "greatest"),
        )
    )
    owed = liabilities.sum(axis=2) + outside
    unpaid_seniors = np.asarray(most.payments[0]) < owed[0] * (1 - AGREES)
    assert not np.asarray(most.payments[1])[unpaid_seniors].any()
    for high, low in ((most, least), (richer, most)):
        assert (np.asarray(high.payments) >= np.asarray(low.payments) - AGREES).all()
        assert (np.asarray(high.equity) >= np.asarray(low.equity) - AGREES).all()


def test_a_batch_is_each_alone():
    liabilities, external, outside, held = random_holdings(1)
    left = jnp.linspace(0.3, 1.0, 4)
    batch = jax.jit(jax.vmap(lambda x: clear_holdings(liabilities, x * external, outside, held)))(left)
    for i, x in enumerate(np.asarray(left)):
        alone = clear_holdings(liabilities, x * external, outside, held)
        np.testing.assert_allclose(batch.assets[i], alone.assets, rtol=AGREES)


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"liabilities": np.zeros((2, 2))},
            r"liabilities: got shape \(2, 2\), expected \(ranks, firms, firms\)",
        ),
        ({"liabilities": np.eye(2)[None]}, r"liabilities\[0\]\[0, 0\]: got 1.0, expected 0"),
        ({"liabilities": NONE - 1.0}, r"liabilities\[0\]\[0, 0\]: got -1.0"),
        ({"external_assets": [-1, 0]}, r"external_assets\[0\]: got -1.0"),
        ({"external_liabilities": [1, 1]}, r"external_liabilities: got shape \(2,\), expected \(1, 2\)"),
        ({"equity_held": [[0, 1.5], [0, 0]]}, r"equity_held\[0, 1\]: got 1.5, expected a number from 0 to 1"),
        ({"equity_held": np.eye(2)}, r"equity_held\[0, 0\]: got 1.0, expected 0"),
        ({"equity_held": [[0, 1], [1, 0]]}, "got firms owned by each other alone"),
        ({"start": "top"}, "start: got 'top'"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    case = {"liabilities": NONE, "external_assets": [1, 1]} | change
    with pytest.raises(ValueError, match=words):
        clear_holdings(**case)


def test_no_more_than_all_of_a_firm_is_owned():
    held = np.array([[0, 0.6, 0.6], [0, 0, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match=r"equity_held\[0\]: got a sum of 1.2, expected at most 1"):
        clear_holdings(np.zeros((1, 3, 3)), [1, 1, 1], equity_held=held)
