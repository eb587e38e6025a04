"""Chosen paths of a run to the bit: State and Info of every month, and the path nearest given losses."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float64, Int, Int64

from engine.batch.barriers import stored
from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.inputs import Fate
from engine.month.step import Info, State, init
from engine.paths import path as paths
from engine.paths.draws import PathId, PathIds, Seed
from engine.paths.parameters import draw_parameters, own_system
from engine.paths.simulate import advance, chunk_of
from engine.run.chunks import chunks_of
from engine.run.plan import Plan, chunk_size
from engine.run.programs import Kept


@dataclasses.dataclass(frozen=True, eq=False)
class History:
    """One path month by month, on the host; leaves of `state` and `info` lead with [months].

    `system` has the path's own parameters, where paths draw them; `start` is the state of month 0.
    """

    path: int
    system: System
    start: State
    state: State
    info: Info


Year = tuple[State, Info]
"""A chunk's State and Info of a year; leaves lead with [months], the path axis is last."""


@Kept
def begin(system: System, sampler: Sampler, seed: Seed, ids: PathIds) -> tuple[Fate, State, Any]:
    """Fate and State of month 0 of a chunk of path ids, and the inputs of its months by year."""

    def start(*arguments):
        return batch_last(paths.begin, *arguments, batched=(False, False, False, True))

    fate, state, draws = stored(start, system, sampler, seed, ids)
    return fate, state, paths.by_year(system, draws)


@Kept
def live_year(
    system: System, seed: Seed, ids: PathIds, fate: Fate, state: State, inputs: Any
) -> tuple[State, Year]:
    """The state after a year, and State and Info of its months."""

    def month(state, inputs):
        row, normal, regime = inputs
        state, info = advance(system, seed, ids, fate, state, row, normal, regime)
        return state, (state, info)

    return lax.scan(month, state, inputs)


def lived(
    system: System, seed: int, ids: Sequence[int] | Int[np.ndarray, "paths"], sampler: Sampler
) -> Iterator[tuple[Int64[np.ndarray, "chunk"], Iterator[Year]]]:
    """Paths with these ids, a chunk at a time: its ids, and its years in order.

    The months are those of `engine.paths.simulate.chunk_outcome`, operation by operation and barrier by
    barrier. A year at a time, as the whole of a large book would fill the memory. The last chunk is filled up
    with ids from the first on.
    """
    words = seed_words(seed)
    for chunk in chunks_of(ids, chunk_size(chunk_of(system))):
        yield chunk, years_of(system, words, jnp.asarray(chunk), sampler)


def years_of(system: System, seed: Seed, ids: PathIds, sampler: Sampler) -> Iterator[Year]:
    """The years of one chunk."""
    fate, state, inputs = begin(system, sampler, seed, ids)
    leaves, form = jax.tree.flatten(jax.device_get(inputs))
    for year in zip(*leaves, strict=True):
        state, months = live_year(system, seed, ids, fate, state, jax.tree.unflatten(form, year))
        yield months


def histories(
    system: System, plan: Plan, ids: Sequence[Any], samplers: Sequence[Sampler] = (PSEUDO_RANDOM,)
) -> list[History]:
    """The paths of a run with these ids, in this order, as they were in the run to the bit.

    Args: system, plan and samplers of the run. The bits are those of XLA's program (`plan.kernel`): a fused
    kernel's agree to float32 rounding. Raises ValueError for a path that the run does not have.
    """
    wanted = [plan.path(path) for path in ids]
    each: dict[int, History] = {}
    for sampler, own in by_sampler(wanted, plan, samplers):
        for chunk, years in lived(system, plan.seed, own, sampler):
            places = {path: place for place, path in enumerate(chunk.tolist()) if path not in each}
            parts = [[lane(months, place) for place in places.values()] for months in years]
            for path, own_years in zip(places, zip(*parts, strict=True), strict=True):
                months = jax.tree.map(lambda *leaves: np.concatenate(leaves), *own_years)
                each[path] = history_of(system, plan.seed, path, *months)
    return [each[path] for path in wanted]


def by_sampler(
    ids: Sequence[int], plan: Plan, samplers: Sequence[Sampler]
) -> list[tuple[Sampler, Int64[np.ndarray, "paths"]]]:
    """Ids, each once, with the sampler of the replication that draws them."""
    distinct = np.unique(np.asarray(ids, np.int64))
    replication = distinct // (plan.paths // len(samplers))
    return [(samplers[place], distinct[replication == place]) for place in np.unique(replication).tolist()]


def lane(months: Any, place: int) -> Any:
    """One path of a chunk on the host; leaves lead with [months]."""
    return jax.tree.map(lambda leaf: np.ascontiguousarray(np.asarray(leaf)[..., place]), months)


def history_of(system: System, seed: int, path: int, state: State, info: Info) -> History:
    """The history of a path, with its own parameters and the state from which it starts."""
    own, start = beginning(system, seed_words(seed), jnp.asarray(path, jnp.int64))
    return History(path, own, jax.tree.map(np.asarray, start), state, info)


@jax.jit
def beginning(system: System, seed: Seed, path: PathId) -> tuple[System, State]:
    """The System with a path's own parameters, and the state of month 0."""
    own = own_system(system, draw_parameters(system, seed, path))
    return own, init(own)


def nearest_path(
    system: System,
    plan: Plan,
    target: Float64[np.ndarray, "classes"],
    month: int,
    among: int,
    sampler: Sampler = PSEUDO_RANDOM,
) -> tuple[int, float]:
    """The path whose losses by instrument class are nearest to `target`, and its distance (USD bn).

        distance = sqrt(sum over classes of (loss - target)^2),  cumulative losses at the end of `month`

    Of the first `among` paths of the plan, drawn by `sampler`; of several, the one with the lowest id.
    """
    group, classes = np.asarray(system.lenders.instrument_membership.group), len(target)
    best = (np.inf, -1)
    year, place = divmod(month - 1, paths.YEAR)
    for chunk, years in lived(system, plan.seed, np.arange(min(among, plan.paths)), sampler):
        state, _ = next(itertools.islice(years, year, None))
        loss = np.asarray(state.lenders.loss)[place].astype(np.float64)
        by_class = np.zeros((classes, loss.shape[1]))
        np.add.at(by_class, group, loss)
        distance = np.sqrt(((by_class - target[:, None]) ** 2).sum(axis=0))
        near = int(distance.argmin())
        best = min(best, (float(distance[near]), int(chunk[near])))
    return best[1], best[0]
