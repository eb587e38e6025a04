"""Contracts: the payment web of firms, equity commitments, renegotiation (docs/model.md, section 3)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.contagion.payments import clear
from engine.month import policy, vendors
from engine.month.chips import Chips
from engine.month.economy import Economy
from engine.month.revenue import Revenue
from engine.numerics import indicator
from engine.vocabulary import MONTH

ROUNDS = 4
SETTLED = 1e-4


class ContractState(eqx.Module):
    """Size of each contract after renegotiation, months a lab has paid less than half, vendors' cash."""

    size: Float[Array, "contracts"]
    low_payment: Float[Array, "firms"]
    purse: Float[Array, "firms"]  # USD bn; limits the support of those who sell chips


class Means(eqx.Module):
    """What a firm can pay with, before contract income (USD bn this month)."""

    cash: Float[Array, "firms"]
    reserved: Float[Array, "firms"]  # interest and amortisation
    capacity: Float[Array, "firms"]  # equity that can be raised now
    undrawn: Float[Array, "firms"]  # revolver, and what lenders would still lend


class Contracts(eqx.Module):
    """What the other stages read of this month's contracts (USD bn this month unless said)."""

    received: Float[Array, "contracts"]  # by the seller, before its cost
    paid: Float[Array, "contracts"]  # by the buyer
    invested: Float[Array, "contracts"]  # equity, under commitments and warrants
    covered: Float[Array, "contracts"]  # by the guarantor
    size: Float[Array, "contracts"]
    quality: Float[Array, "contracts"]  # share of a contract that is being honoured
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
    return ContractState(full, jnp.zeros_like(system.firms.cash), vendors.opening(system))


def operating_result(system: System, revenue: Revenue, stress, month, operating):
    """Result of each firm before contracts, this month (revenue, fixed cost, core EBITDA)."""
    numbers, firms = system.numbers.contracts, system.firms
    years = month.month.astype(jnp.float32) * MONTH
    kept = revenue.direct * (1.0 - numbers.variable_cost)
    fixed = firms.fixed_cost * (1.0 + numbers.fixed_cost_growth) ** years
    core = firms.core_ebitda * (1.0 + firms.core_growth) ** years * jnp.exp(-firms.core_stress_beta * stress)
    return (kept - fixed + core) * MONTH * operating


def commitments(system: System, economy: Economy, full, operating):
    """Equity promised under contracts: shrinks with the investor's own value, and with the regime."""
    table = system.contracts
    staged = economy.by_regime(system.numbers.contracts.equity_floor)
    willing = jnp.where(table.staged > 0.0, staged, economy.regime[0])
    both = operating[table.buyer] * operating[table.seller]
    return full * table.equity * MONTH * jnp.minimum(economy.equity, 1.0) * willing * both


def warrants(system: System, economy: Economy, size, full, operating):
    """Worth of the shares handed out this month: at the market, as far as the purchases behind them stand."""
    table = system.contracts
    vested = jnp.where(table.vests > 0.0, size[table.vests_with], 1.0)
    both = operating[table.buyer] * operating[table.seller]
    return full * table.warrant * MONTH * economy.equity * vested * both


def owed_now(system: System, state: ContractState, economy: Economy, month: Month, at_full):
    """Obligations: full size, renegotiated, and flexed where AI revenue is under plan."""
    behind = 1.0 - jnp.minimum(economy.revenue / month.plan, 1.0)
    return state.size * at_full * (1.0 - system.contracts.flexibility * behind)


def receipts(system: System, at_full, paid, covered, backed, stress):
    """What sellers receive: payments, guarantees, backstops, and what re-letting recovers of the rest."""
    table = system.contracts
    lost = jnp.maximum(at_full - paid - covered, 0.0)
    free = vendors.left_over(table.sold @ backed, table.sold @ lost)
    relet = table.relet * jnp.exp(-jnp.maximum(stress, 0.0)) * lost * free[table.seller]
    circular = system.numbers.mechanisms.circular_contracts
    return (1.0 - circular) * at_full + circular * (paid + covered + relet + backed)


