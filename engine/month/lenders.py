"""Lenders: holders of losses, what vehicles pass on, recognition with a lag (docs/model.md, section 8)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from engine.book.system import System
from engine.contagion.clearing import clear_vehicles
from engine.month import capital, paper, policy
from engine.month.setting import Setting
from engine.numerics import indicator

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
    failed: Int[Array, "lenders"]  # month in which capital was gone, 0 = never
    failed_alone: Int[Array, "lenders"]  # by losses of this book alone
    scale: Float[Array, "lenders"]  # of capital before losses, one at month 0
    capital: capital.CapitalState
    paper: paper.PaperState


class LenderLosses(eqx.Module):
    """What the other stages read."""

    recognised: Float[Array, "lenders"]  # this month, USD bn
    held: Float[Array, "lenders"]  # exposure, USD bn
    capital: capital.Capital
    missing: Float[Array, "lenders"]  # share of capital lost and not yet restored
    paid: Float[Array, "vehicles"]  # share of a vehicle's debt that it can pay
    paper: paper.Paper
    unsettled: Float[Array, ""]


def init(system: System) -> LenderState:
    """Nothing lost."""
    table = system.lenders
    none, instruments = (jnp.zeros((size,), jnp.float32) for size in table.holdings.shape)
    never = jnp.zeros(none.shape, jnp.int32)
    start = capital.init(system)
    return LenderState(instruments, none, none, none, never, never, none + 1.0, start, paper.init(system))


def holders(
    system: System, sold: Float[Array, "lenders"], loss: Float[Array, "instruments"]
) -> Float[Array, "lenders"]:
    """This month's loss by lender (USD bn): of paper that was sold it falls on the buyers."""
    table = system.lenders
    moved = sold * (table.holdings @ (system.paper.marketable * loss))
    return table.holdings @ loss - moved + table.buyer_weight * jnp.sum(moved)


def balance_sheets(
    system: System, sales: paper.PaperState, now: capital.Capital
) -> tuple[Float[Array, "vehicles"], Float[Array, "vehicles"]]:
    """Capital and debt of the vehicles: lines drawn replace capital, sales repay debt."""
    table = system.lenders
    vehicles = table.debt_share.shape[1]
    paid_out = (sales.withdrawn * table.capital * now.scale)[:vehicles]
    par = (now.growth * sales.sold * jnp.sum(system.paper.held, axis=1))[:vehicles]
    repaid = jnp.maximum(par - sales.trading[:vehicles], 0.0)
    owed = (table.debt * now.scale)[:vehicles] + paid_out - repaid
    return jnp.maximum(now.left(table.capital)[:vehicles] - paid_out, 0.0), jnp.maximum(owed, 0.0)


def first_month(
    before: Int[Array, "lenders"], gone: Bool[Array, "lenders"], month: Int[Array, ""]
) -> Int[Array, "lenders"]:
    """The month in which something first was so, 0 = never."""
    return jnp.where((before == 0) & gone, month, before)


def step(
    system: System,
    state: LenderState,
    setting: Setting,
    loss: Float[Array, "instruments"],
    held: Float[Array, "lenders"],
) -> tuple[LenderState, LenderLosses]:
    """Book this month's losses, clear the vehicles, recognise with a lag, sell."""
    numbers, table = system.numbers.lenders, system.lenders
    economy, month = setting.economy, setting.month
    booked = state.booked + holders(system, state.paper.sold, loss)
    bust, now = capital.step(system, state.capital, setting, held)

    own = booked + state.paper.trading
    own_funds, debt = balance_sheets(system, state.paper, now)
    passed, paid, move = clear_vehicles(
        own[: debt.shape[0]], own_funds, debt, table.debt_share, table.equity_share,
        system.numbers.mechanisms.lender_network, numbers.bankruptcy_cost, ROUNDS,
    )  # fmt: skip
    gross = own + passed
    waiting = state.pending + gross - state.gross
    recognised = waiting / policy.recognition_months(system, month)
    pending = waiting - recognised
    missing = capital.missing(system, state.capital, now, recognised)
    sales, market = paper.step(system, state.paper, economy.spread, gross - pending, now, month.line_cut)
    return LenderState(
        state.loss + loss, booked, gross, pending,
        failed=first_month(state.failed, gross >= now.left(table.capital), month.month),
        failed_alone=first_month(state.failed_alone, gross >= table.capital * now.scale, month.month),
        scale=now.scale,
        capital=capital.CapitalState(now.growth, bust, now.eroded, missing),
        paper=sales,
    ), LenderLosses(
        recognised=recognised,
        held=held,
        capital=now,
        missing=missing,
        paid=paid,
        paper=market,
        unsettled=indicator((move > SETTLED) | (market.move > SETTLED)),
    )  # fmt: skip
