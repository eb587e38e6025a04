"""Many paths of any model added up: chunks in blocks, blocks side by side on devices and processes, a tally.

Every chunk is compiled alike and a tally adds integers, so that a result depends neither on the block size
nor on the number of devices or processes. `engine.run.chunks` gives a few numbers of every path instead.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.numerics import require_double_precision
from engine.run.devices import (
    OWN,
    SHARED,
    as_row,
    everywhere,
    mesh_of,
    on_first,
    own,
    row,
    rows,
    side_by_side,
)
from engine.run.packing import packed, unpacked
from engine.run.plan import CHUNK, Hooks, Plan, RunState, Timing, chunk_size, initial_state, whole_chunks
from engine.run.processes import ALONE, Processes
from engine.run.programs import kept
from engine.tail import tally as tallies
from engine.tail.outcome import Outcome
from engine.tail.tally import Layout, Tally


@dataclasses.dataclass(frozen=True)
class Model:
    """A function from path ids to their Outcome, the arrays it reads, and the layout of its tally.

        outcome(arrays, sampler, seed, ids, count) -> Outcome       ids [chunk]; those from `count` on weigh 0

    With a `prepare(arrays, sampler, seed)` it gets what that returns, in place of the arrays. A `fused` one
    is a kernel, equal to XLA's form up to rounding.
    A CPU evaluates `chunk` paths together, which divides CHUNK: fewer where a path has much state.
    """

    outcome: Callable[..., Outcome]
    arrays: Any
    layout: Layout
    chunk: int = CHUNK
    fused: bool = False

    @property
    def prepares(self) -> bool:
        """Whether what the outcome reads is made of the arrays first, for each sampler."""
        return hasattr(self.outcome, "prepare")


@functools.partial(jax.jit, static_argnames=("outcome", "size", "mesh"), donate_argnums=0)
def tally_blocks(
    tally: Tally,
    arrays: Any,
    sampler: Any,
    seed: jax.Array,
    first: jax.Array,
    chunks: jax.Array,
    count: jax.Array,
    *,
    outcome: Callable[..., Outcome],
    size: int,
    mesh: Mesh,
) -> Tally:
    """Add one block a device to each device's tally [devices ...]; `first` [devices] starts each block.

    A block has `chunks` chunks of `size` paths; paths from `count` on weigh 0. `chunks` is a number of the
    run, not of the program: blocks of any size run the same one.
    """

    def on_device(tally, arrays, sampler, seed, first, chunks, count):
        def add_chunk(chunk, tally):
            ids = row(first) + chunk * size + jnp.arange(size, dtype=jnp.int64)
            return tallies.update(tally, outcome(arrays, sampler, seed, ids, count))

        return as_row(lax.fori_loop(jnp.zeros_like(chunks), chunks, add_chunk, row(tally)))

    placement = (OWN, SHARED, SHARED, SHARED, OWN, SHARED, SHARED)
    return side_by_side(on_device, mesh, placement)(tally, arrays, sampler, seed, first, chunks, count)


@functools.partial(jax.jit, static_argnames="outcome")
def prepared(arrays: Any, sampler: Any, seed: jax.Array, *, outcome: Any) -> Any:
    """What no path changes, once for all blocks: a program of its own, which alone decides its rounding."""
    return outcome.prepare(arrays, sampler, seed)


def preparation(outcome: Any, *arguments: Any) -> Any:
    """`prepared` of these arguments, its program kept."""
    program = kept(prepared, arguments, outcome=outcome)
    return program(*arguments) if program else prepared(*arguments, outcome=outcome)


class Devices:
    """The devices of this process side by side, one of `processes` alike; a tally has a row on each."""

    def __init__(self, mesh: Mesh, block: int, chunk: int, empty: Tally, processes: Processes):
        self.mesh, self.block, self.chunk, self.empty, self.processes = mesh, block, chunk, empty, processes

    @property
    def paths_a_round(self) -> int:
        """Paths of a block on every device of every process."""
        return self.block * self.mesh.size * self.processes.count

    def share(self, paths: int) -> int:
        """Paths of each device's block where so many are left: whole chunks, and no more than needed."""
        return min(self.block, whole_chunks(-(-paths // (self.mesh.size * self.processes.count))))

    def starts(self, first: int, share: int) -> jax.Array:
        """First path of each device's block in the round that begins with `first`."""
        place = self.processes.rank * self.mesh.size + np.arange(self.mesh.size, dtype=np.int64)
        return own(first + share * place, self.mesh)

    def everywhere(self, number: int) -> jax.Array:
        """A whole number on every device."""
        return everywhere(np.asarray(number, np.int64), self.mesh)

    def place(self, tally: Tally) -> Tally:
        """The tally on the first device, an empty one on the others; a leading axis [devices]."""
        return jax.tree.map(lambda first, blank: on_first(first, blank, self.mesh), tally, self.empty)

    def gather(self, tally: Tally) -> Tally:
        """The tally of all devices, on the host of the first process; the others get an incomplete one."""
        here = merged(rows(tally))
        if self.processes.count == 1:
            return here
        _, *others = self.processes.to_first(None if self.processes.first else packed(here, self.empty))
        return merged([here, *(unpacked(each, self.empty) for each in others)])

    def arrays(self, model: Model, sampler: Any, seed: jax.Array) -> Any:
        """What a model's outcome reads, on every device."""
        if not model.prepares:
            return everywhere(model.arrays, self.mesh)
        return everywhere(preparation(model.outcome, model.arrays, sampler, seed), self.mesh)

    def compiled(
        self, model: Model, tally: Tally, arrays: Any, sampler: Any, seed: jax.Array
    ) -> Callable[..., Tally]:
        """`tally_blocks` for arguments like these, as (tally, arrays, sampler, done, last) -> tally."""
        zero = self.everywhere(0)
        arguments = tally, arrays, sampler, seed, self.starts(0, 0), zero, zero
        static = {"outcome": model.outcome, "size": self.chunk, "mesh": self.mesh}
        step = kept(tally_blocks, arguments, **static) or tally_blocks.lower(*arguments, **static).compile()

        def add(tally: Tally, arrays: Any, sampler: Any, done: int, last: int) -> Tally:
            share = self.share(last - done)
            starts, chunks = self.starts(done, share), self.everywhere(share // self.chunk)
            tally = step(tally, arrays, sampler, seed, starts, chunks, self.everywhere(last))
            return jax.block_until_ready(tally)

        return add


def merged(each: list[Tally]) -> Tally:
    """One tally on the host of several; empty ones cost no copying."""
    return functools.reduce(tallies.merge, [tally for tally in each if tally.paths] or each[:1])


def replication_size(plan: Plan, replications: int) -> int:
    """Paths of each replication; raises ValueError where the paths cannot be cut evenly."""
    size, rest = divmod(plan.paths, replications)
    if rest:
        raise ValueError(f"run.paths: got {plan.paths}, expected a multiple of {replications} replications")
    return size


def common_start(start: RunState | None, layout: Layout, processes: Processes) -> RunState:
    """The state from which a run starts: tallies on the first process, the number of paths on all."""
    if start is None or not processes.first:
        start = initial_state(layout)
    return start._replace(done=processes.of_first(start.done))


def simulate(
    model: Model,
    plan: Plan,
    samplers: Sequence[Any] = (PSEUDO_RANDOM,),
    hooks: Hooks | None = None,
    devices: Sequence[jax.Device] | None = None,
    start: RunState | None = None,
    processes: Processes = ALONE,
) -> tuple[Tally, Timing]:
    """Run a plan and tally it, on all devices unless others are named.

    The paths are cut into as many equal replications as there are samplers, each drawn by its own: with a
    scrambled sequence or antithetic pairs, the spread over replications is the error. The tally depends
    neither on the block size or the number of devices, nor on whether the run resumes from `start`, a state
    that an interrupted run of the same plan gave to `hooks.checkpoint`.

    Several `processes` all call this alike; `start` is the first one's and so is the tally. Raises ValueError
    where the paths cannot be cut evenly, RuntimeError without float64.
    """
    require_double_precision()
    size, hooks, empty = replication_size(plan, len(samplers)), hooks or Hooks(), model.layout.init()
    start = common_start(start, model.layout, processes)
    mesh = mesh_of(devices)
    block = plan.share(size, mesh.size * processes.count)
    team = Devices(mesh, block, chunk_size(model.chunk), empty, processes)
    words = seed_words(plan.seed)
    seed, *placed = everywhere((words, *samplers), mesh)
    done, finished = start.done, start.finished
    present: Any = team.place(start.present)

    @functools.lru_cache(maxsize=1)
    def arrays(number: int) -> Any:
        return team.arrays(model, samplers[number], words)

    def given(replication: int) -> tuple[Any, Any]:
        return arrays(replication if model.prepares else 0), placed[replication]

    begun = time.perf_counter()
    add: Any = team.compiled(model, present, *given(done // size), seed) if done < plan.paths else None
    stopping = processes.either(hooks.stopped())
    ready = time.perf_counter()

    def seconds() -> float:
        return start.seconds + time.perf_counter() - ready

    while done < plan.paths and not stopping:
        replication, last = done // size, (done // size + 1) * size
        present = add(present, *given(replication), done, last)
        done = min(done + team.paths_a_round, last)
        hooks.progress(done)
        if done == last:
            whole = team.gather(present)
            if processes.first:
                hooks.replication(whole)
            finished = merged([finished, whole])
            present = None  # before as much memory is asked for anew
            present = team.place(empty) if done < plan.paths else None
        stopping = processes.either(hooks.stopped())
        if processes.of_first(hooks.checkpoint_due(stopping)):
            now = team.gather(present) if done < last else empty
            state = RunState(done, seconds(), finished, now, model.fused)
            if processes.first:
                hooks.checkpoint(state)
    if done % size:
        finished = merged([finished, team.gather(present)])
    return finished, Timing(ready - begun, seconds(), done)
