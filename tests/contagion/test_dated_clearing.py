"""Clearing date by date: by hand, against a linear program at every date, conservation of cash."""

import jax
import numpy as np
import pytest
from scipy import optimize

from engine.contagion.dated_clearing import clear_dates
from engine.contagion.networks import RogersVeraart, clear

AGREES = 1e-9


def random_dates(seed, dates=5, firms=6):
    """Liabilities that fall due, cash in, outside liabilities; some firms are late, some catch up."""
    rng = np.random.default_rng(seed)
    owes = rng.exponential(1.0, (dates, firms, firms)) * (rng.random((dates, firms, firms)) < 0.5)
    owes[:, range(firms), range(firms)] = 0.0
    return owes, rng.exponential(1.0, (dates, firms)) ** 2, rng.exponential(0.7, (dates, firms))


def most_paid(owes, cash, outside):
    """Clearing payments as the linear program of Eisenberg and Noe's lemma 4."""
    owed = owes.sum(axis=1) + outside
    shares = owes / np.where(owed > 0, owed, 1.0)[:, None]
    answer = optimize.linprog(
        -np.ones(len(owed)), A_ub=np.eye(len(owed)) - shares.T, b_ub=cash, bounds=[(0, x) for x in owed]
    )
    return answer.x, owed, shares


@pytest.mark.parametrize("unpaid", ["carried", "written_off"])
@pytest.mark.parametrize("seed", range(4))
def test_dates_against_a_linear_program_each(seed, unpaid):
    owes, external, outside = random_dates(seed)
    after = clear_dates(owes, external, outside, unpaid=unpaid)
    cash, arrears, late = np.zeros(6), np.zeros((6, 6)), np.zeros(6)
    for t in range(5):
        due, abroad = owes[t] + arrears, outside[t] + late
        payments, owed, shares = most_paid(due, cash + external[t], abroad)
        np.testing.assert_allclose(after.payments[t], payments, atol=1e-8)
        np.testing.assert_allclose(after.due[t], owed, atol=1e-8)
        cash = np.maximum(cash + external[t] + shares.T @ payments - payments, 0.0)
        np.testing.assert_allclose(after.cash[t], cash, atol=1e-8)
        missing = 1 - payments / np.where(owed > 0, owed, 1.0)
        np.testing.assert_allclose(after.arrears[t], missing * owed, atol=1e-8)
        keep = missing if unpaid == "carried" else 0.0 * missing
        arrears, late = keep[:, None] * due, keep * abroad
    assert after.defaulted.any() and bool(after.converged.all())


@pytest.mark.parametrize("seed", range(3))
def test_cash_in_is_cash_out(seed):
    """What came in from outside was paid to outsiders, lost in default, or is in hand."""
    owes, external, outside = random_dates(seed)
    after = clear_dates(owes, external, outside, valuation=RogersVeraart(0.8, 0.9))
    to_firms = np.asarray(after.receipts).sum()
    left = np.asarray(after.cash)[-1].sum() + np.asarray(after.cost).sum()
    assert external.sum() == pytest.approx(np.asarray(after.payments).sum() - to_firms + left, rel=AGREES)
    assert np.asarray(after.cost).sum() > 0


def test_one_date_is_a_clearing():
    owes, external, outside = random_dates(7, dates=1)
    after, cleared = clear_dates(owes, external, outside), clear(owes[0], external[0], outside[0])
    for name in ("payments", "receipts", "signed_equity", "defaulted"):
        np.testing.assert_allclose(getattr(after, name)[0], getattr(cleared, name), atol=1e-12)


def test_a_firm_that_is_late_catches_up_or_is_let_off():
    """Due 5, 5, 5 to outsiders on 3, 4, 9: arrears of 2, 3, 0 and 1 in hand; written off, 4 in hand."""
    for unpaid, arrears, cash in (("carried", [2, 3, 0], 1), ("written_off", [2, 1, 0], 4)):
        after = clear_dates(np.zeros((3, 1, 1)), [[3.0], [4.0], [9.0]], 5.0, unpaid=unpaid)
        np.testing.assert_allclose(after.arrears[:, 0], arrears, atol=1e-12)
        assert float(after.cash[-1, 0]) == pytest.approx(cash) and after.default_date.tolist() == [0]


def test_a_batch_is_each_alone():
    owes, external, outside = random_dates(2)
    cash = np.stack([external, 0.5 * external])
    batch = jax.jit(jax.vmap(lambda a: clear_dates(owes, a, outside)))(cash)
    for i in range(2):
        np.testing.assert_allclose(batch.cash[i], clear_dates(owes, cash[i], outside).cash, atol=1e-12)


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"liabilities": [[0.0, 1.0], [0.0, 0.0]]},
            r"liabilities: got shape \(2, 2\), expected \(dates, firms",
        ),
        ({"liabilities": [[[0.0, -1.0], [0.0, 0.0]]]}, r"liabilities\[0\]\[0, 1\]: got -1.0"),
        ({"external_assets": [1.0, 2.0]}, r"external_assets: got shape \(2,\), expected \(1, 2\)"),
        ({"unpaid": "forgiven"}, "unpaid: got 'forgiven', expected one of carried, written_off"),
        ({"start": "first"}, "start: got 'first'"),
        ({"rounds": -1}, "rounds: got -1"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    case = {"liabilities": [[[0.0, 1.0], [0.0, 0.0]]], "external_assets": [[1.0, 1.0]]} | change
    with pytest.raises(ValueError, match=words):
        clear_dates(**case)
