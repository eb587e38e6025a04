"""A chunk of paths by one compiled program: the whole path as one function, and the kernel made of it.

`engine.kernel` writes C++ or CUDA from the trace of `whole_path`; XLA calls it in place of its own form of
the chunk.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from engine.batch.barriers import stored
from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.choice import Choice, Chosen
from engine.draws.samplers import Sampler
from engine.kernel.compiler import NoCompiler
from engine.kernel.cpu import Cpu
from engine.kernel.gpu import NoGpu, gpu_of
from engine.kernel.kernel import Kernel, Machine, kernel_of
from engine.kernel.program import Unsupported
from engine.numerics import for_a_kernel
from engine.paths import path as paths
from engine.paths.draws import PathId, PathIds, Seed, systematic_shape
from engine.run.host import cache_folder
from engine.run.kernels import AnyKernel, kept_kernel
from engine.tail.outcome import Outcome

Made = TypeVar("Made")

UNTRIED = "the kernel for GPUs has run on none yet; run.kernel=fused asks for it"
"""Why `auto` does not take it."""
LARGEST = 60_000
"""Numbers in a path's state up to which `auto` takes the kernel. A vector of paths of a larger book leaves
the last cache: at 70,000 it is no faster than XLA's form and compiles for a minute (docs/performance.md)."""


class NoKernel(ValueError):
    """There can be no fused kernel here; the message says why."""


class OtherKernel(NoKernel):
    """A run began with the fused kernel or without one, and would go on otherwise."""

    def __init__(self, fused: bool, kernel: str):
        super().__init__(f"the run began by {'fused' if fused else 'xla'} and would go on by {kernel}")


class WholePath(eqx.Module):
    """What a run keeps of one path, month by month and year by year."""

    log_weight: Float[Array, "*paths"]
    trace: Float[Array, "months series *paths"]
    snapshots: paths.Snapshot  # leaves lead with [years]
    end: paths.Ending


def whole_path(system: System, sampler: Sampler, seed: Seed, path: PathId) -> WholePath:
    """One path from its draws to its end."""
    fate, state, draws = paths.begin(system, sampler, seed, path)

    def month(state, inputs):
        row, normal, regime = inputs
        state, info = paths.advance(system, seed, path, fate, state, row, normal, regime)
        return state, paths.traced(system, state, info)

    def year(state, inputs):
        state, trace = lax.scan(month, state, inputs)
        return state, (trace, paths.snapshot(system, state))

    state, (trace, snapshots) = lax.scan(year, state, paths.by_year(system, draws))
    trace = trace.reshape(-1, trace.shape[-1])
    return WholePath(draws.log_weight, trace, snapshots, paths.ending(system, fate, state))


def path_in_economy(system: System, seed: Seed, path: PathId, economy: PathId) -> WholePath:
    """One path with the economy of a plain path."""
    return whole_path(system, Chosen(economy), seed, path)


Finish = Callable[[WholePath, PathIds, Int[Array, ""] | int], Outcome]
"""The outcome of paths (path axis last) with these ids, of which those from a count on weigh 0."""


@dataclass(frozen=True, repr=False)
class FusedChunk:
    """The outcome of a chunk of path ids, by a kernel (`engine.run.blocks.Model`)."""

    kernel: AnyKernel
    finish: Finish

    def prepare(self, system: System, sampler: Sampler, seed: Seed) -> list[Array]:
        """What no path changes, once for all chunks."""
        return self.kernel.tables(system, sampler, seed)

    def __call__(
        self, tables: list[Array], sampler: Sampler, seed: Seed, ids: PathIds, count: Int[Array, ""] | int
    ) -> Outcome:
        """The outcome of the chunk."""
        return self.finish(self.kernel(tables, ids), ids, count)


@dataclass(frozen=True, repr=False)
class ChosenChunk:
    """As FusedChunk, each path with the economy that importance sampling chooses for it."""

    kernel: AnyKernel  # of `path_in_economy`
    finish: Finish
    months: int
    factors: int

    def prepare(self, system: System, sampler: Choice, seed: Seed) -> list[Array]:
        """What no path changes, once for all chunks."""
        return self.kernel.tables(system, seed)

    def __call__(
        self, tables: list[Array], sampler: Choice, seed: Seed, ids: PathIds, count: Int[Array, ""] | int
    ) -> Outcome:
        """The outcome of the chunk; XLA chooses the economies."""
        economy, log_weight = stored(self.choices, sampler, seed, ids)
        path = replace(self.kernel(tables, ids, economy), log_weight=log_weight)
        return self.finish(path, ids, count)

    def choices(self, sampler: Choice, seed: Seed, ids: PathIds) -> tuple[PathIds, Float[Array, "paths"]]:
        """Economies of a chunk of path ids, and the ln of their weights."""

        def choose(sampler, seed, path):
            return sampler.choose(seed, path, self.months, self.factors)

        return batch_last(choose, sampler, seed, ids, batched=(False, False, True))


def fused_chunk(
    system: System, sampler: Sampler, seed: Seed, finish: Finish, own: Machine | None = None
) -> FusedChunk | ChosenChunk:
    """The chunk function of a kernel for this system and samplers of this kind, on `own` or what devices are.

    Raises NoKernel where there can be none.
    """
    if isinstance(sampler, Choice):
        return ChosenChunk(economy_kernel(system, seed, own), finish, *systematic_shape(system))
    return FusedChunk(kernel_on(whole_path, (system, sampler, seed), 1, own), finish)


def economy_kernel(system: System, seed: Seed, own: Machine | None = None) -> AnyKernel:
    """The kernel of `path_in_economy`, of ids of paths and of economies. Raises NoKernel."""
    return kernel_on(path_in_economy, (system, seed), 2, own)


def kernel_on(
    function: Callable[..., WholePath], shared: tuple[Any, ...], ids: int, own: Machine | None
) -> AnyKernel:
    """The kernel of a function of so many ids, on `own` or what devices are. Raises NoKernel."""
    moving = (jax.ShapeDtypeStruct((), jnp.int64),) * ids

    def make() -> Kernel:
        with for_a_kernel():
            return kernel_of(function, shared, moving, target)

    try:
        target = own or machine()
        return kept_kernel(function, shared, moving, target, make)
    except (Unsupported, NoCompiler, NoGpu) as error:
        raise NoKernel(str(error)) from error


def attempt(kernel: str, system: System, make: Callable[[], Made]) -> tuple[Made | None, str]:
    """What `run.kernel` makes of a kernel; where XLA's form runs, None and why."""
    if kernel == "xla":
        return None, ""
    if kernel == "auto" and jax.default_backend() != "cpu":
        return None, UNTRIED
    if kernel == "auto" and (size := paths.state_size(system)) > LARGEST:
        return (
            None,
            f"a path of this book has {size:,} numbers; beyond {LARGEST:,} a kernel gains nothing",
        )
    try:
        return make(), ""
    except NoKernel as error:
        return None, str(error)


def machine() -> Machine:
    """What JAX's devices are. Raises NoGpu where there are no kernels for them."""
    folder, backend = cache_folder().with_name("kernels"), jax.default_backend()
    if backend == "cpu":
        return Cpu(folder)
    if backend not in ("gpu", "cuda"):
        raise NoGpu(f"the fused kernel runs on CPUs and NVIDIA's GPUs, and JAX's devices are {backend}")
    return gpu_of(jax.devices()[0], folder)
