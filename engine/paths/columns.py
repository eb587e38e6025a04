"""Every loss column at every horizon, path by path, and when each borrower defaults.

What a run's tally adds up, before it is added up: two runs of the same draws are paired by it.
"""

import equinox as eqx
from jaxtyping import Array, Float, Int

from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import chunk_outcome
from engine.run.chunks import by_path
from engine.run.plan import Hooks, Plan


class Columns(eqx.Module):
    """Each path's losses (USD bn, cumulative) and months of default; the path axis is last."""

    losses: Float[Array, "horizons columns *paths"]  # of `engine.paths.simulate.layout_of`
    default_month: Int[Array, "entities *paths"]  # 0: never within the run


def chunk_columns(system: System, sampler: Sampler, seed: Seed, ids: PathIds) -> Columns:
    """The columns of one chunk of path ids."""
    outcome = chunk_outcome(system, sampler, seed, ids, 2**30)
    return Columns(outcome.losses, outcome.default_month)


def columns(
    system: System, plan: Plan, sampler: Sampler = PSEUDO_RANDOM, hooks: Hooks | None = None
) -> Columns:
    """The columns of all paths of a plan, on the host; fewer paths where `hooks.stopped()`.

    Systems of equal shapes share one compiled program, and path n of each faces the same draws.
    """
    return by_path(chunk_columns, system, plan, sampler, hooks)
