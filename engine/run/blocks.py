"""Many paths of any model: chunks of one size, blocks of chunks, devices and processes, into a tally.

A model is any pytree of arrays with a function that turns path ids into their Outcome:

    outcome(model, sampler, seed, ids, count) -> Outcome        ids [chunk]; those from `count` on weigh 0

Every chunk is compiled alike and a tally adds integers, so a result does not depend on the block size or
on the number of devices or processes.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.run.devices import OWN, SHARED, everywhere, mesh_of, on_first, own, parts, side_by_side
from engine.run.packing import packed, unpacked
from engine.run.plan import CHUNK, Plan, Standing, Timing, Watch, beginning, chunk_size
from engine.run.processes import ALONE, Processes
from engine.tail import tally as tallies
from engine.tail.tally import Layout, Tally


def tally_block(outcome, size, tally, model, sampler, seed, first, chunks, count):
    """The tally with `chunks` chunks of `size` paths from `first` added; paths from `count` on weigh 0."""

    def add_chunk(chunk, tally):
        ids = first + chunk * size + jnp.arange(size, dtype=jnp.int64)
        return tallies.update(tally, outcome(model, sampler, seed, ids, count))

    return lax.fori_loop(jnp.zeros_like(chunks), chunks, add_chunk, tally)


@functools.partial(jax.jit, static_argnames=("outcome", "size", "mesh"), donate_argnums=0)
def tally_blocks(tally, model, sampler, seed, first, chunks, count, *, outcome, size: int, mesh: Mesh):
    """Add one block a device to each device's tally [devices, ...]; `first` [devices] starts each block.

    How many chunks of `size` paths a block has is a number of the run, not of the program: blocks of any
    size run the same one.
    """

    def on_device(tally, model, sampler, seed, first, chunks, count):
        mine = jax.tree.map(lambda leaf: leaf[0], tally)
        mine = tally_block(outcome, size, mine, model, sampler, seed, first[0], chunks, count)
        return jax.tree.map(lambda leaf: leaf[None], mine)

    placed = (OWN, SHARED, SHARED, SHARED, OWN, SHARED, SHARED)
    return side_by_side(on_device, mesh, placed)(tally, model, sampler, seed, first, chunks, count)


class Devices:
    """The devices of this process side by side, one of `processes` alike; a tally spread over them."""

    def __init__(self, mesh: Mesh, block: int, chunk: int, empty: Tally, processes: Processes):
        self.mesh, self.block, self.chunk, self.empty, self.processes = mesh, block, chunk, empty, processes

    @property
    def round(self) -> int:
        """Paths of a block on every device of every process."""
        return self.block * self.mesh.size * self.processes.count

    def starts(self, first: int):
        """First path of each device's block in the round that begins with `first`."""
        place = self.processes.rank * self.mesh.size + np.arange(self.mesh.size, dtype=np.int64)
        return own(first + self.block * place, self.mesh)

    def everywhere(self, number: int):
        """A whole number on every device."""
        return everywhere(np.asarray(number, np.int64), self.mesh)

    def spread(self, tally: Tally) -> Tally:
        """The tally on the first device, an empty one on the others; a leading axis [devices]."""
        return jax.tree.map(lambda first, blank: on_first(first, blank, self.mesh), tally, self.empty)

    def gathered(self, tally: Tally) -> Tally:
        """One tally on the first process's host of those on the devices; elsewhere one of no use."""
        here = merged(parts(tally))
        if self.processes.count == 1:
            return here
        _, *others = self.processes.to_first(None if self.processes.first else packed(here, self.empty))
        return merged([here, *(unpacked(each, self.empty) for each in others)])

    def compiled(self, outcome, tally: Tally, model, sampler, seed):
        """`tally_blocks` for a tally like this one, as (tally, sampler, done, last) -> tally."""
        chunks = self.everywhere(self.block // self.chunk)
        step = tally_blocks.lower(
            tally, model, sampler, seed, self.starts(0), chunks, self.everywhere(0),
            outcome=outcome, size=self.chunk, mesh=self.mesh,
        ).compile()  # fmt: skip

        def add(tally, sampler, done: int, last: int):
            # Arrays without elements come back as if every device had all of them.
            tally = jax.tree.map(lambda leaf: leaf if leaf.size else own(np.array(leaf), self.mesh), tally)
            tally = step(tally, model, sampler, seed, self.starts(done), chunks, self.everywhere(last))
            return jax.block_until_ready(tally)

        return add


def merged(each: list[Tally]) -> Tally:
    """One tally on the host of some; what is empty costs no copying."""
    return functools.reduce(tallies.merge, [tally for tally in each if tally.paths] or each[:1])


def simulate(
    outcome,
    model,
    layout: Layout,
    plan: Plan,
    samplers=(PSEUDO_RANDOM,),
    watch: Watch | None = None,
    devices=None,
    start: Standing | None = None,
    processes: Processes = ALONE,
    chunk: int = CHUNK,
) -> tuple[Tally, Timing]:
    """Run a plan and tally it, on all devices unless others are named.

    A CPU evaluates `chunk` paths together, which divides CHUNK: fewer for a model whose paths are large.

    The paths are cut into as many equal replications as there are samplers, each drawn by its own: with a
    scrambled sequence or antithetic pairs, the replications' spread is the error. The tally does not depend
    on the block size or the number of devices, nor on whether the run went on from `start`, a standing that
    an interrupted run of the same plan has handed to its `watch`. Of several `processes`, all of which call
    this alike, the first one's `start` holds and the first one has the tally. Raises ValueError where the
    paths cannot be cut evenly.
    """
    size, rest = divmod(plan.paths, len(samplers))
    if rest:
        raise ValueError(f"run.paths: got {plan.paths}, expected a multiple of {len(samplers)} replications")
    watch = watch or Watch()
    if start is None or not processes.first:
        start = beginning(layout)
    start = start._replace(done=processes.of_first(start.done))
    mesh = mesh_of(devices)
    block = plan.share(size, mesh.size * processes.count)
    place = Devices(mesh, block, chunk_size(chunk), layout.init(), processes)
    model, seed, *samplers = everywhere((model, seed_words(plan.seed), *samplers), mesh)
    done, finished, present = start.done, start.finished, place.spread(start.present)
    begun = time.perf_counter()
    add = place.compiled(outcome, present, model, samplers[0], seed) if done < plan.paths else None
    stopping = processes.either(watch.stopped())
    ready = time.perf_counter()

    def seconds() -> float:
        return start.seconds + time.perf_counter() - ready

    while done < plan.paths and not stopping:
        replication, last = done // size, (done // size + 1) * size
        present = add(present, samplers[replication], done, last)
        done = min(done + place.round, last)
        watch.progress(done)
        if done == last:
            whole = place.gathered(present)
            if processes.first:
                watch.each(whole)
            finished = merged([finished, whole])
            present = place.spread(place.empty)
        stopping = processes.either(watch.stopped())
        if processes.of_first(watch.due(stopping)):
            standing = Standing(done, seconds(), finished, place.gathered(present))
            if processes.first:
                watch.keep(standing)
    if done % size:
        finished = merged([finished, place.gathered(present)])
    return finished, Timing(ready - begun, seconds(), done)
