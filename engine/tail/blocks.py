"""Many paths of any model: chunks of one fixed size, blocks of chunks, devices side by side, into a tally.

A model is any pytree of arrays with a function that turns path ids into their Outcome:

    outcome(model, sampler, seed, ids, count) -> Outcome        ids [CHUNK]; those from `count` on weigh 0

Every chunk is compiled alike and a tally adds integers, so a result does not depend on the block size or
on the number of devices.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.tail import tally as tallies
from engine.tail.tally import Layout, Tally

CHUNK = 256
"""Paths evaluated together: their state fits a core's second-level cache, and every chunk rounds alike."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many paths, in blocks of how many, from which seed. Raises ValueError on impossible values."""

    paths: int
    block: int
    seed: int

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


class Standing(NamedTuple):
    """Where a run stands after a round of blocks: enough to go on from, on any number of devices."""

    done: int  # paths
    seconds: float  # of simulation
    finished: Tally  # of the replications that are
    present: Tally  # of the one at work


def beginning(layout: Layout) -> Standing:
    """Where a run stands before its first path."""
    empty = jax.device_get(layout.init())
    return Standing(0, 0.0, empty, empty)


@dataclasses.dataclass(frozen=True)
class Watch:
    """Who looks on: `progress(done)` after every round of blocks, `each(tally)` after every replication.

    `keep(standing)` comes after both; `standing()` says where the run stands and costs the copying of a
    tally, so that it is for the looker-on to say how often. The run ends early, with what it has, when
    `stopped()` is true.
    """

    progress: Callable[[int], None] = lambda done: None
    each: Callable[[Tally], None] = lambda tally: None
    keep: Callable[[Callable[[], Standing]], None] = lambda standing: None
    stopped: Callable[[], bool] = lambda: False


def tally_block(outcome, tally, model, sampler, seed, first, chunks, count):
    """The tally with `chunks` chunks of paths from `first` added; paths from `count` on weigh nothing."""

    def add_chunk(chunk, tally):
        ids = first + chunk * CHUNK + jnp.arange(CHUNK, dtype=jnp.int64)
        return tallies.update(tally, outcome(model, sampler, seed, ids, count))

    return lax.fori_loop(jnp.zeros_like(chunks), chunks, add_chunk, tally)


@functools.partial(jax.jit, static_argnames=("outcome", "mesh"), donate_argnums=0)
def tally_blocks(tally, model, sampler, seed, first, chunks, count, *, outcome, mesh: Mesh):
    """Add one block a device to each device's tally [devices, ...]; `first` [devices] starts each block.

    How many chunks a block has is a number of the run, not of the program: any block size runs the same one.
    """

    def on_device(tally, model, sampler, seed, first, chunks, count):
        own = jax.tree.map(lambda leaf: leaf[0], tally)
        own = tally_block(outcome, own, model, sampler, seed, first[0], chunks, count)
        return jax.tree.map(lambda leaf: leaf[None], own)

    own, shared = PartitionSpec("devices"), PartitionSpec()
    return jax.shard_map(
        on_device, mesh=mesh, in_specs=(own, *(shared,) * 3, own, *(shared,) * 2), out_specs=own,
        check_vma=False,
    )(tally, model, sampler, seed, first, chunks, count)  # fmt: skip


class Devices:
    """The devices side by side: what is put on them, and a tally spread over them."""

    def __init__(self, devices, block: int, empty: Tally):
        self.count, self.block, self.empty = len(devices), block, empty
        self.mesh = Mesh(np.array(devices), ("devices",))
        self.own = NamedSharding(self.mesh, PartitionSpec("devices"))
        self.shared = NamedSharding(self.mesh, PartitionSpec())

    def starts(self, first: int):
        """First path of each device's block."""
        return jax.device_put(first + self.block * np.arange(self.count, dtype=np.int64), self.own)

    def everywhere(self, number: int):
        """A whole number on every device."""
        return jax.device_put(np.asarray(number, np.int64), self.shared)

    def spread(self, tally: Tally) -> Tally:
        """The tally on the first device, an empty one on the others; a leading axis [devices]."""
        return jax.tree.map(
            lambda first, blank: jax.device_put(np.stack([first, *[blank] * (self.count - 1)]), self.own),
            tally,
            self.empty,
        )

    def gathered(self, tally: Tally) -> Tally:
        """One tally on the host of those on the devices."""
        tally = jax.device_get(tally)
        each = [jax.tree.map(lambda leaf, d=d: leaf[d], tally) for d in range(self.count)]
        return jax.device_get(functools.reduce(tallies.merge, each))

    def compiled(self, outcome, model, sampler, seed):
        """`tally_blocks` for these devices, as (tally, sampler, done, last) -> tally."""
        chunks = self.everywhere(self.block // CHUNK)
        step = tally_blocks.lower(
            self.spread(self.empty), model, sampler, seed, self.starts(0), chunks, self.everywhere(0),
            outcome=outcome, mesh=self.mesh,
        ).compile()  # fmt: skip

        def add(tally, sampler, done: int, last: int):
            # Arrays without elements come back as if every device had all of them.
            tally = jax.device_put(tally, self.own)
            tally = step(tally, model, sampler, seed, self.starts(done), chunks, self.everywhere(last))
            return jax.block_until_ready(tally)

        return add


def simulate(
    outcome,
    model,
    layout: Layout,
    plan: Plan,
    samplers=(PSEUDO_RANDOM,),
    watch: Watch | None = None,
    devices=None,
    start: Standing | None = None,
) -> tuple[Tally, Timing]:
    """Run a plan and tally it.

    The paths are cut into as many equal replications as there are samplers, each drawn by its own: with a
    scrambled sequence or antithetic pairs, the replications' spread is the error. The tally does not depend
    on the block size or the number of devices, nor on whether the run went on from `start`, a standing that
    an interrupted run of the same plan has handed to its `watch`. Raises ValueError where the paths cannot
    be cut evenly.
    """
    size, rest = divmod(plan.paths, len(samplers))
    if rest:
        raise ValueError(f"run.paths: got {plan.paths}, expected a multiple of {len(samplers)} replications")
    watch, start = watch or Watch(), start or beginning(layout)
    place = Devices(list(devices or jax.devices()), plan.block, beginning(layout).present)
    model, seed, *samplers = jax.device_put((model, seed_words(plan.seed), *samplers), place.shared)
    begun = time.perf_counter()
    add = place.compiled(outcome, model, samplers[0], seed) if start.done < plan.paths else None
    ready = time.perf_counter()
    done, finished, present = start.done, start.finished, place.spread(start.present)

    def seconds() -> float:
        return start.seconds + time.perf_counter() - ready

    def standing() -> Standing:
        return Standing(done, seconds(), finished, place.gathered(present))

    while done < plan.paths and not watch.stopped():
        replication, last = done // size, (done // size + 1) * size
        present = add(present, samplers[replication], done, last)
        done = min(done + plan.block * place.count, last)
        watch.progress(done)
        if done == last:
            whole = place.gathered(present)
            watch.each(whole)
            finished = jax.device_get(tallies.merge(finished, whole))
            present = place.spread(place.empty)
        watch.keep(standing)
    tally = tallies.merge(finished, place.gathered(present))
    return jax.device_get(tally), Timing(ready - begun, seconds(), done)
