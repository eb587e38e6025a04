"""Rounds of default: by hand, the last as cleared elsewhere, waves against loops, and what is refused."""

import numpy as np
import pytest

from engine.contagion.cascade import default_rounds
from engine.contagion.networks import EisenbergNoe, LinearDebtRank, RogersVeraart, Threshold, clear
from tests.contagion.test_networks import RING, VALUATIONS, random_network

AGREES = 1e-9


def test_eisenberg_and_noes_waves_by_hand():
    """a has 2 of the 4 it owes b; b then 3 of 4; c, who is owed 4 and owes 3.5, fails on 0.2 of its own: in
    each wave one more. Wave 1 solves for a alone, wave 2 for a and b, wave 3 for all."""
    chain = [[0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 3.5], [0, 0, 0, 0]]
    after = default_rounds(chain, [2, 1, 0.2, 0])
    assert after.default_round.tolist() == [0, 1, 2, -1] and after.rounds == 3 and after.converged
    np.testing.assert_allclose(
        after.payments, [[4, 4, 3.5, 0], [2, 4, 3.5, 0], [2, 3, 3.5, 0], [2, 3, 3.2, 0]], rtol=AGREES
    )
    np.testing.assert_allclose(after.signed_equity[-1], [-2, -1, -0.3, 3.2], rtol=AGREES)
    np.testing.assert_allclose(after.receipts[-1], [0, 2, 3, 3.2], rtol=AGREES)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", [name for name in VALUATIONS if name != "linear_debtrank"])
def test_the_last_row_clears_and_defaults_only_grow(seed, name):
    balance = random_network(seed)
    cleared = clear(*balance, valuation=VALUATIONS[name])
    for method in ("fictitious_default", "iteration"):
        after = default_rounds(*balance, valuation=VALUATIONS[name], method=method)
        np.testing.assert_allclose(after.payments[-1], cleared.payments, atol=AGREES)
        np.testing.assert_allclose(after.signed_equity[-1], cleared.signed_equity, atol=AGREES)
        np.testing.assert_array_equal(after.defaulted[-1], cleared.defaulted)
        assert (np.diff(after.defaulted.astype(int), axis=0) >= 0).all() and after.converged
        assert (np.diff(after.payments, axis=0) <= AGREES).all()
        if method == "fictitious_default":
            assert after.rounds <= len(cleared.payments) and after.defaulted.any()


@pytest.mark.parametrize("seed", range(4))
def test_every_round_of_the_iteration_by_loops(seed):
    """No step is skipped: row k + 1 is what firms can pay of row k."""
    owes, external, outside = random_network(seed)
    rows = default_rounds(owes, external, outside, method="iteration").payments
    owed = owes.sum(axis=1) + outside
    for now, following in zip(rows, rows[1:], strict=False):
        for j in range(len(owed)):
            received = sum(owes[i, j] / owed[i] * now[i] for i in range(len(owed)) if owed[i])
            assert following[j] == pytest.approx(min(owed[j], external[j] + received), abs=1e-12)
    assert len(rows) > 2


def test_from_below_the_iteration_reaches_the_least():
    costs = RogersVeraart(0.5, 0.5)
    ends = [
        default_rounds(RING, 1.0, valuation=costs, method="iteration", start=s) for s in ("greatest", "least")
    ]
    assert [end.payments[-1].round(9).tolist() for end in ends] == [[4.0] * 3, [1.0] * 3]
    assert [end.solution for end in ends] == ["greatest", "least"]


def test_a_ring_that_owes_more_than_it_has_and_pays_nobody_outside():
    """Closed, it settles itself: nobody is in default, and no equation is singular."""
    after = default_rounds(RING, 0.0)
    assert after.rounds == 0 and not after.defaulted.any()


def test_rounds_that_do_not_suffice_are_said():
    balance = random_network(1)
    assert not default_rounds(*balance, rounds=0).converged
    assert not default_rounds(*balance, method="iteration", rounds=1).converged


@pytest.mark.parametrize(
    "options, words",
    [
        ({"method": "newton"}, "method: got 'newton', expected one of fictitious_default, iteration"),
        ({"start": "least"}, "start: got 'least', expected greatest"),
        ({"start": "first"}, "start: got 'first'"),
        (
            {"valuation": LinearDebtRank(1.0)},
            "valuation: got 'LinearDebtRank', expected EisenbergNoe, Rogers",
        ),
        ({"valuation": lambda a, r, o: 2.0 + 0 * a}, r"valuation\[0\]: got 2.0"),
        ({"tolerance": -1.0}, "tolerance: got -1.0"),
        ({"liabilities": -RING}, r"liabilities\[0, 1\]: got -4.0"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    case = {"liabilities": RING, "external_assets": 1.0} | options
    with pytest.raises(ValueError, match=words):
        default_rounds(**case)


def test_any_valuation_iterates():
    own = default_rounds(
        RING, 1.0, [0, 2, 0], method="iteration", valuation=lambda a, r, o: EisenbergNoe()(a, r, o)
    )
    np.testing.assert_allclose(own.payments[-1], clear(RING, 1.0, [0, 2, 0]).payments, rtol=AGREES)
    assert default_rounds(RING, 1.0, [0, 2, 0], valuation=Threshold(0.4)).converged
