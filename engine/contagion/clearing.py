"""Clearing of vehicles' debt and equity among lenders, with bankruptcy cost (Rogers-Veraart)."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from engine import arguments
from engine.contagion.linear import Rows
from engine.numerics import traced

Vehicles = Float[Array | np.ndarray, " vehicles"]
Scalar = float | Float[Array | np.ndarray, ""]
WHOLE = 1e-5
"""By how much shares in float32 may sum to more than one."""


def clear_vehicles(
    loss: Vehicles,
    capital: Vehicles,
    debt: Vehicles,
    debt_share: Rows,
    equity_share: Rows,
    passing: Scalar,
    bankruptcy_cost: Scalar,
    rounds: int,
) -> tuple[Float[Array, " lenders"], Float[Array, " vehicles"], Float[Array, ""]]:
    """Losses that lenders take on their claims on vehicles: the least fixed point, from no loss.

        L_j = loss_j + n_j
        theta_j = 1 if L_j <= capital_j, else clip((1 - cost)(capital_j + debt_j - L_j) / debt_j, 0, 1)
        e_j = min(L_j, capital_j) + (L_j - capital_j - debt_j)^+
        n_l = passing * sum_j ( debt_share_lj debt_j (1 - theta_j) + equity_share_lj e_j )

    Owners lose their equity, creditors the rest; a loss beyond all assets falls on the owners, who must have
    paid in more than the balance sheet says. So sum_l n_l = passing * sum_j (L_j + cost_j)
    with the bankruptcy cost cost_j = cost * (capital_j + debt_j - L_j)^+ of the vehicles that fail.

    Args: loss [vehicles], their own; capital, debt [vehicles], USD bn; debt_share, equity_share
    [lenders vehicles], columns summing to one, vehicles being the first lenders; passing in [0, 1] switches
    the network. Returns (n [lenders], theta [vehicles], last move of the vehicles' n). Written in losses, not
    in levels, which would cancel in float32 for a large balance sheet.

    Example: a fund with 10 of debt and 10 of equity loses 12; the bank takes 2, the pension 10.
        >>> n, theta, _ = clear_vehicles(jnp.float32([12.0]), jnp.float32([10.0]), jnp.float32([10.0]),
        ...     jnp.float32([[0], [1], [0]]), jnp.float32([[0], [0], [1]]), 1.0, 0.0, 3)
        >>> [round(float(x), 3) for x in n]
        [0.0, 2.0, 10.0]
    """
    vehicles = debt.shape[0]
    indebted = debt > 0.0

    def claims(total):
        assets = capital + debt - total
        partial = jnp.clip((1.0 - bankruptcy_cost) * assets / jnp.where(indebted, debt, 1.0), 0.0, 1.0)
        theta = jnp.where(total <= capital, 1.0, partial)
        return theta, debt * (1.0 - theta), jnp.minimum(total, capital) + jnp.maximum(-assets, 0.0)

    # Only vehicles' own part moves the next round, so the other lenders' claims are summed once, at the end.
    among, before = jnp.zeros_like(loss), jnp.zeros_like(loss)
    for _ in range(rounds):
        _, owed, owned = claims(loss + among)
        before = among
        among = passing * (debt_share[:vehicles] @ owed + equity_share[:vehicles] @ owned)
    theta, owed, owned = claims(loss + among)
    others = passing * (debt_share[vehicles:] @ owed + equity_share[vehicles:] @ owned)
    return jnp.concatenate([among, others]), theta, jnp.max(jnp.abs(among - before), initial=0.0)


def fail_each(
    capital: ArrayLike,
    debt: ArrayLike,
    debt_share: ArrayLike,
    equity_share: ArrayLike,
    passing: Scalar = 1.0,
    bankruptcy_cost: Scalar = 0.0,
) -> tuple[Float[Array, "vehicles lenders"], Float[Array, ""]]:
    """Losses that lenders take on their claims if one vehicle alone fails, vehicle by vehicle.

    Its own assets fall by all its capital and no more: owners are wiped out, and creditors bear what
    bankruptcy costs. Owners that are vehicles pass on what they lose (see `clear_vehicles`).

    Args: capital, debt [vehicles], one money unit; debt_share, equity_share [lenders vehicles], columns that
    sum to one, the vehicles first among the lenders; passing and bankruptcy_cost, shares. Returns losses
    [failing lenders] and the largest last move: as many rounds as there are vehicles and one more, enough for
    every chain; stakes in a ring may leave a move. Raises ValueError for negative amounts, shares outside
    [0, 1] or columns of more than one, and shapes that do not fit, unless they are traced.

    Example: the fund above; its pension loses 10, and the bank a fifth of 10.
        >>> losses, _ = fail_each(jnp.array([10.0]), jnp.array([10.0]), jnp.array([[0.0], [1.0], [0.0]]),
        ...     jnp.array([[0.0], [0.0], [1.0]]), 1.0, 0.2)
        >>> losses.round(6).tolist()
        [[0.0, 2.0, 10.0]]
    """
    if not traced(capital, debt, debt_share, equity_share, passing, bankruptcy_cost):
        check_claims(capital, debt, debt_share, equity_share)
        arguments.share("passing", passing)
        arguments.share("bankruptcy_cost", bankruptcy_cost)
    equity, liabilities, creditors, owners = (device(x) for x in (capital, debt, debt_share, equity_share))
    rounds = liabilities.shape[0] + 1

    def one(loss):
        passed, _, move = clear_vehicles(
            loss, equity, liabilities, creditors, owners, passing, bankruptcy_cost, rounds
        )
        return passed, move

    # A vehicle that has lost its capital to the last cent is solvent: the next number up is not.
    just_failed = jnp.nextafter(equity, jnp.full_like(equity, jnp.inf))
    losses, moves = jax.vmap(one)(jnp.diag(just_failed))
    return losses, jnp.max(moves, initial=0.0)


def check_claims(capital: Any, debt: Any, debt_share: Any, equity_share: Any) -> None:
    """Raises the ValueErrors that `fail_each` promises for amounts and shares."""
    arguments.names_along(0, capital=capital, debt=debt)
    equity = arguments.vector("capital", capital, 0.0)
    arguments.fits("debt", arguments.vector("debt", debt, 0.0), equity.shape)
    arguments.names_along(0, debt_share=debt_share, equity_share=equity_share)
    rows = None
    for name, value in (("debt_share", debt_share), ("equity_share", equity_share)):
        arguments.same_names(("capital", capital, 0), (f"columns of {name}", value, 1))
        share = arguments.within(name, arguments.numbers(name, value), 0.0, 1.0)
        if share.ndim != 2 or share.shape[1] != len(equity) or len(share) < len(equity):
            expected = f"(lenders, {len(equity)}), the vehicles first among the lenders"
            raise ValueError(f"{name}: got shape {share.shape}, expected {expected}")
        rows = len(share) if rows is None else rows
        if len(share) != rows:
            raise ValueError(f"{name}: got {len(share)} lenders, expected {rows} as in debt_share")
        for j in np.flatnonzero(share.sum(axis=0) > 1.0 + WHOLE):
            raise ValueError(f"{name}: got {share[:, j].sum():g} in column {j}, expected at most 1")


def device(value: Any) -> Array:
    """An array on the device, in its own precision; whole numbers in float64 or float32, as JAX is set."""
    if traced(value) or getattr(value, "dtype", None) in (np.float32, np.float64):
        return jnp.asarray(getattr(value, "values", value))
    return jnp.asarray(arguments.numbers("share", value)).astype(float)
