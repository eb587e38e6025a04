"""What no other test of contagion would notice: equality at an edge, a start from the wrong side."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine.contagion.clearing import clear_vehicles, fail_each
from engine.contagion.cross_holdings import clear_holdings
from engine.contagion.networks import EisenbergNoe, RogersVeraart, clear


def test_a_vehicle_that_loses_exactly_its_capital_has_not_failed():
    """Loss and capital 10, cost 30%: creditors are paid in full; one loss more and they bear the cost."""
    shares = np.float32([[0], [1], [0]]), np.float32([[0], [0], [1]])
    capital, debt = np.float32([10.0]), np.float32([10.0])
    passed, theta, _ = clear_vehicles(np.float32([10.0]), capital, debt, *shares, 1.0, 0.3, 2)
    assert theta.tolist() == [1.0] and passed.tolist() == [0.0, 0.0, 10.0]
    passed, theta, _ = clear_vehicles(np.float32([11.0]), capital, debt, *shares, 1.0, 0.3, 2)
    assert theta.tolist() == pytest.approx([0.63]) and passed.tolist() == pytest.approx([0.0, 3.7, 10.0])


def test_a_vehicle_without_debt_passes_its_whole_loss_to_its_owners():
    """A loss of 12 on capital of 10 and no debt: the owners paid in more than the balance sheet says."""
    shares = np.float32([[0], [1], [0]]), np.float32([[0], [0], [1]])
    passed, _, move = clear_vehicles(
        np.float32([12.0]), np.float32([10.0]), np.float32([0.0]), *shares, 1.0, 0.3, 2
    )
    assert passed.tolist() == [0.0, 0.0, 12.0] and float(move) == 0.0


def test_passing_and_cost_scale_what_is_passed_on():
    shares = np.array([[0.0, 0.5], [0.0, 0.0], [1.0, 0.5]]), np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    losses, move = fail_each([4.0, 6.0], [10.0, 20.0], *shares, passing=0.5, bankruptcy_cost=0.1)
    # The second fails: its creditors lose 0.1 x 20, half is passed on; its owner, the first, half of 6.
    # The first then has lost 0.5 + 3.0 < 4 of its own and passes half of it on to its owner.
    np.testing.assert_allclose(losses[1], [3.5, 0.0, 0.5 * (1.0 + 3.5)], rtol=1e-12)
    # The first alone: its one creditor bears 0.1 x 10 and its one owner 4, both the third lender, half of it.
    np.testing.assert_allclose(losses[0], [0.0, 0.0, 2.5], rtol=1e-12)
    assert float(move) == pytest.approx(0.0, abs=1e-12)


def test_the_greatest_values_are_reached_from_all_that_is_owed_to_each():
    """a owes b 4, b owes a 2 and outsiders 2; a has 2: both pay in full, or with costs both fail.

    From what each owes instead of what is owed to it b would begin with 2, fail, and drag a down.
    """
    given = dict(
        liabilities=[[[0, 4], [2, 0]]], external_assets=[2, 0], external_liabilities=[[0, 2]],
        valuation=RogersVeraart(0.5, 0.5),
    )  # fmt: skip
    high = clear_holdings(**given)
    assert high.payments.tolist() == [[4.0, 4.0]] and high.assets.tolist() == [4.0, 4.0]
    assert not high.defaulted.any() and high.cost.tolist() == [0.0, 0.0] and int(high.rounds) <= 1
    low = clear_holdings(**given, start="least")
    assert low.defaulted.all() and (np.asarray(low.assets) < 4.0).all()


def test_costs_of_two_ranks_and_two_firms_are_what_payments_leave():
    """As many ranks as firms, so that a sum along the wrong axis has the right shape."""
    nothing = np.zeros((2, 2))
    cleared = clear_holdings(
        [nothing, nothing], [6.0, 10.0], [[4.0, 3.0], [4.0, 5.0]], valuation=RogersVeraart(0.5, 0.5)
    )
    assert cleared.payments.tolist() == [[3.0, 3.0], [0.0, 5.0]]
    assert cleared.cost.tolist() == [3.0, 0.0] and cleared.equity.tolist() == [0.0, 2.0]


def test_the_larger_debt_decides_nothing_about_the_smaller():
    """Senior debt of one firm is no claim ahead of another's."""
    nothing = np.zeros((2, 2))
    cleared = clear_holdings([nothing, nothing], [5.0, 5.0], [[4.0, 1.0], [4.0, 8.0]])
    assert cleared.payments.tolist() == [[4.0, 1.0], [1.0, 4.0]]
    assert cleared.defaulted.tolist() == [True, True] and cleared.equity.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("answer", [2.0, -0.5, np.nan])
def test_a_valuation_outside_its_range_is_refused(answer):
    def valuation(external, received, owed):
        return jnp.full_like(owed, answer)

    for call in (
        lambda: clear([[0, 4], [0, 0]], [2, 0], valuation=valuation),
        lambda: clear_holdings([[[0, 4], [0, 0]]], [2, 0], valuation=valuation),
    ):
        with pytest.raises(ValueError, match=r"valuation\[0\]: got .*, expected a number from 0 to 1"):
            call()


def test_a_valuation_of_another_number_of_firms_is_refused():
    with pytest.raises(ValueError, match="valuation: got"):
        clear([[0, 4], [0, 0]], [2, 0], valuation=RogersVeraart([0.5, 0.5, 0.5], 1.0))
    assert clear([[0, 4], [0, 0]], [2, 0], valuation=EisenbergNoe()).payments.tolist() == [2.0, 0.0]


def test_a_small_debt_is_divided_by_itself():
    """Loss 10.2 on capital of 10 and debt of 0.5: assets of 0.3 are left, three fifths of it."""
    shares = np.float32([[0], [1], [0]]), np.float32([[0], [0], [1]])
    _, theta, _ = clear_vehicles(
        np.float32([10.2]), np.float32([10.0]), np.float32([0.5]), *shares, 1.0, 0.0, 2
    )
    assert theta.tolist() == pytest.approx([0.6], rel=1e-5)


def test_more_than_the_whole_of_a_debt_is_refused():
    with pytest.raises(ValueError, match="debt_share: got 1.01 in column 0, expected at most 1"):
        fail_each([1.0], [1.0], [[0.0], [0.5], [0.51]], [[0.0], [1.0], [0.0]])


@pytest.mark.parametrize("shape", [(1, 3, 2), (1, 2, 3), (2, 2), (0, 2, 2)])
def test_ranks_that_are_not_squares_are_refused(shape):
    with pytest.raises(ValueError, match="liabilities: got shape .*, expected .ranks, firms, firms. with a"):
        clear_holdings(np.zeros(shape), [1.0] * shape[-2], np.zeros((1, 2)), np.zeros((2, 2)))
