"""Path by path: losses, who bears them, debt and the cost of policy, for paired comparison of Systems.

A tally has sums only. A paired comparison of two Systems on the same draws takes a few numbers of every path:
about a hundred bytes each.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.bearers import borne
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import every_year
from engine.run.chunks import by_path
from engine.run.plan import Hooks, Plan


class Ledger(eqx.Module):
    """Each path at the end of the run (USD bn); the path axis is last."""

    loss: Float[Array, "*paths"]  # system
    new_money: Float[Array, "*paths"]  # of it, on debt lent after month 0
    bearers: Float[Array, "bearers *paths"]
    debt: Float[Array, "*paths"]  # mean outstanding over the months
    cost: Float[Array, "levers *paths"]  # of policy, all months
    busiest: Float[Array, "levers *paths"]  # of policy, in the month that cost most


def chunk_ledger(system: System, sampler: Sampler, seed: Seed, ids: PathIds) -> Ledger:
    """The ledger of one chunk of path ids."""

    def monthly(system, state, info):
        return info.policy_cost, info.exposure

    def year_end(state, months):
        cost, exposure = months
        return jnp.sum(cost, axis=0), jnp.max(cost, axis=0), jnp.sum(exposure, axis=0)

    def end(system, state):
        return (
            state.legacy_loss + state.new_money_loss,
            state.new_money_loss,
            borne(system, state.lenders.gross, state.lenders.scale),
        )

    _, _, state, (cost, busiest, debt) = every_year(system, sampler, seed, ids, monthly, year_end)
    loss, new_money, bearers = batch_last(end, system, state, batched=(False, True))
    return Ledger(
        loss=loss,
        new_money=new_money,
        bearers=bearers,
        debt=jnp.sum(debt, axis=0) / jnp.float32(system.calendar.month.shape[0]),
        cost=jnp.sum(cost, axis=0),
        busiest=jnp.max(busiest, axis=0),
    )


def ledger(
    system: System, plan: Plan, sampler: Sampler = PSEUDO_RANDOM, hooks: Hooks | None = None
) -> Ledger:
    """The ledger of all paths of a plan, on the host; fewer paths where `hooks.stopped()`.

    Systems of equal shapes share one compiled program, and path n of each faces the same draws.
    """
    return by_path(chunk_ledger, system, plan, sampler, hooks)
