"""Waterfalls: cash in is cash out, Fabozzi's sequential CMO, closed forms, and each rule worked by hand."""

import dataclasses

import numpy as np
import pytest

from engine.contagion.waterfall import tranche_loss
from engine.deal.pool import PoolCash, pool_cash, pool_paths
from engine.deal.speeds import psa
from engine.deal.terms import Call, Deal, Note, Reserve, Trigger
from engine.deal.waterfall import waterfall

FJF_01 = {"A": 194.5e6, "B": 36e6, "C": 96.5e6, "D": 73e6}
LIVES = {
    100: (4.90, 10.86, 15.78, 24.58),
    165: (3.48, 7.49, 11.19, 20.27),
    200: (3.05, 6.42, 9.60, 18.11),
    300: (2.32, 4.64, 6.81, 13.36),
    400: (1.94, 3.70, 5.31, 10.34),
    500: (1.69, 3.12, 4.38, 8.35),
    600: (1.51, 2.74, 3.75, 6.96),
    700: (1.38, 2.47, 3.30, 5.95),
}
"""PSA speed: average lives of the classes, Fabozzi, Bond Markets, Analysis and Strategies, deal FJF-01."""
A, B = Note("A", 0.4, 1.0, 0.12), Note("B", 0.2, 0.4, 0.24)  # 1% and 2% a month


def cash_of(balance, interest, recoveries=None, losses=None, **more) -> PoolCash:
    """A pool by its balances; what does not go to recoveries and losses is principal."""
    fall = -np.diff(balance)
    recoveries, losses = (
        np.zeros(len(fall)) if each is None else np.asarray(each) for each in (recoveries, losses)
    )
    return pool_paths(balance, interest, fall - recoveries - losses, recoveries, losses, **more)


def fjf_01(speed, rule="sequential"):
    cash = pool_cash(400e6, 0.08125, 357, cpr=psa(speed / 100.0, 357, age=3))
    tops = 1.0 - np.cumsum(list(FJF_01.values())) / 400e6
    tops[-1] = 0.0
    notes = [
        Note(n, low, low + size / 400e6, 0.075) for (n, size), low in zip(FJF_01.items(), tops, strict=True)
    ]
    return waterfall(Deal(notes, fee=0.00625, principal=rule), cash)


def gap(deal, cash, paid):
    """Cash in less cash out, by month and path."""
    called = np.cumsum(paid.sale > 0.0, axis=0)
    alive = np.concatenate([np.ones((1, cash.paths)), 1.0 - called[:-1]])
    received = (cash.interest + cash.principal + cash.recoveries) * alive + paid.sale
    notes = (paid.interest + paid.principal).sum(axis=1)
    return received - paid.fees - notes - paid.residual - np.diff(paid.reserve, axis=0)


