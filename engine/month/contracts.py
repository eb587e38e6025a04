"""Contracts: the payment web of firms, equity commitments, renegotiation (docs/model.md, section 3)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.contagion.payments import clear
from engine.month import policy, vendors
from engine.month.economy import Conditions
from engine.month.plant import Plant
from engine.month.setting import Setting
from engine.month.vendors import Obligations
from engine.numerics import indicator
from engine.vocabulary import MONTH

ROUNDS = 4
"""Of the clearing, from full payment: a shortfall travels as far as there are rounds."""
SETTLED = 1e-4
"""Of the largest obligation; a payment that moves by more in the last round raises a flag."""


class ContractState(eqx.Module):
    """Size of each contract after renegotiation, months of low payment of labs, vendors' cash."""

    size: Float[Array, "contracts"]
    low_payment: Float[Array, "firms"]
    purse: Float[Array, "firms"]  # USD bn; limits the support of those who sell chips
    since_round: Float[Array, "firms"]  # months since a lab last tried to raise equity


class Means(eqx.Module):
    """What a firm can pay with, before contract income (USD bn this month)."""

    cash: Float[Array, "firms"]
    reserved: Float[Array, "firms"]  # interest and amortisation
    accrued: Float[Array, "firms"]  # equity that a round, or the market, would give now
    owner: Float[Array, "firms"]  # what an owner would pay in
    undrawn: Float[Array, "firms"]  # revolver, and what lenders would still lend


class ContractFlows(eqx.Module):
    """What the other stages read of this month's contracts (USD bn this month unless stated)."""

    received: Float[Array, "contracts"]  # by the seller, before its cost
    paid: Float[Array, "contracts"]  # by the buyer
    invested: Float[Array, "contracts"]  # equity, under commitments and warrants
    covered: Float[Array, "contracts"]  # by the guarantor
    size: Float[Array, "contracts"]
    quality: Float[Array, "contracts"]  # share of a contract that is being honoured
    delivered: Float[Array, "contracts"]  # share that the seller can serve
    capacity: Float[Array, "firms"]  # equity that can be raised now
    raised: Float[Array, "firms"]  # equity by labs, to pay and to hold
    committed_equity: Float[Array, "firms"]  # equity received under contracts
    aid: Float[Array, "firms"]  # public support
    arrears: Float[Array, "firms"]  # contract debts of firms that must pay
    ebitda: Float[Array, "firms"]
    forward: Float[Array, "firms"]  # EBITDA a year from now, USD bn a year
    low_payment: Float[Array, "firms"]
    honoured: Float[Array, "firms"]  # share of the guarantees and backstops called that is paid
    unsettled: Float[Array, ""]  # 1 where the clearing still moved


def init(system: System) -> ContractState:
    """All contracts at full size, nobody late."""
    full = jnp.ones_like(system.contracts.margin)
    nobody = jnp.zeros_like(system.firms.cash)
    return ContractState(full, nobody, vendors.opening(system), nobody + system.numbers.contracts.round_gap)


class Resources(eqx.Module):
    """What firms pay their obligations with, besides contract income (USD bn this month)."""

    total: Float[Array, "firms"]
    raised: Float[Array, "firms"]  # equity by labs, part of it
    aid: Float[Array, "firms"]  # public support, part of it


def operating_result(system: System, setting: Setting, spot: Float[Array, "firms"]) -> Float[Array, "firms"]:
    """Result of each firm before contracts, this month: revenue less cost, core EBITDA, `spot` a year."""
    numbers, firms = system.numbers.contracts, system.firms
    years = setting.month.month.astype(jnp.float32) * MONTH
    margin = setting.revenue.direct * (1.0 - numbers.variable_cost)
    fixed = firms.fixed_cost * (1.0 + numbers.fixed_cost_growth) ** years
    stressed = jnp.exp(-firms.core_stress_beta * setting.chips.stress)
    core = firms.core_ebitda * (1.0 + firms.core_growth) ** years * stressed
    return (margin - fixed + core + spot) * MONTH * setting.standing.operating


def commitments(
    system: System, economy: Conditions, full: Float[Array, "contracts"], operating: Float[Array, "firms"]
) -> Float[Array, "contracts"]:
    """Equity promised under contracts: shrinks with the investor's own value, and with the regime."""
    table = system.contracts
    staged = economy.by_regime(system.numbers.contracts.equity_floor)
    willing = jnp.where(table.staged > 0.0, staged, economy.regime[0])
    both = operating[table.buyer] * operating[table.seller]
    promised = full * table.equity * MONTH * jnp.minimum(economy.equity, 1.0)
    return system.numbers.contracts.investment * promised * willing * both


