"""The fused kernel, where this version has one for this device: its error and its paths a second."""

import dataclasses
import importlib.util
import pathlib
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.setting import SEED, Setting, Sizes, system_of, tallied, usual_model

ABSENT = "no fused kernel in this version"
FORMS: dict[str, dict[str, int]] = {
    "fused kernel": {}, "fused kernel, 32 lanes": {"lanes": 32}, "fused kernel, 24 kB near": {"near": 6_000}
}  # fmt: skip
"""Forms of a GPU's kernel: what they have that is not usual."""
LEAST = 30.0
"""Seconds that a form is worth beginning with: the driver compiles PTX, on one core."""


def fused(setting: Setting) -> Iterator[dict[str, Any]]:
    """Error beside a CPU's paths, and paths a second through the tally; on a GPU form by form."""
    if importlib.util.find_spec("engine.kernel") is None:
        yield {"fused kernel": ABSENT}
        return
    from engine.kernel.gpu import FORM, NoGpu
    from engine.paths.fused import machine

    try:
        usual = machine()
    except NoGpu as error:
        yield {"fused kernel": f"none here: {error}"}
        return
    if not hasattr(usual, "capability"):
        yield from one(setting, "fused kernel", usual)
        return
    usual = dataclasses.replace(usual, folder=kernels(setting.carried))
    for name, change in FORMS.items():
        if setting.left < LEAST:
            yield {name: f"left out: {setting.left:.0f} s are left"}
        else:
            yield from one(
                setting, name, dataclasses.replace(usual, form=dataclasses.replace(FORM, **change))
            )


def kernels(carried: pathlib.Path) -> pathlib.Path:
    """The folder of compiled kernels that travels beside a CPU's paths."""
    folder = carried.resolve().parent / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def model_on(machine: Any, months: int) -> Any:
    """The full model of the shipped book by a machine's kernel. Raises NoKernel where there can be none."""
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths.fused import fused_chunk
    from engine.paths.simulate import outcome_of

    chunk = fused_chunk(system_of(months), PSEUDO_RANDOM, seed_words(SEED), outcome_of, machine)
    usual = usual_model(Sizes(months=months))
    return dataclasses.replace(usual, outcome=chunk)


def prepare(carried: pathlib.Path, months: int) -> str:
    """Compile the kernels for an H100 or H200 into the folder that travels; what came of it, in words."""
    from engine.kernel.gpu import FORM, Gpu
    from engine.paths.fused import NoKernel

    folder = kernels(carried)
    try:
        for change in FORMS.values():
            model_on(Gpu(folder, form=dataclasses.replace(FORM, **change)), months)
    except NoKernel as error:
        return f"no kernels for a GPU: {error}"
    return f"{folder}: {len(list(folder.glob('*.ptx')))} kernels for an H100"


def one(setting: Setting, name: str, machine: Any) -> Iterator[dict[str, Any]]:
    """Error and speed of one form of the kernel."""
    import jax

    from benchmarks.gpu.speed import record
    from engine.paths.fused import NoKernel

    sizes = setting.sizes
    try:
        model = model_on(machine, sizes.months)
    except NoKernel as error:
        yield {name: f"none here: {error}"}
        return
    yield {name: f"by {type(machine).__name__}, {jax.default_backend()}"}
    yield from (
        {f"{name}: {key}": fact for key, fact in each.items()} for each in beside_a_cpu(setting, model)
    )
    block = max(sizes.timed // 8, 256)
    run = tallied(sizes, sizes.timed, block, seconds=0.9 * setting.left, model=model)
    if run.paths:
        yield {f"{name}: paths": run.paths, "record": record(name, run, compile_s=run.compile_s)}


def beside_a_cpu(setting: Setting, model: Any) -> Iterator[dict[str, Any]]:
    """Quantiles of the system loss's relative difference from the carried paths', and other defaults."""
    import jax
    import jax.numpy as jnp

    from benchmarks.gpu.agreement import carried, discrete, paths_of, quantiles, relative
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.run.blocks import prepared

    try:
        _, theirs = carried(setting.carried, setting.sizes)
    except ValueError as error:
        yield {"not compared": str(error)}
        return
    count, seed = setting.sizes.compared, seed_words(SEED)

    @jax.jit
    def outcome(arrays, seed, ids):
        return model.outcome(arrays, PSEUDO_RANDOM, seed, ids, 2**62)

    arrays = prepared(model.arrays, PSEUDO_RANDOM, seed, outcome=model.outcome)
    ours = paths_of(outcome(arrays, seed, jnp.arange(count, dtype=jnp.int64)), count)
    off = relative(ours.losses[-1, 0], theirs.losses[-1, 0])
    yield {"system loss at the end, relative difference": quantiles(off)} | discrete(ours, theirs)
