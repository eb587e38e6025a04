"""What is the fused kernel of the shipped book on an H100? Compile it for one, without the device, and count.

    python benchmarks/gpu_kernel.py [--lanes 16] [--near 2400]       (make gpu-check; needs nvcc and nvdisasm)

Prints registers, spills, shared memory of a path, paths at once, bytes of code, instructions of a month by
unit, and paths/s that a model of the device makes of them (`benchmarks/gpu/sass.py`), for shares of global
loads that the first-level cache does not have. Nothing runs. Exit code 1 where a count has grown beyond its
limit.
"""

import argparse
import collections
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.gpu import sass
from benchmarks.gpu.setting import SEED, system_of
from engine.kernel.compiler import NoCompiler
from engine.kernel.gpu import FORM, Gpu
from engine.kernel.ptx import assembled, nvcc, places
from engine.kernel.write import Source
from engine.run.host import prepare_devices

LIMITS = {"bytes spilled": 64, "bytes of shared memory a path": 9_472, "instructions a month": 35_000}
"""Largest acceptable counts; `docs/kernel.md` has the measured ones."""


@dataclasses.dataclass(frozen=True)
class Written(Gpu):
    """A GPU for which sources are written and kept; nothing is compiled."""

    sources: list[Source] = dataclasses.field(default_factory=list, compare=False)

    def call(self, source: Source) -> Any:
        """Keep the source."""
        self.sources.append(source)


def written(machine: Written) -> Source:
    """The source of the shipped book's paths."""
    import jax
    import jax.numpy as jnp

    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.kernel.kernel import kernel_of
    from engine.paths.fused import whole_path

    shared = (system_of(sass.MONTHS), PSEUDO_RANDOM, seed_words(SEED))
    kernel_of(whole_path, shared, (jax.ShapeDtypeStruct((), jnp.int64),), machine)
    return machine.sources[0]


def disassembler() -> str:
    """nvdisasm from the PATH or beside an nvcc. Raises NoCompiler where there is none."""
    beside = (str(pathlib.Path(place).with_name("nvdisasm")) for place in places() if place)
    found = next(filter(None, map(shutil.which, ("nvdisasm", *beside))), None)
    if found is None:
        raise NoCompiler(
            "nvdisasm is neither on the PATH nor beside nvcc: it is the package nvidia-cuda-nvdisasm"
        )
    return found


def machine_code(ptx: pathlib.Path, architecture: str) -> tuple[str, str]:
    """(what ptxas says of a kernel, its listing)."""
    code = ptx.with_suffix(".cubin")
    ptxas = shutil.which(str(pathlib.Path(nvcc()).with_name("ptxas"))) or "ptxas"
    command = [ptxas, "-v", f"-arch={architecture}", "-o", code, ptx]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    command = [disassembler(), "-c", "-hex", code]
    return words, subprocess.run(command, capture_output=True, text=True, check=True).stdout


def growth(counts: dict[str, int]) -> list[str]:
    """Counts beyond their limits, in words.

    >>> growth(LIMITS | {"bytes spilled": 2_000})
    ['bytes spilled: got 2,000, expected at most 64']
    """
    return [
        f"{name}: got {counts[name]:,}, expected at most {most:,}"
        for name, most in LIMITS.items()
        if counts[name] > most
    ]


def main() -> None:
    """Compile, count, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", type=int, default=FORM.lanes, help="threads of a path")
    parser.add_argument(
        "--near", type=int, default=FORM.near, help="words of shared memory of a path, at most"
    )
    parser.add_argument("--missing", type=float, nargs="+", default=[0.0, 0.1, 0.3], metavar="SHARE")
    given = parser.parse_args()
    prepare_devices(1)
    with tempfile.TemporaryDirectory() as name:
        form = dataclasses.replace(FORM, lanes=given.lanes, near=given.near)
        machine = Written(pathlib.Path(name), form=form)
        source = written(machine)
        warps, begun = machine.warps(source), time.perf_counter()
        try:
            ptx = assembled(source.text, machine.architecture, warps, machine.folder)
            words, listing = machine_code(ptx, machine.architecture)
        except NoCompiler as error:
            sys.exit(f"nothing to count: {error}")
    paths, spent = warps * 32 // given.lanes, time.perf_counter() - begun
    registers, spilled = (
        int(re.findall(pattern, words)[0])
        for pattern in (r"Used (\d+) registers", r"(\d+) bytes spill stores")
    )
    month, size = sass.month_of(listing)
    units = collections.Counter(each.unit for each in month)
    print(
        f"compiled for an H100 in {spent:.0f} s: {given.lanes} lanes a path, {warps} warps and {paths} paths "
        f"at once on a multiprocessor, {registers} registers, {spilled} bytes spilled, "
        f"{4 * source.near:,} bytes of shared memory a path, {4 * source.far:,} of global memory"
    )
    print(f"a month: {16 * size / 1024:.0f} KiB of code, {len(month):,} instructions of a warp {dict(units)}")
    bound = warps * max(len(month) / 4, units["memory"], units["alu"] / 2, units["special"] * 2)
    print(f"at most {sass.rate(bound, paths):,.0f} paths/s by issue and units")
    for missing in given.missing:
        cycles, why = sass.simulated(month, warps, missing)
        slots = ", ".join(f"{name} {count / sum(why.values()):.0%}" for name, count in why.most_common(4))
        print(
            f"{missing:.0%} of global loads miss: {sass.rate(cycles, paths):,.0f} paths/s simulated ({slots})"
        )
    counts = (spilled, 4 * source.near, len(month))
    if lines := growth(dict(zip(LIMITS, counts, strict=True))):
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