def warrants(
    system: System,
    economy: Conditions,
    size: Float[Array, "contracts"],
    full: Float[Array, "contracts"],
    operating: Float[Array, "firms"],
) -> Float[Array, "contracts"]:
    """Value of the shares handed out this month: at the market, as far as the purchases behind them stand."""
    table = system.contracts
    vested = jnp.where(table.vests > 0.0, size[table.vests_with], 1.0)
    both = operating[table.buyer] * operating[table.seller]
    return full * table.warrant * MONTH * economy.equity * vested * both


def renewed(system: System, economy: Conditions, plant: Plant) -> Float[Array, "contracts"]:
    """Share of full size after the term: by regime, compute at the rent of the day of the seller's chips."""
    table = system.contracts
    rent = jnp.where(table.compute > 0.0, plant.rent[table.seller], 1.0)
    return economy.by_regime(system.numbers.contracts.renewal) * rent


def obligations(
    system: System,
    state: ContractState,
    setting: Setting,
    renewal: Float[Array, "contracts"],
    delivered: Float[Array, "contracts"],
) -> Obligations:
    """Contracts as delivered, and what is due: renegotiated, flexed where revenue is under plan."""
    month, table = setting.month, system.contracts
    full = month.term + renewal * month.after
    at_full = full * delivered * table.operating * MONTH * setting.standing.operating[table.seller]
    behind = 1.0 - jnp.minimum(setting.economy.revenue / month.plan, 1.0)
    due = state.size * at_full * (1.0 - table.flexibility * behind)
    return Obligations(full, at_full, due)


def try_round(
    system: System,
    since: Float[Array, "firms"],
    setting: Setting,
    cash: Float[Array, "firms"],
    burn: Float[Array, "firms"],
    uniform: Float[Array, "firms"],
) -> tuple[Float[Array, "firms"], Float[Array, "firms"]]:
    """Months since a lab's last attempt at a round, and 1 where new equity is open to a firm this month.

    A lab tries when cash falls below `round_trigger` months of burn, `round_gap` months after its last
    attempt, and succeeds with the probability of the regime. Other firms can always issue.
    """
    numbers, lab = system.numbers.contracts, system.firms.lab
    tries = lab * indicator((cash < numbers.round_trigger * burn) & (since >= numbers.round_gap))
    won = tries * indicator(uniform < setting.economy.by_regime(numbers.round_success))
    closed = system.numbers.mechanisms.rounds * lab * (1.0 - won)
    return since * (1.0 - tries) + 1.0, 1.0 - closed


def resources(
    system: System,
    setting: Setting,
    means: Means,
    capacity: Float[Array, "firms"],
    owed: Float[Array, "firms"],
    burn: Float[Array, "firms"],
    liquid: Float[Array, "firms"],
) -> Resources:
    """Cash, result, equity and support of labs; cash, result and lines of credit of the others."""
    lab = system.firms.lab
    aid = policy.aid(setting.month, lab * setting.standing.operating, owed - liquid - capacity)
    liquid = liquid + aid
    sought = owed + system.numbers.contracts.equity_buffer * burn - liquid
    raised = lab * jnp.clip(sought, 0.0, capacity)
    backup = (1.0 - lab) * (capacity + means.undrawn)
    return Resources(liquid + raised + backup, raised, aid)


def receipts(
    system: System,
    at_full: Float[Array, "contracts"],
    paid: Float[Array, "contracts"],
    covered: Float[Array, "contracts"],
    backed: Float[Array, "contracts"],
    stress: Float[Array, ""],
) -> Float[Array, "contracts"]:
    """What sellers receive: payments, guarantees, backstops, and what re-letting recovers of the rest."""
    table = system.contracts
    lost = jnp.maximum(at_full - paid - covered, 0.0)
    free = vendors.left_over(table.sold @ backed, table.sold @ lost)
    relet = table.relet * jnp.exp(-jnp.maximum(stress, 0.0)) * lost * free[table.seller]
    circular = system.numbers.mechanisms.circular_contracts
    return (1.0 - circular) * at_full + circular * (paid + covered + relet + backed)


def renegotiate(
    system: System,
    state: ContractState,
    due: Float[Array, "contracts"],
    share: Float[Array, "contracts"],
    junior: Float[Array, "firms"],
    lost_to_delay: Float[Array, "firms"],
    operating: Float[Array, "firms"],
) -> tuple[Float[Array, "contracts"], Float[Array, "firms"]]:
    """Sizes after the month and months of low payment.

    Shortfalls write contracts off over `renegotiation_months`; customers take away what is not delivered.
    """
    numbers, table = system.numbers.contracts, system.contracts
    speed = numbers.renegotiation / numbers.renegotiation_months
    lost = speed * (1.0 - share) * table.operating * operating[table.buyer]
    junior_owed = table.bought @ (due * (1.0 - table.senior))
    late = system.firms.lab * indicator((junior < numbers.low_payment) & (junior_owed > 0.0))
    stays = 1.0 - table.compute * lost_to_delay[table.seller]
    return state.size * (1.0 - lost) * stays, (state.low_payment + 1.0) * late


