"""Pools of unnamed obligors, leased sites, and the tranches on them (docs/model.md, section 7)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.contagion.waterfall import tranche_loss
from engine.month import policy
from engine.month.collateral import Collateral
from engine.month.economy import Conditions
from engine.month.funding import Funding
from engine.month.inputs import Fate
from engine.month.setting import Setting, Standing
from engine.numerics import indicator
from engine.vocabulary import MONTH

NOTHING = 1e-6
"""Share of debt; what is left below this is the rounding of float32."""


class PoolState(eqx.Module):
    """By pool: hazard, new money (USD bn), share of debt left, months short of rent, loss so far (share)."""

    hazard: Float[Array, "pools"]
    new_money: Float[Array, "pools"]
    debt: Float[Array, "pools"]
    short_months: Float[Array, "pools"]
    loss_share: Float[Array, "pools"]


class Pools(eqx.Module):
    """Losses of the month (USD bn)."""

    obligor_loss: Float[Array, "obligors"]
    tranche_loss: Float[Array, "tranches"]
    new_money_loss: Float[Array, ""]
    exposure: Float[Array, ""]


def init(system: System) -> PoolState:
    """Pools of the book, nothing lost."""
    zero = jnp.zeros_like(system.pools.balance)
    return PoolState(zero, zero, zero + 1.0, zero, zero)


def lease_month(
    system: System,
    state: PoolState,
    economy: Conditions,
    stress: Float[Array, ""],
    lost: Float[Array, "pools"],
    time: Float[Array, ""],
) -> tuple[Float[Array, "pools"], Float[Array, "pools"], Float[Array, "pools"]]:
    """Rents of leased sites: cash trap, turbo, reserve, and liquidation when the reserve is gone.

    Returns the share of debt left, months short of rent, and loss of the month (share of the notional).
    Past the anticipated repayment date, debt that the market would not refinance is paid from all spare cash.
    """
    credit, table = system.numbers.credit, system.pools
    rent = 1.0 - lost * (1.0 - table.relet * jnp.exp(-jnp.maximum(stress, 0.0)))
    value = rent * economy.spread**credit.abs_cap_rate
    owes = state.debt > NOTHING
    dscr = jnp.where(owes, table.dscr * rent / jnp.where(owes, state.debt, 1.0), credit.dscr_cap)
    turbo = jnp.maximum(dscr - 1.0, 0.0) * credit.abs_coupon * state.debt * MONTH
    due = (table.repayment_month > 0.0) & (time >= table.repayment_month)
    late = due & (state.debt > economy.access * value)
    trapped = (dscr < credit.abs_trap) | late
    debt = state.debt - jnp.where(trapped, jnp.minimum(turbo, state.debt), 0.0)
    short_months = jnp.where(dscr < 1.0, state.short_months + 1.0, jnp.maximum(state.short_months - 1.0, 0.0))
    failed = short_months > credit.abs_reserve_months
    shortfall = jnp.clip(debt - value * (1.0 - credit.abs_sale_cost) / table.ltv, 0.0, debt)
    lease = 1.0 - table.credit
    return (
        jnp.where(failed & (lease > 0.0), 0.0, jnp.where(lease > 0.0, debt, state.debt)),
        short_months * lease,
        jnp.where(failed, shortfall, 0.0) * lease,
    )


def hazard_of(system: System, fate: Fate, state: PoolState, economy: Conditions) -> Float[Array, "pools"]:
    """Cumulative hazard after the month.

    hazard frailty h X^b + refinancing_link link (refinancing_start - access)+
    """
    credit, table = system.numbers.credit, system.pools
    links = system.numbers.mechanisms.pool_links
    base = table.hazard * fate.frailty * economy.hazard_multiplier * economy.spread**credit.hazard_spread
    missing = jnp.maximum(credit.refinancing_start - economy.access, 0.0)
    return state.hazard + MONTH * (base + links * credit.refinancing_link * table.refinancing_link * missing)


def loss_given_default(
    system: System, stress: Float[Array, ""], gap: Float[Array, ""]
) -> Float[Array, "pools"]:
    """LGD = clip(lgd (1 + pool_stress stress+) + chip_link link gap, 0, worst_lgd)."""
    credit, table = system.numbers.credit, system.pools
    links = system.numbers.mechanisms.pool_links
    softened = table.lgd * (1.0 + credit.pool_stress * jnp.maximum(stress, 0.0))
    return jnp.clip(softened + links * credit.chip_link * table.chip_link * gap, 0.0, credit.worst_lgd)


def step(
    system: System,
    fate: Fate,
    state: PoolState,
    setting: Setting,
    standing: Standing,
    funding: Funding,
    collateral: Collateral,
) -> tuple[PoolState, Pools]:
    """One month of every pool. `standing` is that after this month's defaults."""
    table, economy, stress = system.pools, setting.economy, setting.chips.stress
    hazard = hazard_of(system, fate, state, economy)
    fallen_before = indicator(fate.threshold_obligors <= state.hazard[table.obligor_pool])
    fallen = indicator(fate.threshold_obligors <= hazard[table.obligor_pool])
    newly = fallen - fallen_before
    lgd = loss_given_default(system, stress, collateral.gap)

    notional = table.balance + state.new_money
    lost_share = (table.obligor_share @ newly) * lgd * table.credit
    lost_rent = table.tenants_named @ (1.0 - standing.operating) + table.tenants_synthetic @ fallen
    time = setting.month.month.astype(jnp.float32)
    debt, short_months, shortfall = lease_month(system, state, economy, stress, lost_rent, time)
    loss_share = state.loss_share + lost_share + shortfall

    k = table.tranche_pool
    after = tranche_loss(loss_share[k], table.attachment, table.detachment)
    before = tranche_loss(state.loss_share[k], table.attachment, table.detachment)
    tranches = (after - before) * notional[k]
    obligors = newly * ((notional * lgd * table.credit) @ table.obligor_share) * table.direct
    young = state.new_money / notional
    new_money_loss = jnp.sum(obligors * young[table.obligor_pool]) + jnp.sum(tranches * young[k])

    lent = table.origination_share * policy.by_funds(setting.month, table.fund_share)
    new_money = state.new_money + lent * funding.origination
    outstanding = jnp.where(table.credit > 0.0, table.obligor_share @ (1.0 - fallen), debt)
    return PoolState(hazard, new_money, debt, short_months, loss_share), Pools(
        obligor_loss=obligors,
        tranche_loss=tranches,
        new_money_loss=new_money_loss,
        exposure=jnp.sum((table.balance + new_money) * outstanding),
    )
