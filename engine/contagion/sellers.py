"""Institutions that must sell: how much of what at given prices, and the price that sales leave.

Assets = debt + equity, for every institution i at prices p (1 before the shock),

    A_i = sum_k H_ik p_k + c_i + o_i = D_i + E_i

with H_ik (row i, column k) its holdings of asset k at the prices before the shock, c_i cash, o_i assets that
are not for sale, D_i debt. It fails if its assets exceed F_i times its equity, and must raise

    X_i = 0 if A_i <= L_i E_i;   A_i - T_i E_i if A_i > L_i E_i;   all it has if it fails        T <= L <= F

to repay debt: cash first, then assets by rank, those of one rank in proportion to their values:

    s_ik = clip((X_i - c_i - sum_{j before k} H_ij p_j) / sum_{j of k's rank} H_ij p_j, 0, 1)

The share s_ik falls as prices rise, whatever the trigger L, the target T and the failure F. Sales of S_k, at
the prices before the shock, leave the price q_k f(S_k, depth_k), q after the shock, f an impact.

Proportional sales to a target leverage are Greenwood, Landier and Thesmar's (2015, "Vulnerable banks",
Journal of Financial Economics 115), a trigger apart from the target Cont and Schaanning's (2017, "Fire sales,
indirect contagion and systemic stress testing"); a leverage at which banks fail, cash first and a pecking
order Farmer, Kleinnijenhuis, Nahai-Williamson and Wetzer's (2020, "Foundations of system-wide financial
stress testing with heterogeneous institutions", Bank of England Staff Working Paper 861).
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.arguments import TINY
from engine.contagion.amounts import amounts, to_array
from engine.numerics import traced

EDGE = 1e-12
"""Sales below this share, and equity missing by less than this share of debt, are rounding."""
POINTS = 9
"""Sales from none to all at which an impact of the user's own is looked at."""

Firms = Float64[Array, " institutions"]
Assets = Float64[Array, " assets"]
Matrix = Float64[Array, "institutions assets"]
Impact = Callable[[Assets, Assets], Assets]


def exponential(sales: Assets, depth: Assets) -> Assets:
    """exp(-S / depth): the depth divides the price by e.

    Cifuentes, Ferrucci and Shin (2005), Journal of the European Economic Association 3(2-3), 556-566.
    """
    return jnp.exp(-sales / depth)


def linear(sales: Assets, depth: Assets) -> Assets:
    """1 - S / depth, at least 0: the depth is worth nothing. Greenwood, Landier and Thesmar (2015)."""
    return jnp.maximum(1.0 - sales / depth, 0.0)


def square_root(sales: Assets, depth: Assets) -> Assets:
    """1 - sqrt(S / depth), at least 0: the law of market microstructure (Bouchaud 2010, "Price impact")."""
    part = sales / depth
    return jnp.maximum(1.0 - jnp.where(part > 0.0, jnp.sqrt(jnp.where(part > 0.0, part, 1.0)), 0.0), 0.0)


IMPACTS: dict[str, Impact] = {"exponential": exponential, "linear": linear, "square_root": square_root}


class Sellers(eqx.Module):
    """Balance sheets and rules of the institutions that hold the assets (see the module)."""

    holdings: Matrix
    debt: Firms
    cash: Firms
    other: Firms
    limit: Firms  # L, assets over equity
    target: Firms  # T
    failure: Firms  # F, infinite if only negative equity is failure
    rank: Assets  # of an asset, the lowest sold first

    def equity(self, prices: Assets) -> Firms:
        """E at these prices, below zero where debt exceeds assets."""
        return self.holdings @ prices + self.cash + self.other - self.debt

    def failed(self, prices: Assets) -> Bool[Array, " institutions"]:
        """A > F E, and negative equity at the least."""
        equity = self.equity(prices)
        return equity < (equity + self.debt) / self.failure - EDGE * self.debt

    def excess(self, prices: Assets) -> Firms:
        """A - L E, by which assets exceed the limit."""
        equity = self.equity(prices)
        return equity + self.debt - self.limit * equity

    def need(self, prices: Assets) -> Firms:
        """X, to be raised by cash and sales."""
        equity = self.equity(prices)
        over = self.excess(prices) > EDGE * self.debt
        missing = jnp.where(over, equity + self.debt - self.target * equity, 0.0)
        return jnp.where(self.failed(prices), 2.0 * (self.holdings @ prices + self.cash) + self.debt, missing)

    def sold(self, prices: Assets) -> Matrix:
        """Amounts sold, s H, at the prices before the shock."""
        values = self.holdings * prices[None, :]
        earlier = (self.rank[:, None] < self.rank[None, :]).astype(values.dtype)
        alike = (self.rank[:, None] == self.rank[None, :]).astype(values.dtype)
        wanted = (self.need(prices) - self.cash)[:, None] - values @ earlier
        together = values @ alike
        share = jnp.clip(wanted / jnp.where(together > 0.0, together, 1.0), 0.0, 1.0)
        worthless = (wanted > 0.0).astype(values.dtype)
        return self.holdings * jnp.where(together > 0.0, share, worthless)

    def share(self, sold: Matrix) -> Firms:
        """Amounts sold as a share of holdings, both at the prices before the shock."""
        whole = jnp.sum(self.holdings, axis=1)
        return jnp.where(whole > 0.0, jnp.sum(sold, axis=1) / jnp.where(whole > 0.0, whole, 1.0), 0.0)

    def over_limit(self, prices: Assets) -> Bool[Array, " institutions"]:
        """Whether selling all leaves the limit missed."""
        raised = self.holdings @ prices + self.cash
        return (self.excess(prices) > raised * (1.0 + EDGE)) | self.failed(prices)


