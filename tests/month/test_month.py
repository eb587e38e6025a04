"""What must hold of a month whatever the numbers: signs, switches, conservation, calm paths, closed forms."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.vocabulary import CAUSES, FLAGS, HAZARD
from tests import calm as without_shocks
from tests.month.conftest import FEW, MONTHS, NEW, TODAY, paired_change


@pytest.fixture(scope="module")
def calm(five_years):
    """Every month of a path without shocks that stays in the boom and whose thresholds are out of reach."""
    return jax.device_get(without_shocks.calm(five_years))


def test_nothing_happens_on_a_calm_path(five_years, calm):
    state, info = calm
    assert not state.credit.default_month[-1].any(), "a default that is not a hazard"
    assert state.legacy_loss[-1] == 0.0 and state.new_money_loss[-1] == 0.0
    assert (0.6 < info.chips.utilisation).all() and (info.chips.utilisation < 1.3).all()
    assert (info.contracts.paid >= 0.999 * (info.contracts.received - 1e-6)).all(), "theta below one"
    assert not state.flags.any()


def test_month_zero_reproduces_observed_prices(five_years):
    table = five_years.chips
    known = table.observed_price > 0
    np.testing.assert_allclose(table.price_start[known], table.observed_price[known], rtol=1e-6)


def test_month_zero_reproduces_documented_ltv(five_years):
    """Valued a month before the calendar begins: contracts pay once more and end a month later."""
    loans, calendar, numbers = five_years.loans, five_years.calendar, five_years.numbers
    factor = jnp.exp(-numbers.credit.contract_yield / 12.0)
    value = factor * (calendar.present_value[0] + calendar.term[0] / 12.0)
    contracts = numbers.credit.contract_advance * (loans.security @ (five_years.contracts.margin * value))
    years = loans.security_weight @ (calendar.years_left[0] + jnp.float32(1.0 / 12.0))
    kept = jnp.exp(-five_years.chips.decline * years)
    worth = loans.collateral_scale * (contracts + kept * (loans.pledged @ five_years.chips.price_start))
    drawn = np.asarray(loans.drawn[: len(worth)])
    known = drawn > 0
    assert known.sum() >= 8
    np.testing.assert_allclose(drawn[known] / np.asarray(worth)[known], loans.ltv_target[known], rtol=1e-4)


SIGNS = {
    "faster obsolescence": (("chips.release_effect", 0.40), +1),
    "recoveries that fall more": (("credit.recovery_stress", 0.7), +1),
    "higher hazards in a bust": (("credit.hazard_regime", [1.0, 2.5, 8.0]), +1),
    "a higher ceiling of revenue": (("economy.ceiling", 1500.0), -1),
    "waivers for all": (("credit.waiver", 1.0), -1),
    "more debt for the same capex": (("credit.origination", 0.45), +1),
}


@pytest.mark.parametrize("name", SIGNS)
def test_sign_on_common_random_numbers(name, base, changed, outcome_of):
    change, sign = SIGNS[name]
    mean, error = paired_change(base, outcome_of(changed(*change)))
    assert sign * mean > 3.0 * error > 0.0, f"{name}: {mean:.3f} ± {error:.3f}"


def test_a_weaker_reaction_of_credit_supply_spares_todays_debt_and_lends_more(base, changed, outcome_of):
    """What is refinanced does not fail; what is lent in a bust fails later."""
    found = outcome_of(changed("lenders.supply_loss", 0.0))
    mean, error = paired_change(base, found, TODAY)
    assert mean < -3.0 * error < 0.0
    mean, error = paired_change(base, found, NEW)
    assert mean > 3.0 * error > 0.0


def test_losses_are_conserved_from_loans_to_bearers(five_years, base):
    system = base.losses[:, 0]
    by_instrument = base.components.sum(axis=1)
    np.testing.assert_allclose(by_instrument, system, rtol=1e-4, atol=1e-3)
    direct = np.asarray(five_years.lenders.holdings, np.float64) @ np.asarray(base.components[-1], np.float64)
    np.testing.assert_allclose(direct.sum(axis=0), system[-1], rtol=1e-4, atol=1e-3)


def test_default_month_and_cause_go_together(base):
    defaulted = base.default_month > 0
    assert ((base.cause > 0) == defaulted).all()
    assert base.cause.max() < len(CAUSES)


def test_a_loss_falls_with_the_revenue_of_the_path(five_years, base):
    revenue = base.trace[-1, five_years.names.series.index("revenue")]
    loss = base.losses[-1, 0]
    order = np.argsort(revenue)
    tenth = len(order) // 10
    assert loss[order[:tenth]].mean() > 2.0 * loss[order[-3 * tenth :]].mean()


def test_supply_stays_within_its_bounds(five_years, base):
    supply = base.trace[:, five_years.names.series.index("supply")]
    assert supply.min() >= -1e-6 and supply.max() <= 1.0
    assert supply.min() < 0.5, "no path has ever cut supply by half: the gauge is at its stop"


def test_few_paths_are_flagged(base):
    share = (base.flags > 0).mean()
    assert share < 1e-3, {name: int(((base.flags >> bit) & 1).sum()) for bit, name in enumerate(FLAGS)}


def test_without_networks_nobody_loses_more_than_directly(changed, outcome_of, five_years):
    off = outcome_of(changed(
        "mechanisms.lender_network", 0.0, "mechanisms.paper_sales", 0.0,
    ), FEW)  # fmt: skip
    first = len(off.losses[0]) - len(five_years.names.lenders)
    gross = off.losses[-1, first:]
    direct = np.asarray(five_years.lenders.holdings) @ off.components[-1]
    np.testing.assert_allclose(gross, direct, rtol=1e-4, atol=1e-3)


def test_without_step_in_guaranteed_loans_lose_more(changed, outcome_of, base, five_years):
    off = outcome_of(changed("mechanisms.step_in", 0.0))
    guaranteed = np.flatnonzero(np.asarray(five_years.loans.guarantee_cover))
    with_guarantee, without = (outcome.components[-1, guaranteed].sum() for outcome in (base, off))
    assert without > with_guarantee > 0.0


def test_no_new_money_without_build_up(changed, outcome_of):
    """Loans that start at zero grow by capex and by new debt in need, and by nothing else."""
    off = changed("mechanisms.build_up", 0.0)
    bridge = dataclasses.replace(off.firms.bridge, weight=jnp.zeros_like(off.firms.cash))
    off = eqx.tree_at(lambda s: s.firms.bridge, off, bridge)
    assert (outcome_of(off, FEW).losses[:, 2] == 0.0).all()


def test_more_capital_never_hurts_a_fund_itself(five_years, outcome_of):
    """A vehicle with more capital passes no more of its loss to those who lend to it."""
    richer = eqx.tree_at(lambda s: s.lenders.capital, five_years, five_years.lenders.capital * 1.5)
    off = dict.fromkeys(("funding_loop", "recession", "paper_sales"), jnp.float32(0.0))
    quiet = dataclasses.replace(five_years.numbers.mechanisms, **off)
    poor, rich = (
        outcome_of(eqx.tree_at(lambda s: s.numbers.mechanisms, system, quiet), FEW)
        for system in (five_years, richer)
    )
    np.testing.assert_array_equal(poor.losses[:, 0], rich.losses[:, 0])
    banks = 3 + len(five_years.names.instrument_classes) + five_years.names.lender_classes.index("BANK")
    assert (rich.losses[-1, banks] <= poor.losses[-1, banks] + 1e-3).all()


def test_pool_defaults_follow_the_closed_form(changed, outcome_of, five_years):
    """One regime, no links, no frailty: E[loss] = balance x LGD x (1 - exp(-hazard x T)), all else silent."""
    quiet = changed(
        "mechanisms.pool_links", 0.0, "mechanisms.build_up", 0.0, "credit.hazard_regime", [1.0, 1.0, 1.0],
        "credit.hazard_spread", 0.0, "credit.pool_stress", 0.0,
    )  # fmt: skip
    quiet = eqx.tree_at(lambda s: s.pools.frailty, quiet, jnp.zeros_like(quiet.pools.frailty))
    losses = np.asarray(outcome_of(quiet).components[-1], np.float64)
    pools, loans = five_years.pools, len(five_years.names.loans)
    for p, pool in enumerate(five_years.names.pools):
        members = np.flatnonzero((np.asarray(pools.obligor_pool) == p) & (np.asarray(pools.direct) > 0))
        if not len(members) or not float(pools.credit[p]):
            continue
        loss = losses[loans + members].sum(axis=0)
        expected = float(pools.balance[p] * pools.lgd[p]) * -np.expm1(-float(pools.hazard[p]) * MONTHS / 12)
        assert abs(loss.mean() - expected) < 4.0 * loss.std() / np.sqrt(loss.size), pool


def test_hazard_defaults_follow_the_closed_form(changed, outcome_of, five_years):
    """A big firm's only way to fail: P = 1 - exp(-hazard x T) when nothing multiplies its hazard."""
    plain = changed(
        "credit.hazard_regime", [1.0, 1.0, 1.0], "credit.hazard_stress", 0.0, "credit.hazard_spread", 0.0,
        "credit.hazard_contagion", 0.0,
    )  # fmt: skip
    plain = eqx.tree_at(
        lambda s: s.firms.hazard,
        plain,
        jnp.where(plain.firms.outside > 0, jnp.float32(0.05), plain.firms.hazard),
    )
    outcome = outcome_of(plain)
    expected = -np.expm1(-0.05 * MONTHS / 12)
    for i in np.flatnonzero(np.asarray(five_years.firms.outside)):
        got = (outcome.default_month[i] > 0).mean()
        assert (outcome.cause[i][outcome.cause[i] > 0] == HAZARD).all()
        # Eight firms: four and a half standard errors keep the family-wide error near one in 10,000.
        assert abs(got - expected) < 4.5 * np.sqrt(expected * (1 - expected) / outcome.path.size)
