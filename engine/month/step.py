"""A month of a path: the stages in the order in which they happen."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from engine.book.system import Month, System
from engine.month import (
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
    """Everything a month tells; only a replay keeps it."""

    economy: economy.Economy
    chips: chips.Chips
    contracts: contracts.Contracts
    funding: funding.Funding
    hidden: hidden_debt.HiddenDebt
    collateral: collateral.Collateral
    loss: Float[Array, "instruments"]  # USD bn this month
    exposure: Float[Array, ""]
    lenders: lenders.Lenders
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
    alive, operating = state.credit.alive, state.credit.operating
    supplied = jnp.maximum(state.supply, month.supply_floor)
    new_economy, now = economy.step(system, state.economy, supplied, shocks)
    new_chips, market = chips.step(system, fate, state.chips, now, month)
    income = revenue.step(system, fate, now, month)
    owed = funding.service(system, state.funding, now, income.value, month, alive, operating)
    means = contracts.Means(
        cash=state.funding.cash,
        reserved=system.loans.borrowed @ (owed.interest + owed.amortisation),
        capacity=owed.capacity,
        undrawn=owed.undrawn + owed.spare_debt,
    )
    new_contracts, web = contracts.step(system, state.contracts, now, market, income, month, means, operating)
    new_belief, hidden = hidden_debt.step(
        system, state.belief, now, state.funding.balance, web.size, month, alive, operating
    )
    funds, raised = funding.step(
        system, state.funding, now, market, web, owed, hidden.counted, income.value, month, shocks.extension,
        alive, operating,
    )  # fmt: skip
    pledges, funds, tested = collateral.step(
        system, state.collateral, funds, market, web, owed, raised, month, shocks.waiver, alive
    )
    new_credit, funds, pledges, fallen = credit.step(
        system, fate, state.credit, funds, pledges, now, market, web, raised, hidden.counted, tested, month
    )
    new_pools, pooled = pools.step(
        system, fate, state.pools, now, market.stress, tested.gap, raised.origination, month,
        new_credit.operating,
    )  # fmt: skip
    loss = jnp.concatenate([fallen.loss, pooled.obligor_loss, pooled.tranche_loss])
    exposure = jnp.sum(funds.balance) + pooled.exposure
    new_lenders, recognised = lenders.step(system, state.lenders, now, loss, exposure, month)
    new_supply = supply.step(system, state.supply, recognised)

    total = jnp.sum(loss)
    young = jnp.sum(fallen.loss * system.loans.new_money) + pooled.new_money_loss
    raised_flags = jnp.stack(
        [
            web.unsettled > 0.0,
            tested.unsettled > 0.0,
            recognised.unsettled > 0.0,
            ~jnp.isfinite(total + new_supply),
        ]
    )
    return State(
        economy=new_economy,
        chips=new_chips,
        contracts=new_contracts,
        funding=funds,
        collateral=pledges,
        credit=new_credit,
        pools=new_pools,
        lenders=new_lenders,
        supply=new_supply,
        belief=new_belief,
        legacy_loss=state.legacy_loss + total - young,
        new_money_loss=state.new_money_loss + young,
        flags=state.flags | raised_flags,
    ), Info(
        economy=now,
        chips=market,
        contracts=web,
        funding=raised,
        hidden=hidden,
        collateral=tested,
        loss=loss,
        exposure=exposure,
        lenders=recognised,
        policy_cost=policy.costs(system, state.supply, now, web.aid, raised.lending),
    )
