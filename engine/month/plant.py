"""Plant: chips of operators, what they deliver, what free capacity earns (docs/model.md, section 2)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.chips import ChipMarket, bought_per_usd
from engine.month.setting import Setting, Standing
from engine.numerics import indicator, ratio
from engine.vocabulary import HOURS, MONTH


class PlantState(eqx.Module):
    """Chips free of pledge (million units), capacity online, months of short delivery."""

    owned: Float[Array, "operators gens"]
    online: Float[Array, "firms"]  # USD bn a year at the rents of the book
    late: Float[Array, "firms"]  # months


class Plant(eqx.Module):
    """What the other stages read of this month's plants."""

    installed: Float[Array, "firms"]  # capacity, USD bn a year at the rents of the book
    online: Float[Array, "firms"]
    needed: Float[Array, "firms"]  # by contracts, USD bn a year
    needed_ahead: Float[Array, "firms"]  # a year from now
    delivered: Float[Array, "firms"]  # share of contracts
    lost: Float[Array, "firms"]  # share of contract size that customers take away this month
    rent: Float[Array, "firms"]  # of its chips over their first rent, at most 1
    spot: Float[Array, "firms"]  # income of free capacity, USD bn a year
    spot_ahead: Float[Array, "firms"]
    free: Float[Array, "firms"]  # share of the plant that serves no contract


def init(system: System) -> PlantState:
    """Plants of month 0, all contracts delivered."""
    plants = system.plants
    return PlantState(plants.owned, plants.online, jnp.zeros_like(plants.online))


def unit_capacity(system: System) -> Float[Array, "gens"]:
    """USD bn a year that a million units earn at the book's rents and normal utilisation."""
    return HOURS * system.numbers.chips.utilisation * system.chips.rental


def of_plant(
    system: System,
    owned: Float[Array, "operators gens"],
    pledged: Float[Array, "collateralised gens"],
    each: Float[Array, "gens"],
) -> Float[Array, "firms"]:
    """Sum of `each` over all chips of a firm, pledged or not; 0 for firms that are no operators."""
    of_loans = system.loans.borrowed.first(pledged.shape[0]) @ (pledged @ each)
    return system.plants.owner @ (owned @ each) + system.firms.operator * of_loans


def needed(
    system: System, size: Float[Array, "contracts"], amount: Float[Array, "contracts"]
) -> Float[Array, "firms"]:
    """What compute contracts pay at an `amount` (USD bn a year), by operator."""
    table = system.contracts
    return system.firms.operator * (table.sold @ (table.compute * size * amount))


def built(system: System, peak: Float[Array, "loans"]) -> Float[Array, "firms"]:
    """Share of a site that was financed: what was ever lent for it, over what was planned."""
    borrowed = system.loans.borrowed
    return ratio(borrowed @ peak, borrowed @ system.loans.planned, 1.0)


def step(
    system: System,
    state: PlantState,
    pledged: Float[Array, "collateralised gens"],
    size: Float[Array, "contracts"],
    peak: Float[Array, "loans"],
    setting: Setting,
) -> tuple[PlantState, Plant]:
    """Delivery of the month. `pledged`, contract `size` and loans' `peak` are those of last month."""
    chips, numbers, market = system.numbers.chips, system.numbers.contracts, setting.chips
    plant_on, operating, month = system.numbers.mechanisms.plant, setting.standing.operating, setting.month
    first = of_plant(system, state.owned, pledged, system.chips.rental)
    installed = HOURS * chips.utilisation * first * operating
    arrived = jnp.maximum(installed - state.online, 0.0) / chips.installation_months
    online = jnp.minimum(installed, state.online + arrived)

    today = of_plant(system, state.owned, pledged, market.rent)
    rent = 1.0 - plant_on * (1.0 - jnp.minimum(ratio(today, first, 1.0), 1.0))
    renewal = setting.economy.by_regime(numbers.renewal) * rent[system.contracts.seller]
    need = needed(system, size, month.term + renewal * month.after) * operating
    need_ahead = needed(system, size, month.term_ahead + renewal * month.after_ahead) * operating

    served = jnp.where(system.firms.project > 0.0, built(system, peak), ratio(online, need, 1.0))
    delivered = 1.0 - plant_on * (1.0 - jnp.minimum(served, 1.0))
    short = indicator(delivered < 1.0 - chips.delivery_tolerance)
    late = (state.late + 1.0) * short * system.firms.operator
    leaves = indicator(late > numbers.non_delivery_months) / numbers.renegotiation_months

    free = plant_on * ratio(jnp.maximum(online - need, 0.0), installed, 0.0)
    free_ahead = plant_on * ratio(jnp.maximum(online - need_ahead, 0.0), installed, 0.0)
    earned = of_plant(system, state.owned, pledged, market.earnings)
    return PlantState(state.owned, online, late), Plant(
        installed=installed,
        online=online,
        needed=need,
        needed_ahead=need_ahead,
        delivered=delivered,
        lost=(1.0 - delivered) * leaves,
        rent=rent,
        spot=free * earned,
        spot_ahead=free_ahead * earned * jnp.exp(-system.chips.decline),
        free=free,
    )


def survivors(
    system: System, market: ChipMarket, free: Float[Array, "operators"]
) -> Float[Array, "operators gens"]:
    """Share of a firm's own chips that outlive the month: some fail, idle ones that are free retire."""
    chips = system.numbers.chips
    retired = free[:, None] * market.idle[None, :] * (chips.retire_idle - chips.failure)
    return 1.0 - (chips.failure + retired) * MONTH


def cost_of_capacity(system: System, market: ChipMarket) -> Float[Array, ""]:
    """Chips for a USD bn a year of capacity at this month's mix (USD bn)."""
    units = market.mix @ unit_capacity(system)
    return (market.mix @ system.chips.list_price) / units


def upkeep(
    system: System, plant: Plant, market: ChipMarket
) -> tuple[Float[Array, "firms"], Float[Array, "firms"]]:
    """Capex for what contracts will need in a year, and for chips under contract that fail (USD bn)."""
    chips = system.numbers.chips
    cost = system.numbers.mechanisms.plant * cost_of_capacity(system, market) / chips.plant_chip_share
    growth = jnp.maximum(plant.needed_ahead - plant.installed, 0.0) * cost / chips.order_months
    return growth, chips.failure * MONTH * jnp.minimum(plant.installed, plant.needed) * cost


def close(
    system: System,
    state: PlantState,
    plant: Plant,
    setting: Setting,
    bought: Float[Array, "firms"],
    standing: Standing,
) -> tuple[PlantState, Float[Array, "gens"]]:
    """Chips at the end of the month, and those of the bankrupt, which go to lenders (million units).

    `bought` is what was spent on chips free of pledge (USD bn), `standing` that after this month's defaults.
    """
    market = setting.chips
    owner = system.plants.owner
    bankrupt = (setting.standing.operating * (1.0 - standing.operating)) @ owner
    units = (bought @ owner)[:, None] * bought_per_usd(system, market)[None, :]
    owned = state.owned * survivors(system, market, plant.free @ owner) + units
    seized = bankrupt @ owned
    return PlantState(owned * (1.0 - bankrupt)[:, None], state.online, state.late), seized
