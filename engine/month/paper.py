"""Marketable paper: forced sales, the price they fetch, and lines drawn (docs/model.md, section 8)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.capital import Capital
from engine.vocabulary import MONTH

ROUNDS = 6
"""Of sales and prices, from no new sale."""


class PaperState(eqx.Module):
    """What has been sold and withdrawn so far; neither is taken back."""

    sold: Float[Array, "lenders"]  # share of a lender's paper
    withdrawn: Float[Array, "lenders"]  # share of a lender's capital
    impact: Float[Array, "papers"]  # log fall of the price by forced sales
    trading: Float[Array, "lenders"]  # loss on sales, negative for buyers, USD bn; sums to zero


class Paper(eqx.Module):
    """What other stages and reports read."""

    price: Float[Array, "papers"]  # of par
    lost: Float[Array, "lenders"]  # share of capital lost, at market prices as far as they count
    stopped: Float[Array, "lenders"]  # 1 where a lender has ceased to lend
    move: Float[Array, ""]  # of the price impact in the last round


def init(system: System) -> PaperState:
    """Nothing sold."""
    none = jnp.zeros_like(system.lenders.capital)
    return PaperState(none, none, jnp.zeros_like(system.paper.depth), none)


def answer(
    system: System, state: PaperState, lost: Float[Array, "lenders"], line_cut: Float[Array, ""]
) -> tuple[Float[Array, "lenders"], Float[Array, "lenders"], Float[Array, "lenders"]]:
    """Shares withdrawn and sold at a share of capital lost, and how far that is past the limit.

    Investors leave as losses show, through the gate; a vehicle pays them from its line while its asset
    coverage holds, another lender by selling. Past the limit all sell. Policy takes the share `line_cut` of
    lines; what is drawn stays.
    """
    table, switches = system.lenders, system.numbers.mechanisms
    demand = jnp.clip(table.withdrawal_slope * (lost - table.withdrawal_start), 0.0, 1.0)
    covered = (table.limit_start - lost) / jnp.maximum(table.coverage, 1.0)
    line = jnp.minimum(switches.credit_lines * table.line * (1.0 - line_cut) / table.capital, covered)
    room = jnp.minimum(state.withdrawn + table.gate, jnp.where(table.vehicle > 0.0, line, 1.0))
    withdrawn = jnp.maximum(state.withdrawn, jnp.minimum(switches.redemptions * demand, room))
    past = jnp.maximum(lost - table.limit_start + table.coverage * withdrawn, 0.0)
    due = table.limit_slope * past + (1.0 - table.vehicle) * withdrawn
    return withdrawn, jnp.maximum(state.sold, switches.paper_sales * jnp.minimum(due, 1.0)), past


def step(
    system: System,
    state: PaperState,
    spread: Float[Array, ""],
    written_off: Float[Array, "lenders"],
    capital: Capital,
    line_cut: Float[Array, ""],
) -> tuple[PaperState, Paper]:
    """One month of withdrawals and sales, at the highest prices that clear: rounds from no new sale.

    `spread` is the spread index, `written_off` the loss recognised so far (USD bn), `line_cut` the share of
    lines that policy takes.
    """
    table, paper, numbers = system.lenders, system.paper, system.numbers.lenders
    value = jnp.exp(-paper.spread * paper.duration * jnp.maximum(spread - 1.0, 0.0))
    weight = table.mark_weight * (1.0 - state.sold) * capital.growth / (table.capital * capital.scale)
    booked = written_off / (table.capital * capital.scale) + capital.eroded
    old = state.impact * jnp.exp2(-MONTH / numbers.sale_half_life)
    impact = before = old
    for _ in range(ROUNDS):
        before = impact
        lost = booked + weight * (paper.held @ (1.0 - value * jnp.exp(-impact)))
        withdrawn, sold, past = answer(system, state, lost, line_cut)
        impact = old + (paper.held.T @ (sold - state.sold)) / paper.depth
    price = value * jnp.exp(-impact)
    discount = capital.growth * (sold - state.sold) * (paper.held @ (1.0 - price))
    trading = state.trading + discount - table.buyer_weight * jnp.sum(discount)
    return PaperState(sold, withdrawn, impact, trading), Paper(
        price=price,
        lost=lost,
        stopped=jnp.minimum(past / numbers.full_stop, 1.0),
        move=jnp.max(jnp.abs(impact - before), initial=0.0),
    )
