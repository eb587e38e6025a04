"""What every phase of `benchmarks/gpu_run.py` works on: sizes, the shipped book, a timed run of paths."""

import dataclasses
import functools
import hashlib
import pathlib
import time
from collections.abc import Sequence
from typing import Any

BOOK = "ai_credit_2025"
SEED = 7


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much each phase does; on a CPU a chunk divides 256."""

    months: int = 60
    chunks: tuple[int, ...] = (16_384, 65_536, 262_144)  # paths evaluated together
    timed: int = 2**21  # paths of a timed run
    compared: int = 4_096  # paths beside a CPU's
    large: tuple[int, int] = (10**7, 10**8)  # paths of the large runs
    block: int = 2**18  # paths a block of the large runs: time is looked at between blocks
    numbers: int = 2**28  # of an array that no cache holds
    chain: int = 256  # multiply-adds on each number
    portfolio: int = 2**22  # paths of the classic portfolio
    normals: int = 2**20  # paths whose normals are drawn
    pilot: int = 131_072  # paths from which a sampler is learned
    level: float = 0.999  # at which it is learned


TINY = Sizes(
    months=12, chunks=(256,), timed=1_024, compared=512, large=(1_024, 2_048), block=256, numbers=2**16,
    chain=8, portfolio=4_096, normals=1_024, pilot=6_144, level=0.99,
)  # fmt: skip
"""Every phase on a CPU within a minute or two; its numbers mean nothing."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a phase is given: sizes, the file of a CPU's paths, and when to have finished."""

    sizes: Sizes
    carried: pathlib.Path
    seconds: float  # from the phase's begin
    earlier: dict[str, dict[str, Any]]  # what the phases before found
    begun: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.begun + self.seconds - time.monotonic()


@functools.cache
def book() -> Any:
    """The shipped book."""
    from engine.book.load import load_book, shipped_book

    return load_book(shipped_book(BOOK))


@functools.cache
def system_of(months: int) -> Any:
    """The shipped book over so many months, on the device."""
    from engine.book.build import build_system
    from engine.book.parameters import Parameters

    return build_system(book(), Parameters(), months)


@dataclasses.dataclass(frozen=True)
class Run:
    """A tallied run, cut short where its time was."""

    tally: Any
    compile_s: float
    run_s: float
    paths: int
    rates: tuple[float, ...]  # paths a second, round by round without the first, which warms up

    def digest(self) -> str:
        """sha256 of all tables."""
        return digest(self.tally)


def digest(tree: Any) -> str:
    """sha256 of the bytes of a pytree's arrays."""
    import jax
    import numpy as np

    total = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        total.update(np.ascontiguousarray(leaf).tobytes())
    return total.hexdigest()


def usual_model(sizes: Sizes, chunk: int | None = None) -> Any:
    """The full model of the shipped book, a CPU's chunks of a size."""
    from engine.paths.simulate import chunk_outcome, layout_of
    from engine.run import blocks, plan

    system = system_of(sizes.months)
    return blocks.Model(chunk_outcome, system, layout_of(system), chunk or plan.CHUNK)


def tallied(
    sizes: Sizes, paths: int, block: int, chunk: int | None = None, samplers: Sequence[Any] = (),
    seconds: float = float("inf"), model: Any = None,
) -> Run:  # fmt: skip
    """Run and tally paths of the shipped book in chunks of a size; ends early after so many seconds."""
    import jax

    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.run import blocks, plan

    begun, done = time.monotonic(), [(0, 0.0)]
    hooks = plan.Hooks(
        progress=lambda count: done.append((count, time.monotonic())),
        stopped=lambda: time.monotonic() - begun > seconds,
    )
    model, samplers, usual = model or usual_model(sizes, chunk), samplers or (PSEUDO_RANDOM,), plan.GPU_CHUNK
    try:
        plan.GPU_CHUNK = chunk or usual
        tally, timing = blocks.simulate(
            model, plan.Plan(paths, block, SEED), samplers, hooks, jax.devices()[:1]
        )
    finally:
        plan.GPU_CHUNK = usual
    pairs = list(zip(done[1:], done[2:], strict=False))
    rates = tuple((b - a) / max(end - start, 1e-9) for (a, start), (b, end) in pairs)
    return Run(tally, timing.compile_s, timing.run_s, timing.paths, rates or (timing.paths_per_s,))
