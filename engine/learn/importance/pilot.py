"""Pilot runs: the loss of every path, and the moments on which its density under any tilt depends."""

import functools
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.tilted import Moments, Nominal, Tilted
from engine.paths import path as paths
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import every_year
from engine.run.chunks import Chunk, by_path
from engine.run.plan import Hooks, Plan
from engine.vocabulary import REGIMES


class Pilot(eqx.Module):
    """Paths of a pilot run, the path axis first."""

    loss: Float[np.ndarray, "paths"]  # USD bn at the end of the run
    weight: Float[np.ndarray, "paths"]  # dP/dQ
    moments: Moments


def nominal_of(system: System) -> Nominal:
    """The law of this system's regimes, and which obligors share a pool."""
    pools, obligors = system.pools.hazard.shape[0], system.pools.obligor_pool
    start = jnp.arange(len(REGIMES), dtype=jnp.int32) == system.numbers.economy.start
    return Nominal(
        transition=system.economy.transition,
        start=start.astype(jnp.float32),
        obligor_pool=(obligors[None, :] == jnp.arange(pools, dtype=jnp.int32)[:, None]).astype(jnp.float32),
    )


@functools.cache
def chunk_of(column: int) -> Chunk:
    """The function of a chunk of paths: loss of one column, log-weight and moments, paths last."""

    def chunk(
        system: System, sampler: Tilted, seed: Seed, ids: PathIds
    ) -> tuple[Float[Array, "paths"], Float[Array, "paths"], Moments]:
        def nothing(system, state, info):
            return jnp.zeros((0,), jnp.float32)

        _, draws, state, _ = every_year(system, sampler, seed, ids, nothing, lambda state, months: ())
        losses = batch_last(paths.snapshot, system, state, batched=(False, True)).losses
        return losses[column], draws.log_weight, cast(Moments, draws.moments)  # a tilted path has them

    return chunk


def pilot(system: System, sampler: Tilted, plan: Plan, column: int, hooks: Hooks | None = None) -> Pilot:
    """Run a plan: every path's cumulative loss of one column at the end, its weight and its moments."""
    loss, log_weight, moments = by_path(chunk_of(column), system, plan, sampler, hooks)
    return Pilot(
        loss=loss.astype(np.float64),
        weight=np.exp(log_weight.astype(np.float64)),
        moments=jax.tree.map(lambda leaf: np.moveaxis(leaf, -1, 0), moments),
    )
