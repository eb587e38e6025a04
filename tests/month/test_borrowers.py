"""What moves borrowers beside contracts and chips: shares, subscriptions, hidden debt, a parent, accounts."""

import dataclasses
import types

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.parameters import Parameters
from engine.month import chips, credit, debt_service, hidden_debt, refinancing, revenue, terms
from engine.month.inputs import fate_of
from engine.paths import replay
from engine.vocabulary import GROUP
from tests.month.conftest import FEW, MONTHS, month_of, paired_change


def fate_with(system, calm_draws, leadership):
    """A calm fate with some leadership normals."""
    return fate_of(system, dataclasses.replace(calm_draws, leadership=jnp.asarray(leadership, jnp.float32)))


@pytest.fixture(scope="module")
def today(calm_economy):
    return calm_economy


def in_regime(now, regime):
    """The same economy in another regime."""
    return dataclasses.replace(now, regime=jnp.zeros(3, jnp.float32).at[regime].set(1.0))


def test_shares_start_at_the_book_and_keep_their_sum(five_years, calm_draws):
    start = np.asarray(five_years.firms.revenue_share, np.float64)
    normals = np.linspace(-3.0, 3.0, len(start))
    width = float(five_years.numbers.economy.share_volatility)
    fate = fate_with(five_years, calm_draws, normals)
    for t in (12, 48):
        got = np.asarray(revenue.shares(five_years, fate, month_of(five_years, t)), np.float64)
        grown = start * np.exp(width * normals * np.sqrt(t / 12.0))
        np.testing.assert_allclose(got, grown * start.sum() / grown.sum(), rtol=1e-5, atol=1e-9)
    calm = revenue.shares(
        five_years, fate_with(five_years, calm_draws, 0.0 * normals), month_of(five_years, 60)
    )
    np.testing.assert_allclose(calm, start, rtol=1e-6)


def test_share_of_a_lab_has_the_law_of_its_normal(five_years, calm_draws):
    """A small lab among large ones: ln of its share is normal with volatility times the root of time."""
    labs = np.flatnonzero(np.asarray(five_years.firms.revenue_share))
    small = labs[np.argmin(np.asarray(five_years.firms.revenue_share)[labs])]
    alone = np.zeros(len(five_years.names.firms))
    alone[small] = 1.0
    start = np.asarray(five_years.firms.revenue_share, np.float64)
    fate = fate_with(five_years, calm_draws, alone)
    got = np.asarray(revenue.shares(five_years, fate, month_of(five_years, 24)), np.float64)[small]
    width = float(five_years.numbers.economy.share_volatility)
    own = start[small] * np.exp(width * np.sqrt(2.0))
    assert got == pytest.approx(own * start.sum() / (start.sum() - start[small] + own), rel=1e-5)


def test_subscriptions_lapse_with_the_regime_and_with_the_labs_own_value(
    five_years, calm_draws, today, changed
):
    fate, month = (
        fate_with(five_years, calm_draws, np.zeros(len(five_years.names.firms))),
        month_of(five_years, 1),
    )
    nothing = jnp.zeros(len(five_years.names.firms), jnp.float32)

    def direct(system, economy):
        return np.asarray(revenue.step(system, fate, nothing, economy, month, nothing)[1].direct, np.float64)

    # A normal of zero is below the mean of a lognormal: with own shocks a month would lower every value.
    five_years = changed("mechanisms.own_shocks", 0.0)
    full = direct(five_years, today)
    np.testing.assert_allclose(full, np.asarray(five_years.firms.revenue_share, np.float64) * 60.0, rtol=1e-5)
    bust = direct(five_years, in_regime(today, 2))
    np.testing.assert_allclose(bust, full * (1.0 - 0.10 * 0.6), rtol=1e-5)
    crash = dataclasses.replace(in_regime(today, 2), equity=jnp.float32(0.5))
    np.testing.assert_allclose(direct(five_years, crash), full * (1.0 - 0.10 * 0.8), rtol=1e-5)
    off = changed("mechanisms.subscription_loop", 0.0, "mechanisms.own_shocks", 0.0)
    np.testing.assert_allclose(direct(off, crash), full, rtol=1e-6)


def test_hidden_debt_is_guarantees_and_leases_that_rent_does_not_carry(five_years):
    """By hand: Meta guarantees 85% of Hyperion; a lease counts beyond the multiple of its rent."""
    names, month = five_years.names, month_of(five_years, 1)
    balance = five_years.loans.drawn
    everybody = jnp.ones(len(names.firms), jnp.float32)
    size = jnp.ones(len(names.contracts), jnp.float32)
    owed = hidden_debt.off_balance_sheet(five_years, balance, size, month, everybody)
    hidden = np.asarray(owed, np.float64)
    table = five_years.contracts
    expected = np.zeros(len(names.firms))
    expected[names.firms.index("META")] += 0.85 * 27.3
    for c in np.flatnonzero(np.asarray(table.senior) * np.asarray(table.operating)):
        buyer = int(table.buyer[c])
        carried = float(five_years.firms.debt_multiple[buyer]) * float(month.term_ahead[c])
        expected[buyer] += max(float(month.present_value[c]) - carried, 0.0)
    np.testing.assert_allclose(hidden, expected, rtol=1e-4, atol=1e-4)
    assert hidden[names.firms.index("ORCL")] > 20.0
    gone = everybody.at[names.firms.index("VANT_TX")].set(0.0)
    without = hidden_debt.off_balance_sheet(five_years, balance, size, month, gone)
    assert float(without[names.firms.index("ORCL")]) < hidden[names.firms.index("ORCL")]


