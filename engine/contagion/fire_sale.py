"""A fire-sale spiral: leverage limits force sales, sales lower prices, prices raise leverage.

Who must sell how much of what, and what sales do to prices, says `sellers`. All sell at the price that clears
the market, as in Cifuentes, Ferrucci and Shin (2005, "Liquidity risk and contagion"):

    p_k = q_k f(sum_i s_ik(p) H_ik, depth_k)

There may be several fixed points. From q down the iteration finds the greatest: highest prices, least loss.
From full liquidation up it finds the least. Sales round by round, each at the prices of its round, are
`deleveraging`'s. Any one money unit.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.contagion.amounts import check_iteration
from engine.contagion.fixed_point import check_start, iterate
from engine.contagion.sellers import EDGE, Impact, Market, Sellers, market_of, sellers_of


class Rounds(eqx.Module):
    """The spiral round by round; row 0 is at the prices from which it starts."""

    prices: Float64[Array, "rows assets"]
    sales: Float64[Array, "rows assets"]  # in all so far, at the prices before the shock
    equity: Float64[Array, "rows institutions"]
    defaulted: Bool[Array, "rows institutions"]


class FireSale(eqx.Module):
    """Prices, sales and defaults at the fixed point."""

    prices: Float64[Array, " assets"]  # 1 before the shock
    sold: Float64[Array, " institutions"]  # share of holdings, at the prices before the shock
    sold_assets: Float64[Array, "institutions assets"]  # s_ik H_ik, at the prices before the shock
    sales: Float64[Array, " assets"]  # their sum by asset
    equity: Float64[Array, " institutions"]  # at the final prices, below zero where debt exceeds assets
    defaulted: Bool[Array, " institutions"]  # failed: A > F E
    over_limit: Bool[Array, " institutions"]  # everything sold and still above the limit, or in default
    sale_round: Int64[Array, " institutions"]  # of the first sale, 0 at once after the shock, -1 never
    default_round: Int64[Array, " institutions"]  # 0 by the shock alone, -1 never; from below all are 0
    rounds: Int64[Array, ""]
    residual: Float64[Array, ""]  # largest miss of the equation for p
    converged: Bool[Array, ""]
    history: Rounds | None  # of as many rounds as were asked for, NaN after the last
    solution: str = eqx.field(static=True)  # greatest: highest prices, least loss; or least


def fire_sale(
    holdings: ArrayLike,
    debt: ArrayLike,
    leverage_limit: ArrayLike,
    depth: ArrayLike,
    prices: ArrayLike = 1.0,
    other_assets: ArrayLike = 0.0,
    *,
    target: ArrayLike | None = None,
    failure: ArrayLike = np.inf,
    cash: ArrayLike = 0.0,
    order: ArrayLike | None = None,
    impact: str | Impact = "exponential",
    start: str = "greatest",
    rounds: int = 100_000,
    tolerance: float = 1e-13,
    history: int = 0,
) -> FireSale:
    """Prices, sales and defaults of a fire sale: the greatest or the least fixed point (see the module).

        X = A - T E if A > L E, all if A > F E;   s = clip((X - c) / (H p), 0, 1);   p = q f(H' s, depth)

    Args: holdings [institutions assets] at the prices before the shock; debt, other_assets and cash
    [institutions]; leverage_limit [institutions] or one number, L, assets over equity, at least 1; depth
    [assets], by which the impact scales sales, infinite where they leave the price alone; prices [assets], q,
    after the shock as a share of before; target, T, the leverage that sales restore, the limit if None;
    failure, F, the leverage beyond which an institution fails and sells all, 1 over a minimum leverage ratio;
    order [assets], ranks of a pecking order, the lowest sold first and equal ones in proportion, all in
    proportion if None; impact, exponential, linear, square_root or a function of (sales, depth) [assets] that
    gives the price as a share of q; start, greatest (highest prices, least loss) or least; rounds, the most
    there may be; tolerance of the residual in prices; history, of how many first rounds the result keeps
    prices, sales, equity and defaults. Traceable: jit it, or vmap it over any argument. Defaults by round:
    np.bincount(default_round[defaulted]).

    Raises ValueError for negative amounts, T < 1, T > L or L > F, a depth or prices that are not positive,
    shapes that do not fit, an unknown start or impact, and an impact that is not 1 without sales, or rises.

    Example: a bank with 100 of bonds, 90 of debt and a limit of 12; bonds lose 2%.
        >>> for depth in (np.inf, 4000, 1000):
        ...     after = fire_sale([[100]], [90], 12, [depth], [0.98])
        ...     print(f"{after.prices[0]:.4f} {after.sold[0]:.4f} {after.defaulted[0]}")
        0.9800 0.0204 False
        0.9793 0.0282 False
        0.8867 1.0000 True
    """
    check_start(start)
    check_iteration(rounds, tolerance)
    record = arguments.count("history", history, 0)
    sellers = sellers_of(holdings, debt, leverage_limit, other_assets, target, failure, cash, order)
    market = market_of(sellers, holdings, depth, prices, impact)
    return sell_down(sellers, market, start, rounds, tolerance, record)


@eqx.filter_jit
def sell_down(
    sellers: Sellers, market: Market, start: str, rounds: int, tolerance: float, history: int
) -> FireSale:
    """`fire_sale` of checked sellers in a checked market."""

    def price(prices):
        return market.price(jnp.sum(sellers.sold(prices), axis=0))

    def watch(record, prices, count):
        first, path = record
        now = jnp.stack([sellers.share(sellers.sold(prices)) > EDGE, sellers.failed(prices)])
        return jnp.where((first < 0) & now, count, first), path.at[count].set(prices, mode="drop")

    all_sold = market.price(jnp.sum(sellers.holdings, axis=0))
    begin = market.shocked if start == "greatest" else all_sold
    never = jnp.full((2, sellers.debt.shape[0]), -1, jnp.int64)
    path = jnp.full((history + 1, begin.shape[0]), jnp.nan)
    prices, count, residual, converged, (first, path) = iterate(
        price, begin, rounds, tolerance, watch, (never, path)
    )
    sold, defaulted = sellers.sold(prices), sellers.failed(prices)
    share = sellers.share(sold)
    return FireSale(
        prices=prices,
        sold=share,
        sold_assets=sold,
        sales=jnp.sum(sold, axis=0),
        equity=sellers.equity(prices),
        defaulted=defaulted,
        over_limit=sellers.over_limit(prices),
        sale_round=round_of(first[0], share > EDGE, count),
        default_round=round_of(first[1], defaulted, count),
        rounds=count,
        residual=residual,
        converged=converged,
        history=rounds_of(sellers, path) if history else None,
        solution=start,
    )


def rounds_of(sellers: Sellers, prices: Float64[Array, "rows assets"]) -> Rounds:
    """What follows from prices by round."""
    sales = jax.vmap(lambda row: jnp.sum(sellers.sold(row), axis=0))(prices)
    return Rounds(prices, sales, jax.vmap(sellers.equity)(prices), jax.vmap(sellers.failed)(prices))


def round_of(
    first: Int64[Array, " institutions"], event: Bool[Array, " institutions"], count: Int64[Array, ""]
) -> Int64[Array, " institutions"]:
    """First round of an event, -1 without one; the last round where only the Newton step shows it."""
    return jnp.where(event, jnp.where(first < 0, count, first), -1)
