"""Clearing values of firms that hold each other's shares and debt, with ranks of debt.

Assets = payments to creditors + equity, for every firm i, at the clearing values

    A_i = a_i + sum_j S_ji E_j + sum_s sum_j (L_sji / d_sj) p_sj
    p_si = clip(T_i - sum_{u<s} d_ui, 0, d_si),   d_si = sum_j L_sij + l_si      (rank 0 is paid first)
    E_i = max(A_i - d_i, 0),   d_i = sum_s d_si

L_sij (row i, column j) are the liabilities of i to j in rank s, l_si those to outsiders, S_ij the share of
i's equity that j owns, a_i external assets. T_i is the sum that creditors get, d_i V(a_i, A_i - a_i, d_i), by
a valuation of `networks`: all assets with EisenbergNoe, less default costs with RogersVeraart. Without equity
and with one rank this is `networks.clear`. Any one money unit.

Suzuki (2002), "Valuing corporate debt: the effect of cross-holdings of stock and debt"; Elsinger (2009),
"Financial networks, cross holdings, and limited liability"; Fischer (2014), "No-arbitrage pricing under
systemic risk: accounting for cross-ownership"; with costs Weber and Weske (2017).
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.contagion.amounts import amounts, check_iteration, check_valuation, network, to_array
from engine.contagion.fixed_point import check_start, iterate
from engine.contagion.networks import EisenbergNoe, Valuation, positive, solvent
from engine.numerics import traced


class Ownership(eqx.Module):
    """Values that clear the holdings, in the money unit of the liabilities."""

    assets: Float64[Array, " firms"]  # A, before default costs
    payments: Float64[Array, "ranks firms"]  # p, to firms and outsiders
    equity: Float64[Array, " firms"]  # E, of all owners, firms and outsiders
    defaulted: Bool[Array, " firms"]  # A < d
    cost: Float64[Array, " firms"]  # A - payments - E
    rounds: Int64[Array, ""]
    residual: Float64[Array, ""]  # largest miss of the equation for A
    converged: Bool[Array, ""]
    solution: str = eqx.field(static=True)  # greatest: most paid, fewest defaults; or least


def clear_holdings(
    liabilities: ArrayLike,
    external_assets: ArrayLike,
    external_liabilities: ArrayLike = 0.0,
    equity_held: ArrayLike = 0.0,
    *,
    valuation: Valuation | None = None,
    start: str = "greatest",
    rounds: int = 100_000,
    tolerance: float = 1e-13,
) -> Ownership:
    """The greatest or the least values that clear cross-holdings of shares and ranked debt (see the module).

        A = a + S' E + sum_s (L_s / d_s)' p_s,   p_s = clip(T - senior debt, 0, d_s),   E = max(A - d, 0)

    Args: liabilities [ranks debtors creditors], the first rank paid first; external_assets [firms];
    external_liabilities [ranks firms]; equity_held [issuers owners], shares of the row's equity; valuation,
    EisenbergNoe() if None; start, greatest or least; rounds, the most there may be; tolerance of the residual
    as a share of the largest assets there could be. Traceable: jit it, or vmap it over any argument.

    Raises ValueError for liabilities that are not [ranks firms firms], owe themselves or are negative,
    negative external amounts, shares outside [0, 1], more than all of a firm's equity held, firms owned by
    each other alone (their value could be anything), shapes that do not fit, and an unknown start.

    Example: b owns half of a and has 4 of senior and 4 of junior debt; a is worth 6, b has 3 besides.
        >>> none = [[0, 0], [0, 0]]
        >>> owned = clear_holdings([none, none], [6, 3], [[0, 4], [0, 4]], [[0, 0.5], [0, 0]])
        >>> owned.assets.tolist(), owned.payments[:, 1].tolist(), owned.equity.tolist()
        ([6.0, 6.0], [4.0, 2.0], [6.0, 0.0])
    """
    check_start(start)
    check_iteration(rounds, tolerance)
    arguments.names_along(0, external_assets=external_assets, equity_held=equity_held)
    liabilities = to_array("liabilities", liabilities)
    shape = liabilities.shape
    if len(shape) != 3 or shape[1] != shape[2] or not shape[0]:
        raise ValueError(
            f"liabilities: got shape {shape}, expected (ranks, firms, firms) with a rank or more"
        )
    ranks = jnp.stack([network(f"liabilities[{s}]", rank) for s, rank in enumerate(liabilities)])
    external = amounts("external_assets", external_assets, shape[1:2])
    outside = amounts("external_liabilities", external_liabilities, shape[:2])
    stakes = check_stakes(equity_held, shape[1])
    valuation = EisenbergNoe() if valuation is None else valuation
    owed = jnp.sum(ranks, axis=(0, 2)) + jnp.sum(outside, axis=0)
    check_valuation(valuation, external, jnp.sum(ranks, axis=(0, 1)), owed)
    cleared = clear_ranks(ranks, external, outside, stakes, valuation, start, rounds, tolerance)
    check_valuation(valuation, external, cleared.assets - external, owed)
    return cleared


def check_stakes(equity_held: ArrayLike, firms: int) -> Float64[Array, "issuers owners"]:
    """Shares of equity as a matrix; raises the ValueErrors that `clear_holdings` promises for them."""
    arguments.same_names(("equity_held", equity_held, 0), ("columns of equity_held", equity_held, 1))
    stakes = network("equity_held", amounts("equity_held", equity_held, (firms, firms), highest=1.0))
    if traced(stakes):
        return stakes
    shares = np.asarray(stakes)
    for i in np.flatnonzero(shares.sum(axis=1) > 1.0 + 1e-12):
        raise ValueError(f"equity_held[{i}]: got a sum of {shares[i].sum()}, expected at most 1")
    radius = np.abs(np.linalg.eigvals(shares)).max(initial=0.0)
    if radius > 1.0 - 1e-12:
        raise ValueError("equity_held: got firms owned by each other alone, expected an owner outside")
    return stakes


@eqx.filter_jit
def clear_ranks(
    ranks: Float64[Array, "ranks firms firms"], external: Float64[Array, " firms"],
    outside: Float64[Array, "ranks firms"], stakes: Float64[Array, "firms firms"], valuation: Valuation,
    start: str, rounds: int, tolerance: float,
) -> Ownership:  # fmt: skip
    """`clear_holdings` on checked arrays; stakes [issuers owners]."""
    owed = jnp.sum(ranks, axis=2) + outside
    total = jnp.sum(owed, axis=0)
    ahead = jnp.cumsum(owed, axis=0) - owed
    shares = ranks / positive(owed)[:, :, None]

    def divide(assets):
        paid = total * valuation(external, assets - external, total)
        return jnp.clip(paid[None, :] - ahead, 0.0, owed), jnp.maximum(assets - total, 0.0)

    def collect(assets):
        payments, equity = divide(assets)
        return external + stakes.T @ equity + jnp.einsum("sij,si->j", shares, payments)

    # Nothing clears above full payment with all assets left to the owners: A = a + sum_s L_s' 1 + S' A.
    one = jnp.eye(len(external), dtype=stakes.dtype)
    most = jnp.linalg.solve(one - stakes.T, external + ranks.sum(axis=(0, 1)))
    begin = most if start == "greatest" else external
    assets, count, residual, converged, _ = iterate(
        collect, begin, rounds, tolerance * jnp.max(most, initial=0.0)
    )
    payments, equity = divide(assets)
    return Ownership(
        assets=assets,
        payments=payments,
        equity=equity,
        defaulted=~solvent(external, assets - external, total),
        cost=assets - jnp.sum(payments, axis=0) - equity,
        rounds=count,
        residual=residual,
        converged=converged,
        solution=start,
    )