def test_lenders_look_through_once_the_boom_breaks_or_a_project_falls_and_do_not_forget(five_years, today):
    before = jnp.float32(0.0)
    alive = jnp.ones(len(five_years.names.firms), jnp.float32)
    assert float(hidden_debt.believed(five_years, before, today, alive)) == 0.0
    assert float(hidden_debt.believed(five_years, before, in_regime(today, 1), alive)) == 0.5
    fallen = alive.at[five_years.names.firms.index("ABIL")].set(0.0)
    assert float(hidden_debt.believed(five_years, before, today, fallen)) == 1.0
    other = alive.at[five_years.names.firms.index("CRWV")].set(0.0)
    assert float(hidden_debt.believed(five_years, before, today, other)) == 0.0
    assert float(hidden_debt.believed(five_years, jnp.float32(0.5), today, alive)) == 0.5


def test_interest_in_kind_is_what_cash_lacks_and_at_most_the_share_agreed(five_years, setting_of):
    names = five_years.names
    firm, loan = names.firms.index("FLUI"), names.loans.index("FLUI_GPU")
    owed = debt_service.service(five_years, debt_service.init(five_years), setting_of(1))
    interest = float(owed.interest[loan])
    for lacking, expected in ((0.0, 0.0), (0.25 * interest, 0.25 * interest), (9.0, 0.5 * interest)):
        asked = jnp.zeros(len(names.firms), jnp.float32).at[firm].set(lacking)
        kind = np.asarray(refinancing.pay_in_kind(five_years, owed, asked), np.float64)
        assert kind[loan] == pytest.approx(expected, rel=1e-5, abs=1e-9)
        assert kind.sum() == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_margins_end_at_the_ceiling_and_lending_beyond_it_falls_as_they_would_rise(five_years, setting_of):
    system, now = five_years, setting_of(1)
    none, ceiling = jnp.zeros_like(system.firms.cash), float(system.numbers.credit.margin_ceiling)
    for spread in (1.0, 5.0, 1e6):
        dear = dataclasses.replace(now.revenue, spread=none + spread)
        offer = terms.terms(system, dataclasses.replace(now, revenue=dear), none, none, none, none)
        coupon, granted = np.asarray(offer.coupon, np.float64), np.asarray(offer.granted, np.float64)
        asked = spread * np.asarray(system.loans.refinancing_margin, np.float64)
        outside = np.asarray(system.firms.outside)[np.asarray(system.loans.borrower)] > 0.0
        fixed = (1.0 - np.asarray(system.loans.floating)) * float(now.economy.rate)
        np.testing.assert_allclose(coupon, np.minimum(asked, ceiling) + fixed, rtol=1e-6)
        np.testing.assert_allclose(granted[~outside], np.minimum(1.0, ceiling / asked)[~outside], rtol=1e-6)
        assert (granted[outside] == 1.0).all()


def test_a_firm_whose_equity_is_gone_pays_no_margin_above_the_ceiling(five_years):
    """On this path the spreads of some firms would ask for more than 100% a year."""
    states, info = replay.replay(five_years, 7, 6)
    loans = five_years.loans
    spread = np.asarray(info.revenue.spread)[:, np.asarray(loans.borrower)]
    owing = np.asarray(states.funding.balance) > 0.0
    asked = np.asarray(loans.refinancing_margin) * spread
    dearest = float(five_years.numbers.credit.margin_ceiling) + np.asarray(info.economy.rate).max()
    assert asked[owing].max() > 1.0
    margin = np.asarray(jax.vmap(debt_service.margin)(states.funding))
    assert (margin <= np.maximum(np.asarray(loans.coupon), dearest) + 1e-6).all()


def test_a_subsidiary_falls_the_month_after_its_parent(five_years, base, changed, outcome_of):
    parent, child = (five_years.names.firms.index(name) for name in ("XAI", "XSPV"))
    led = base.cause[child] == GROUP
    assert led.sum() > 50
    np.testing.assert_array_equal(base.default_month[child][led], base.default_month[parent][led] + 1)
    off = outcome_of(changed("mechanisms.cross_default", 0.0), FEW)
    assert not (off.cause == GROUP).any()


