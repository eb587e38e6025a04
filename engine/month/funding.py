"""Funding: debt service, maturities, new equity and debt, capex last (docs/model.md, section 4)."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month import policy
from engine.month.contracts import ContractFlows
from engine.month.debt_service import FundingState, Service, can_bridge
from engine.month.hidden_debt import HiddenDebt
from engine.month.plant import Plant, upkeep
from engine.month.refinancing import extend_by_right, refinance, renew
from engine.month.setting import Setting
from engine.month.terms import Terms, terms
from engine.numerics import indicator
from engine.vocabulary import MONTH


class Obligations(eqx.Module):
    """What weighs on a firm beside its debt: plants to build for contracts, debt off the balance sheet."""

    plant: Plant
    hidden: HiddenDebt


class Funding(eqx.Module):
    """What the other stages read of this month's funding (USD bn)."""

    unmet: Float[Array, "firms"]
    exchange: Float[Array, "firms"]  # 1 where creditors take a distressed exchange
    limit: Float[Array, "firms"]  # debt capacity
    counted: Float[Array, "firms"]  # hidden debt that lenders count against it
    debt_service: Float[Array, "loans"]  # interest and amortisation due
    spare_equity: Float[Array, "firms"]  # that could still be raised this month
    bought: Float[Array, "firms"]  # spent on chips free of pledge
    drawn: Float[Array, "loans"]  # this month, as committed
    lent: Float[Array, "loans"]  # newly this month, other than refinancing
    origination: Float[Array, ""]  # of the sector, shared by loans and pools
    lending: policy.Lending


def capex_wanted(
    system: System, setting: Setting, plant: Plant, size: Float[Array, "contracts"]
) -> tuple[Float[Array, "firms"], Float[Array, "firms"]]:
    """Capex of the month that a firm wants, and the part of it that was ordered ahead (USD bn).

    Its plan at the sector's pace, or more where contracts will need more in a year; and chips that fail.
    Of the plan, at the pace of when it was ordered, and of what contracts will need, `order_share` is owed.
    """
    firms, chips, share = system.firms, setting.chips, system.numbers.chips.order_share
    scale = size @ firms.capex_contract + (1.0 - firms.capex_contract.belongs)
    alive = setting.standing.alive
    plan = setting.month.firm_capex * MONTH * scale
    growth, replacement = upkeep(system, plant, chips)
    ordered = share * jnp.maximum(chips.ordered_pace * plan, growth)
    planned = plan * chips.capex_pace * chips.capex_answer
    wanted = jnp.maximum(jnp.maximum(planned, ordered), growth) + replacement
    return wanted * alive, ordered * alive


def advance_on_life(system: System) -> Float[Array, "firms"]:
    """Share of new debt that lenders still advance to operators who plan on a shorter life of chips."""
    chips = system.chips
    shorter = jnp.maximum(chips.decline - chips.documented_decline, 0.0)
    advanced = jnp.exp(-shorter * system.numbers.credit.underwriting_years)
    return 1.0 - system.firms.operator * (1.0 - advanced)


def invest(
    system: System,
    setting: Setting,
    wanted: Float[Array, "firms"],
    cash: Float[Array, "firms"],
    spare: Float[Array, "firms"],
    owed: Float[Array, "firms"],
    offer: Terms,
) -> tuple[Float[Array, "firms"], Float[Array, "firms"], Float[Array, "firms"]]:
    """A firm's own capex, last: from cash, then equity, then new debt as far as lenders go.

    Returns what is paid from cash, from equity, and from new debt [firms].
    """
    firms, numbers = system.firms, system.numbers
    own = jnp.minimum(wanted, jnp.maximum(cash - firms.minimum_cash, 0.0))
    stock = jnp.minimum(firms.equity_capex_share * (wanted - own), spare)
    granted = (offer.granted @ firms.growth_loan) * (1.0 - firms.outside)
    room = jnp.maximum(numbers.credit.growth_limit * offer.limit - (owed + offer.counted), 0.0)
    lendable = room * setting.economy.supply
    lent = advance_on_life(system) * jnp.minimum(wanted - own - stock, lendable)
    return own, stock, numbers.mechanisms.build_up * granted * lent


