"""Clearing of vehicles' debt and equity among lenders, with bankruptcy cost (Rogers-Veraart)."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from engine.contagion.linear import Rows

Vehicles = Float[Array | np.ndarray, " vehicles"]
Scalar = float | Float[Array | np.ndarray, ""]


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
    every chain; stakes in a ring may leave a move.

    Example: the fund above; its pension loses 10, and the bank a fifth of 10.
        >>> losses, _ = fail_each(jnp.array([10.0]), jnp.array([10.0]), jnp.array([[0.0], [1.0], [0.0]]),
        ...     jnp.array([[0.0], [0.0], [1.0]]), 1.0, 0.2)
        >>> losses.round(6).tolist()
        [[0.0, 2.0, 10.0]]
    """
    equity, liabilities = jnp.asarray(capital), jnp.asarray(debt)
    creditors, owners = jnp.asarray(debt_share), jnp.asarray(equity_share)
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