DEALS = {
    "plain": Deal([A, B]),
    "clo": Deal(
        [A, B], fee=0.01, fixed_fee=0.05, reserve=Reserve(2.0, 0.02, 0.5), turbo=True,
        call=Call(0.2, 50, 0.9), principal_pays_interest=True,
        triggers=[Trigger("oc", "A", 1.5), Trigger("ic", "B", 1.2), Trigger("oc", "B", 1.2)],
    ),
    "cmbs": Deal(
        [A, B], principal="pro_rata", write_down=True, reserve=Reserve(0.0, 0.05),
        triggers=[Trigger("oc", "B", 1.3, "sequential", curable=False), Trigger("dscr", "B", 1.1, "trap")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEALS)
def test_cash_in_is_cash_out_every_month(name):
    random = np.random.default_rng(6)
    cash = pool_cash(
        100.0, 0.18, 60, cpr=random.uniform(0, 0.4, (60, 50)), cdr=random.uniform(0, 0.6, (60, 50)) ** 2,
        recovery=0.4, lag=4,
    )  # fmt: skip
    deal = DEALS[name]
    paid = waterfall(deal, cash)
    assert np.abs(gap(deal, cash, paid)).max() < 1e-11
    flows = (paid.interest, paid.principal, paid.balance, paid.unpaid, paid.fees, paid.residual, paid.reserve)
    assert all(flow.min() > -1e-12 for flow in flows)
    out = paid.principal.sum(axis=0) + paid.balance[-1] + paid.write_downs.sum(axis=0)
    np.testing.assert_allclose(out, paid.balance[0], rtol=1e-12)
    for path in (0, 31):
        own = PoolCash(*(getattr(cash, field.name)[:, [path]] for field in dataclasses.fields(cash)))
        np.testing.assert_allclose(
            waterfall(deal, own).interest[..., 0], paid.interest[..., path], atol=1e-12
        )


@pytest.mark.parametrize("speed", LIVES)
def test_average_lives_of_a_sequential_deal_are_fabozzis(speed):
    """Printed lives are 0.014 years, five days of 360, shorter throughout; rounding is 0.005 either way."""
    short = fjf_01(speed).average_lives()[:, 0] - LIVES[speed]
    assert (short > 0.0138 - 0.0052).all() and (short < 0.0138 + 0.0055).all()


def test_the_windows_of_a_sequential_deal_are_fabozzis():
    """165 PSA: A is paid off in month 81 with 311,926 dollars, B 1,720,271 then; B ends in 100, C in 178."""
    principal = fjf_01(165).principal[:, :, 0]
    ends = [np.flatnonzero(each > 1e-3)[[0, -1]] + 1 for each in principal.T]
    assert [end.tolist() for end in ends] == [[1, 81], [81, 100], [100, 178], [178, 357]]
    np.testing.assert_allclose(principal[80, :2], [311_926, 1_720_271], atol=1.0)


def test_pro_rata_classes_live_as_long_as_the_pool():
    paid = fjf_01(165, "pro_rata")
    pool = pool_cash(400e6, 0.08125, 357, cpr=psa(1.65, 357, age=3)).principal[:, 0]
    life = pool @ np.arange(1, 358) / 12.0 / pool.sum()
    np.testing.assert_allclose(paid.average_lives(), life, rtol=1e-10)


def test_write_downs_are_the_tranches_losses():
    """Bullets that lose at the end: the class's loss is clip(loss - attachment, 0, width), another route."""
    pool_loss = np.asarray([0.0, 0.1, 0.25, 0.3, 0.45, 1.0])
    balance = np.stack([np.full(6, 100.0), np.full(6, 100.0), np.zeros(6)])
    cash = pool_paths(
        balance, np.zeros((2, 6)), np.stack([np.zeros(6), 100.0 * (1.0 - pool_loss)]), np.zeros((2, 6)),
        np.stack([np.zeros(6), 100.0 * pool_loss]),
    )  # fmt: skip
    for write_down in (False, True):
        losses = waterfall(Deal([A, B], write_down=write_down), cash).losses()
        for place, note in enumerate((A, B)):
            want = np.asarray(tranche_loss(pool_loss, note.attachment, note.detachment)) / note.width
            np.testing.assert_allclose(losses[place], want, atol=1e-6)


def test_write_downs_start_with_the_junior_class():
    """A loss of 50 leaves 50 for notes of 80: B, 20, goes first, A loses 10; interest follows the balance."""
    cash = cash_of([100.0, 50.0, 0.0], [3.0, 3.0], losses=[50.0, 0.0])
    paid = waterfall(Deal([A, B], write_down=True), cash)
    np.testing.assert_allclose(paid.write_downs[:, :, 0], [[10.0, 20.0], [0.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(paid.interest[1, :, 0], [0.5, 0.0], atol=1e-12)


def test_unpaid_interest_is_carried_forward_with_interest():
    """Due 0.6 and 0.4 a month. Month 1 pays 0.7, so B carries 0.3; month 2 pays B 0.4 + 0.3 x 1.02."""
    paid = waterfall(Deal([A, B]), cash_of([100.0, 100.0, 100.0, 0.0], [0.7, 1.4, 1.0]))
    np.testing.assert_allclose(paid.interest[:, :, 0], [[0.6, 0.1], [0.6, 0.706], [0.6, 0.4]], atol=1e-12)
    np.testing.assert_allclose(paid.unpaid[:, 1, 0], [0.3, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(paid.residual[:, 0], [0.0, 0.094, 20.0], atol=1e-12)


def test_fees_come_first_and_are_carried_forward():
    paid = waterfall(Deal([A, B], fee=0.12, fixed_fee=0.5), cash_of([100.0, 100.0, 0.0], [1.0, 5.0]))
    np.testing.assert_allclose(paid.fees[:, 0], [1.0, 2.0], atol=1e-12)
    np.testing.assert_allclose(paid.interest[:, :, 0], [[0.0, 0.0], [1.206, 0.808]], atol=1e-12)


def test_an_oc_test_diverts_what_meets_it_again():
    """Month 1 loses 20: collateral 80 over A and B, 80, is short of 1.02; 1.57 would mend it.

    A's and B's interest is 1.0 of 3.0: 1.57 of the 2.0 left repays A, the rest is the residual holder's.
    """
    deal = Deal([A, B], triggers=[Trigger("oc", "B", 1.02)])
    paid = waterfall(deal, cash_of([100.0, 80.0, 0.0], [3.0, 1.0], losses=[20.0, 0.0]))
    cure = 80.0 - 80.0 / 1.02
    np.testing.assert_allclose(paid.principal[0, :, 0], [cure, 0.0], atol=1e-12)
    assert paid.residual[0, 0] == pytest.approx(2.0 - cure)
    assert 80.0 / paid.balance[1, :, 0].sum() == pytest.approx(1.02)


def test_an_ic_test_on_the_senior_class_starves_the_junior():
    """Interest 0.65 covers A's 0.6 by 1.083 < 1.1: the 0.05 left repays A, and B waits."""
    deal = Deal([A, B], triggers=[Trigger("ic", "A", 1.1)])
    paid = waterfall(deal, cash_of([100.0, 100.0, 0.0], [0.65, 2.0]))
    np.testing.assert_allclose(paid.principal[0, :, 0], [0.05, 0.0], atol=1e-12)
    np.testing.assert_allclose(paid.unpaid[:, 1, 0], [0.4, 0.0], atol=1e-12)


def test_a_dscr_test_traps_cash_until_it_is_met():
    """Interest 1.1 over 1.0 due is short of 1.25: 0.1 is trapped, and released with month 2's 2.0."""
    deal = Deal([A, B], triggers=[Trigger("dscr", "B", 1.25, "trap")])
    paid = waterfall(deal, cash_of([100.0, 100.0, 100.0, 0.0], [1.1, 2.0, 1.0]))
    np.testing.assert_allclose(paid.reserve[:, 0], [0.0, 0.1, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(paid.residual[:2, 0], [0.0, 1.1], atol=1e-12)


@pytest.mark.parametrize("curable, second", [(True, [7.5, 2.5]), (False, [10.0, 0.0])])
def test_a_trigger_turns_pro_rata_to_sequential(curable, second):
    """Collateral marked at 60 in month 1 fails 1.0 over 80; back at par in month 2 it is met again."""
    deal = Deal([A, B], principal="pro_rata", triggers=[Trigger("oc", "B", 1.0, "sequential", curable)])
    cash = cash_of([100.0, 90.0, 80.0, 0.0], [3.0, 3.0, 3.0], collateral=[100.0, 60.0, 80.0, 0.0])
    paid = waterfall(deal, cash)
    np.testing.assert_allclose(paid.principal[0, :, 0], [10.0, 0.0], atol=1e-12)
    balance = np.asarray([50.0, 20.0])
    want = np.asarray(second) if not curable else 10.0 * balance / balance.sum()
    np.testing.assert_allclose(paid.principal[1, :, 0], want, atol=1e-12)


def test_a_reserve_covers_fills_and_is_released():
    """2 at the start, target 1: the excess goes out; 0.4 short in month 2; filled in 3; principal last."""
    deal = Deal([A, B], reserve=Reserve(2.0, floor=1.0))
    cash = cash_of([100.0, 100.0, 100.0, 100.0, 0.0], [1.0, 0.6, 2.0, 1.0], losses=[0.0, 0.0, 0.0, 20.5])
    paid = waterfall(deal, cash)
    np.testing.assert_allclose(paid.reserve[:, 0], [2.0, 1.0, 0.6, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(paid.residual[:, 0], [1.0, 0.0, 0.6, 0.5], atol=1e-12)
    assert paid.losses().max() == 0.0 and paid.unpaid.max() == 0.0


def test_turbo_repays_notes_with_what_is_left_over():
    paid = waterfall(Deal([A, B], turbo=True), cash_of([100.0, 100.0, 0.0], [3.0, 3.0]))
    np.testing.assert_allclose(paid.principal[0, :, 0], [2.0, 0.0], atol=1e-12)
    assert paid.residual[0, 0] == 0.0


def test_a_clean_up_call_repays_all_and_ends_the_deal():
    """Of 100, 80 is repaid, A whole. At 20% the collateral, 20, is sold at 1.1 for 22: B's 20 and 2 left."""
    cash = cash_of([100.0, 40.0, 20.0, 10.0, 0.0], [3.0, 3.0, 3.0, 3.0])
    paid = waterfall(Deal([A, B], call=Call(0.2, price=1.1)), cash)
    np.testing.assert_allclose(paid.sale[:, 0], [0.0, 22.0, 0.0, 0.0], atol=1e-12)
    assert paid.balance[2].sum() == 0.0 and paid.interest[2:].sum() == 0.0 and paid.residual[2:].sum() == 0.0
    dear = waterfall(Deal([A, B], call=Call(0.4, price=0.4)), cash)
    assert dear.sale[0, 0] == 0.0  # 16 would not repay the 20 still owed


def test_a_class_at_par_yields_its_coupon():
    paid = fjf_01(165)
    np.testing.assert_allclose(paid.yields(1.0, 12), 0.075, atol=1e-10)
    bond_equivalent = 2.0 * ((1.0 + 0.075 / 12.0) ** 6 - 1.0)
    np.testing.assert_allclose(paid.yields(), bond_equivalent, atol=1e-10)


def test_yields_discount_cash_to_the_price():
    paid = waterfall(
        Deal([A, B], turbo=True), pool_cash(100.0, 0.15, 36, cdr=[0.0] * 12 + [0.7] * 24, recovery=0.1)
    )
    prices = np.asarray([0.97, 0.5])
    rates = paid.yields(prices, 1)[:, 0]
    months = np.arange(1, 37)
    worth = ((paid.interest + paid.principal)[:, :, 0] * (1.0 + rates) ** (-months[:, None] / 12.0)).sum(
        axis=0
    )
    np.testing.assert_allclose(worth, prices * paid.balance[0, :, 0], rtol=1e-10)
    assert rates[1] < 0.0 < rates[0]


def test_the_table_has_losses_with_their_errors():
    cdr = np.random.default_rng(8).uniform(0.0, 0.5, (1, 400)).repeat(24, axis=0)
    paid = waterfall(Deal([A, B]), pool_cash(100.0, 0.15, 24, cdr=cdr, recovery=0.0))
    table, losses = paid.table(), paid.losses()
    np.testing.assert_allclose(table["expected_loss"], losses.mean(axis=1))
    np.testing.assert_allclose(table["expected_loss_se"], losses.std(axis=1, ddof=1) / 20.0)
    assert table["probability_of_loss"][1] > table["probability_of_loss"][0] > 0.0
    one = paid.path(3)
    assert one.loc[24, "A_balance"] == paid.balance[-1, 0, 3] and len(one) == 24


def test_floating_coupons_by_month_and_path():
    rates = np.asarray([[0.12, 0.24], [0.24, 0.12]])
    cash = pool_paths(*(np.repeat(np.reshape(each, (-1, 1)), 2, axis=1) for each in
                      ([100.0, 100.0, 0.0], [5.0, 5.0], [0.0, 100.0], [0.0, 0.0], [0.0, 0.0])))  # fmt: skip
    paid = waterfall(Deal([Note("A", 0.4, 1.0, rates)]), cash)
    np.testing.assert_allclose(paid.interest[:, 0], 60.0 * rates / 12.0)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"notes": [B, A]}, r"notes\[1\].detachment: got 1.0, expected at most 0.2, senior first"),
        ({"notes": [A, Note("A", 0.0, 0.4, 0.1)]}, r"notes\[1\].name: got 'A', expected a name no other"),
        ({"notes": []}, "notes: got"),
        ({"triggers": [Trigger("oc", "C", 1.1)]}, r"triggers\[0\].note: got 'C', expected one of A, B"),
        ({"principal": "pari passu"}, "principal: got 'pari passu', expected one of sequential, pro_rata"),
        ({"fee": -0.1}, "fee: got -0.1"),
    ],
)
def test_bad_deals_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Deal(**({"notes": [A, B]} | change))


def test_bad_terms_are_refused():
    with pytest.raises(ValueError, match="test: got 'ltv', expected one of oc, ic, dscr"):
        Trigger("ltv", "A", 1.0)
    with pytest.raises(ValueError, match="detachment: got 0.1, expected more than the attachment, 0.2"):
        Note("A", 0.2, 0.1, 0.05)
    with pytest.raises(ValueError, match=r"notes\[0\].coupon: got shape \(3,\), expected one number, \(2,\)"):
        waterfall(Deal([Note("A", 0.4, 1.0, [0.1, 0.1, 0.1])]), cash_of([100.0, 50.0, 0.0], [1.0, 1.0]))
    with pytest.raises(ValueError, match="price: got shape"):
        fjf_01(165).yields([1.0, 1.0])


def test_the_residual_holder_is_behind_fees_and_interest():
    """Interest of 2 pays fees of 1.5 and 0.5 of A's 0.6. Principal of 100 repays A's 60, then the 0.1:
    39.9 are left over. With fees of 30: 28 of them and 0.6, which leaves 11.4.
    """
    cash = cash_of([100.0, 0.0], interest=[2.0])
    for fees, residual in ((1.5, 39.9), (30.0, 11.4)):
        paid = waterfall(Deal([A], fixed_fee=fees), cash)
        assert paid.fees[0, 0] == pytest.approx(fees)
        assert paid.interest[0, 0, 0] == pytest.approx(0.6) and paid.unpaid[-1, 0, 0] == pytest.approx(0.0)
        assert paid.principal[0, 0, 0] == pytest.approx(60.0) and paid.residual[0, 0] == pytest.approx(
            residual
        )


def test_rates_and_prices_are_decimals():
    with pytest.raises(ValueError, match="coupon: got 5.0, expected a number from 0 to 1"):
        Note("A", 0.4, 1.0, 5)
    with pytest.raises(ValueError, match="rate: got 8.0, expected a number from 0 to 1"):
        pool_cash(100.0, 8, 12)
    paid = waterfall(Deal([A, B]), pool_cash(100.0, 0.08, 12))
    with pytest.raises(ValueError, match="price: got 98.0, expected a number from .* to 10"):
        paid.yields(98)
