"""What the losses of a focus are made of, path by path: instruments, months, chips.

A lender's own loss on an instrument is what `engine.month.lenders.holders` books, month by month. What funds
pass on is looked through: with p_lj the loss that fund j passes to lender l, O own losses and G all losses,
[lenders instruments],

    G = O + R G,   R_lj = p_lj / gross_j

so that row l of G sums to gross_l. Losses on sales of paper are a column of their own. By chip, a loan's loss
is split by the value of what stood in pledge at the end of the month before.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int

from engine.batch.path_last import batch_last
from engine.book.links import some_rows
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month import lenders as lending
from engine.month.bearers import borne, retained
from engine.month.step import Info, State
from engine.numerics import indicator, ratio
from engine.paths import path as paths
from engine.paths.draws import PathIds, Seed
from engine.paths.focus import Focus
from engine.paths.simulate import along
from engine.run.chunks import by_path
from engine.run.plan import Hooks, Plan

QUARTER = 3
"""Months between two points of a loan's sheet."""


class Trail(eqx.Module):
    """What a path gathers month by month (USD bn)."""

    booked: Float[Array, "rows instruments"]
    by_chip: Float[Array, "collateralised gens"]
    at_default: Float[Array, "loans"]  # owed the month before, and drawn or lent since
    trading: Float[Array, "lenders"]  # loss on sales, as far as it is in this month's losses
    unpaid: Float[Array, "vehicles"]  # of a fund's debt
    equity_lost: Float[Array, "vehicles"]


class Sheet(eqx.Module):
    """Loans with a sheet: [sheets] in a month, [quarters sheets paths] in the end."""

    balance: Float[Array, "..."]  # USD bn
    ltv: Float[Array, "..."]  # 0 where it is not tested
    dscr: Float[Array, "..."]


class Losses(eqx.Module):
    """Each path of a focus (USD bn); the path axis is last."""

    months: Float[Array, "months *paths"]  # X by month
    parts: Float[Array, "parts *paths"]  # X by instrument; the last part is lost on sales of paper
    chips: Float[Array, "gens *paths"]  # X on loans against chips, by what stood behind them
    loss: Float[Array, "some *paths"]  # of the focus's loans, whoever holds them
    at_default: Float[Array, "some *paths"]
    default_month: Int[Array, "some *paths"]  # of the borrower, 0 = never
    cause: Int[Array, "some *paths"]  # a position in vocabulary.CAUSES
    sheet: Sheet  # at the end of every quarter

    @property
    def total(self) -> Float64[np.ndarray, "paths"]:
        """X of each path, on the host."""
        return np.asarray(self.months, np.float64).sum(axis=0)


def first_trail(system: System, focus: Focus) -> Trail:
    """Nothing lost."""
    rows, instruments = len(focus.rows), system.lenders.holdings.shape[1]
    none = jnp.zeros((system.lenders.debt_share.shape[1],), jnp.float32)
    return Trail(
        jnp.zeros((rows, instruments), jnp.float32), jnp.zeros_like(system.loans.pledged),
        jnp.zeros_like(system.loans.drawn), jnp.zeros_like(system.lenders.capital), none, none,
    )  # fmt: skip


def follow(
    system: System, focus: Focus, before: State, state: State, info: Info, trail: Trail, month: Any
) -> Trail:
    """The trail after a month, from the states at its ends."""
    count = system.loans.pledged.shape[0]
    value = before.collateral.pledged * info.collateral.price[None, :]
    whole = jnp.sum(value, axis=1)
    share = value * ratio(jnp.ones_like(whole), whole, 0.0)[:, None]
    fallen = indicator(state.credit.default_month == month.month)[system.loans.borrower]
    loss = info.loss[: fallen.shape[0]]
    # What a revolver was drawn in the very month of default is not told: never less than the loss.
    owed = jnp.maximum(before.funding.balance + info.funding.drawn + info.funding.lent, loss)
    unpaid, equity_lost = passed_by(system, before, state, info)
    return Trail(
        booked=trail.booked + booked(system, focus, before.lenders.paper.sold, info.loss),
        by_chip=trail.by_chip + loss[:count, None] * share,
        at_default=trail.at_default + fallen * owed,
        trading=before.lenders.paper.trading,
        unpaid=unpaid,
        equity_lost=equity_lost,
    )


def booked(
    system: System, focus: Focus, sold: Float[Array, "lenders"], loss: Float[Array, "instruments"]
) -> Float[Array, "rows instruments"]:
    """This month's loss by lender and instrument: the terms of `engine.month.lenders.holders`."""
    table, rows = system.lenders, np.asarray(focus.rows, np.int32)
    if not focus.rows:
        return jnp.zeros((0, loss.shape[0]), loss.dtype)
    paper = system.paper.marketable * loss
    moved = (sold @ table.holdings) * paper
    own = some_rows(table.holdings, focus.rows) * (loss[None, :] - sold[rows][:, None] * paper[None, :])
    return own + table.buyer_weight[rows][:, None] * moved[None, :]


def passed_by(
    system: System, before: State, state: State, info: Info
) -> tuple[Float[Array, "vehicles"], Float[Array, "vehicles"]]:
    """What creditors and owners of each fund have lost on it: the claims of `clear_vehicles`."""
    now, paid = info.lenders.capital, info.lenders.paid
    own_funds, debt = lending.balance_sheets(system, before.lenders.paper, now)
    total = state.lenders.gross[: debt.shape[0]]
    beyond = jnp.maximum(total - own_funds - debt, 0.0)
    return debt * (1.0 - paid), jnp.minimum(total, own_funds) + beyond


