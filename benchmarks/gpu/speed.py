"""Paths a second of the engine on the shipped book, through the tally."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.device import memory
from benchmarks.gpu.setting import Run, Setting, system_of, tallied

LEVELS = (0.99, 0.999)


def record(case: str, run: Run, unit: str = "paths/s", compile_s: float | None = None) -> dict[str, Any]:
    """A line of results for the table of all benchmarks."""
    from benchmarks.record import Record, spread

    line = Record("gpu", case, spread(run.rates), unit, run.run_s, compile_s)
    return dataclasses.asdict(line)


def compilation(setting: Setting) -> Iterator[dict[str, Any]]:
    """Seconds until the usual run is compiled, its kernels and traffic, and a digest of a first tally."""
    import jax

    from benchmarks import gpu_check
    from engine.run.devices import mesh_of

    sizes, chunk = setting.sizes, usual_chunk()
    begun = time.monotonic()
    lowered = gpu_check.lowered(system_of(sizes.months), mesh_of(jax.devices()[:1]))
    lowering = time.monotonic()
    program = lowered.compile()
    memory_plan = program.memory_analysis()
    yield {
        "tracing and lowering, s": lowering - begun, "compilation, s": time.monotonic() - lowering,
        "arguments, MB": memory_plan.argument_size_in_bytes / 1e6,
        "temporaries, MB": memory_plan.temp_size_in_bytes / 1e6,
    }  # fmt: skip
    if jax.default_backend() != "cpu":
        kernels, moved = gpu_check.month_of(program.as_text())
        yield {"kernels a month": sum(kernels.values()), "KiB a path and month": moved / chunk / 1024}
    run = tallied(sizes, 2 * chunk, chunk)
    yield {"chunk": chunk, "paths": run.paths, "compiled again, s": run.compile_s, "tally": run.digest()}


def usual_chunk() -> int:
    """Paths of the engine's own chunk on this device."""
    from engine.run.plan import chunk_size

    return chunk_size()


def chunks(setting: Setting) -> Iterator[dict[str, Any]]:
    """Paths a second for chunks of several sizes, the share of the bound that memory sets."""
    from engine.run.plan import CHUNK

    sizes = setting.sizes
    bandwidth = setting.earlier.get("peaks", {}).get("bandwidth, B/s")
    moved = setting.earlier.get("compile", {}).get("KiB a path and month")
    spent = 0.0
    for chunk in sorted(sizes.chunks, key=lambda chunk: chunk != usual_chunk()):
        case, before = f"chunks of {chunk:,}", setting.left
        if before < 1.2 * spent:
            yield {case: f"left out: the last size took {spent:.0f} s, {before:.0f} s are left"}
            continue
        block = max(sizes.timed // 8, chunk, CHUNK)
        run = tallied(sizes, sizes.timed, block, chunk, seconds=0.9 * before)
        spent = before - setting.left
        if not run.paths:
            yield {case: "compiled, and no time left to run"}
            continue
        facts: dict[str, Any] = {case: run.paths, "record": record(case, run, compile_s=run.compile_s)}
        if bandwidth and moved:
            bound = bandwidth / (moved * 1024 * sizes.months)
            rate = facts["record"]["rate"]["median"]
            facts |= {"bound by memory, paths/s": bound, f"share of it, {case}": rate / bound}
        yield facts


def large(setting: Setting, paths: int) -> Iterator[dict[str, Any]]:
    """One run of so many paths, cut short where its time is up, with what it says of the loss."""
    from engine.paths.simulate import horizons
    from engine.tail import intervals, measures

    run = tallied(setting.sizes, paths, setting.sizes.block, seconds=0.85 * setting.left)
    facts: dict[str, Any] = {"paths": run.paths}
    if run.paths < paths:
        facts["shortened"] = f"{run.paths:,} of {paths:,} paths in the time left"
    if run.paths:
        facts["record"] = record(f"{paths:,} paths", run)
        losses = measures.column_losses(run.tally, len(horizons(setting.sizes.months)) - 1)
        facts["expected loss, USD bn"] = measures.expected_loss(losses).value
        for level in LEVELS:
            es = intervals.es_interval(losses, level)
            facts[f"ES {100 * level:g}%, USD bn"] = [es.value, es.lower, es.upper]
    yield facts


def first_large(setting: Setting) -> Iterator[dict[str, Any]]:
    """The smaller of the two large runs."""
    yield from large(setting, setting.sizes.large[0])


def second_large(setting: Setting) -> Iterator[dict[str, Any]]:
    """The larger of the two large runs."""
    yield from large(setting, setting.sizes.large[1])


def peak_memory(setting: Setting) -> Iterator[dict[str, Any]]:
    """Memory of a process that does nothing but one block of the usual run."""
    run = tallied(setting.sizes, usual_chunk(), usual_chunk())
    yield {"paths": run.paths, "chunk": usual_chunk(), "MB": memory()}


def importance(setting: Setting) -> Iterator[dict[str, Any]]:
    """Learn a sampler for the tail; its gain and its paths a second beside plain ones."""
    from engine.learn.importance.importance import TailTarget, learn
    from engine.paths.simulate import horizons
    from engine.run.plan import CHUNK, Hooks
    from engine.tail import intervals, measures
    from engine.tail.variance_reduction import reduction

    sizes = setting.sizes
    hooks = Hooks(stopped=lambda: setting.left < 0.35 * setting.seconds)
    target = TailTarget(level=sizes.level, paths=sizes.pilot)
    law = learn(system_of(sizes.months), target, 1, sizes.block, hooks)
    yield {"learned in, s": law.seconds, "paths of the pilot": law.paths, "R squared": law.r_squared}
    block = max(sizes.timed // 8, CHUNK)
    run = tallied(sizes, sizes.timed, block, None, (law.sampler,), seconds=0.9 * setting.left)
    if not run.paths:
        yield {"weighted paths": "compiled, and no time left to run"}
        return
    losses = measures.column_losses(run.tally, len(horizons(sizes.months)) - 1)
    gain, weights = reduction(losses, sizes.level), intervals.weights(run.tally)
    yield {
        "level": sizes.level, "variance of P over that of plain paths": gain.probability,
        "of ES": gain.shortfall, "mean weight": [weights.mean, weights.mean_error],
        "record": record("weighted paths", run, compile_s=run.compile_s),
    }  # fmt: skip
