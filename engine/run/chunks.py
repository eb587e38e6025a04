"""A few numbers of every path, where sums over paths will not do: chunks of a plan, devices side by side."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from engine.draws.address import seed_words
from engine.run.devices import OWN, SHARED, mesh_of, side_by_side
from engine.run.plan import Plan, Watch, chunk_size


@functools.partial(jax.jit, static_argnames=("chunk", "mesh"))
def _chunks(system, sampler, seed, ids, *, chunk: Callable, mesh: Mesh):
    """`chunk` of path ids [chunks, chunk], shared out among devices; leaves lead with [chunks]."""

    def on_device(system, sampler, seed, ids):
        return lax.map(lambda each: chunk(system, sampler, seed, each), ids)

    return side_by_side(on_device, mesh, (SHARED, SHARED, SHARED, OWN))(system, sampler, seed, ids)


def by_path(chunk: Callable, system, plan: Plan, sampler, watch: Watch | None = None):
    """What `chunk(system, sampler, seed, ids)` makes of all paths of a plan, on the host, paths last.

    The same function, Systems of equal shapes and samplers of one kind share one compiled program. Fewer
    paths where `watch.stopped()`.
    """
    watch = watch or Watch()
    mesh = mesh_of()
    step = plan.share(plan.paths, mesh.size) * mesh.size
    seed, parts, done = seed_words(plan.seed), [], 0
    while done < plan.paths:
        ids = (done + np.arange(step, dtype=np.int64)).reshape(-1, chunk_size())
        parts.append(jax.device_get(_chunks(system, sampler, seed, jnp.asarray(ids), chunk=chunk, mesh=mesh)))
        done = min(done + step, plan.paths)
        watch.progress(done)
        if watch.stopped():
            break
    return jax.tree.map(lambda *leaves: joined(leaves)[..., : plan.paths], *parts)


def joined(blocks) -> np.ndarray:
    """Blocks [chunks ... chunk] as one array with all their paths last."""
    return np.concatenate([leaf for block in blocks for leaf in block], axis=-1)
