"""Many paths of the full model: a chunk month by month, and the layout of its tally."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, Int32

from engine.batch.barriers import stored
from engine.batch.path_last import batch_last
from engine.book.system import Month, System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler, Systematic
from engine.month.inputs import Fate
from engine.month.step import Info, State
from engine.paths import path as paths
from engine.paths.draws import PathIds, Seed
from engine.paths.fused import NoKernel, OtherKernel, WholePath, attempt, fused_chunk
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.kernels import with_records
from engine.run.plan import CHUNK, Hooks, Plan, RunState, Timing
from engine.run.processes import ALONE, Processes
from engine.tail.outcome import Outcome, path_weight
from engine.tail.tally import Layout, Tally
from engine.vocabulary import FLAGS, UNBROKEN, series_of

QUARTER = 3
"""Months."""
REGIME = series_of(("",)).index("regime")
"""Place of the regime among the monthly series."""
CHUNKS = ((2_000, CHUNK), (5_000, 128), (math.inf, 64))
"""Up to so many numbers in the state of a path, so many paths to a chunk (measured: docs/performance.md)."""


def horizons(months: int) -> tuple[int, ...]:
    """Reported horizons in months: 1, 3, 5 and 10 years as far as the run reaches, and its end."""
    return (*(h for h in (12, 36, 60, 120) if h < months), months)


def break_groups(months: int) -> tuple[str, ...]:
    """Names of the quarters in which a boom may end, then of a boom that lasts."""
    return (*(str(quarter + 1) for quarter in range(months // QUARTER)), UNBROKEN)


def break_quarter(regime: Float[Array | np.ndarray, "months paths"]) -> Int32[Array, "paths"]:
    """Position in `break_groups` of each path: the quarter of its first month outside the boom."""
    broken = regime > 0.5
    first = jnp.argmax(broken, axis=0).astype(jnp.int32) // QUARTER
    return jnp.where(jnp.any(broken, axis=0), first, jnp.int32(regime.shape[0] // QUARTER))


def chunk_of(system: System) -> int:
    """Paths that a CPU evaluates together: of a large book fewer, or its caches overflow."""
    size = paths.state_size(system)
    return next(chunk for most, chunk in CHUNKS if size <= most)


def layout_of(system: System) -> Layout:
    """Names and sizes of the tally of this system."""
    months = system.calendar.month.shape[0]
    columns = paths.column_names(system)
    return Layout(
        columns=columns,
        distress=columns[1:],
        components=tuple(f"instrument:{name}" for name in system.names.instruments),
        entities=system.names.firms,
        series=system.names.series,
        groups=break_groups(months),
        failing=paths.failing_names(system),
        horizons=horizons(months),
        months=months,
    )


def every_year(
    system: System,
    sampler: Sampler,
    seed: Seed,
    ids: PathIds,
    monthly: Callable[[System, State, Info], Any],
    yearly: Callable[[State, Any], Any],
) -> tuple[Fate, Systematic, State, Any]:
    """One chunk of path ids, year by year: (fate, draws, last state, results by year).

    `monthly(system, state, info)` is one path's result of a month, any pytree; `yearly(state, months)` is the
    chunk's result of a year, from the state at its end and the results of its months [months ... paths].
    Results by year lead with [years].
    """

    def follow(system, row, before, state, info, trail):
        return trail, monthly(system, state, info)

    def year_end(state, trail, months):
        return yearly(state, months)

    fate, draws, state, _, results = along(system, sampler, seed, ids, lambda system: (), follow, year_end)
    return fate, draws, state, results


def along(
    system: System,
    sampler: Sampler,
    seed: Seed,
    ids: PathIds,
    first: Callable[[System], Any],
    follow: Callable[[System, Month, State, State, Info, Any], tuple[Any, Any]],
    yearly: Callable[[State, Any, Any], Any],
) -> tuple[Fate, Systematic, State, Any, Any]:
    """One chunk of path ids with a trail beside it: (fate, draws, last state, last trail, results by year).

    `first(system)` is one path's trail of month 0, any pytree;
    `follow(system, row, before, state, info, trail)` its trail and result of a month, given the state before;
    `yearly(state, trail, months)` the chunk's result of a year.

    What reads a month cannot change it: barriers are placed for the month alone, and every program has the
    same bits.
    """

    def begin(system, sampler, seed, ids):
        return batch_last(paths.begin, system, sampler, seed, ids, batched=(False, False, False, True))

    def start(system, ids):
        return batch_last(lambda system, path: first(system), system, ids, batched=(False, True))

    def read(*arguments):
        return batch_last(follow, *arguments, batched=(False, False, True, True, True, True))

    def month(carry, inputs):
        before, trail = carry
        row, normal, regime = inputs
        state, info = advance(system, seed, ids, fate, before, row, normal, regime)
        trail, result = stored(read, system, row, before, state, info, trail)
        return (state, trail), result

    def year(carry, inputs):
        (state, trail), months = lax.scan(month, carry, inputs)
        return (state, trail), yearly(state, trail, months)

    fate, state, draws = stored(begin, system, sampler, seed, ids)
    carry = (state, start(system, ids))
    (state, trail), results = lax.scan(year, carry, paths.by_year(system, draws))
    return fate, draws, state, trail, results


@jax.jit
def advance(
    system: System,
    seed: Seed,
    ids: PathIds,
    fate: Fate,
    state: State,
    row: Month,
    normal: Float[Array, "factors paths"],
    regime: Float[Array, "paths"],
) -> tuple[State, Info]:
    """One month of a chunk of path ids; programs of one shape trace it once."""

    def month(*arguments):
        batched = (False, False, True, True, True, False, True, True)
        return batch_last(paths.advance, *arguments, batched=batched)

    return stored(month, system, seed, ids, fate, state, row, normal, regime)


def chunk_outcome(
    system: System, sampler: Sampler, seed: Seed, ids: PathIds, count: Int[Array, ""] | int
) -> Outcome:
    """The outcome of one chunk of path ids; those from `count` on have weight 0."""

    def year_end(state, trace):
        return trace, batch_last(paths.snapshot, system, state, batched=(False, True))

    fate, draws, state, (trace, snapshots) = every_year(system, sampler, seed, ids, paths.traced, year_end)
    end = batch_last(paths.ending, system, fate, state, batched=(False, True, True))
    trace = trace.reshape(system.calendar.month.shape[0], len(system.names.series), -1)
    return outcome_of(WholePath(draws.log_weight, trace, snapshots, end), ids, count)


def outcome_of(path: WholePath, ids: PathIds, count: Int[Array, ""] | int) -> Outcome:
    """The outcome of paths with these ids, the path axis last; those from `count` on have weight 0."""
    at = np.array([h // paths.YEAR - 1 for h in horizons(path.trace.shape[0])])
    bits = jnp.asarray([1 << i for i in range(len(FLAGS))], jnp.uint32)
    return Outcome(
        path=ids,
        weight=path_weight(path.log_weight, ids < count),
        losses=path.snapshots.losses[at],
        components=path.snapshots.components[at],
        default_month=path.end.default_month,
        cause=path.end.cause,
        failure_month=path.end.failure_month,
        trace=path.trace,
        group=break_quarter(path.trace[:, REGIME]),
        flags=jnp.sum(path.end.flags.astype(jnp.uint32) * bits[:, None], axis=0, dtype=jnp.uint32),
    )


def simulate(
    system: System,
    plan: Plan,
    samplers: Sequence[Sampler] = (PSEUDO_RANDOM,),
    hooks: Hooks | None = None,
    devices: Sequence[jax.Device] | None = None,
    start: RunState | None = None,
    processes: Processes = ALONE,
) -> tuple[Tally, Timing]:
    """Run a plan for as many months as the system has; see `engine.run.blocks.simulate`.

    `plan.kernel` chooses how. Where there can be no kernel, `fused` raises NoKernel; with `auto` XLA's form
    runs there and on GPUs, and the timing says why. What began with a kernel or without one goes on so: else
    raises OtherKernel, a NoKernel.
    """
    begun = time.perf_counter()

    def run() -> tuple[Tally, Timing]:
        model, kernel = model_of(system, plan, samplers[0], processes)
        same_form(start, model, kernel, processes)
        spent = time.perf_counter() - begun
        tally, timing = blocks.simulate(model, plan, samplers, hooks, devices, start, processes)
        return tally, dataclasses.replace(timing, compile_s=timing.compile_s + spent, kernel=kernel)

    return with_records(run) if processes.count == 1 else run()


def model_of(system: System, plan: Plan, sampler: Sampler, processes: Processes) -> tuple[Model, str]:
    """The model that the plan's kernel evaluates, and which kernel that is, in words."""
    model = Model(chunk_outcome, system, layout_of(system), chunk_of(system))
    if plan.kernel == "xla":
        return model, "xla"
    seed = seed_words(plan.seed)
    fused, reason = attempt(plan.kernel, system, lambda: fused_chunk(system, sampler, seed, outcome_of))
    if processes.either(fused is None):
        reason = reason or "another process has no kernel"
        if plan.kernel == "fused":
            raise NoKernel(reason)
        return model, f"xla ({reason})"
    assert fused is not None
    return dataclasses.replace(model, outcome=fused, fused=True), "fused"


def same_form(start: RunState | None, model: Model, kernel: str, processes: Processes) -> None:
    """Raise OtherKernel where a run would go on by another form than it began with: its digits would mix."""
    begun = processes.of_first(bool(start.fused) if start is not None and start.done else model.fused)
    if begun != model.fused:
        raise OtherKernel(begun, kernel)
