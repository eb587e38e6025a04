"""Vendors' cash, backstops, warrants; converts; leases that end early; anticipated repayment."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.parameters import Parameters
from engine.month import contracts, debt_service, pools, vendors
from engine.vocabulary import MONTH
from tests.month.conftest import FEW, MONTHS, TODAY, chip_market, month_of, paired_change


@pytest.fixture(scope="module")
def place(five_years):
    """Position of a firm, contract, loan or pool by name."""
    names = five_years.names
    return {
        name: i for each in (names.firms, names.contracts, names.loans, names.pools)
        for i, name in enumerate(each)
    }  # fmt: skip


@pytest.fixture(scope="module")
def everybody(five_years):
    return jnp.ones(len(five_years.names.firms), jnp.float32)


def at(values, position, value):
    """The array with one entry replaced."""
    return values.at[position].set(value)


def test_a_purse_is_last_months_cash_and_a_share_of_chip_sales_after_own_purchases(five_years, place):
    """Nvidia: 60.6 + 0.45 x 0.80 x 0.5 x 240 / 12 - 1.5 = 62.7; Microsoft sells no chips."""
    market = chip_market(five_years, capex=240.0)
    owed = at(jnp.zeros(len(five_years.names.firms), jnp.float32), place["NVDA"], 1.5)
    got = vendors.means(five_years, five_years.firms.cash, market, owed)
    assert float(got[place["NVDA"]]) == pytest.approx(62.7, rel=1e-5)
    assert float(got[place["MSFT"]]) == 0.0


def test_vendors_pay_what_they_can_and_others_what_they_promised(five_years, changed, place, everybody):
    demand, cash = 10.0 * everybody, 5.0 * everybody
    for switch, expected in ((1.0, 0.5), (0.5, 0.75), (0.0, 1.0)):
        share = vendors.paid_share(changed("mechanisms.vendor_purse", switch), cash, demand)
        assert float(share[place["NVDA"]]) == expected
        assert float(share[place["GOOG"]]) == 1.0
    assert float(vendors.paid_share(five_years, 0.0 * cash, 0.0 * demand)[place["NVDA"]]) == 1.0


def test_investors_put_in_the_share_of_their_promises_that_is_set(
    five_years, changed, calm_economy, everybody
):
    full, _, _ = month_of_contracts(five_years, 1.0)
    promised = contracts.commitments(five_years, calm_economy, full, everybody)
    assert float(promised.sum()) > 0.0
    for share in (0.0, 0.5):
        given = contracts.commitments(changed("contracts.investment", share), calm_economy, full, everybody)
        np.testing.assert_array_equal(given, share * promised)


def month_of_contracts(system, paid_share):
    """Full amounts of month 24, and payments of a share of them."""
    row = month_of(system, 24)
    full = row.term + 0.9 * row.after
    at_full = full * system.contracts.operating * MONTH
    return full, at_full, at_full * paid_share


def test_a_backstop_pays_for_what_its_seller_cannot_sell_up_to_its_size(five_years, place, everybody):
    """CoreWeave sells all but 0.05, 5 and nothing of what it could; the backstop is 0.97 bn a year."""
    table, backstop = five_years.contracts, place["NVDA_CRWV_BACKSTOP"]
    sold = np.flatnonzero(np.asarray(table.sold.matrix)[place["CRWV"]] * np.asarray(table.operating))
    size = float(table.annual[backstop]) * MONTH
    for missing, expected in ((0.0, 0.0), (0.05, 0.05), (5.0, size)):
        full, at_full, paid = month_of_contracts(five_years, 1.0)
        at_full = at_full.at[sold[0]].add(missing)
        asked = vendors.Obligations(full, at_full, paid)
        got = vendors.support(five_years, 1e3 * everybody, asked, paid, 0.0 * table.cover, everybody)
        assert float(got.backed[backstop]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert float(jnp.sum(got.backed)) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_guarantee_fails_in_the_month_in_which_it_is_needed(five_years, place, everybody):
    """Nobody pays anybody: Nvidia with 0.02 left honours that and no more; Alphabet honours all."""
    table = five_years.contracts
    full, due, paid = month_of_contracts(five_years, 0.0)
    poor, asked = at(1e3 * everybody, place["NVDA"], 0.02), vendors.Obligations(full, due, due)
    got = vendors.support(five_years, poor, asked, paid, table.cover, everybody)
    assert float(jnp.sum(got.backed)) == pytest.approx(0.02, rel=1e-5)
    assert float(got.purse[place["NVDA"]]) == pytest.approx(0.0, abs=1e-7)
    np.testing.assert_allclose(got.covered, table.cover * due, rtol=1e-5)
    assert float(jnp.sum(got.covered)) > 0.0
    gone = at(everybody, place["NVDA"], 0.0)
    dead = vendors.support(five_years, 1e3 * everybody, asked, paid, table.cover, gone)
    assert float(jnp.sum(dead.backed)) == 0.0


def test_what_a_backstop_pays_is_not_let_again(five_years, place, everybody):
    """Receipts of CoreWeave: all of it let at market, half of it backed and half let, all of it backed."""
    table, seller = five_years.contracts, place["CRWV"]
    _, at_full, paid = month_of_contracts(five_years, 0.0)
    lost = float((table.sold @ at_full)[seller])
    relet = float((table.sold @ (table.relet * at_full))[seller])
    nothing = jnp.zeros_like(paid)
    for share in (0.0, 0.5, 1.0):
        backed = at(nothing, place["NVDA_CRWV_BACKSTOP"], share * lost)
        got = contracts.receipts(five_years, at_full, paid, nothing, backed, jnp.float32(0.0))
        total = float((table.sold @ got)[seller])
        assert total == pytest.approx(share * lost + (1.0 - share) * relet, rel=1e-4)


def test_warrants_are_worth_the_market_and_vest_with_deliveries(five_years, place, calm_economy, everybody):
    """AMD's 6.4 a year, at an index of 1.5 and with half of the purchases renegotiated away."""
    now = dataclasses.replace(calm_economy, equity=jnp.float32(1.5))
    row, warrant = month_of(five_years, 40), place["AMD_OAI_WARRANTS"]
    size = at(jnp.ones_like(five_years.contracts.margin), place["OAI_AMD"], 0.5)
    got = contracts.warrants(five_years, now, size, row.term, everybody)
    assert float(got[warrant]) == pytest.approx(6.4 / 12.0 * 1.5 * 0.5, rel=1e-5)
    assert float(jnp.sum(got)) == pytest.approx(float(got[warrant]))
    gone = at(everybody, place["AMD"], 0.0)
    assert float(jnp.sum(contracts.warrants(five_years, now, size, row.term, gone))) == 0.0


