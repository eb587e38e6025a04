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

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.tail import tally as tallies
from engine.tail.tally import Layout, Tally

CHUNK = 512
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


@dataclasses.dataclass(frozen=True)
class Watch:
    """Who looks on: `progress(done)` after every round of blocks, `each(tally)` after every replication.

    The run ends early, with what it has, when `stopped()` is true.
    """

    progress: Callable[[int], None] = lambda done: None
    each: Callable[[Tally], None] = lambda tally: None
    stopped: Callable[[], bool] = lambda: False


def tally_block(outcome, tally, model, sampler, seed, first, block: int, count):
    """The tally with `block` paths from `first` added by chunks; those from `count` on weigh nothing."""
    ids = (first + jnp.arange(block, dtype=jnp.int64)).reshape(-1, CHUNK)

    def add_chunk(tally, ids):
        return tallies.update(tally, outcome(model, sampler, seed, ids, count)), None

    return lax.scan(add_chunk, tally, ids)[0]


@functools.partial(jax.jit, static_argnames=("outcome", "block", "mesh"), donate_argnums=0)
def tally_blocks(tally, model, sampler, seed, first, count, *, outcome, block: int, mesh: Mesh):
    """Add one block a device to each device's tally [devices, ...]; `first` [devices] starts each block."""

    def on_device(tally, model, sampler, seed, first, count):
        own = jax.tree.map(lambda leaf: leaf[0], tally)
        own = tally_block(outcome, own, model, sampler, seed, first[0], block, count)
        return jax.tree.map(lambda leaf: leaf[None], own)

    own, shared = PartitionSpec("devices"), PartitionSpec()
    return jax.shard_map(
        on_device, mesh=mesh, in_specs=(own, *(shared,) * 3, own, shared), out_specs=own, check_vma=False
    )(tally, model, sampler, seed, first, count)


def simulate(
    outcome,
    model,
    layout: Layout,
    plan: Plan,
    samplers=(PSEUDO_RANDOM,),
    watch: Watch | None = None,
    devices=None,
) -> tuple[Tally, Timing]:
    """Run a plan and tally it.

    The paths are cut into as many equal replications as there are samplers, each drawn by its own: with a
    scrambled sequence or antithetic pairs, the replications' spread is the error. The tally does not depend
    on the block size or the number of devices. Raises ValueError where the paths cannot be cut evenly.
    """
    size, rest = divmod(plan.paths, len(samplers))
    if rest:
        raise ValueError(f"run.paths: got {plan.paths}, expected a multiple of {len(samplers)} replications")
    watch = watch or Watch()
    devices = list(devices or jax.devices())
    mesh = Mesh(np.array(devices), ("devices",))
    spread, everywhere = (NamedSharding(mesh, spec) for spec in (PartitionSpec("devices"), PartitionSpec()))
    model, seed, *samplers = jax.device_put((model, seed_words(plan.seed), *samplers), everywhere)

    def nothing():
        return jax.tree.map(
            lambda leaf: jax.device_put(jnp.broadcast_to(leaf, (len(devices), *leaf.shape)), spread),
            layout.init(),
        )

    def starts(first):
        return jax.device_put(first + plan.block * np.arange(len(devices), dtype=np.int64), spread)

    def end(last):
        return jax.device_put(jnp.asarray(last, jnp.int64), everywhere)

    begun = time.perf_counter()
    compiled = tally_blocks.lower(
        nothing(),
        model,
        samplers[0],
        seed,
        starts(0),
        end(size),
        outcome=outcome,
        block=plan.block,
        mesh=mesh,
    ).compile()
    ready = time.perf_counter()
    whole, done = None, 0
    for number, sampler in enumerate(samplers):
        tally, last = nothing(), (number + 1) * size
        while done < last and not watch.stopped():
            # Arrays without elements come back as if every device had all of them.
            tally = jax.device_put(tally, spread)
            tally = compiled(tally, model, sampler, seed, starts(done), end(last))
            jax.block_until_ready(tally.paths)
            done = min(done + plan.block * len(devices), last)
            watch.progress(done)
        finished = gathered(tally, len(devices))
        if done == last:
            watch.each(finished)
        whole = finished if whole is None else tallies.merge(whole, finished)
        if watch.stopped():
            break
    return jax.device_get(whole), Timing(ready - begun, time.perf_counter() - ready, done)


def gathered(tally: Tally, devices: int) -> Tally:
    """One tally on the host of those on the devices."""
    tally = jax.device_get(tally)
    return functools.reduce(
        tallies.merge, [jax.tree.map(lambda leaf, d=d: leaf[d], tally) for d in range(devices)]
    )
