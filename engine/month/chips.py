"""Chips: releases, obsolescence, utilisation, rent, capex, fleet and value (docs/model.md, section 2)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.contagion.valuation import income_value
from engine.month.economy import Conditions
from engine.month.inputs import Fate
from engine.numerics import indicator
from engine.vocabulary import HOURS, MONTH


class ChipState(eqx.Module):
    """Log obsolescence of rent, fleet (million units), pace of capex against plan, demand over capacity."""

    obsolescence: Float[Array, "gens"]
    fleet: Float[Array, "gens"]
    capex_pace: Float[Array, ""]
    ordered_pace: Float[Array, ""]  # at which what comes this month was ordered
    tightness: Float[Array, ""]  # one at month 0
    value: Float[Array, "gens"]  # at which chips are appraised, thousand USD
    accounts: Float[Array, "gens"]  # book value of the fleet, USD bn
    charge: Float[Array, "gens"]  # its depreciation, USD bn a year


class ChipMarket(eqx.Module):
    """What the other stages read of this month's chip market."""

    utilisation: Float[Array, ""]  # index against capacity
    hours: Float[Array, ""]  # share of hours sold
    rent: Float[Array, "gens"]  # USD per hour
    value: Float[Array, "gens"]  # appraised, thousand USD: income value at the scale of prices, with a lag
    earnings: Float[Array, "gens"]  # thousand USD a year net of running cost, not negative
    idle: Float[Array, "gens"]  # 1 where a chip does not earn its running cost
    mix: Float[Array, "gens"]  # of purchases
    capex: Float[Array, ""]  # sector, USD bn a year
    capex_pace: Float[Array, ""]
    capex_answer: Float[Array, ""]  # to last month's utilisation, of all planned capex
    ordered_pace: Float[Array, ""]
    bought: Float[Array, ""]  # million units this month
    accounting_value: Float[Array, "gens"]  # of a chip in its owner's books, thousand USD
    stress: Float[Array, ""]  # log shortfall of rents against the underwritten path


def init(system: System) -> ChipState:
    """The fleet of month 0."""
    table = system.chips
    one, cost = jnp.ones((), jnp.float32), table.installed * table.list_price
    accounts = cost * jnp.maximum(1.0 - table.age_start / table.accounting_life, 0.0)
    charge = cost / table.accounting_life
    value = jnp.maximum(table.price_start - system.numbers.chips.scrap * table.list_price, 0.0)
    return ChipState(jnp.zeros_like(cost), table.installed, one, one, one, value, accounts, charge)


def depreciate(
    system: System, state: ChipState, bought: Float[Array, "gens"], survival: Float[Array, "gens"]
) -> tuple[Float[Array, "gens"], Float[Array, "gens"]]:
    """Book value and yearly charge after a month, straight line over the accounting life, no residual.

    Exact without vintages until the oldest purchase of a path has reached that life.
    """
    cost = bought * system.chips.list_price
    accounts = jnp.maximum(state.accounts + cost - state.charge * MONTH, 0.0)
    return accounts * survival, (state.charge + cost / system.chips.accounting_life) * survival


def obsolescence(
    system: System, fate: Fate, state: ChipState, economy: Conditions, time: Float[Array, ""]
) -> Float[Array, "gens"]:
    """Log obsolescence after a month of ageing and this month's releases."""
    chips = system.numbers.chips
    generations = state.obsolescence.shape[0]
    newer = jnp.triu(jnp.ones((generations, generations), jnp.float32), 1)
    released_now = indicator(fate.release == time) * fate.release_effect
    ageing = system.chips.ageing * MONTH + chips.technology_volatility * MONTH**0.5 * economy.technology
    in_use = indicator(fate.release < time)
    return state.obsolescence + in_use * (ageing + newer @ released_now)


def purchases(system: System, released: Float[Array, "gens"]) -> Float[Array, "gens"]:
    """Share of chip purchases by generation: the newest and the one before it."""
    newest_share = system.numbers.chips.capex_newest_share
    zero = jnp.zeros((1,), jnp.float32)
    newest = released * (1.0 - jnp.concatenate([released[1:], zero]))
    return newest_share * newest + (1.0 - newest_share) * jnp.concatenate([newest[1:], zero])