def test_less_support_never_lowers_losses(five_years, base, outcome_of):
    """On today's debt, of vendors without cash whose chip sales leave nothing for customers."""
    firms = five_years.firms
    poor = eqx.tree_at(
        lambda s: (s.firms.cash, s.firms.support_share),
        five_years,
        (jnp.where(firms.chip_sales_share > 0.0, 0.0, firms.cash), 0.0 * firms.support_share),
    )
    mean, error = paired_change(base, outcome_of(poor), TODAY)
    assert mean > 3.0 * error > 0.0


def test_without_the_mechanism_support_is_what_was_promised(five_years, changed, outcome_of):
    """Switch off: a poor vendor supports as a rich one, to the bit."""
    off = changed("mechanisms.vendor_purse", 0.0)
    poor = eqx.tree_at(lambda s: s.firms.support_share, off, 0.0 * off.firms.support_share)
    one, other = outcome_of(off, FEW), outcome_of(poor, FEW)
    np.testing.assert_array_equal(one.losses, other.losses)


def test_a_convertible_in_the_money_is_paid_in_shares(five_years, place, setting_of):
    """CoreWeave's convertible matures now: at 1.2 times the equity value it is owed, at 1.4 it is shares."""
    loan, firm = place["CRWV_CB31"], place["CRWV"]
    state = debt_service.init(five_years)
    state = eqx.tree_at(lambda s: s.maturity, state, at(state.maturity, loan, 1.0))
    for rise, shares in ((1.2, 0.0), (1.4, 2.25)):
        value = at(five_years.firms.equity_value, firm, rise * five_years.firms.equity_value[firm])
        owed = debt_service.service(five_years, state, setting_of(1, value=value))
        assert float(owed.converted[loan]) == pytest.approx(shares)
        assert float(owed.due[loan]) == pytest.approx(2.25 - shares)
        assert float(jnp.sum(owed.converted)) == pytest.approx(shares)


def test_after_the_repayment_date_debt_that_nobody_refinances_takes_all_spare_cash(
    five_years, place, calm_economy
):
    """Colocation rents cover debt 1.8 times; the market would lend 0.9 of what is owed."""
    pool, state = place["ABS_COLO"], pools.init(five_years)
    nothing = jnp.zeros_like(five_years.pools.balance)
    paid = five_years.numbers.credit.abs_coupon * 0.8 * MONTH
    for time, access, expected in ((35.0, 0.9, 1.0), (36.0, 1.1, 1.0), (36.0, 0.9, 1.0 - float(paid))):
        now = dataclasses.replace(calm_economy, access=jnp.float32(access))
        debt, *_ = pools.lease_month(five_years, state, now, jnp.float32(0.0), nothing, jnp.float32(time))
        assert float(debt[pool]) == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def leases_end(book):
    """The shipped book with the leases of its project companies ending after 42 months."""
    numbers = Parameters()
    numbers.contracts.lease_break_month = 42.0
    return build_system(book, numbers, MONTHS)


def test_leases_of_projects_end_at_the_break_and_then_renew_by_regime(five_years, leases_end, place):
    lease, others = place["META_BEIG"], np.asarray(five_years.contracts.lease_project) == 0.0
    before, after = month_of(leases_end, 42), month_of(leases_end, 43)
    assert float(before.term[lease]) > 0.0 == float(before.after[lease])
    assert float(after.term[lease]) == 0.0 and float(after.after[lease]) == pytest.approx(2.6)
    running = np.asarray(after.term)[others]
    np.testing.assert_array_equal(running, np.asarray(month_of(five_years, 43).term)[others])
    assert running.any()


def test_early_non_renewal_calls_the_residual_value_guarantee(leases_end, base, outcome_of, place):
    """Hyperion loses hardly anything as the book stands; where leases end early Meta carries most of it."""
    loan = place["BEIG_2049"]
    off = eqx.tree_at(lambda s: s.numbers.mechanisms.step_in, leases_end, jnp.float32(0.0))
    with_guarantee, without = (outcome_of(s).components[-1, loan] for s in (leases_end, off))
    assert with_guarantee.mean() > 3.0 * base.components[-1, loan].mean()
    saved = (without - with_guarantee).astype(np.float64)
    assert saved.mean() > 3.0 * saved.std() / np.sqrt(saved.size)
    assert with_guarantee.mean() < 0.5 * without.mean()