def renegotiate(system: System, state: ContractState, due, share, junior, purse, operating) -> ContractState:
    """A shortfall is written off at renegotiation x 6 a year, so over two months; late labs are counted."""
    table, lab = system.contracts, system.firms.lab
    speed = system.numbers.contracts.renegotiation * 6.0 * MONTH
    lost = speed * (1.0 - share) * table.operating * operating[table.buyer]
    junior_owed = table.bought @ (due * (1.0 - table.senior))
    late = lab * indicator((junior < 0.5) & (junior_owed > 0.0))
    return ContractState(state.size * (1.0 - lost), (state.low_payment + 1.0) * late, purse)


def expected_income(system: System, month: Month, renewal, size, quality, honoured, operating):
    """Income of each firm from contracts a year from now, backstops included (USD bn a year)."""
    table = system.contracts
    ahead = month.term_ahead + renewal * month.after_ahead
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
    economy: Economy,
    chips: Chips,
    revenue: Revenue,
    month: Month,
    means: Means,
    operating,
) -> tuple[ContractState, Contracts]:
    """One month of contract payments. `operating` [firms] is 1 for firms still in business."""
    numbers, firms, table = system.numbers.contracts, system.firms, system.contracts
    renewal = economy.by_regime(numbers.renewal)
    full = month.term + renewal * month.after
    at_full = full * table.operating * MONTH * operating[table.seller]
    due = owed_now(system, state, economy, month, at_full)
    owed = table.bought @ due
    purse = vendors.means(system, state.purse, chips, owed)
    put_in = vendors.invest(system, purse, commitments(system, economy, full, operating))
    invested = put_in + warrants(system, economy, state.size, full, operating)
    committed = table.sold @ invested
    result = operating_result(system, revenue, chips.stress, month, operating)

    liquid = means.cash + result - means.reserved + committed
    aid = policy.aid(month, firms.lab * operating, owed - liquid - means.capacity)
    liquid = liquid + aid
    raised = firms.lab * jnp.clip((1.0 + numbers.equity_buffer) * owed - liquid, 0.0, means.capacity)
    backup = (1.0 - firms.lab) * (means.capacity + means.undrawn)
    # Where the mechanism is off, sellers are paid in full by nobody in particular.
    circular = system.numbers.mechanisms.circular_contracts
    granted = (1.0 - circular) * (table.sold @ (table.margin * at_full))
    paid, share, junior, move = clear(
        due, table.senior, table.buyer, table.bought, table.sold, circular * table.margin,
        liquid + raised + backup + granted, operating, firms.outside, ROUNDS,
    )  # fmt: skip

    cover = table.cover * operating[table.guarantor]
    cash = jnp.maximum(purse - table.bought @ put_in, 0.0)
    support = vendors.support(system, cash, at_full, full, due, paid, cover, operating)
    received = receipts(system, at_full, paid, support.covered, support.backed, chips.stress)
    after = renegotiate(system, state, due, share, junior, support.purse, operating)
    guaranteed = cover * support.honoured[table.supporter]
    quality = 1.0 - circular * (1.0 - jnp.maximum(share, guaranteed))
    ahead = expected_income(system, month, renewal, after.size, quality, support.honoured, operating)
    outflow = table.bought @ (paid + support.backed)
    return after, Contracts(
        received=received,
        paid=paid + support.backed,
        invested=invested,
        covered=support.covered,
        size=after.size,
        quality=quality,
        raised=raised,
        committed_equity=committed,
        aid=aid,
        arrears=(owed - table.bought @ paid) * (1.0 - firms.lab) * (1.0 - firms.outside),
        ebitda=result + table.sold @ (table.margin * received) - outflow,
        forward=result / MONTH + ahead,
        low_payment=after.low_payment,
        honoured=support.honoured,
        unsettled=indicator(move > SETTLED),
    )
