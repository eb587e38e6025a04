"""A run: how many paths from which seed, its state between blocks, its callbacks, its timing."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from engine import arguments
from engine.draws.address import seed_words
from engine.tail.tally import MOST_PATHS, Layout, Tally
from engine.vocabulary import KERNELS

CHUNK = 256
"""Paths that a CPU evaluates together: their state fits a core's second-level cache. Blocks are multiples."""

GPU_CHUNK = 65_536
"""Paths that a GPU evaluates together: with fewer, launching its kernels takes longer than running them."""


def chunk_size(on_cpu: int = CHUNK) -> int:
    """Paths evaluated together on this backend: one size for a model, so that every chunk rounds alike."""
    return on_cpu if jax.default_backend() == "cpu" else GPU_CHUNK


def whole_chunks(paths: int) -> int:
    """Paths rounded up to whole chunks of any model."""
    return -(-paths // chunk_size()) * chunk_size()


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many paths, in blocks of how many, from which seed, by which kernel.

    Raises ValueError on impossible values.
    """

    paths: int
    block: int
    seed: int
    kernel: str = "xla"

    def __post_init__(self) -> None:
        for name in ("paths", "block", "seed"):
            object.__setattr__(self, name, arguments.whole(f"run.{name}", getattr(self, name)))
        if not 1 <= self.paths <= MOST_PATHS:
            raise ValueError(f"run.paths: got {self.paths}, expected 1 to {MOST_PATHS}")
        if self.block < CHUNK or self.block % CHUNK:
            raise ValueError(f"run.block: got {self.block}, expected a multiple of {CHUNK}")
        if self.kernel not in KERNELS:
            raise ValueError(f"run.kernel: got {self.kernel}, expected one of {', '.join(KERNELS)}")
        seed_words(self.seed)

    def path(self, path: Any) -> int:
        """The id of a path of this run; raises ValueError for anything else."""
        own = arguments.whole("path", path)
        if not 0 <= own < self.paths:
            raise ValueError(f"path: got {path}, expected one from 0 to {self.paths - 1}")
        return own

    def share(self, paths: int, devices: int) -> int:
        """Paths of a block where so many paths run side by side on so many devices.

        Whole chunks, and no more than a device's share: paths beyond the plan would be simulated for nothing.
        A GPU's chunk exceeds the unit of a block, which is rounded up to it.

        >>> plan = Plan(paths=9000, block=8192, seed=7)
        >>> plan.share(9000, 1), plan.share(9000, 2), plan.share(1, 2)
        (8192, 4608, 256)
        """
        return min(whole_chunks(self.block), whole_chunks(-(-paths // devices)))


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds of compilation and simulation; which kernel ran, in words."""

    compile_s: float
    run_s: float
    paths: int
    kernel: str = "xla"

    @property
    def paths_per_s(self) -> float:
        """Paths simulated per second, compilation excluded."""
        return self.paths / max(self.run_s, 1e-9)


class RunState(NamedTuple):
    """How far a run is after a round of blocks: enough to resume it, on any number of devices."""

    done: int  # paths
    seconds: float  # of simulation
    finished: Tally  # of the finished replications
    present: Tally  # of the replication at work
    fused: bool = False  # whether a fused kernel evaluates the paths


def initial_state(layout: Layout) -> RunState:
    """The state of a run before its first path."""
    empty = layout.init()
    return RunState(0, 0.0, empty, empty)


@dataclasses.dataclass(frozen=True)
class Hooks:
    """Callbacks of a run: `progress(done)` after every round of blocks, `replication(tally)` after each one.

    After both comes `checkpoint(state)` where `checkpoint_due(stopping)`, since the state costs the copying
    of a tally. The run ends early, with what it has, when `stopped()` is true. Of several processes any may
    stop the run; all other hooks are the first one's alone, but `progress`, which each calls.
    """

    progress: Callable[[int], None] = lambda done: None
    replication: Callable[[Tally], None] = lambda tally: None
    checkpoint_due: Callable[[bool], bool] = lambda stopping: False
    checkpoint: Callable[[RunState], None] = lambda state: None
    stopped: Callable[[], bool] = lambda: False