class Market(eqx.Module):
    """Prices after a shock, and what sales make of them."""

    shocked: Assets  # q
    depth: Assets  # infinite where sales leave the price alone
    impact: Impact = eqx.field(static=True)

    def price(self, sales: Assets) -> Assets:
        """q f(S, depth)."""
        return self.shocked * jnp.where(jnp.isinf(self.depth), 1.0, self.impact(sales, self.finite_depth))

    @property
    def finite_depth(self) -> Assets:
        """Depth with 1 for infinity, which no impact sees."""
        return jnp.where(jnp.isinf(self.depth), 1.0, self.depth)


def sellers_of(
    holdings: ArrayLike, debt: ArrayLike, leverage_limit: ArrayLike, other_assets: ArrayLike = 0.0,
    target: ArrayLike | None = None, failure: ArrayLike = np.inf, cash: ArrayLike = 0.0,
    order: ArrayLike | None = None,
) -> Sellers:  # fmt: skip
    """Institutions from arguments, checked; raises the ValueErrors that `fire_sale` promises."""
    arguments.names_along(
        0, holdings=holdings, debt=debt, leverage_limit=leverage_limit, other_assets=other_assets,
        target=target, failure=failure, cash=cash,
    )  # fmt: skip
    arguments.same_names(("columns of holdings", holdings, 1), ("order", order, 0))
    holdings = to_array("holdings", holdings)
    if holdings.ndim != 2:
        raise ValueError(f"holdings: got shape {holdings.shape}, expected (institutions, assets)")
    institutions, assets = holdings.shape[:1], holdings.shape[1:]
    limit = amounts("leverage_limit", leverage_limit, institutions, lowest=1.0)
    goal = limit if target is None else amounts("target", target, institutions, lowest=1.0)
    end = unbounded("failure", failure, institutions, 1.0)
    in_order("target", goal, "at most the leverage limit", limit)
    in_order("leverage_limit", limit, "at most the leverage of failure", end)
    return Sellers(
        holdings=amounts("holdings", holdings),
        debt=amounts("debt", debt, institutions),
        cash=amounts("cash", cash, institutions),
        other=amounts("other_assets", other_assets, institutions),
        limit=limit,
        target=goal,
        failure=end,
        rank=amounts("order", 0.0 if order is None else order, assets),
    )


def market_of(
    sellers: Sellers, holdings: ArrayLike, depth: ArrayLike, prices: ArrayLike, impact: str | Impact
) -> Market:
    """A market from arguments, checked; `holdings` as they were given, for their names."""
    arguments.same_names(("columns of holdings", holdings, 1), ("depth", depth, 0), ("prices", prices, 0))
    assets = sellers.holdings.shape[1:]
    shocked = amounts("prices", prices, assets, lowest=TINY)
    market = Market(shocked, unbounded("depth", depth, assets, TINY), impact_of(impact))
    if not isinstance(impact, str):
        check_impact(market, jnp.sum(sellers.holdings, axis=0))
    return market


def unbounded(name: str, value: ArrayLike, shape: tuple[int, ...], lowest: float) -> Float64[Array, "..."]:
    """`amounts` that may be infinite."""
    array = to_array(name, value)
    finite = jnp.where(jnp.isposinf(array), jnp.float64(arguments.MOST), array)
    return jnp.where(jnp.isposinf(array), jnp.inf, amounts(name, finite, shape, lowest))


def in_order(name: str, low: Firms, expected: str, high: Firms) -> None:
    """Raises ValueError for the first of `low` that is above its `high`."""
    if traced(low, high):
        return
    for i in np.flatnonzero(np.asarray(low) > np.asarray(high)):
        arguments.refuse(f"{name}[{i}]", float(low[i]), f"{expected}, {float(high[i]):g}")


def impact_of(impact: str | Impact) -> Impact:
    """The impact of a name, or the user's own; ValueError for what is neither."""
    if isinstance(impact, str) and impact in IMPACTS:
        return IMPACTS[impact]
    if not callable(impact):
        names = ", ".join(IMPACTS)
        arguments.refuse("impact", impact, f"one of {names}, or a function of sales and depth")
    return impact


def check_impact(market: Market, most: Assets) -> None:
    """Raises ValueError unless an impact is 1 without sales, and falls, not below 0, to sales of all."""
    if traced(market.shocked, market.depth, most):
        return
    unsold = factor_of(market, jnp.zeros_like(most))
    if not np.allclose(unsold, 1.0, rtol=0.0, atol=EDGE):
        arguments.refuse("impact", unsold.tolist(), "1 where nothing is sold")
    before = unsold
    for share in np.linspace(0.0, 1.0, POINTS)[1:]:
        factor = factor_of(market, most * share)
        if not ((factor >= 0.0) & (factor <= before + EDGE)).all():
            arguments.refuse("impact", factor.tolist(), f"from 0 to {before.tolist()}, falling as sales rise")
        before = factor


def factor_of(market: Market, sales: Assets) -> Float64[np.ndarray, " assets"]:
    """The impact at some sales; ValueError where it has another shape or is no number."""
    try:
        factor: Any = market.impact(sales, market.finite_depth)
    except (TypeError, ValueError, jax.errors.JAXTypeError) as error:
        expected = "a function of sales [assets] and depth [assets]"
        raise ValueError(f"impact: got {type(error).__name__}, expected {expected}") from error
    array = np.asarray(factor, np.float64)
    if array.shape != sales.shape:
        raise ValueError(f"impact: got shape {array.shape}, expected {sales.shape}")
    return np.where(np.isinf(np.asarray(market.depth)), 1.0, array)