def test_hidden_debt_that_is_counted_lowers_what_is_lent(five_years, changed, outcome_of):
    """Lenders who look through in every regime lend less in two years; later, less has failed too."""
    base = outcome_of(changed("credit.look_through", [1.0, 1.0, 1.0]))
    off = outcome_of(changed("mechanisms.look_through", 0.0))
    exposure = five_years.names.series.index("exposure")
    change = (base.trace[23, exposure] - off.trace[23, exposure]).astype(np.float64)
    assert change.mean() < -3.0 * change.std() / np.sqrt(change.size)


def test_accounts_are_straight_line(five_years):
    """Without purchases: cost times what is left of the accounting life, for as long as anything is."""
    state = chips.init(five_years)
    table = five_years.chips
    age, life = (
        np.maximum(-np.asarray(table.release_month, np.float64), 0.0) / 24.0,
        np.asarray(table.accounting_life),
    )
    cost = np.asarray(table.installed, np.float64) * np.asarray(table.list_price, np.float64)
    nothing = jnp.zeros_like(table.installed)
    for _ in range(24):
        accounts, charge = chips.depreciate(five_years, state, nothing, jnp.ones_like(nothing))
        state = eqx.tree_at(lambda s: (s.accounts, s.charge), state, (accounts, charge))
    np.testing.assert_allclose(
        state.accounts, cost * np.maximum(1.0 - (age + 2.0) / life, 0.0), rtol=1e-4, atol=1e-3
    )


def test_purchases_enter_the_accounts_at_cost_and_leave_over_their_life(five_years):
    state = chips.init(five_years)
    zero, one = jnp.zeros_like(state.accounts), jnp.ones_like(state.accounts)
    state = eqx.tree_at(lambda s: (s.accounts, s.charge), state, (zero, zero))
    accounts, charge = chips.depreciate(five_years, state, one, one)
    np.testing.assert_allclose(accounts, five_years.chips.list_price, rtol=1e-6)
    np.testing.assert_allclose(
        charge, five_years.chips.list_price / five_years.chips.accounting_life, rtol=1e-6
    )


SIGNS = {
    "a longer accounting life hides more": lambda s: eqx.tree_at(
        lambda t: t.chips.accounting_life, s, s.chips.accounting_life * 1.5
    ),
    "faster obsolescence hides more": None,
}


@pytest.mark.parametrize("name", SIGNS)
def test_sign_of_the_accounting_gap(name, five_years, base, changed, outcome_of):
    change = SIGNS[name]
    other = outcome_of(change(five_years) if change else changed("chips.release_effect", 0.40))
    gap = five_years.names.series.index("accounting_gap")
    moved = (other.trace[-1, gap] - base.trace[-1, gap]).astype(np.float64)
    assert moved.mean() > 3.0 * moved.std() / np.sqrt(moved.size)


def test_subscriptions_that_lapse_never_lower_losses(base, changed, outcome_of):
    mean, error = paired_change(outcome_of(changed("mechanisms.subscription_loop", 0.0)), base)
    assert mean > -3.0 * error
    mean, error = paired_change(base, outcome_of(changed("contracts.subscription_share", 0.5)))
    assert mean > 3.0 * error > 0.0


def test_more_capex_on_the_same_revenue_never_lowers_losses(five_years, base, outcome_of):
    """A third more capex by everybody: more debt, and more chips for the same demand."""
    calendar = five_years.calendar
    more = eqx.tree_at(
        lambda s: (s.calendar.capex, s.calendar.firm_capex),
        five_years,
        (calendar.capex * 1.33, calendar.firm_capex * 1.33),
    )
    mean, error = paired_change(base, outcome_of(more))
    assert mean > 3.0 * error > 0.0


def test_a_longer_lease_never_raises_the_loss_of_its_landlord(book, five_years, outcome_of):
    """Oracle's lease of Abilene ends after three years or after fourteen; the loans mature between."""
    contracts = book.tables["contracts"]
    short = contracts.assign(end_month=contracts["end_month"].where(contracts["contract"] != "ORCL_ABIL", 36))
    tables = types.MappingProxyType(dict(book.tables) | {"contracts": short})
    shorter = build_system(dataclasses.replace(book, tables=tables), Parameters(), MONTHS)
    loans = [place for place, name in enumerate(five_years.names.loans) if name.startswith("ABIL")]
    lost = [outcome_of(s).components[-1, loans].sum(axis=0) for s in (five_years, shorter)]
    more = lost[1].astype(np.float64) - lost[0].astype(np.float64)
    assert more.mean() > 3.0 * more.std() / np.sqrt(more.size) > 0.0


@pytest.mark.parametrize("neocloud, share", [((0, 0, 0), 0.0), ((0, 1, 0), 1.0), ((1, 1, 0), 0.5)])
def test_the_share_of_neoclouds_that_have_failed(neocloud, share):
    alive = jnp.asarray([1, 0, 0], jnp.float32)
    assert credit.failed_share(jnp.asarray(neocloud, jnp.float32), alive) == share
