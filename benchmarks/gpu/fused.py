"""The fused kernel, where this version has one for this device: its error and its paths a second."""

import importlib.util
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.setting import SEED, Setting, system_of, tallied

ABSENT = "no fused kernel in this version"


def fused(setting: Setting) -> Iterator[dict[str, Any]]:
    """Error beside a CPU's paths, and paths a second through the tally."""
    if importlib.util.find_spec("engine.kernel") is None:
        yield {"fused kernel": ABSENT}
        return
    from benchmarks.gpu.speed import record
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import simulate
    from engine.run.plan import Plan
    from engine.run.processes import ALONE

    sizes = setting.sizes
    plan = Plan(sizes.timed, max(sizes.timed // 8, 256), SEED, kernel="fused")
    try:
        model, name = simulate.model_of(system_of(sizes.months), plan, PSEUDO_RANDOM, ALONE)
    except simulate.NoKernel as error:
        yield {"fused kernel": f"none here: {error}"}
        return
    yield {"fused kernel": name}
    yield from beside_a_cpu(setting, model)
    run = tallied(sizes, plan.paths, plan.block, seconds=0.9 * setting.left, model=model)
    if run.paths:
        yield {"paths": run.paths, "record": record("fused kernel", run, compile_s=run.compile_s)}


def beside_a_cpu(setting: Setting, model: Any) -> Iterator[dict[str, Any]]:
    """Quantiles of the system loss's relative difference from the carried paths', and other defaults."""
    import jax
    import jax.numpy as jnp

    from benchmarks.gpu.agreement import carried, discrete, paths_of, quantiles, relative
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM

    try:
        _, theirs = carried(setting.carried, setting.sizes)
    except ValueError as error:
        yield {"not compared": str(error)}
        return
    count, seed = setting.sizes.compared, seed_words(SEED)

    @jax.jit
    def outcome(arrays, seed, ids):
        prepared = model.prepare(arrays, PSEUDO_RANDOM, seed)
        return model.outcome(prepared, PSEUDO_RANDOM, seed, ids, 2**62)

    ours = paths_of(outcome(model.arrays, seed, jnp.arange(count, dtype=jnp.int64)), count)
    off = relative(ours.losses[-1, 0], theirs.losses[-1, 0])
    yield {"system loss at the end, relative difference": quantiles(off)} | discrete(ours, theirs)
