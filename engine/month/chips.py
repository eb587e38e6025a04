"""Chips: releases, obsolescence, utilisation, rent, capex, fleet and value (docs/model.md, section 2)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.contagion.valuation import income_value
from engine.month.economy import Economy
from engine.month.inputs import Fate
from engine.numerics import indicator
from engine.vocabulary import HOURS, MONTH


class ChipState(eqx.Module):
    """Log obsolescence of rent, fleet (million units), pace of capex against plan, demand over capacity."""

    obsolescence: Float[Array, "gens"]
    fleet: Float[Array, "gens"]
    capex_pace: Float[Array, ""]
    tightness: Float[Array, ""]  # one at month 0
    accounts: Float[Array, "gens"]  # book value of the fleet, USD bn
    charge: Float[Array, "gens"]  # its depreciation, USD bn a year
    age: Float[Array, "gens"]  # mean age of the fleet, years


class Chips(eqx.Module):
    """What the other stages read of this month's chip market."""

    utilisation: Float[Array, ""]  # index against capacity
    hours: Float[Array, ""]  # share of hours sold
    rent: Float[Array, "gens"]  # USD per hour
    value: Float[Array, "gens"]  # income value, thousand USD, scaled to observed prices
    earnings: Float[Array, "gens"]  # thousand USD a year net of running cost, not negative
    mix: Float[Array, "gens"]  # of purchases
    capex: Float[Array, ""]  # sector, USD bn a year
    capex_pace: Float[Array, ""]
    bought: Float[Array, ""]  # million units this month
    accounting_value: Float[Array, "gens"]  # of a chip in its owner's books, thousand USD
    stress: Float[Array, ""]  # log shortfall of rents against the underwritten path


def init(system: System) -> ChipState:
    """The fleet of month 0."""
    table = system.chips
    one, cost = jnp.ones((), jnp.float32), table.installed * table.list_price
    accounts = cost * jnp.maximum(1.0 - table.age_start / table.accounting_life, 0.0)
    charge = cost / table.accounting_life
    return ChipState(jnp.zeros_like(cost), table.installed, one, one, accounts, charge, table.age_start)


def older(age, fleet, installed):
    """Mean age after a month (years): what is bought new dilutes it, what is retired leaves it as it is."""
    some = installed > 0.0
    return jnp.where(some, (age + MONTH) * fleet / jnp.where(some, installed, 1.0), 0.0)


def depreciate(system: System, state: ChipState, bought, kept):
    """Book value and yearly charge after a month, straight line over the accounting life, no residual.

    Exact without vintages until the oldest purchase of a path has reached that life.
    """
    cost = bought * system.chips.list_price
    accounts = jnp.maximum(state.accounts + cost - state.charge * MONTH, 0.0)
    return accounts * kept, (state.charge + cost / system.chips.accounting_life) * kept


def obsolescence(system: System, fate: Fate, state: ChipState, economy: Economy, month):
    """Log obsolescence after a month of ageing and this month's releases."""
    chips = system.numbers.chips
    generations = state.obsolescence.shape[0]
    newer = jnp.triu(jnp.ones((generations, generations), jnp.float32), 1)
    released_now = indicator(fate.release == month) * fate.release_effect
    ageing = chips.ageing * MONTH + chips.technology_volatility * MONTH**0.5 * economy.technology
    in_use = indicator(fate.release < month)
    return state.obsolescence + in_use * (ageing + newer @ released_now)


def purchases(system: System, released):
    """Share of chip purchases by generation: the newest and the one before it."""
    newest_share = system.numbers.chips.capex_newest_share
    zero = jnp.zeros((1,), jnp.float32)
    newest = released * (1.0 - jnp.concatenate([released[1:], zero]))
    return newest_share * newest + (1.0 - newest_share) * jnp.concatenate([newest[1:], zero])


def step(
    system: System, fate: Fate, state: ChipState, economy: Economy, month: Month
) -> tuple[ChipState, Chips]:
    """One month of the chip market."""
    chips, table = system.numbers.chips, system.chips
    time = month.month.astype(jnp.float32)
    released = indicator(fate.release <= time)
    aged = obsolescence(system, fate, state, economy, time)

    # Capex answers last month's market, so that this month's demand meets this month's deliveries.
    target = jnp.sum(economy.regime * chips.capex_target) * (1.0 - 0.5 * (1.0 - economy.supply))
    pace = state.capex_pace + chips.capex_speed * (target - state.capex_pace) * MONTH
    answer = jnp.clip(jnp.sqrt(state.tightness), chips.capex_bounds[0], chips.capex_bounds[1])
    capex = month.capex * pace * answer
    mix = purchases(system, released)
    bought = chips.capex_chip_share * capex * MONTH * mix / table.list_price
    installed = state.fleet + bought

    earning_power = table.rental * jnp.exp(-aged)
    capacity = HOURS * jnp.sum(installed * earning_power * released)
    demand = (
        table.capacity_start * (economy.revenue / system.numbers.economy.revenue) ** chips.demand_elasticity
    )
    tightness = demand / capacity
    multiplier = jnp.clip(tightness**chips.rent_elasticity, chips.rent_bounds[0], chips.rent_bounds[1])
    rent = earning_power * multiplier
    hours = jnp.clip(chips.utilisation * tightness**0.3, 0.35, 0.95)

    running_cost = table.operating_cost * economy.power
    idle = hours * rent < 1.05 * running_cost
    retired = jnp.where(idle, chips.retire_idle, chips.retire)
    kept = 1.0 - retired * MONTH
    fleet = installed * kept
    accounts, charge = depreciate(system, state, bought, kept)

    age = older(state.age, state.fleet, installed)
    life = jnp.maximum(chips.life - age, chips.least_life)
    discount_rate = economy.rate + chips.chip_spread * economy.spread
    value = table.price_scale * income_value(
        HOURS * hours * rent, HOURS * running_cost, discount_rate, chips.underwritten_decline, life
    )
    mean_age = jnp.sum(aged * table.existing) / jnp.sum(table.existing)
    stress = jnp.clip(mean_age - jnp.log(multiplier) - chips.underwritten_decline * time * MONTH, -0.5, 1.5)
    return ChipState(aged, fleet, pace, tightness, accounts, charge, age), Chips(
        utilisation=chips.utilisation * tightness,
        hours=hours,
        rent=rent,
        value=value,
        earnings=jnp.maximum(HOURS * (hours * rent - running_cost), 0.0),
        mix=mix,
        capex=capex,
        capex_pace=pace,
        bought=jnp.sum(bought),
        accounting_value=jnp.where(fleet > 0.0, accounts / jnp.where(fleet > 0.0, fleet, 1.0), 0.0),
        stress=stress,
    )
