"""Lenders: holders of losses, what vehicles pass on, recognition with a lag (docs/model.md, section 8)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.contagion.clearing import clear_vehicles
from engine.month import paper, policy
from engine.month.setting import Setting
from engine.numerics import indicator
from engine.vocabulary import MONTH

ROUNDS = 4
"""Of the clearing of vehicles, from no loss: as many as funds may stand behind each other, and one more."""
SETTLED = 1e-3
"""USD bn, and log price; what moves by more in the last round raises a flag."""


class LenderState(eqx.Module):
    """Cumulative losses (USD bn) and sales."""

    loss: Float[Array, "instruments"]
    booked: Float[Array, "lenders"]  # on what a lender holds
    gross: Float[Array, "lenders"]
    pending: Float[Array, "lenders"]  # not yet recognised
    other_excess: Float[Array, ""]  # excess loss share on vehicles' other assets
    growth: Float[Array, ""]  # largest exposure so far over that of month 0
    paper: paper.PaperState


class LenderLosses(eqx.Module):
    """What the other stages read."""

    recognised: Float[Array, "lenders"]  # this month, USD bn
    capital: Float[Array, "lenders"]  # grown with the book, before losses
    paid: Float[Array, "vehicles"]  # share of a vehicle's debt that it can pay
    paper: paper.Paper
    unsettled: Float[Array, ""]


def init(system: System) -> LenderState:
    """Nothing lost."""
    table = system.lenders
    zero = jnp.zeros((), jnp.float32)
    lenders, instruments = jnp.zeros_like(table.capital), jnp.zeros_like(table.holdings[0])
    return LenderState(instruments, lenders, lenders, lenders, zero, zero + 1.0, paper.init(system))


def holders(
    system: System, sold: Float[Array, "lenders"], loss: Float[Array, "instruments"]
) -> Float[Array, "lenders"]:
    """This month's loss by lender (USD bn): of paper that was sold it falls on the buyers."""
    table = system.lenders
    moved = sold * (table.holdings @ (system.paper.marketable * loss))
    return table.holdings @ loss - moved + table.buyer_weight * jnp.sum(moved)


def balance_sheets(
    system: System, sales: paper.PaperState, growth: Float[Array, ""]
) -> tuple[Float[Array, "vehicles"], Float[Array, "vehicles"]]:
    """Capital and debt of the vehicles: lines drawn replace capital, sales repay debt."""
    table = system.lenders
    vehicles = table.debt_share.shape[1]
    capital = (table.capital * growth)[:vehicles]
    paid_out = sales.withdrawn[:vehicles] * capital
    par = growth * (sales.sold * jnp.sum(system.paper.held, axis=1))[:vehicles]
    repaid = jnp.maximum(par - sales.trading[:vehicles], 0.0)
    return capital - paid_out, jnp.maximum((table.debt * growth)[:vehicles] + paid_out - repaid, 0.0)


def step(
    system: System,
    state: LenderState,
    setting: Setting,
    loss: Float[Array, "instruments"],
    exposure: Float[Array, ""],
) -> tuple[LenderState, LenderLosses]:
    """Book this month's losses, clear the vehicles, recognise with a lag, sell."""
    numbers, table = system.numbers.lenders, system.lenders
    economy, month = setting.economy, setting.month
    booked = state.booked + holders(system, state.paper.sold, loss)
    excess = (
        state.other_excess
        + numbers.other_loss * (economy.hazard_multiplier**numbers.other_power - 1.0) * MONTH
    )
    growth = jnp.maximum(state.growth, exposure / system.exposure_start)

    own = booked + state.paper.trading + table.other_assets * excess
    capital, debt = balance_sheets(system, state.paper, growth)
    passed, paid, move = clear_vehicles(
        own[: debt.shape[0]], capital, debt, table.debt_share, table.equity_share,
        system.numbers.mechanisms.lender_network, numbers.bankruptcy_cost, ROUNDS,
    )  # fmt: skip
    gross = own + passed
    waiting = state.pending + gross - state.gross
    recognised = waiting / policy.recognition_months(system, month)
    pending = waiting - recognised
    sales, market = paper.step(system, state.paper, economy.spread, gross - pending, growth, month.line_cut)
    return LenderState(state.loss + loss, booked, gross, pending, excess, growth, sales), LenderLosses(
        recognised=recognised,
        capital=table.capital * growth,
        paid=paid,
        paper=market,
        unsettled=indicator((move > SETTLED) | (market.move > SETTLED)),
    )
