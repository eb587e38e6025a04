"""Whose losses are looked at: one lender, a class, a group of final bearers, a borrower.

X = sum_l a_l gross_l      a lender, or all of a class
  = what of all lenders' losses falls on a group of bearers
  = sum_i m_i loss_i       the instruments of a borrower, or of a class
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float64

from engine.book.links import dense
from engine.book.system import System

SHEETS = 12
"""Loans that get a sheet, at most."""


class Focus(eqx.Module):
    """A weight for every lender or every instrument, or the place of a group of bearers; what is reported."""

    lenders: Float[Array, "lenders"]
    instruments: Float[Array, "instruments"]
    bearer: int | None = eqx.field(static=True)
    rows: tuple[int, ...] = eqx.field(static=True)  # lenders whose losses are split; funds first, if any
    through_funds: bool = eqx.field(static=True)  # all funds are among the rows
    loans: tuple[int, ...] = eqx.field(static=True)  # to named borrowers, reported one by one
    sheets: tuple[int, ...] = eqx.field(static=True)  # of them, those with a sheet


def focus_of(system: System, kind: str, name: str, sheets: int = SHEETS) -> Focus:
    """The focus of a kind and of a name that the System has.

    Kinds are `lender`, `lenders` (a class of them), `class` (of instruments), `bearer` and `borrower`. At
    most `sheets` loans get a sheet, those of which it has most. Raises ValueError where the System has no
    such name.
    """
    lenders, instruments = np.zeros(len(system.names.lenders)), np.zeros(len(system.names.instruments))
    bearer, reached = None, np.zeros(len(lenders), bool)
    if kind == "bearer":
        bearer = system.names.bearers.index(name)
        reached = falls_on(system, bearer)
    elif kind in ("lender", "lenders"):
        reached = members(system, kind, name)
        lenders = reached.astype(np.float64)
    else:
        instruments = owed_by(system, kind, name)
    rows, through = rows_of(system, reached)
    looked = reached.copy()
    looked[list(rows)] = True
    share = instruments + looked @ dense(system.lenders.holdings)
    amount = share[: len(system.names.loans)] * np.asarray(system.loans.committed, np.float64)
    own = np.flatnonzero(share[: len(amount)] > 0.0)
    largest = own[np.argsort(-amount[own], kind="stable")][:sheets]
    return Focus(
        jnp.asarray(lenders, jnp.float32), jnp.asarray(instruments, jnp.float32), bearer, rows, through,
        tuple(own.tolist()), tuple(largest.tolist()),
    )  # fmt: skip


def members(system: System, kind: str, name: str) -> Bool[np.ndarray, "lenders"]:
    """The lender of a name, or all of a class."""
    if kind == "lender":
        return np.arange(len(system.names.lenders)) == system.names.lenders.index(name)
    place = system.names.lender_classes.index(name)
    return np.asarray(system.lenders.membership.matrix)[place] > 0.0


def falls_on(system: System, bearer: int) -> Bool[np.ndarray, "lenders"]:
    """Lenders whose losses fall on a group of bearers in part."""
    table = system.lenders
    return (np.asarray(table.first_bearer.matrix) + np.asarray(table.last_bearer.matrix))[bearer] > 0.0


def owed_by(system: System, kind: str, name: str) -> Float64[np.ndarray, "instruments"]:
    """1 for the instruments of a class, or the loans of a borrower."""
    names = system.names
    if kind == "class":
        place = names.instrument_classes.index(name)
        return np.asarray(system.lenders.instrument_membership.matrix, np.float64)[place]
    owed = np.asarray(system.loans.borrower) == names.firms.index(name)
    return np.concatenate([owed, np.zeros(len(names.instruments) - len(owed))]).astype(np.float64)


def rows_of(system: System, reached: Bool[np.ndarray, "lenders"]) -> tuple[tuple[int, ...], bool]:
    """Lenders whose losses are split, and whether funds are looked through: where one has a claim on them."""
    table = system.lenders
    vehicles = table.debt_share.shape[1]
    claims = np.asarray(table.debt_share.matrix) + np.asarray(table.equity_share.matrix)
    own = np.flatnonzero(reached)
    if not claims[own].any():
        return tuple(own.tolist()), False
    return (*range(vehicles), *own[own >= vehicles].tolist()), True
