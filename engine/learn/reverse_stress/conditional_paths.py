"""Paths around a systematic scenario: its regimes fixed, its normals plus noise, all other draws free.

    normals = centre + spread * e,   e independent standard normals under each path's own address

Idiosyncratic draws (default thresholds, waivers, release slips, frailty) stay each path's own, so the mean
loss of such paths is the expected loss given the scenario. It is smooth in the centre, whereas the loss of
one path jumps.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Systematic
from engine.paths import path as paths
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import QUARTER, every_year
from engine.run.chunks import over_chunks
from engine.run.devices import mesh_of
from engine.run.plan import CHUNK

CHUNKS = 4
"""Chunks of paths per device and call."""


class ConditionalSampler(eqx.Module):
    """Sampler of paths around a scenario: its uniforms, and its normals plus noise."""

    centre: Float[Array, "months factors"]
    uniforms: Float[Array, "months"]
    spread: Float[Array, ""]

    def __call__(self, seed: Seed, path: Int[Array, ""], steps: int, factors: int) -> Systematic:
        draws = PSEUDO_RANDOM(seed, path, steps, factors)
        return Systematic(self.centre + self.spread * draws.normals, self.uniforms, draws.log_weight)


class PathResults(eqx.Module):
    """Results of each path; the path axis is last."""

    losses: Float[Array, "*columns paths"]  # at the end, USD bn; the columns of `engine.paths.path`
    along: Float[Array, "*shapes_factors paths"]  # the path's normals along the shapes
    log_weight: Float[Array, "*paths"]
    trace: Float[Array, "*months_series paths"]  # Names.series
    default_month: Int[Array, "*firms paths"]
    cause: Int[Array, "*firms paths"]
    breached: Bool[Array, "*quarters_collateralised paths"]  # LTV or DSCR test failed in the quarter


def chunk_results(
    system: System, shapes: Float[Array, "months shapes"], seed: Seed, one: tuple[ConditionalSampler, PathIds]
) -> PathResults:
    """Results of one chunk (sampler, path ids); `shapes` are orthonormal columns."""
    credit, (sampler, ids) = system.numbers.credit, one

    def monthly(system, state, info):
        collateral = info.collateral
        weak = (collateral.ltv > 0.0) & (collateral.dscr < credit.dscr_default)
        return paths.traced(system, state, info), (collateral.ltv > credit.ltv_covenant) | weak

    def year_end(state, months):
        trace, breached = months
        return trace, jnp.any(
            breached.reshape(len(breached) // QUARTER, QUARTER, *breached.shape[1:]), axis=1
        )

    fate, draws, state, (trace, breached) = every_year(system, sampler, seed, ids, monthly, year_end)
    end = batch_last(paths.ending, system, fate, state, batched=(False, True, True))
    return PathResults(
        losses=batch_last(paths.snapshot, system, state, batched=(False, True)).losses,
        along=jnp.tensordot(shapes.T, draws.normals, axes=1),
        log_weight=draws.log_weight,
        trace=jnp.concatenate(trace),
        default_month=end.default_month,
        cause=end.cause,
        breached=jnp.concatenate(breached),
    )


def observe(
    system: System,
    seed: int,
    samplers: Sequence[ConditionalSampler],
    ids: Int[np.ndarray, "chunks chunk"],
    shapes: Float[np.ndarray, "months shapes"],
    select: Callable[[PathResults], Any],
    progress: Callable[[int], None] = lambda paths: None,
) -> Any:
    """`select(PathResults)` of every chunk, on the host: leaves [chunks ... CHUNK].

    Chunk n has the path ids `ids[n]` [CHUNK] and `samplers[n]`; all share one compiled program, and
    `progress` gets the paths of every call. Put a System that is used often on the devices first
    (`engine.run.devices.everywhere`).
    """
    arguments = system, jnp.asarray(shapes, jnp.float32), seed_words(seed)
    each = jax.tree.map(lambda *leaves: np.stack(leaves), *samplers), ids
    rounds = []
    for results in over_chunks(chunk_results, arguments, each, CHUNKS, select):
        rounds.append(results)
        progress(CHUNKS * mesh_of().size * CHUNK)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *rounds)
