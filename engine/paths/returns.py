"""Lenders' income and losses on loans to named firms, and all loss columns of a run, path by path.

    income_l = sum over months t and loans m of  W_lm B_m(t) (coupon_m(t) - [fixed] r(t)) / 12
    loss_l   = sum over loans m of  W_lm loss_m

B is the balance at a month's end, so that the interest of the month in which a borrower defaults does not
count; W are the holdings at month 0. A lender funds its loans at the short rate r, so that a floating loan
earns its margin. Fees, taxes and the income of pools and tranches are left out.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.batch.path_last import batch_last
from engine.book.links import of_first
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.debt_service import margin
from engine.paths import path as paths
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import every_year
from engine.run.chunks import by_path
from engine.run.plan import Hooks, Plan
from engine.vocabulary import MONTH


class Returns(eqx.Module):
    """Each path at the end of the run (USD bn); the path axis is last."""

    losses: Float[Array, "columns *paths"]  # of `engine.paths.path.column_names`
    income: Float[Array, "lenders *paths"]  # over the short rate
    loss: Float[Array, "lenders *paths"]  # on loans to named firms
    lent: Float[Array, "lenders *paths"]  # USD bn x years


def chunk_returns(system: System, sampler: Sampler, seed: Seed, ids: PathIds) -> Returns:
    """The returns of one chunk of path ids."""

    def monthly(system, state, info):
        loans, held = system.loans, system.lenders.holdings
        over_rate = margin(state.funding) - (1.0 - loans.floating) * info.economy.rate
        balance = state.funding.balance * MONTH
        return of_first(held, balance * over_rate), of_first(held, balance)

    def year_end(state, months):
        income, lent = months
        return jnp.sum(income, axis=0), jnp.sum(lent, axis=0)

    def end(system, state):
        loss = state.lenders.loss[: system.loans.floating.shape[0]]
        return paths.snapshot(system, state).losses, of_first(system.lenders.holdings, loss)

    _, _, state, (income, lent) = every_year(system, sampler, seed, ids, monthly, year_end)
    losses, loss = batch_last(end, system, state, batched=(False, True))
    return Returns(losses, jnp.sum(income, axis=0), loss, jnp.sum(lent, axis=0))


def returns(
    system: System, plan: Plan, sampler: Sampler = PSEUDO_RANDOM, hooks: Hooks | None = None
) -> Returns:
    """The returns of all paths of a plan, on the host; fewer paths where `hooks.stopped()`.

    Systems of equal shapes share one compiled program, and path n of each faces the same draws.
    """
    return by_path(chunk_returns, system, plan, sampler, hooks)
