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
from engine.draws.samplers import PSEUDO_RANDOM
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


def chunk_outcome(system: System, sampler, seed, ids, count, store: bool) -> Outcome:
    """The outcome of one chunk of path ids; those from `count` on weigh nothing."""

    def stored(function, keep, *arguments):
        return store_shared(function, keep, *arguments) if store else function(*arguments)

    def begin(system, sampler, seed, ids):
        return batch_last(paths.begin, system, sampler, seed, ids, batched=(False, False, False, True))

    def one_month(system, seed, row, path, fate, state, normal, regime):
        state, info = paths.advance(system, seed, path, fate, state, row, normal, regime)
        return state, paths.traced(system, state, info)

    def every_month(*arguments):
        return batch_last(one_month, *arguments, batched=(False,) * 3 + (True,) * 5)

    def month(state, inputs):
        row, normal, regime = inputs
        return stored(every_month, row.month > 0, system, seed, row, ids, fate, state, normal, regime)

    def year(state, inputs):
        state, trace = lax.scan(month, state, inputs)
        return state, (trace, batch_last(paths.snapshot, system, state, batched=(False, True)))

    fate, state, drawn = stored(begin, ids[0] >= 0, system, sampler, seed, ids)
    monthly = (system.calendar, drawn.normals, drawn.uniforms)
    years = jax.tree.map(lambda row: row.reshape(-1, YEAR, *row.shape[1:]), monthly)
    state, (trace, snapshots) = lax.scan(year, state, years)
    end = batch_last(paths.ending, system, fate, state, batched=(False, True, True))
    months = system.calendar.month.shape[0]
    at = np.array([h // YEAR - 1 for h in horizons(months)])
    bits = jnp.asarray([1 << i for i in range(len(FLAGS))], jnp.uint32)
    return Outcome(
        path=ids,
        weight=jnp.exp(drawn.log_weight) * indicator(ids < count),
        losses=snapshots.losses[at],
        components=snapshots.components[at],
        default_month=end.default_month,
        cause=end.cause,
        trace=trace.reshape(months, len(SERIES), -1),
        flags=jnp.sum(end.flags.astype(jnp.uint32) * bits[:, None], axis=0, dtype=jnp.uint32),
    )


def tally_block(tally, system: System, sampler, seed, first, block: int, count, store: bool):
    """The tally with `block` paths from `first` added by chunks; those from `count` on weigh nothing."""
    ids = (first + jnp.arange(block, dtype=jnp.int64)).reshape(-1, CHUNK)

    def add_chunk(tally, ids):
        return tallies.update(tally, chunk_outcome(system, sampler, seed, ids, count, store)), None

    return lax.scan(add_chunk, tally, ids)[0]


def on_cpu(devices) -> bool:
    """Whether values should be stored rather than fused."""
    return devices[0].platform == "cpu"


@functools.partial(jax.jit, static_argnames=("block", "mesh"), donate_argnums=0)
def tally_blocks(tally, system, sampler, seed, first, count, *, block: int, mesh: Mesh):
    """Add one block a device to each device's tally [devices, ...]; `first` [devices] starts each block."""
    store = on_cpu(mesh.devices.ravel())

    def on_device(tally, system, sampler, seed, first, count):
        own = jax.tree.map(lambda leaf: leaf[0], tally)
        return jax.tree.map(
            lambda leaf: leaf[None], tally_block(own, system, sampler, seed, first[0], block, count, store)
        )

    own, shared = PartitionSpec("devices"), PartitionSpec()
    return jax.shard_map(
        on_device, mesh=mesh, in_specs=(own, *(shared,) * 3, own, shared), out_specs=own, check_vma=False
    )(tally, system, sampler, seed, first, count)


def simulate(
    system: System,
    plan: Plan,
    samplers=(PSEUDO_RANDOM,),
    each=None,
    progress=None,
    stopped=None,
    devices=None,
):
    """Run a plan. Returns (Tally, Timing).

    The paths are cut into as many equal replications as there are samplers, each drawn by its own;
    `each(tally)` is called with the tally of every finished replication. `progress(done)` is called after
    every round of blocks with the paths done; the run ends early, with what it has, when `stopped()` is true.
    The tally does not depend on the block size or the number of devices. Raises ValueError where the paths
    cannot be cut evenly.
    """
    size, rest = divmod(plan.paths, len(samplers))
    if rest:
        raise ValueError(f"run.paths: got {plan.paths}, expected a multiple of {len(samplers)} replications")
    devices = list(devices or jax.devices())
    mesh = Mesh(np.array(devices), ("devices",))
    spread, everywhere = (NamedSharding(mesh, spec) for spec in (PartitionSpec("devices"), PartitionSpec()))
    system, seed, *samplers = jax.device_put((system, seed_words(plan.seed), *samplers), everywhere)
    empty = layout_of(system).init()

    def nothing():
        return jax.tree.map(
            lambda leaf: jax.device_put(jnp.broadcast_to(leaf, (len(devices), *leaf.shape)), spread), empty
        )

    def starts(first):
        return jax.device_put(first + plan.block * np.arange(len(devices), dtype=np.int64), spread)

    def end(last):
        return jax.device_put(jnp.asarray(last, jnp.int64), everywhere)

    begun = time.perf_counter()
    compiled = tally_blocks.lower(
        nothing(), system, samplers[0], seed, starts(0), end(size), block=plan.block, mesh=mesh
    ).compile()
    ready = time.perf_counter()
    whole, done = None, 0
    for number, sampler in enumerate(samplers):
        tally, last = nothing(), (number + 1) * size
        while done < last and not (stopped and stopped()):
            tally = compiled(tally, system, sampler, seed, starts(done), end(last))
            jax.block_until_ready(tally.paths)
            done = min(done + plan.block * len(devices), last)
            if progress:
                progress(done)
        finished = gathered(tally, len(devices))
        if each and done == last:
            each(finished)
        whole = finished if whole is None else tallies.merge(whole, finished)
    return jax.device_get(whole), Timing(ready - begun, time.perf_counter() - ready, done)


def gathered(tally, devices: int):
    """One tally on the host of those on the devices."""
    tally = jax.device_get(tally)
    return functools.reduce(
        tallies.merge, [jax.tree.map(lambda leaf, d=d: leaf[d], tally) for d in range(devices)]
    )
