"""Chosen paths of a run to the bit: State and Info of every month, and the path nearest given losses."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64, Int, Int64

from engine import arguments
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.step import Info, State, init
from engine.paths.draws import PathId, PathIds, Seed
from engine.paths.parameters import draw_parameters, own_system
from engine.paths.simulate import chunk_of, every_year
from engine.run.chunks import chunks_of
from engine.run.plan import Plan, chunk_size


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


@jax.jit
def chunk_history(system: System, sampler: Sampler, seed: Seed, ids: PathIds) -> tuple[State, Info]:
    """State and Info of one chunk of path ids; leaves lead with [years months], the path axis is last.

    The months are those of `engine.paths.simulate.chunk_outcome`, operation by operation and barrier by
    barrier (`engine.paths.simulate.along`).
    """

    def monthly(system: System, state: State, info: Info) -> tuple[State, Info]:
        return state, info

    def year_end(state: State, months: Any) -> Any:
        return months

    return every_year(system, sampler, seed, ids, monthly, year_end)[3]


def chunks_lived(
    system: System, seed: int, ids: Sequence[int] | Int[np.ndarray, "paths"], sampler: Sampler
) -> Iterator[tuple[Int64[np.ndarray, "chunk"], State, Info]]:
    """Paths with these ids month by month, a chunk at a time: ids, State and Info.

    The last chunk is filled up with ids from the first on. Of one system and kind of sampler all chunks share
    one compiled program.
    """
    for chunk in chunks_of(ids, chunk_size(chunk_of(system))):
        yield chunk, *chunk_history(system, sampler, seed_words(seed), jnp.asarray(chunk))


def histories(
    system: System, plan: Plan, ids: Sequence[Any], samplers: Sequence[Sampler] = (PSEUDO_RANDOM,)
) -> list[History]:
    """The paths of a run with these ids, in this order, as they were in the run to the bit.

    Args: system, plan and samplers of the run. The bits are those of XLA's program (`plan.kernel`): a fused
    kernel's agree to float32 rounding. Raises ValueError for a path that the run does not have.
    """
    paths = [checked(path, plan) for path in ids]
    each: dict[int, History] = {}
    for sampler, own in by_sampler(paths, plan, samplers):
        for chunk, *months in chunks_lived(system, plan.seed, own, sampler):
            for place, path in enumerate(chunk.tolist()):
                if path not in each:
                    each[path] = history_of(system, plan.seed, path, *lane(months, place))
    return [each[path] for path in paths]


def checked(path: Any, plan: Plan) -> int:
    """The id of a path that a run has; raises ValueError for anything else."""
    own = arguments.whole("path", path)
    if not 0 <= own < plan.paths:
        raise ValueError(f"path: got {own}, expected one from 0 to {plan.paths - 1}")
    return own


def by_sampler(
    ids: Sequence[int], plan: Plan, samplers: Sequence[Sampler]
) -> list[tuple[Sampler, Int64[np.ndarray, "paths"]]]:
    """Ids, each once, with the sampler of the replication that draws them."""
    distinct = np.unique(np.asarray(ids, np.int64))
    replication = distinct // (plan.paths // len(samplers))
    return [(samplers[place], distinct[replication == place]) for place in np.unique(replication).tolist()]


def lane(months: Any, place: int) -> Any:
    """One path of a chunk on the host; leaves lead with [months]."""

    def own(leaf: Array) -> np.ndarray:
        values = np.asarray(leaf)[..., place]
        return np.ascontiguousarray(values.reshape(-1, *values.shape[2:]))

    return jax.tree.map(own, months)


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
    for chunk, state, _ in chunks_lived(system, plan.seed, np.arange(min(among, plan.paths)), sampler):
        loss = np.asarray(state.lenders.loss)
        loss = loss.reshape(-1, *loss.shape[2:])[month - 1].astype(np.float64)
        by_class = np.zeros((classes, loss.shape[1]))
        np.add.at(by_class, group, loss)
        distance = np.sqrt(((by_class - target[:, None]) ** 2).sum(axis=0))
        place = int(distance.argmin())
        best = min(best, (float(distance[place]), int(chunk[place])))
    return best[1], best[0]
