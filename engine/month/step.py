"""A month of a path: the stages in the order in which they happen."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from engine.book.system import Month, System
from engine.month import (
    accounts,
    chips,
    collateral,
    contracts,
    credit,
    debt_service,
    economy,
    funding,
    hidden_debt,
    lenders,
    plant,
    policy,
    pools,
    revenue,
    supply,
)
from engine.month.inputs import Fate, Shocks
from engine.month.setting import Setting
from engine.numerics import all_finite
from engine.vocabulary import FLAGS


class State(eqx.Module):
    """What next month needs, and nothing else."""

    economy: economy.EconomyState
    own_value: Float[Array, "firms"]  # log, apart from the sector
    chips: chips.ChipState
    plants: plant.PlantState
    contracts: contracts.ContractState
    funding: debt_service.FundingState
    collateral: collateral.CollateralState
    credit: credit.CreditState
    pools: pools.PoolState
    lenders: lenders.LenderState
    supply: Float[Array, ""]
    belief: Float[Array, ""]  # share of hidden debt that lenders count
    legacy_loss: Float[Array, ""]  # cumulative, USD bn
    new_money_loss: Float[Array, ""]
    flags: Bool[Array, "flags"]


class Info(eqx.Module):
    """Everything that happened in a month; only a replay stores it."""

    economy: economy.Conditions
    chips: chips.ChipMarket
    revenue: revenue.Revenue
    plants: plant.Plant
    contracts: contracts.ContractFlows
    funding: funding.Funding
    hidden: hidden_debt.HiddenDebt
    collateral: collateral.Collateral
    loss: Float[Array, "instruments"]  # USD bn this month
    exposure: Float[Array, ""]  # USD bn
    lenders: lenders.LenderLosses
    policy_cost: Float[Array, "levers"]  # USD bn this month


def init(system: System) -> State:
    """A path at month 0."""
    zero = jnp.zeros((), jnp.float32)
    return State(
        economy=economy.init(system),
        own_value=jnp.zeros_like(system.firms.cash),
        chips=chips.init(system),
        plants=plant.init(system),
        contracts=contracts.init(system),
        funding=debt_service.init(system),
        collateral=collateral.init(system),
        credit=credit.init(system),
        pools=pools.init(system),
        lenders=lenders.init(system),
        supply=zero + 1.0,
        belief=zero,
        legacy_loss=zero,
        new_money_loss=zero,
        flags=jnp.zeros((len(FLAGS),), jnp.bool_),
    )


def meet(
    system: System, fate: Fate, state: State, month: Month, shocks: Shocks
) -> tuple[economy.EconomyState, chips.ChipState, Float[Array, "firms"], Setting]:
    """Economy, chip market and revenue: what every borrower meets before contracts are paid."""
    economy_state, conditions = economy.step(system, state.economy, state.supply, month, shocks)
    chip_state, chip_market = chips.step(system, fate, state.chips, conditions, month)
    own_value, income = revenue.step(system, fate, state.own_value, conditions, month, shocks.own)
    setting = Setting(month, state.credit.standing, conditions, chip_market, income)
    return economy_state, chip_state, own_value, setting


def step(system: System, fate: Fate, state: State, month: Month, shocks: Shocks) -> tuple[State, Info]:
    """One month, stage by stage, from the economy to the supply of credit."""
    economy_state, chip_state, own_value, setting = meet(system, fate, state, month, shocks)
    plants, delivery = plant.step(
        system, state.plants, state.collateral.pledged, state.contracts.size, state.funding.peak, setting
    )
    service = debt_service.service(system, state.funding, setting)
    means = debt_service.means(system, state.funding, service)
    contract_state, flows = contracts.step(system, state.contracts, setting, delivery, means, shocks.round)
    belief, hidden = hidden_debt.step(system, state.belief, setting, flows, state.funding.balance)
    owed = funding.Obligations(delivery, hidden)
    funds, financed = funding.step(system, state.funding, setting, service, flows, owed, shocks.extension)
    pledges, funds, tests = collateral.step(
        system, state.collateral, funds, setting, flows, financed, shocks.waiver
    )
    triggers = credit.Triggers(flows, financed, tests)
    credit_state, funds, pledges, defaults = credit.step(
        system, fate, state.credit, funds, pledges, setting, triggers
    )
    plants, seized = plant.close(system, plants, delivery, setting, financed.bought, credit_state.standing)
    pledges = collateral.take(pledges, seized)
    pool_state, pool_losses = pools.step(
        system, fate, state.pools, setting, credit_state.standing, financed, tests
    )
    losses = accounts.step(system, funds, defaults, pool_losses)
    lender_state, lender_losses = lenders.step(system, state.lenders, setting, losses.loss, losses.held)
    new_supply = supply.step(system, lender_losses)
    broken = ~all_finite((state, shocks, losses, new_supply))
    return State(
        economy_state, own_value, chip_state, plants, contract_state, funds, pledges, credit_state,
        pool_state, lender_state,
        supply=new_supply, belief=belief, legacy_loss=state.legacy_loss + losses.total - losses.new_money,
        new_money_loss=state.new_money_loss + losses.new_money,
        flags=state.flags | accounts.flags(flows, tests, lender_losses, broken),
    ), Info(
        setting.economy, setting.chips, setting.revenue, delivery, flows, financed, hidden, tests,
        losses.loss, losses.exposure, lender_losses,
        policy_cost=policy.costs(system, state.supply, setting.economy, flows.aid, financed.lending),
    )  # fmt: skip
