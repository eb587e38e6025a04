"""A pool's cash against Fabozzi's pass-through, closed forms, conservation and hand calculations."""

import numpy as np
import pandas as pd
import pytest

from engine.deal.pool import pool_cash, pool_paths
from engine.deal.speeds import monthly, psa, sda

PASS_THROUGH = dict(balance=400e6, rate=0.08125, months=357)
FABOZZI = {
    1.00: ([399_464_995, 398_861_631], [267_535, 269_166], [267_470, 334_198], [535_005, 603_364]),
    1.65: ([399_290_077, 398_468_181], [267_535, 269_048], [442_389, 552_847], [709_923, 821_896]),
}
"""PSA: balances, scheduled principal, prepayments and total principal of months 1 and 2, dollars.

Fabozzi, Bond Markets, Analysis and Strategies, the $400 mn 7.5% pass-through of WAC 8.125% and WAM 357.
"""


@pytest.mark.parametrize("speed", FABOZZI)
def test_the_pass_through_is_fabozzis(speed):
    cash = pool_cash(**PASS_THROUGH, cpr=psa(speed, 357, age=3))
    balances, scheduled, prepaid, principal = FABOZZI[speed]
    np.testing.assert_allclose(cash.balance[1:3, 0], balances, atol=1.0)
    np.testing.assert_allclose(cash.scheduled[:2, 0], scheduled, atol=1.0)
    np.testing.assert_allclose((cash.principal - cash.scheduled)[:2, 0], prepaid, atol=1.0)
    np.testing.assert_allclose(cash.principal[:2, 0], principal, atol=1.0)
    assert cash.interest[0, 0] * 7.5 / 8.125 == pytest.approx(2_500_000)
    assert cash.balance[-1, 0] == 0.0


def test_smm_compounds_to_cpr():
    assert monthly(np.asarray([0.06])) == pytest.approx([0.005143], abs=5e-7)  # Fabozzi's 6% CPR
    assert (1.0 - monthly(np.asarray([0.3]))) ** 12 == pytest.approx([0.7])


def test_speeds_are_the_standards():
    np.testing.assert_allclose(psa(1.0, 31)[[0, 28, 29, 30]], [0.002, 0.058, 0.06, 0.06])
    np.testing.assert_allclose(sda(2.0, 130)[[0, 29, 59, 129]], [0.0004, 0.012, 0.012, 0.0006])


def test_a_level_payment_is_level():
    cash = pool_cash(100.0, 0.06, 360)
    payment = 100.0 * 0.005 / (1.0 - 1.005**-360.0)
    np.testing.assert_allclose((cash.interest + cash.principal)[:, 0], payment, rtol=1e-10)


def test_bullets_that_prepay_and_default_are_powers():
    cash = pool_cash(100.0, 0.12, 24, cpr=0.1, cdr=0.2, recovery=0.3, interest_only=True)
    left = 1.0 - monthly(np.asarray([0.1])) - monthly(np.asarray([0.2]))
    np.testing.assert_allclose(cash.balance[:-1, 0], 100.0 * left ** np.arange(24), rtol=1e-12)
    defaults = cash.recoveries[:, 0] + cash.losses[:, 0]
    np.testing.assert_allclose(defaults, cash.balance[:-1, 0] * monthly(np.asarray([0.2])), rtol=1e-12)
    np.testing.assert_allclose(cash.recoveries, 0.3 * (cash.recoveries + cash.losses), rtol=1e-12)
    np.testing.assert_allclose(cash.interest[:, 0], 0.01 * (cash.balance[:-1, 0] - defaults), rtol=1e-12)


def test_a_balloon_leaves_what_a_longer_schedule_would():
    balloon, whole = pool_cash(100.0, 0.06, 120, amortisation=360), pool_cash(100.0, 0.06, 360)
    np.testing.assert_allclose(balloon.balance[:120], whole.balance[:120], rtol=1e-12)
    assert balloon.principal[-1, 0] == pytest.approx(whole.balance[119, 0])


def test_recoveries_come_late_and_nothing_is_lost_on_the_way():
    """Two months by hand: all default at 50% a month's rate, recovered three months later."""
    half = 1.0 - 0.5**12
    cash = pool_cash(100.0, 0.0, 2, cdr=half, recovery=0.4, lag=3, interest_only=True)
    assert cash.months == 5
    np.testing.assert_allclose(cash.balance[:, 0], [100.0, 100.0, 75.0, 75.0, 25.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(cash.collateral[:, 0], [100.0, 50.0, 0.0, 0.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(cash.principal[:, 0], [0.0, 25.0, 0.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(cash.recoveries[:, 0], [0.0, 0.0, 0.0, 20.0, 10.0], atol=1e-9)


@pytest.mark.parametrize("lag", [0, 7])
def test_every_dollar_is_repaid_recovered_or_lost(lag):
    random = np.random.default_rng(5)
    cash = pool_cash(
        1e9, 0.07, 120, cpr=random.uniform(0, 0.5, (120, 4)), cdr=random.uniform(0, 0.5, (120, 4)),
        recovery=random.uniform(0, 1, (120, 4)), lag=lag,
    )  # fmt: skip
    out = cash.principal + cash.recoveries + cash.losses
    np.testing.assert_allclose(out.sum(axis=0), 1e9, rtol=1e-12)
    np.testing.assert_allclose(-np.diff(cash.balance, axis=0), out, atol=1e-3)


def test_speeds_by_month_and_path_are_those_of_each_path():
    paths = np.stack([np.full(60, 0.05), psa(2.0, 60)], axis=1)
    both = pool_cash(100.0, 0.05, 60, cpr=paths, cdr=0.01)
    for k, cpr in enumerate((0.05, pd.Series(psa(2.0, 60)))):
        alone = pool_cash(100.0, 0.05, 60, cpr=cpr, cdr=0.01)
        np.testing.assert_allclose(both.principal[:, k], alone.principal[:, 0], rtol=1e-12)


def test_a_loan_in_default_does_not_prepay():
    cash = pool_cash(100.0, 0.05, 12, cpr=1.0, cdr=1.0, recovery=0.4)
    assert cash.losses[0, 0] == 60.0 and cash.principal[0, 0] == 0.0


@pytest.mark.parametrize(
    "change, message",
    [
        ({"cpr": 1.2}, "cpr: got 1.2, expected a number from 0 to 1"),
        ({"cdr": [0.1, 0.2]}, r"cdr: got shape \(2,\), expected one number, \(12,\) or \(12, paths\)"),
        ({"cpr": np.zeros((12, 2)), "cdr": np.zeros((12, 3))}, "cdr: got 3 paths, expected 2, as cpr"),
        ({"amortisation": 6}, "amortisation: got 6, expected at least 12"),
        ({"months": 0}, "months: got 0"),
        ({"rate": -0.01}, "rate: got -0.01"),
    ],
)
def test_bad_pools_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        pool_cash(**({"balance": 100.0, "rate": 0.05, "months": 12} | change))


def test_accounts_that_do_not_add_up_are_refused():
    given = dict(
        balance=[100.0, 50.0, 0.0], interest=[1.0, 1.0], principal=[50.0, 30.0], recoveries=[0.0, 0.0]
    )
    with pytest.raises(ValueError, match=r"balance\[2, 0\]: got 0.0, expected 10"):
        pool_paths(**given, losses=[0.0, 10.0])
    with pytest.raises(ValueError, match=r"losses: got shape \(3, 1\), expected \(2, 1\)"):
        pool_paths(**given, losses=[0.0, 10.0, 0.0])
    assert pool_paths(**given, losses=[0.0, 20.0]).paths == 1
