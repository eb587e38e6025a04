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
    economy,
    funding,
    hidden_debt,
    lenders,
    policy,
    pools,
    revenue,
    supply,
)
from engine.month.inputs import Fate, Shocks
from engine.month.setting import Setting
from engine.vocabulary import FLAGS


class State(eqx.Module):
    """What next month needs, and nothing else."""

    economy: economy.EconomyState
    chips: chips.ChipState
    contracts: contracts.ContractState
    funding: funding.FundingState
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
        chips=chips.init(system),
        contracts=contracts.init(system),
        funding=funding.init(system),
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


def step(system: System, fate: Fate, state: State, month: Month, shocks: Shocks) -> tuple[State, Info]:
    """One month, stage by stage, from the economy to the supply of credit."""
    standing = state.credit.standing
    economy_state, conditions = economy.step(system, state.economy, state.supply, month, shocks)
    chip_state, chip_market = chips.step(system, fate, state.chips, conditions, month)
    income = revenue.step(system, fate, conditions, month)
    setting = Setting(month, standing, conditions, chip_market, income)

    service = funding.service(system, state.funding, setting)
    means = funding.means(system, state.funding, service)
    contract_state, flows = contracts.step(system, state.contracts, setting, means)
    belief, hidden = hidden_debt.step(system, state.belief, setting, flows, state.funding.balance)
    funds, financed = funding.step(system, state.funding, setting, service, flows, hidden, shocks.extension)
    pledges, funds, tests = collateral.step(
        system, state.collateral, funds, setting, flows, financed, shocks.waiver
    )
    triggers = credit.Triggers(flows, financed, tests)
    credit_state, funds, pledges, defaults = credit.step(
        system, fate, state.credit, funds, pledges, setting, triggers
    )
    pool_state, pool_losses = pools.step(
        system, fate, state.pools, setting, credit_state.standing, financed, tests
    )
    losses = accounts.step(system, funds, defaults, pool_losses)
    lender_state, lender_losses = lenders.step(system, state.lenders, setting, losses.loss, losses.exposure)
    new_supply = supply.step(system, state.supply, lender_losses)
    return State(
        economy_state, chip_state, contract_state, funds, pledges, credit_state, pool_state, lender_state,
        supply=new_supply, belief=belief, legacy_loss=state.legacy_loss + losses.total - losses.new_money,
        new_money_loss=state.new_money_loss + losses.new_money,
        flags=state.flags | accounts.flags(flows, tests, lender_losses, losses, new_supply),
    ), Info(
        conditions, chip_market, flows, financed, hidden, tests, losses.loss, losses.exposure, lender_losses,
        policy_cost=policy.costs(system, state.supply, conditions, flows.aid, financed.lending),
    )  # fmt: skip