def expected_income(
    system: System,
    setting: Setting,
    ahead: Float[Array, "contracts"],
    size: Float[Array, "contracts"],
    quality: Float[Array, "contracts"],
    honoured: Float[Array, "firms"],
) -> Float[Array, "firms"]:
    """Income of each firm from contracts a year from now, backstops included (USD bn a year).

    `ahead` is full size then, as delivered.
    """
    table, operating = system.contracts, setting.standing.operating
    full = ahead * table.operating * operating[table.seller]
    expected = size * full
    unsold = table.sold @ (full - expected * quality)
    willing = honoured[table.supporter] * operating[table.buyer] * operating[table.seller]
    backed = vendors.callable_backstop(system, ahead, unsold) * willing
    circular = system.numbers.mechanisms.circular_contracts
    income = table.margin * (expected * quality + circular * backed)
    return table.sold @ income - table.bought @ expected


def step(
    system: System,
    state: ContractState,
    setting: Setting,
    plant: Plant,
    means: Means,
    uniform: Float[Array, "firms"],
) -> tuple[ContractState, ContractFlows]:
    """One month of contract payments: what is due, what is paid, who steps in, what is expected.

    `uniform` decides on each lab's round.
    """
    firms, table, month = system.firms, system.contracts, setting.month
    economy, operating = setting.economy, setting.standing.operating
    renewal = renewed(system, economy, plant)
    delivered = jnp.where(table.built > 0.0, plant.delivered[table.seller], 1.0)
    asked = obligations(system, state, setting, renewal, delivered)
    owed = table.bought @ asked.due
    purse = vendors.means(system, state.purse, setting.chips, owed)
    put_in = vendors.invest(system, purse, commitments(system, economy, asked.full, operating))
    invested = put_in + warrants(system, economy, state.size, asked.full, operating)
    committed = table.sold @ invested
    result = operating_result(system, setting, plant.spot)
    burn = jnp.maximum(owed + means.reserved - result - committed, 0.0)
    since, opened = try_round(system, state.since_round, setting, means.cash, burn, uniform)
    capacity = (opened * means.accrued + means.owner) * operating
    liquid = means.cash + result - means.reserved + committed
    funds = resources(system, setting, means, capacity, owed, burn, liquid)

    # Where the mechanism is off, sellers are paid in full by nobody in particular.
    circular = system.numbers.mechanisms.circular_contracts
    granted = (1.0 - circular) * (table.sold @ (table.margin * asked.at_full))
    paid, share, junior, move = clear(
        asked.due, table.senior, table.buyer, table.bought, table.sold, circular * table.margin,
        funds.total + granted, operating, firms.outside, ROUNDS,
    )  # fmt: skip

    cover = table.cover * operating[table.guarantor]
    cash = jnp.maximum(purse - table.bought @ put_in, 0.0)
    support = vendors.support(system, cash, asked, paid, cover, operating)
    received = receipts(system, asked.at_full, paid, support.covered, support.backed, setting.chips.stress)
    size, low_payment = renegotiate(system, state, asked.due, share, junior, plant.lost, operating)
    guaranteed = cover * support.honoured[table.supporter]
    quality = 1.0 - circular * (1.0 - jnp.maximum(share, guaranteed))
    full_ahead = (month.term_ahead + renewal * month.after_ahead) * delivered
    ahead = expected_income(system, setting, full_ahead, size, quality, support.honoured)
    spot_ahead = (plant.spot_ahead - plant.spot) * operating
    outflow = table.bought @ (paid + support.backed)
    return ContractState(size, low_payment, support.purse, since), ContractFlows(
        received=received,
        paid=paid + support.backed,
        invested=invested,
        covered=support.covered,
        size=size,
        quality=quality,
        delivered=delivered,
        capacity=capacity,
        raised=funds.raised,
        committed_equity=committed,
        aid=funds.aid,
        arrears=(owed - table.bought @ paid) * (1.0 - firms.lab) * (1.0 - firms.outside),
        ebitda=result + table.sold @ (table.margin * received) - outflow,
        forward=result / MONTH + ahead + spot_ahead,
        low_payment=low_payment,
        honoured=support.honoured,
        unsettled=indicator(move > SETTLED),
    )
