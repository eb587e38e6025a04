"""Chosen paths under chosen Systems: what each path loses, and how often its regime moved.

A job is a System and the ids of some paths. Systems of equal shapes share one compiled program, and a path
of the same id faces the same draws under each.
"""

import functools
from collections.abc import Iterable, Iterator
from itertools import islice

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh
from jaxtyping import Array, Float

from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.month import step as months
from engine.paths.simulate import every_year
from engine.run.devices import OWN, SHARED, mesh_of, side_by_side
from engine.run.plan import CHUNK


class Selected(eqx.Module):
    """Each path at the end of the run; the path axis is last."""

    loss: Float[Array, "*paths"]  # system, USD bn
    moves: Float[Array, "regimes regimes *paths"]  # months that went from the row's regime to the column's


def chunk_selected(system: System, sampler, seed, ids) -> Selected:
    """One chunk of path ids."""

    def monthly(system, state, info):
        return info.economy.regime

    def year_end(state, regimes):
        return regimes

    def loss(system, state):
        return state.legacy_loss + state.new_money_loss

    _, _, state, regimes = every_year(system, sampler, seed, ids, monthly, year_end)
    after = regimes.reshape(-1, *regimes.shape[2:])
    first = months.init(system).economy.regime
    before = jnp.concatenate([jnp.broadcast_to(first[:, None], after[:1].shape), after[:-1]])
    return Selected(
        loss=batch_last(loss, system, state, batched=(False, True)),
        moves=jnp.einsum("tan,tbn->abn", before, after),
    )


@functools.partial(jax.jit, static_argnames="mesh")
def _selected(systems: System, sampler, seed, ids, *, mesh: Mesh) -> Selected:
    """Jobs side by side: Systems [devices], path ids [devices, chunks, CHUNK]; leaves lead with both."""

    def on_device(systems, sampler, seed, ids):
        system = jax.tree.map(lambda leaf: leaf[0], systems)
        made = lax.map(lambda each: chunk_selected(system, sampler, seed, each), ids[0])
        return jax.tree.map(lambda leaf: leaf[None], made)

    return side_by_side(on_device, mesh, (OWN, SHARED, SHARED, OWN))(systems, sampler, seed, ids)


def selected(jobs: Iterable, seed: int, sampler=PSEUDO_RANDOM) -> Iterator[Selected]:
    """What the paths of each job (System, ids) do, on the host, in order; one job a device at a time.

    Every job has the same number of ids, a multiple of CHUNK. The next jobs are made while the last ones run.
    """
    mesh, words, jobs = mesh_of(), seed_words(seed), iter(jobs)
    running, count = None, 0
    while batch := list(islice(jobs, mesh.size)):
        filled = batch + batch[-1:] * (mesh.size - len(batch))
        systems = jax.tree.map(lambda *leaves: np.stack(leaves), *(system for system, _ in filled))
        ids = np.stack([np.asarray(ids, np.int64).reshape(-1, CHUNK) for _, ids in filled])
        started = _selected(systems, sampler, words, jnp.asarray(ids), mesh=mesh)
        yield from by_job(running, count)
        running, count = started, len(batch)
    yield from by_job(running, count)


def by_job(made: Selected | None, count: int) -> Iterator[Selected]:
    """The first `count` jobs of what ran side by side, waited for."""
    made = jax.device_get(made)
    for place in range(count):
        yield jax.tree.map(lambda leaf, place=place: flat(leaf[place]), made)


def flat(chunks) -> np.ndarray:
    """Chunks [chunks ... CHUNK] as one array with all their paths last."""
    return np.concatenate(list(chunks), axis=-1)