def capex_pace(
    system: System, state: ChipState, economy: Conditions
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Pace of capex against plan by regime and credit, and what last month's market makes of it.

    c' = c + speed (target (1 - capex_credit (1 - S)) - c) dt;  answer = clip(sqrt(U/U0), bounds)
    """
    chips = system.numbers.chips
    target = jnp.sum(economy.regime * chips.capex_target) * (
        1.0 - chips.capex_credit * (1.0 - economy.supply)
    )
    pace = state.capex_pace + chips.capex_speed * (target - state.capex_pace) * MONTH
    # Last month's market, so that this month's demand meets this month's deliveries.
    answer = jnp.clip(jnp.sqrt(state.tightness), chips.capex_bounds[0], chips.capex_bounds[1])
    return pace, answer


def tightness_of(system: System, economy: Conditions, supplied: Float[Array, "gens"]) -> Float[Array, ""]:
    """Demand over capacity: K0 (R/R0)^elasticity / K, with K = 8.76 sum of `supplied`."""
    capacity = HOURS * jnp.sum(supplied)
    growth = economy.revenue / system.numbers.economy.revenue
    demand = system.chips.capacity_start * growth**system.numbers.chips.demand_elasticity
    return demand / capacity


def bought_per_usd(system: System, market: ChipMarket) -> Float[Array, "gens"]:
    """Million units of each generation that a USD bn spent on chips buys."""
    return market.mix / system.chips.list_price


def stress_of(
    system: System, aged: Float[Array, "gens"], multiplier: Float[Array, ""], time: Float[Array, ""]
) -> Float[Array, ""]:
    """Log shortfall of rents of the generations of month 0 against the path that lenders planned on."""
    chips, existing = system.numbers.chips, system.chips.existing
    mean_age = jnp.sum(aged * existing) / jnp.sum(existing)
    shortfall = mean_age - jnp.log(multiplier) - system.chips.decline * time * MONTH
    return jnp.clip(shortfall, chips.stress_bounds[0], chips.stress_bounds[1])


def step(
    system: System, fate: Fate, state: ChipState, economy: Conditions, month: Month
) -> tuple[ChipState, ChipMarket]:
    """One month of the chip market."""
    chips, table = system.numbers.chips, system.chips
    time = month.month.astype(jnp.float32)
    released = indicator(fate.release <= time)
    aged = obsolescence(system, fate, state, economy, time)

    pace, answer = capex_pace(system, state, economy)
    ordered = state.ordered_pace + (pace - state.ordered_pace) / chips.order_months
    capex = month.capex * pace * answer
    mix = purchases(system, released)
    bought = chips.capex_chip_share * capex * MONTH * mix / table.list_price
    installed = state.fleet + bought

    earning_power = table.rental * jnp.exp(-aged)
    tightness = tightness_of(system, economy, installed * earning_power * released)
    multiplier = jnp.clip(tightness**chips.rent_elasticity, chips.rent_bounds[0], chips.rent_bounds[1])
    rent = earning_power * multiplier
    busy = chips.utilisation * tightness**chips.hours_elasticity
    hours = jnp.clip(busy, chips.hours_bounds[0], chips.hours_bounds[1])

    running_cost = table.operating_cost * economy.power
    idle = hours * rent < chips.idle_margin * running_cost
    survival = 1.0 - jnp.where(idle, chips.retire_idle, chips.failure) * MONTH
    fleet = installed * survival
    accounts, charge = depreciate(system, state, bought, survival)

    discount_rate = economy.rate + chips.chip_spread * economy.spread
    income = table.price_scale * income_value(
        HOURS * hours * rent, HOURS * running_cost, discount_rate, table.decline
    )
    value = state.value + (income - state.value) / chips.appraisal_months
    return ChipState(aged, fleet, pace, ordered, tightness, value, accounts, charge), ChipMarket(
        utilisation=chips.utilisation * tightness,
        hours=hours,
        rent=rent,
        value=value,
        earnings=jnp.maximum(HOURS * (hours * rent - running_cost), 0.0),
        idle=indicator(idle),
        mix=mix,
        capex=capex,
        capex_pace=pace,
        capex_answer=answer,
        ordered_pace=ordered,
        bought=jnp.sum(bought),
        accounting_value=jnp.where(fleet > 0.0, accounts / jnp.where(fleet > 0.0, fleet, 1.0), 0.0),
        stress=stress_of(system, aged, multiplier, time),
    )
