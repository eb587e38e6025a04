"""A fire sale step by step: all sell at once, prices follow, and who is over the limit again sells again.

Who must sell how much of what, and what sales do to prices, says `sellers`. With holdings H(t), debt D(t) and
cash c(t) at the start of round t, s from them and the prices p(t):

    y = min(c, X),   S(t+1) = S(t) + sum_i s_ik H_ik,   p_k(t+1) = q_k f(S_k(t+1), depth_k)
    v_i = sum_k s_ik H_ik [p_k(t) + execution (p_k(t+1) - p_k(t))]
    H(t+1) = (1 - s) H,   D(t+1) = D - y - v,   c(t+1) = c - y

What a failed institution raises beyond its debt stays in cash; once failed it holds nothing more to sell.
Equity moves by what prices take from holdings kept, and by `execution` of what they take from those sold:

    E(t+1) - E(t) = sum_k [(1 - s) H_ik + execution s H_ik] (p_k(t+1) - p_k(t))

The first round, linear and at execution 1, is Greenwood, Landier and Thesmar's (2015) spillover; repeated
rounds are Cont and Schaanning's (2017), who sell half way. The prices at which `fire_sale` clears are others:
there all sell at the last price. Any one money unit.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.contagion.sellers import EDGE, Impact, Market, Sellers, market_of, sellers_of


class Deleveraging(eqx.Module):
    """The sale round by round; row 0 is after the shock and before any sale."""

    prices: Float64[Array, "rows assets"]  # 1 before the shock
    sales: Float64[Array, "rows assets"]  # in all so far, at the prices before the shock
    equity: Float64[Array, "rows institutions"]
    debt: Float64[Array, "rows institutions"]
    cash: Float64[Array, "rows institutions"]
    defaulted: Bool[Array, "rows institutions"]  # once failed, for good
    default_round: Int64[Array, " institutions"]  # 0 by the shock alone, -1 never
    holdings: Float64[Array, "institutions assets"]  # left, at the prices before the shock
    rounds: Int64[Array, ""]  # in which anybody sold or repaid
    settled: Bool[Array, ""]  # nobody must sell more


class Step(eqx.Module):
    """Balance sheets and prices between two rounds."""

    sellers: Sellers
    prices: Float64[Array, " assets"]
    sales: Float64[Array, " assets"]
    failed: Bool[Array, " institutions"]


def deleverage(
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
    execution: float = 1.0,
    rounds: int = 50,
) -> Deleveraging:
    """A fire sale round by round: who sells what, prices, equity, debt and defaults (see the module).

    Args: as for `fire_sale`, and execution in [0, 1], the share of a round's fall in prices that its sellers
    bear: 0 sells at the first price, 1 at the last; rounds, their number, whether or not they are needed
    (`Deleveraging.settled` says whether more would be). Traceable in all but impact and rounds. Raises
    ValueError as `fire_sale`, and for execution outside [0, 1].

    Example: a bank over its limit of 12 sells to reach 10, and the price it gets takes it over again.
        >>> after = deleverage([[100]], [90], 12, [1000], [0.98], target=10, rounds=4)
        >>> print(*(f"{sales:.2f}" for sales in after.sales[:, 0]), int(after.rounds), bool(after.settled))
        0.00 18.37 35.39 48.30 48.30 3 True
        >>> print(*(f"{price:.4f}" for price in after.prices[:, 0]))
        0.9800 0.9622 0.9459 0.9338 0.9338
    """
    execution = arguments.share("execution", execution)
    count = arguments.count("rounds", rounds)
    sellers = sellers_of(holdings, debt, leverage_limit, other_assets, target, failure, cash, order)
    return sell_in_rounds(sellers, market_of(sellers, holdings, depth, prices, impact), execution, count)


@eqx.filter_jit
def sell_in_rounds(sellers: Sellers, market: Market, execution: float, rounds: int) -> Deleveraging:
    """`deleverage` of checked sellers in a checked market."""

    def advance(step, _):
        after, active = one_round(step, market, execution)
        return after, (row_of(after), active)

    begin = Step(sellers, market.shocked, jnp.zeros_like(market.shocked), sellers.failed(market.shocked))
    end, (rows, active) = jax.lax.scan(advance, begin, length=rounds)
    prices, sales, equity, debt, cash, defaulted = jax.tree.map(
        lambda first, rest: jnp.concatenate([first[None], rest]), row_of(begin), rows
    )
    _, unsettled = one_round(end, market, execution)
    return Deleveraging(
        prices=prices,
        sales=sales,
        equity=equity,
        debt=debt,
        cash=cash,
        defaulted=defaulted,
        default_round=jnp.where(end.failed, jnp.argmax(defaulted, axis=0), -1),
        holdings=end.sellers.holdings,
        rounds=jnp.sum(active),
        settled=~unsettled,
    )


def row_of(step: Step) -> tuple[Array, ...]:
    """What the history keeps of a round."""
    sellers = step.sellers
    return step.prices, step.sales, sellers.equity(step.prices), sellers.debt, sellers.cash, step.failed


def one_round(step: Step, market: Market, execution: float) -> tuple[Step, Bool[Array, ""]]:
    """The balance sheets after a round, and whether anybody sold or repaid in it."""
    sellers = step.sellers
    sold = sellers.sold(step.prices)
    repaid = jnp.minimum(jnp.minimum(sellers.cash, sellers.need(step.prices)), sellers.debt)
    sales = step.sales + jnp.sum(sold, axis=0)
    prices = market.price(sales)
    proceeds = sold @ (step.prices + execution * (prices - step.prices))
    debt = sellers.debt - repaid
    paid = jnp.minimum(proceeds, debt)
    after = dataclasses.replace(
        sellers,
        holdings=sellers.holdings - sold,
        debt=debt - paid,
        cash=sellers.cash - repaid + proceeds - paid,
    )
    small = EDGE * (sellers.debt + jnp.sum(sellers.holdings, axis=1))
    active = jnp.any(jnp.sum(sold, axis=1) + repaid > small)
    return Step(after, prices, sales, step.failed | after.failed(prices)), active
