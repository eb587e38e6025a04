"""Pilot runs: the loss of every plain path, and its features."""

import dataclasses
import functools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from engine.batch.barriers import stored
from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.choice import Nominal
from engine.draws.samplers import PSEUDO_RANDOM, Sampler, Systematic
from engine.paths import path as paths
from engine.paths.draws import PathIds, Seed, systematic_shape
from engine.paths.fused import NoKernel, attempt, economy_kernel
from engine.paths.simulate import every_year
from engine.run.blocks import preparation
from engine.run.chunks import Chunk, by_path
from engine.run.kernels import AnyKernel, with_records
from engine.run.plan import Hooks, Plan
from engine.vocabulary import REGIMES


class Pilot(eqx.Module):
    """Paths of a pilot run."""

    loss: Float[np.ndarray, "paths"]  # USD bn at the end of the run
    features: Float[np.ndarray, "paths features"]


def nominal_of(system: System) -> Nominal:
    """The law of this system's economy, and which obligors share a pool."""
    pools, obligors = system.pools.hazard.shape[0], system.pools.obligor_pool
    start = jnp.arange(len(REGIMES), dtype=jnp.int32) == system.numbers.economy.start
    return Nominal(
        transition=system.economy.transition,
        start=start.astype(jnp.float32),
        loading=system.economy.loading,
        obligor_pool=(obligors[None, :] == jnp.arange(pools, dtype=jnp.int32)[:, None]).astype(jnp.float32),
        labs=system.firms.labs,
        generations=system.chips.gain.shape[0],
        firms=system.firms.cash.shape[0],
    )


@functools.cache
def chunk_of(column: int) -> Chunk:
    """The function of a chunk of plain paths: loss of one column and features, paths last."""

    def chunk(
        system: System, nominal: Nominal, seed: Seed, ids: PathIds
    ) -> tuple[Float[Array, "paths"], Float[Array, "features paths"]]:
        def nothing(system, state, info):
            return jnp.zeros((0,), jnp.float32)

        _, draws, state, _ = every_year(system, PSEUDO_RANDOM, seed, ids, nothing, lambda state, months: ())
        losses = batch_last(paths.snapshot, system, state, batched=(False, True)).losses
        return losses[column], stored(features_of, nominal, seed, ids, draws)

    return chunk


@dataclasses.dataclass(frozen=True)
class FusedPilot:
    """The same function by a kernel, the one that chosen paths have: each is its own economy."""

    kernel: AnyKernel
    column: int
    months: int
    factors: int

    def prepare(self, system: System, sampler: Sampler, seed: Seed) -> list[Array]:
        """What no path changes, once for all chunks."""
        return self.kernel.tables(system, seed)

    def __call__(
        self, tables: list[Array], nominal: Nominal, seed: Seed, ids: PathIds
    ) -> tuple[Float[Array, "paths"], Float[Array, "features paths"]]:
        """Loss and features of a chunk of plain paths."""

        def drawn(seed, path):
            return PSEUDO_RANDOM(seed, path, self.months, self.factors)

        draws = stored(functools.partial(batch_last, drawn, batched=(False, True)), seed, ids)
        losses = self.kernel(tables, ids, ids).snapshots.losses[-1]
        return losses[self.column], stored(features_of, nominal, seed, ids, draws)


def features_of(
    nominal: Nominal, seed: Seed, ids: PathIds, draws: Systematic
) -> Float[Array, "features paths"]:
    """Features of a chunk of plain paths with these draws."""
    return batch_last(Nominal.features, nominal, seed, ids, draws, batched=(False, False, True, True))


def pilot(system: System, plan: Plan, column: int, hooks: Hooks | None = None) -> Pilot:
    """Run a plan of plain paths: cumulative loss of one column at the end, and features.

    Fewer paths where `hooks.stopped()`. Raises NoKernel where the plan's kernel cannot be had.
    """
    return with_records(functools.partial(piloted, system, plan, column, hooks))


def piloted(system: System, plan: Plan, column: int, hooks: Hooks | None) -> Pilot:
    """The same, unless a kernel's record is stale."""
    nominal, seed, model, chunk = nominal_of(system), seed_words(plan.seed), system, chunk_of(column)
    kernel, reason = attempt(plan.kernel, system, lambda: economy_kernel(system, seed))
    if kernel is not None:
        chunk = FusedPilot(kernel, column, *systematic_shape(system))
        model = preparation(chunk, system, PSEUDO_RANDOM, seed)
    elif plan.kernel == "fused":
        raise NoKernel(reason)
    loss, features = by_path(chunk, model, plan, nominal, hooks)
    return Pilot(loss.astype(np.float64), np.ascontiguousarray(jnp.moveaxis(features, -1, 0)))
