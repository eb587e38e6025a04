"""A fire-sale spiral: leverage limits force sales, sales lower prices, prices raise leverage.

Assets = debt + equity, for every institution i at prices p (1 before the shock),

    sum_k H_ik p_k + o_i = D_i + E_i

with H_ik (row i, column k) the holdings of institution i in asset k at the prices before the shock, o_i
assets that are not for sale, D_i debt. An institution whose assets exceed L_i times its equity sells a share
s_i of all its holdings: the share that restores the limit when debt is repaid, or all if that is not enough:

    s_i = clip((A_i - L_i E_i) / sum_k H_ik p_k, 0, 1),   A_i = sum_k H_ik p_k + o_i
    p_k = q_k exp(-sum_i s_i H_ik / depth_k)

q are prices after the shock, and depth_k the sale (at the prices before the shock) that divides asset k's
price by e. All sell at the price that clears the market, as in Cifuentes, Ferrucci and Shin (2005); leverage
targets and proportional sales are Greenwood, Landier and Thesmar's (2015), limits that bind from one side
Cont and Schaanning's (2017). There may be several fixed points. From q down the iteration finds the greatest:
highest prices, least loss. From full liquidation up it finds the least. Any one money unit.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.arguments import TINY
from engine.contagion.amounts import amounts, check_iteration, to_array
from engine.contagion.fixed_point import check_start, iterate

EDGE = 1e-12
"""Sales below this share, and equity missing by less than this share of debt, are rounding."""


class FireSale(eqx.Module):
    """Prices, sales and defaults at the fixed point."""

    prices: Float64[Array, " assets"]  # 1 before the shock
    sold: Float64[Array, " institutions"]  # s, share of holdings
    sales: Float64[Array, " assets"]  # sum_i s_i H_ik, at the prices before the shock
    equity: Float64[Array, " institutions"]  # at the final prices, below zero in default
    defaulted: Bool[Array, " institutions"]
    over_limit: Bool[Array, " institutions"]  # everything sold and still above the limit, or in default
    sale_round: Int64[Array, " institutions"]  # of the first sale, 0 at once after the shock, -1 never
    default_round: Int64[Array, " institutions"]  # 0 by the shock alone, -1 never; from below all are 0
    rounds: Int64[Array, ""]
    residual: Float64[Array, ""]  # largest miss of the equation for p
    converged: Bool[Array, ""]


def spiral(
    holdings: ArrayLike,
    debt: ArrayLike,
    leverage_limit: ArrayLike,
    depth: ArrayLike,
    prices: ArrayLike = 1.0,
    other_assets: ArrayLike = 0.0,
    *,
    start: str = "greatest",
    rounds: int = 100_000,
    tolerance: float = 1e-13,
) -> FireSale:
    """Prices, sales and defaults of a fire sale: the greatest or the least fixed point (see the module).

        s = clip((A - L E) / (H p), 0, 1),   p = q exp(-H' s / depth),   A = H p + o,   E = A - D

    Args: holdings [institutions assets] at the prices before the shock; debt and other_assets [institutions];
    leverage_limit [institutions] or one number, assets over equity, at least 1; depth [assets], the sale that
    divides a price by e; prices [assets], q, after the shock as a share of before; start, greatest (highest
    prices, least loss) or least; rounds, the most there may be; tolerance of the residual in prices.
    Traceable: jit it, or vmap it over any argument. Defaults by round: np.bincount(default_round[defaulted]).

    Raises ValueError for negative holdings, debt or other assets, limits below 1, depth or prices that are
    not positive, shapes that do not fit, and an unknown start.

    Example: a bank with 100 of bonds, 90 of debt and a limit of 12; bonds lose 2%.
        >>> for depth in (4000, 1000):
        ...     after = spiral([[100]], [90], 12, [depth], [0.98])
        ...     print(f"{after.prices[0]:.4f} {after.sold[0]:.4f} {after.defaulted[0]}")
        0.9793 0.0282 False
        0.8867 1.0000 True
    """
    check_start(start)
    check_iteration(rounds, tolerance)
    arguments.names_along(
        0, holdings=holdings, debt=debt, leverage_limit=leverage_limit, other_assets=other_assets
    )
    arguments.same_names(("columns of holdings", holdings, 1), ("depth", depth, 0), ("prices", prices, 0))
    holdings = to_array("holdings", holdings)
    if holdings.ndim != 2:
        raise ValueError(f"holdings: got shape {holdings.shape}, expected (institutions, assets)")
    holdings = amounts("holdings", holdings)
    institutions, assets = holdings.shape[:1], holdings.shape[1:]
    return sell_down(
        holdings,
        amounts("debt", debt, institutions),
        amounts("leverage_limit", leverage_limit, institutions, lowest=1.0),
        amounts("depth", depth, assets, lowest=TINY),
        amounts("prices", prices, assets, lowest=TINY),
        amounts("other_assets", other_assets, institutions),
        start,
        rounds,
        tolerance,
    )


@eqx.filter_jit
def sell_down(
    holdings: Float64[Array, "institutions assets"], debt: Float64[Array, " institutions"],
    limit: Float64[Array, " institutions"], depth: Float64[Array, " assets"],
    shocked: Float64[Array, " assets"], other: Float64[Array, " institutions"],
    start: str, rounds: int, tolerance: float,
) -> FireSale:  # fmt: skip
    """`spiral` on checked arrays; shocked, the prices after the shock."""

    def balance(prices):
        marketable = holdings @ prices
        equity = marketable + other - debt
        return marketable, equity, marketable + other - limit * equity

    def sell(prices):
        marketable, _, excess = balance(prices)
        share = jnp.clip(excess / jnp.where(marketable > 0.0, marketable, 1.0), 0.0, 1.0)
        return jnp.where(marketable > 0.0, share, 0.0)

    def price(prices):
        return shocked * jnp.exp(-(holdings.T @ sell(prices)) / depth)

    def failed(prices):
        return balance(prices)[1] < -EDGE * debt

    def watch(first, prices, count):
        now = jnp.stack([sell(prices) > EDGE, failed(prices)])
        return jnp.where((first < 0) & now, count, first)

    begin = shocked if start == "greatest" else shocked * jnp.exp(-jnp.sum(holdings, axis=0) / depth)
    never = jnp.full((2, debt.shape[0]), -1, jnp.int64)
    prices, count, residual, converged, first = iterate(price, begin, rounds, tolerance, watch, never)
    marketable, equity, excess = balance(prices)
    sold, defaulted = sell(prices), failed(prices)
    return FireSale(
        prices=prices,
        sold=sold,
        sales=holdings.T @ sold,
        equity=equity,
        defaulted=defaulted,
        over_limit=excess > marketable * (1.0 + EDGE),
        sale_round=round_of(first[0], sold > EDGE, count),
        default_round=round_of(first[1], defaulted, count),
        rounds=count,
        residual=residual,
        converged=converged,
    )


def round_of(
    first: Int64[Array, " institutions"], event: Bool[Array, " institutions"], count: Int64[Array, ""]
) -> Int64[Array, " institutions"]:
    """First round of an event, -1 without one; the last round where only the Newton step shows it."""
    return jnp.where(event, jnp.where(first < 0, count, first), -1)
