"""Many paths: chunks of one fixed size, blocks of chunks, devices side by side."""

import dataclasses
import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from engine.book.system import System
from engine.draws.address import seed_words
from engine.paths import path as paths
from engine.paths.batch import batch_last
from engine.paths.store import store_shared
from engine.tail import tally as tallies
from engine.tail.outcome import Outcome
from engine.vocabulary import FLAGS, SERIES, indicator

CHUNK = 512
"""Paths evaluated together: their state fits a core's second-level cache, and every chunk rounds alike."""

YEAR = 12


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many paths, in blocks of how many, from which seed. Raises ValueError on impossible values."""

    paths: int
    block: int
    seed: int
    months: int

    def __post_init__(self):
        if self.paths < 1:
            raise ValueError(f"run.paths: got {self.paths}, expected at least 1")
        if self.block < CHUNK or self.block % CHUNK:
            raise ValueError(f"run.block: got {self.block}, expected a multiple of {CHUNK}")
        seed_words(self.seed)


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds of compilation and simulation."""

    compile_s: float
    run_s: float
    paths: int

    @property
    def paths_per_s(self) -> float:
        return self.paths / max(self.run_s, 1e-9)


def horizons(months: int) -> tuple[int, ...]:
    """Reported horizons in months: 1, 3, 5 and 10 years as far as the run reaches, and its end."""
    return tuple(h for h in (12, 36, 60, 120) if h <= months) or (months,)


def layout_of(system: System) -> tallies.Layout:
    """Names and sizes of what a run of this system reports."""
    months = system.calendar.month.shape[0]
    return tallies.Layout(
        columns=paths.column_names(system),
        components=tuple(f"instrument:{name}" for name in system.names.instruments),
        entities=system.names.firms,
        series=SERIES,
        horizons=horizons(months),
        months=months,
    )


def chunk_outcome(system: System, seed, ids, weight, store: bool) -> Outcome:
    """The outcome of one chunk of path ids."""

    def stored(function, keep, *arguments):
        return store_shared(function, keep, *arguments) if store else function(*arguments)

    def begin(system, seed, ids):
        return batch_last(paths.begin, system, seed, ids, batched=(False, False, True))

    def one_month(system, seed, path, fate, state, row):
        state, info = paths.advance(system, seed, path, fate, state, row)
        return state, paths.traced(system, state, info)

    def every_month(system, seed, ids, fate, state, row):
        return batch_last(
            one_month, system, seed, ids, fate, state, row, batched=(False, False, True, True, True, False)
        )

    def month(state, row):
        return stored(every_month, row.month > 0, system, seed, ids, fate, state, row)

    def year(state, rows):
        state, trace = lax.scan(month, state, rows)
        return state, (trace, batch_last(paths.snapshot, system, state, batched=(False, True)))

    fate, state = stored(begin, ids[0] >= 0, system, seed, ids)
    years = jax.tree.map(lambda row: row.reshape(-1, YEAR, *row.shape[1:]), system.calendar)
    state, (trace, snapshots) = lax.scan(year, state, years)
    end = batch_last(paths.ending, system, fate, state, batched=(False, True, True))
    months = system.calendar.month.shape[0]
    at = np.array([h // YEAR - 1 for h in horizons(months)])
    bits = jnp.asarray([1 << i for i in range(len(FLAGS))], jnp.uint32)
    return Outcome(
        path=ids,
        weight=weight,
        losses=snapshots.losses[at],
        components=snapshots.components[at],
        default_month=end.default_month,
        cause=end.cause,
        trace=trace.reshape(months, len(SERIES), -1),
        flags=jnp.sum(end.flags.astype(jnp.uint32) * bits[:, None], axis=0, dtype=jnp.uint32),
    )


def tally_block(tally, system: System, seed, first, block: int, count, store: bool):
    """The tally with `block` paths from `first` added by chunks; those from `count` on weigh nothing."""
    ids = (first + jnp.arange(block, dtype=jnp.int64)).reshape(-1, CHUNK)

    def add_chunk(tally, ids):
        return tallies.update(tally, chunk_outcome(system, seed, ids, indicator(ids < count), store)), None

    return lax.scan(add_chunk, tally, ids)[0]


def on_cpu(devices) -> bool:
    """Whether values should be stored rather than fused."""
    return devices[0].platform == "cpu"


@functools.partial(jax.jit, static_argnames=("block", "mesh"), donate_argnums=0)
def tally_blocks(tally, system, seed, first, count, *, block: int, mesh: Mesh):
    """Add one block a device to each device's tally [devices, ...]; `first` [devices] starts each block."""
    store = on_cpu(mesh.devices.ravel())

    def on_device(tally, system, seed, first, count):
        own = jax.tree.map(lambda leaf: leaf[0], tally)
        return jax.tree.map(
            lambda leaf: leaf[None], tally_block(own, system, seed, first[0], block, count, store)
        )

    own, shared = PartitionSpec("devices"), PartitionSpec()
    return jax.shard_map(
        on_device, mesh=mesh, in_specs=(own, shared, shared, own, shared), out_specs=own, check_vma=False
    )(tally, system, seed, first, count)


def simulate(system: System, plan: Plan, progress=None, stopped=None, devices=None):
    """Run a plan. Returns (Tally, Timing).

    `progress(done)` is called after every round of blocks with the paths done; the run ends early, with what
    it has, when `stopped()` is true. The tally does not depend on the block size or the number of devices.
    """
    devices = list(devices or jax.devices())
    mesh = Mesh(np.array(devices), ("devices",))
    spread = NamedSharding(mesh, PartitionSpec("devices"))
    everywhere = NamedSharding(mesh, PartitionSpec())
    empty = layout_of(system).init()
    tally = jax.tree.map(
        lambda leaf: jax.device_put(jnp.broadcast_to(leaf, (len(devices), *leaf.shape)), spread), empty
    )
    system = jax.device_put(system, everywhere)
    seed = jax.device_put(seed_words(plan.seed), everywhere)
    count = jax.device_put(jnp.asarray(plan.paths, jnp.int64), everywhere)

    def starts(round_start):
        first = round_start + plan.block * np.arange(len(devices), dtype=np.int64)
        return jax.device_put(first, spread)

    begun = time.perf_counter()
    compiled = tally_blocks.lower(
        tally, system, seed, starts(0), count, block=plan.block, mesh=mesh
    ).compile()
    ready = time.perf_counter()
    done = 0
    while done < plan.paths and not (stopped and stopped()):
        tally = compiled(tally, system, seed, starts(done), count)
        jax.block_until_ready(tally.paths)
        done = min(done + plan.block * len(devices), plan.paths)
        if progress:
            progress(done)
    tally = jax.device_get(tally)
    each = [jax.tree.map(lambda leaf, d=d: leaf[d], tally) for d in range(len(devices))]
    return functools.reduce(tallies.merge, each), Timing(ready - begun, time.perf_counter() - ready, done)
