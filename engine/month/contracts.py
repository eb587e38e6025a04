"""Contracts: the payment web of firms, equity commitments, renegotiation (docs/model.md, section 3)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.contagion.payments import clear
from engine.month.economy import Economy
from engine.month.revenue import Revenue
from engine.vocabulary import MONTH, indicator

ROUNDS = 4
SETTLED = 1e-4


class ContractState(eqx.Module):
    """Size of each contract after renegotiation, and months a lab has paid less than half."""

    size: Float[Array, "contracts"]
    low_payment: Float[Array, "firms"]


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
    invested: Float[Array, "contracts"]  # equity, under commitments
    size: Float[Array, "contracts"]
    quality: Float[Array, "contracts"]  # share of a contract that is being honoured
    raised: Float[Array, "firms"]  # equity by labs, to pay and to hold
    committed_equity: Float[Array, "firms"]  # equity received under contracts
    arrears: Float[Array, "firms"]  # contract debts of firms that must pay
    ebitda: Float[Array, "firms"]
    forward: Float[Array, "firms"]  # EBITDA a year from now, USD bn a year
    low_payment: Float[Array, "firms"]
    unsettled: Float[Array, ""]  # 1 where the clearing still moved


def init(system: System) -> ContractState:
    """All contracts at full size, nobody late."""
    return ContractState(jnp.ones_like(system.contracts.margin), jnp.zeros_like(system.firms.cash))


def operating_result(system: System, revenue: Revenue, stress, month, operating):
    """Result of each firm before contracts, this month (revenue, fixed cost, core EBITDA)."""
    numbers, firms = system.numbers.contracts, system.firms
    years = month.month.astype(jnp.float32) * MONTH
    kept = revenue.direct * (1.0 - numbers.variable_cost)
    fixed = firms.fixed_cost * (1.0 + numbers.fixed_cost_growth) ** years
    core = firms.core_ebitda * (1.0 + firms.core_growth) ** years * jnp.exp(-firms.core_stress_beta * stress)
    return (kept - fixed + core) * MONTH * operating


def commitments(system: System, economy: Economy, full, operating):
    """Equity received under contracts: shrinks with the investor's own value, and with the regime."""
    table = system.contracts
    staged = economy.by_regime(system.numbers.contracts.equity_floor)
    honoured = jnp.where(table.staged > 0.0, staged, economy.regime[0])
    both = operating[table.buyer] * operating[table.seller]
    return full * table.equity * MONTH * jnp.minimum(economy.equity, 1.0) * honoured * both


def owed_now(system: System, state: ContractState, economy: Economy, month: Month, at_full):
    """Obligations: full size, renegotiated, and flexed where AI revenue is under plan."""
    behind = 1.0 - jnp.minimum(economy.revenue / month.plan, 1.0)
    return state.size * at_full * (1.0 - system.contracts.flexibility * behind)


def receipts(system: System, at_full, due, paid, guarantee, stress):
    """What sellers receive: payments, guarantees, and what re-letting recovers of the rest."""
    table = system.contracts
    covered = guarantee * (due - paid)
    lost = jnp.maximum(at_full - paid - covered, 0.0)
    relet = table.relet * jnp.exp(-jnp.maximum(stress, 0.0)) * lost
    circular = system.numbers.mechanisms.circular_contracts
    return (1.0 - circular) * at_full + circular * (paid + covered + relet)


def renegotiate(system: System, state: ContractState, due, share, junior, operating) -> ContractState:
    """A shortfall is written off at renegotiation x 6 a year, so over two months; late labs are counted."""
    table, lab = system.contracts, system.firms.lab
    speed = system.numbers.contracts.renegotiation * 6.0 * MONTH
    lost = speed * (1.0 - share) * table.operating * operating[table.buyer]
    junior_owed = table.bought @ (due * (1.0 - table.senior))
    late = lab * indicator((junior < 0.5) & (junior_owed > 0.0))
    return ContractState(state.size * (1.0 - lost), (state.low_payment + 1.0) * late)


def step(
    system: System,
    state: ContractState,
    economy: Economy,
    revenue: Revenue,
    stress,
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
    invested = commitments(system, economy, full, operating)
    committed = table.sold @ invested
    result = operating_result(system, revenue, stress, month, operating)

    owed = table.bought @ due
    liquid = means.cash + result - means.reserved + committed
    raised = firms.lab * jnp.clip((1.0 + numbers.equity_buffer) * owed - liquid, 0.0, means.capacity)
    backup = (1.0 - firms.lab) * (means.capacity + means.undrawn)
    # Where the mechanism is off, sellers are paid in full by nobody in particular.
    circular = system.numbers.mechanisms.circular_contracts
    granted = (1.0 - circular) * (table.sold @ (table.margin * at_full))
    paid, share, junior, move = clear(
        due, table.senior, table.buyer, table.bought, table.sold, circular * table.margin,
        liquid + raised + backup + granted, operating, firms.outside, ROUNDS,
    )  # fmt: skip

    guarantee = table.cover * operating[table.guarantor]
    received = receipts(system, at_full, due, paid, guarantee, stress)
    after = renegotiate(system, state, due, share, junior, operating)
    quality = 1.0 - circular * (1.0 - jnp.maximum(share, guarantee))
    ahead = month.term_ahead + renewal * month.after_ahead
    expected = after.size * ahead * table.operating * operating[table.seller]
    income = table.sold @ (table.margin * expected * quality) - table.bought @ expected
    outflow = table.bought @ paid
    return after, Contracts(
        received=received,
        paid=paid,
        invested=invested,
        size=after.size,
        quality=quality,
        raised=raised,
        committed_equity=committed,
        arrears=(owed - outflow) * (1.0 - firms.lab) * (1.0 - firms.outside),
        ebitda=result + table.sold @ (table.margin * received) - outflow,
        forward=result / MONTH + income,
        low_payment=after.low_payment,
        unsettled=indicator(move > SETTLED),
    )
