"""What a run is to do, where it stands and who watches it."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax

from engine.draws.address import seed_words
from engine.tail.tally import MOST_PATHS, Layout, Tally

CHUNK = 256
"""Paths that a CPU evaluates together: their state fits a core's second-level cache. Blocks are multiples."""


GPU_CHUNK = 65_536
"""Paths that a GPU evaluates together: with fewer, launching its kernels takes longer than running them."""


def chunk_size(on_cpu: int = CHUNK) -> int:
    """Paths evaluated together here: the same in all runs of a model, so that every chunk rounds alike."""
    return on_cpu if jax.default_backend() == "cpu" else GPU_CHUNK


def whole_chunks(paths: int) -> int:
    """The least number of paths, at least so many, that fills whole chunks of any model."""
    return -(-paths // chunk_size()) * chunk_size()


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many paths, in blocks of how many, from which seed. Raises ValueError on impossible values."""

    paths: int
    block: int
    seed: int

    def __post_init__(self):
        if not 1 <= self.paths <= MOST_PATHS:
            raise ValueError(f"run.paths: got {self.paths}, expected 1 to {MOST_PATHS}")
        if self.block < CHUNK or self.block % CHUNK:
            raise ValueError(f"run.block: got {self.block}, expected a multiple of {CHUNK}")
        seed_words(self.seed)

    def share(self, paths: int, devices: int) -> int:
        """A block for so many paths side by side: in whole chunks, and no more than a device's share needs.

        Paths beyond would be simulated, and weigh nothing. A GPU's chunk is many times what a block must be a
        multiple of: there a block is rounded up.

        >>> plan = Plan(paths=9000, block=8192, seed=7)
        >>> plan.share(9000, 1), plan.share(9000, 2), plan.share(1, 2)
        (8192, 4608, 256)
        """
        return min(whole_chunks(self.block), whole_chunks(-(-paths // devices)))


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
    empty = layout.init()
    return Standing(0, 0.0, empty, empty)


@dataclasses.dataclass(frozen=True)
class Watch:
    """Who looks on: `progress(done)` after every round of blocks, `each(tally)` after every replication.

    `keep(standing)` comes after both if it is `due(stopping)`: where the run stands costs the copying of a
    tally. The run ends early, with what it has, when `stopped()` is true. Of several processes any may stop
    the run, and the first one's watch alone hears of whole tallies and says what is due.
    """

    progress: Callable[[int], None] = lambda done: None
    each: Callable[[Tally], None] = lambda tally: None
    due: Callable[[bool], bool] = lambda stopping: False
    keep: Callable[[Standing], None] = lambda standing: None
    stopped: Callable[[], bool] = lambda: False
