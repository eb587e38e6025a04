"""Paths around a systematic scenario: its regimes forced, its normals given up to some noise, the rest free.

    normals = centre + spread * e,   e independent standard normals under each path's own address

What no sampler decides (default thresholds, waivers, release slips, frailty) stays each path's own, so the
mean loss of such paths is the loss expected given the scenario: smooth in the centre, where the loss of one
path jumps.
"""

import functools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Float, Int

from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Systematic
from engine.paths import path as paths
from engine.paths.simulate import QUARTER, every_year
from engine.run.devices import OWN, SHARED, mesh_of, side_by_side
from engine.run.plan import CHUNK

CHUNKS = 4
"""Chunks of paths a device and call."""


class Around(eqx.Module):
    """The sampler: every path has these uniforms, and these normals up to noise."""

    centre: Float[Array, "months factors"]
    uniforms: Float[Array, "months"]
    spread: Float[Array, ""]

    def __call__(self, seed, path: Int[Array, ""], steps: int, factors: int) -> Systematic:
        drawn = PSEUDO_RANDOM(seed, path, steps, factors)
        return Systematic(self.centre + self.spread * drawn.normals, self.uniforms, drawn.log_weight)


class Observed(eqx.Module):
    """What is kept of each path; the path axis is last."""

    losses: Float[Array, "*columns paths"]  # at the end, USD bn; the columns of `engine.paths.path`
    along: Float[Array, "*shapes_factors paths"]  # the path's normals along the shapes
    log_weight: Float[Array, "*paths"]
    trace: Float[Array, "*months_series paths"]  # vocabulary.SERIES
    default_month: Int[Array, "*firms paths"]
    cause: Int[Array, "*firms paths"]
    breached: Bool[Array, "*quarters_collateralised paths"]  # LTV or DSCR test failed in the quarter


def chunk_observed(system: System, sampler, seed, ids, shapes) -> Observed:
    """What is kept of one chunk of path ids; `shapes` [months, shapes] are orthonormal columns."""
    credit = system.numbers.credit

    def monthly(system, state, info):
        tested = info.collateral
        weak = (tested.ltv > 0.0) & (tested.dscr < credit.dscr_default)
        return paths.traced(system, state, info), (tested.ltv > credit.ltv_covenant) | weak

    def year_end(state, kept):
        trace, breached = kept
        return trace, jnp.any(breached.reshape(-1, QUARTER, *breached.shape[1:]), axis=1)

    fate, drawn, state, (trace, breached) = every_year(system, sampler, seed, ids, monthly, year_end)
    end = batch_last(paths.ending, system, fate, state, batched=(False, True, True))
    return Observed(
        losses=batch_last(paths.snapshot, system, state, batched=(False, True)).losses,
        along=jnp.tensordot(shapes.T, drawn.normals, axes=1),
        log_weight=drawn.log_weight,
        trace=trace.reshape(-1, *trace.shape[2:]),
        default_month=end.default_month,
        cause=end.cause,
        breached=breached.reshape(-1, *breached.shape[2:]),
    )


@functools.partial(jax.jit, static_argnames="mesh")
def _observed(system: System, samplers, seed, ids, shapes, *, mesh: Mesh) -> Observed:
    """Chunks of path ids [chunks, CHUNK], each with a sampler of its own; leaves lead with [chunks]."""

    def on_device(system, samplers, seed, ids, shapes):
        return lax.map(lambda each: chunk_observed(system, each[0], seed, each[1], shapes), (samplers, ids))

    placed = (SHARED, OWN, SHARED, OWN, SHARED)
    return side_by_side(on_device, mesh, placed)(system, samplers, seed, ids, shapes)


def observe(system: System, seed: int, samplers: Sequence, ids, shapes, keep, watch=lambda paths: None):
    """`keep(Observed)` of chunk after chunk, on the host: leaves [chunks ... CHUNK].

    Chunk n has the path ids `ids[n]` [CHUNK] and `samplers[n]`; all share one compiled program, and
    `watch` hears how many paths a call ran. A System that is observed often is best put on the devices before
    (`engine.run.devices.everywhere`).
    """
    mesh, count = mesh_of(), len(samplers)
    step = CHUNKS * mesh.size
    places = np.resize(np.arange(count), -(-count // step) * step).reshape(-1, step)
    seed, shapes, ids = seed_words(seed), jnp.asarray(shapes, jnp.float32), np.asarray(ids, np.int64)
    parts = []
    for rows in places:
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *(samplers[row] for row in rows))
        seen = _observed(system, stacked, seed, jnp.asarray(ids[rows]), shapes, mesh=mesh)
        parts.append(jax.device_get(keep(seen)))
        watch(step * CHUNK)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:count], *parts)