def free_of_pledge(
    system: System, spent: Float[Array, "firms"], debt: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """What an operator spends on chips beyond those that its new debt pledges (USD bn)."""
    count = system.loans.ltv_target.shape[0]
    pledges = indicator(system.firms.growth_loan.group < count) * system.firms.growth_loan.belongs
    pledged = system.numbers.credit.chips_per_draw * debt * pledges
    return system.firms.operator * jnp.maximum(system.numbers.chips.plant_chip_share * spent - pledged, 0.0)


def step(
    system: System,
    state: FundingState,
    setting: Setting,
    service: Service,
    contracts: ContractFlows,
    obligations: Obligations,
    extension: Float[Array, "loans"],
) -> tuple[FundingState, Funding]:
    """One month of funding for every firm, capex last. `extension` is the month's uniform of each loan."""
    firms, loans, numbers = system.firms, system.loans, system.numbers
    month, economy, standing = setting.month, setting.economy, setting.standing
    alive, counted, plant = standing.alive, obligations.hidden.counted, obligations.plant
    offer = terms(
        system, setting, contracts.forward, state.ebitda_ttm, loans.borrowed @ state.balance, counted
    )
    service = extend_by_right(system, state, setting, service, offer)
    deal = refinance(system, state, setting, service, contracts, offer, extension)
    draw = month.draw * jnp.minimum(setting.chips.capex_pace, 1.0) * alive[loans.borrower]
    renewed = renew(system, state, setting, service, deal, offer, draw)

    owed = loans.borrowed @ renewed.balance
    spare = contracts.capacity - contracts.raised - deal.issued
    wanted, ordered = capex_wanted(system, setting, plant, contracts.size)
    own, stock, planned_debt = invest(system, setting, wanted, deal.cash, spare, owed, offer)
    new_debt, refused = policy.limit_debt(system, month, own + stock, planned_debt)
    borrowed_share = numbers.mechanisms.build_up * numbers.credit.origination
    offered = borrowed_share * setting.chips.capex * MONTH * economy.supply
    origination = offered * (1.0 - month.barred)
    to_loans = policy.by_funds(month, loans.fund_share) * month.origination * alive[loans.borrower]
    grown = firms.growth_loan @ new_debt + to_loans * origination
    balance = renewed.balance + grown
    rolled = jnp.sum(deal.rolled) + jnp.sum(deal.bridged)
    spent = own + stock + new_debt
    cancelled = numbers.mechanisms.orders * jnp.maximum(ordered - spent, 0.0) * standing.operating
    from_market = jnp.maximum(
        contracts.raised + deal.issued + stock - service.owner * standing.operating, 0.0
    )
    unused = jnp.maximum(offer.limit - owed - counted - new_debt, 0.0)
    return dataclasses.replace(
        renewed,
        cash=deal.cash - own,
        ebitda_ttm=state.ebitda_ttm + MONTH * (contracts.ebitda / MONTH - state.ebitda_ttm),
        headroom=jnp.maximum(service.accrued - from_market, 0.0) * standing.operating,
        balance=balance,
        peak=jnp.maximum(state.peak, balance),
        fees=numbers.chips.order_fee * cancelled,
        spare_debt=can_bridge(system) * (offer.granted @ firms.bridge) * unused * economy.supply,
    ), Funding(
        unmet=deal.unmet,
        exchange=deal.exchange,
        limit=offer.limit,
        counted=counted,
        spare_equity=spare - stock,
        bought=free_of_pledge(system, spent, new_debt),
        debt_service=service.interest + service.amortisation,
        drawn=draw,
        lent=grown,
        origination=origination,
        lending=policy.lending(system, month, rolled, new_debt, refused, offered, alive),
    )
