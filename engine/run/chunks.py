"""A few numbers of every path: chunks of paths mapped over devices, the results gathered on the host.

A chunk function is pure and knows its own model; the loops here know none:

    chunk(*arguments, one) -> pytree        one: a chunk of path ids [chunk], or a pytree with one in it

Where sums over paths suffice, `engine.run.blocks` adds them up on the devices instead.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from engine.draws.address import seed_words
from engine.numerics import require_double_precision
from engine.run.devices import OWN, SHARED, mesh_of, row, side_by_side
from engine.run.plan import CHUNK, Hooks, Plan, chunk_size
from engine.run.programs import kept

ROUND = 4
"""Chunks of a device in a call, so that any number of paths that fills one shares a compiled program; one
chunk a call takes some 5% off the speed, four some 2% (single readings)."""

Chunk = Callable[..., Any]


@functools.partial(jax.jit, static_argnames=("chunk", "mesh", "placement"))
def map_chunks(
    arguments: tuple[Any, ...],
    each: Any,
    *,
    chunk: Chunk,
    mesh: Mesh,
    placement: tuple[PartitionSpec, ...] | None = None,
) -> Any:
    """`chunk(*arguments, one)` of every `one` of `each` [chunks ...], in equal shares by device.

    Leaves of the result lead with [chunks]. Arguments are SHARED by all devices unless `placement` says OWN:
    then they lead with [devices]. The same function and equal shapes share one compiled program.
    """
    placement = placement or (SHARED,) * len(arguments)

    def on_device(each, *arguments):
        pairs = zip(arguments, placement, strict=True)
        arguments = tuple(row(argument) if place == OWN else argument for argument, place in pairs)
        return lax.map(lambda one: chunk(*arguments, one), each)

    return side_by_side(on_device, mesh, (OWN, *placement))(each, *arguments)


def over_chunks(
    chunk: Chunk,
    arguments: tuple[Any, ...],
    each: Any,
    size: int = 1,
    select: Callable[[Any], Any] = lambda results: results,
) -> Iterator[Any]:
    """`chunk(*arguments, one)` of every `one` of `each` [chunks ...], on the host, round by round.

    In a round every device runs `size` chunks; the last one is filled up with chunks whose results are cut
    off, so that all rounds share one compiled program. `select` picks on the devices what comes to the host,
    while they run the next round. Raises RuntimeError without float64.
    """
    require_double_precision()
    mesh = mesh_of()
    step = size * mesh.size
    arguments = jax.device_put(arguments, NamedSharding(mesh, SHARED))
    each = jax.tree.map(np.asarray, each)
    count = len(jax.tree.leaves(each)[0])
    run, static, running = None, {"chunk": chunk, "mesh": mesh}, None
    for first in range(0, count, step):
        places = np.arange(first, first + step) % count
        ones = jax.tree.map(lambda leaf, places=places: leaf[places], each)
        run = run or kept(map_chunks, (arguments, ones), **static) or functools.partial(map_chunks, **static)
        started = select(run(arguments, ones))
        if running is not None:
            yield jax.device_get(running)
        running = started
    yield jax.tree.map(lambda leaf: leaf[: count - first], jax.device_get(running))


def over_jobs(chunk: Chunk, jobs: Iterable[tuple[Any, Any]], arguments: tuple[Any, ...]) -> Iterator[Any]:
    """`chunk(model, *arguments, ids)` of every job (model, ids), one job a device at a time; paths last.

    On the host, in order. Models have equal shapes; every job has the same number of ids, a multiple of
    CHUNK. The next jobs are made while the last ones run. Raises RuntimeError without float64.
    """
    require_double_precision()
    mesh, jobs = mesh_of(), iter(jobs)
    placement = (OWN, *(SHARED,) * len(arguments))
    running, count = None, 0
    while batch := list(islice(jobs, mesh.size)):
        models, ids = zip(*batch, *batch[-1:] * (mesh.size - len(batch)), strict=True)
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *models)
        chunks = np.concatenate([chunks_of(each) for each in ids])
        started = map_chunks((stacked, *arguments), chunks, chunk=chunk, mesh=mesh, placement=placement)
        yield from by_job(running, mesh.size)[:count]
        running, count = started, len(batch)
    yield from by_job(running, mesh.size)[:count]


def by_job(results: Any, jobs: int) -> list[Any]:
    """Results [jobs * chunks ... chunk] of jobs side by side, as one of each job on the host, paths last."""
    leaves, form = jax.tree.flatten(jax.device_get(results))
    shares = [np.split(leaf, jobs) for leaf in leaves]
    return [paths_last([jax.tree.unflatten(form, share)]) for share in zip(*shares, strict=True)]


def by_path(chunk: Chunk, model: Any, plan: Plan, sampler: Any, hooks: Hooks | None = None) -> Any:
    """`chunk(model, sampler, seed, ids)` of all paths of a plan, on the host, paths last.

    The same function, models of equal shapes and samplers of one kind share one compiled program, whatever
    the number of paths if they fill a round. Fewer paths where `hooks.stopped()`. Raises RuntimeError without
    float64.
    """
    hooks, together = hooks or Hooks(), chunk_size()
    size = min(ROUND, plan.share(plan.paths, mesh_of().size) // together)
    ids = chunks_of(np.arange(-(-plan.paths // together) * together, dtype=np.int64), together)
    rounds, done = [], 0
    for results in over_chunks(chunk, (model, sampler, seed_words(plan.seed)), ids, size):
        rounds.append(results)
        done = min(done + size * mesh_of().size * together, plan.paths)
        hooks.progress(done)
        if hooks.stopped():
            break
    return paths_last(rounds, plan.paths)


def chunks_of(ids: Any, size: int = CHUNK) -> np.ndarray:
    """Path ids as int64 [chunks, size]; the last chunk is filled up with ids from the first on.

    >>> chunks_of([3, 1, 2], 2)
    array([[3, 1],
           [2, 3]])
    """
    ids = np.asarray(ids, np.int64)
    return np.resize(ids, (-(-len(ids) // size), size))


def paths_last(rounds: Sequence[Any], count: int | None = None) -> Any:
    """Rounds of leaves [chunks ... chunk] as one with the first `count` paths along the last axis."""

    def joined(*leaves):
        return np.concatenate([one for leaf in leaves for one in leaf], axis=-1)[..., :count]

    return jax.tree.map(joined, *rounds)