def total_of(system: System, focus: Focus, state: State) -> Float[Array, ""]:
    """X so far (USD bn)."""
    lenders = state.lenders
    if focus.bearer is not None:
        return borne(system, lenders.gross, lenders.scale)[focus.bearer]
    if focus.rows:
        return focus.lenders @ lenders.gross
    return focus.instruments @ lenders.loss


def parts_of(system: System, focus: Focus, state: State, trail: Trail) -> Float[Array, "parts"]:
    """X by instrument, and what is lost on sales of paper."""
    if not focus.rows:
        own = focus.instruments * state.lenders.loss
        return jnp.concatenate([own, jnp.zeros((1,), own.dtype)])
    rows = np.asarray(focus.rows, np.int32)
    own = jnp.concatenate([trail.booked, trail.trading[rows][:, None]], axis=1)
    return weights_of(system, focus, state)[rows] @ looked_through(system, focus, state, trail, own)


def weights_of(system: System, focus: Focus, state: State) -> Float[Array, "lenders"]:
    """Of each lender's loss the share that is the focus's."""
    if focus.bearer is None:
        return focus.lenders
    table, gross = system.lenders, state.lenders.gross
    loss = retained(system, gross)
    first = jnp.minimum(loss, table.equity * state.lenders.scale)
    share = table.first_bearer.matrix[focus.bearer] * first
    share = share + table.last_bearer.matrix[focus.bearer] * (loss - first)
    there = gross != 0.0  # a buyer of paper may have gained
    return jnp.where(there, share / jnp.where(there, gross, 1.0), 0.0)


def looked_through(
    system: System, focus: Focus, state: State, trail: Trail, own: Float[Array, "rows parts"]
) -> Float[Array, "rows parts"]:
    """Losses by instrument with those of funds in the place of what funds pass on: G = O + R G."""
    if not focus.through_funds:
        return own
    table, rows = system.lenders, np.asarray(focus.rows, np.int32)
    vehicles = table.debt_share.shape[1]
    gross = state.lenders.gross[:vehicles]
    creditors, owners = table.debt_share.matrix[rows], table.equity_share.matrix[rows]
    passed = creditors * trail.unpaid[None, :] + owners * trail.equity_lost[None, :]
    per_loss = system.numbers.mechanisms.lender_network * ratio(jnp.ones_like(gross), gross, 0.0)
    share = passed * per_loss[None, :]
    funds = own[:vehicles]
    for _ in range(lending.ROUNDS):
        funds = own[:vehicles] + share[:vehicles] @ funds
    return own + share @ funds


def ending(
    system: System, focus: Focus, state: State, trail: Trail
) -> tuple[Float[Array, "parts"], Float[Array, "gens"]]:
    """X by instrument and by chip at the end of a path."""
    parts, count = parts_of(system, focus, state, trail), system.loans.pledged.shape[0]
    return parts, ratio(parts[:count], state.lenders.loss[:count], 0.0) @ trail.by_chip


def chunk_losses(model: tuple[System, Focus], sampler: Sampler, seed: Seed, ids: PathIds) -> Losses:
    """The losses of one chunk of path ids."""
    system, focus = model
    sheets, loans = np.asarray(focus.sheets, np.int32), np.asarray(focus.loans, np.int32)

    def first(system):
        return first_trail(system, focus)

    def one_month(system, row, before, state, info, trail):
        trail = follow(system, focus, before, state, info, trail, row)
        return trail, (total_of(system, focus, state), sheet_of(state, info, sheets))

    def year_end(state, trail, months):
        totals, sheet = months
        return totals, at_quarters(sheet)

    _, _, state, trail, (totals, sheet) = along(system, sampler, seed, ids, first, one_month, year_end)
    parts, chips = batch_last(ending, system, focus, state, trail, batched=(False, False, True, True))
    borrower = system.loans.borrower[loans]
    totals = jnp.concatenate(totals)
    return Losses(
        months=jnp.diff(totals, axis=0, prepend=jnp.zeros_like(totals[:1])),
        parts=parts,
        chips=chips,
        loss=state.lenders.loss[loans],
        at_default=trail.at_default[loans],
        default_month=state.credit.default_month[borrower],
        cause=state.credit.cause[borrower],
        sheet=Sheet(*(jnp.concatenate(leaf) for leaf in (sheet.balance, sheet.ltv, sheet.dscr))),
    )


def sheet_of(state: State, info: Info, sheets: Int[np.ndarray, "sheets"]) -> Sheet:
    """Balance and tests of the loans with a sheet; without chips a loan has no test."""
    balance, count = state.funding.balance, info.collateral.ltv.shape[0]
    untested = jnp.zeros((balance.shape[0] - count,), balance.dtype)
    ltv, dscr = (jnp.concatenate([test, untested]) for test in (info.collateral.ltv, info.collateral.dscr))
    return Sheet(balance[sheets], ltv[sheets], dscr[sheets])


def at_quarters(sheet: Sheet) -> Sheet:
    """The last month of every quarter of a year's months."""
    last = slice(QUARTER - 1, None, QUARTER)
    return Sheet(sheet.balance[last], sheet.ltv[last], sheet.dscr[last])


def losses_of(
    system: System, focus: Focus, plan: Plan, sampler: Sampler = PSEUDO_RANDOM, hooks: Hooks | None = None
) -> Losses:
    """The losses of all paths of a plan, on the host; fewer paths where `hooks.stopped()`.

    Systems of equal shapes share one compiled program, and path n of each faces the same draws.
    """
    return by_path(chunk_losses, (system, focus), plan, sampler, hooks)
