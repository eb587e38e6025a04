"""What would a run be on an H100? Compile it for one, without the device, and count.

    make gpu-check              (installs jax's CUDA plugins and ptxas beside the environment first)

The program is that of a run, simulation and tally, with the flags of the command, those that XLA_FLAGS adds,
and chunks of a GPU's size. Prints kernels and copies of a month, PTX instructions, registers and spills of
all kernels (ptxas -v), the numbers of matrix products in TF32 and of float sums without a fixed order, bytes
a path and month that the kernels read and write, the bound that memory bandwidth sets on paths a second, and
the share of the device's memory that a chunk takes. Nothing runs: the bound is of the compiled program, not a
measurement.

The check fails (exit code 1) if the compiler left no PTX or no month to count, and where a count has grown
beyond its limit.
"""

import collections
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from engine.run.host import prepare_devices

MONTHS = 60
BANDWIDTH = 3_352e9
"""Bytes a second of an H100 SXM's memory (NVIDIA's data sheet)."""
MEMORY = 84_929_347_584
"""Bytes of an H100's memory."""
SHARE = 0.75
"""Share of memory that JAX allocates at the start by default."""
LIMITS = {"kernels a month": 276, "KiB a path and month": 288.0, "products in TF32": 0, "unordered sums": 0}
"""Largest acceptable counts; `docs/gpu.md` has the measured ones."""

TARGET = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448 threads_per_core_limit: 2048
  core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98 l2_cache_size: 52428800
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 3352000000000 device_memory_size: 84929347584
  cuda_compute_capability { major: 9 } registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 7 } runtime_version { major: 12 minor: 8 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""
SIZES = {"pred": 1, "s8": 1, "u8": 1, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8}
"""Bytes of an element."""


PLUGINS = {"xla_cuda13": "cu13", "xla_cuda12": "cuda_nvcc"}
"""JAX's plugins by CUDA version, each with the folder of ptxas and libdevice."""


def toolkit() -> tuple[str, pathlib.Path] | None:
    """(JAX's CUDA plugin on the path, the folder with ptxas beside it), or None."""
    for place in map(pathlib.Path, sys.path):
        for plugin, folder in PLUGINS.items():
            if (place / "jax_plugins" / plugin).is_dir() and (place / "nvidia" / folder).is_dir():
                return plugin, place / "nvidia" / folder
    return None


def dump_flags(version: str, folder: str) -> str:
    """XLA's flags for a dump of PTX; JAX 0.11 and later write none unless an emitter is named.

    >>> dump_flags("0.11.2", "d").split()[-1], len(dump_flags("0.10.2", "d").split())
    ('--xla_dump_emitter_re=ptx', 2)
    """
    flags = f"--xla_dump_to={folder} --xla_dump_hlo_module_re=.*tally_blocks.*"
    named = tuple(map(int, version.split(".")[:2])) >= (0, 11)
    return f"{flags} --xla_dump_emitter_re=ptx" if named else flags


def lowered(system, mesh):
    """A block of a plain run of this system on these devices, simulation and tally, to be compiled."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import NamedSharding

    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths.simulate import chunk_of, chunk_outcome, layout_of
    from engine.run.blocks import tally_blocks
    from engine.run.devices import OWN, SHARED
    from engine.run.plan import chunk_size

    def placed(tree, spec, lead=()):
        place = NamedSharding(mesh, spec)
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct((*lead, *leaf.shape), leaf.dtype, sharding=place), tree
        )

    tally, number = jax.eval_shape(layout_of(system).init), jax.ShapeDtypeStruct((), jnp.int64)
    return tally_blocks.lower(
        placed(tally, OWN, (1,)), *(placed(each, SHARED) for each in (system, PSEUDO_RANDOM, seed_words(7))),
        placed(number, OWN, (1,)), placed(number, SHARED), placed(number, SHARED),
        outcome=chunk_outcome, size=chunk_size(chunk_of(system)), mesh=mesh,
    )  # fmt: skip


def compiled(dump: str, plugin: str, nvcc: pathlib.Path):
    """(A block of a run compiled for an H100 as the engine would on a GPU, paths of its chunks)."""
    os.environ |= {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    os.environ |= {"JAX_ENABLE_COMPILATION_CACHE": "false"}
    os.environ["XLA_FLAGS"] = (
        f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_cuda_data_dir={nvcc} "
        f"{dump_flags(importlib.metadata.version('jax'), dump)}"
    )
    prepare_devices(1)
    import jax
    from jax.experimental import topologies

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.run.devices import mesh_of
    from engine.run.plan import chunk_size

    importlib.import_module(f"jax_plugins.{plugin}")  # jax finds it by its entry point
    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), MONTHS)
    topology = topologies.get_topology_desc("H100", "cuda", target_config=TARGET, topology="1x1x1")
    # What the engine asks before it chooses between its forms for CPU and GPU.
    jax.default_backend = lambda: "gpu"
    return lowered(system, mesh_of(topology.devices[:1])).compile(), chunk_size()


def computations(text: str) -> dict[str, list[str]]:
    """Lines of every computation of a compiled program."""
    text = re.sub(r", metadata=\{[^}]*\}", "", text)
    matches = re.finditer(r"^(?:ENTRY )?%([\w.\-]+) \(.*?\) -> .*? \{\n(.*?)^\}", text, re.S | re.M)
    return {match.group(1): match.group(2).splitlines() for match in matches}


def size(shape: str) -> int:
    """Bytes of all arrays named in a shape.

    >>> size("(f32[46,2]{1,0}, pred[3])")
    371
    """
    total = 0
    for kind, dimensions in re.findall(r"(\w+)\[([\d,]*)\]", shape):
        count = 1
        for dimension in filter(None, dimensions.split(",")):
            count *= int(dimension)
        total += count * SIZES.get(kind, 0)
    return total


def month_of(text: str) -> tuple[collections.Counter, int]:
    """(kernels by kind, bytes they read and write) of the longest innermost loop, which is a month.

    Raises ValueError if the program has no loop.
    """
    bodies = computations(text)
    loops = [bodies[name] for name in re.findall(r"body=%([\w.\-]+)", text) if name in bodies]
    innermost = [body for body in loops if not any(" while(" in line for line in body)]
    if not innermost:
        raise ValueError(f"the compiled program's text of {len(text):,} characters has no loop to count")
    month = max(innermost, key=len)
    shapes, kernels, moved = {}, collections.Counter(), 0
    for line in month:
        match = re.match(r"\s*(?:ROOT )?%([\w.\-]+) = (.*?) ([\w\-]+)\((.*?)\)", line)
        if match is None:
            continue
        name, shape, kind, operands = match.groups()
        shapes[name] = size(shape)
        if kind in ("fusion", "copy", "custom-call", "dot", "scatter", "sort"):
            kernels[kind] += 1
            read = sum(shapes.get(operand.strip().lstrip("%"), 0) for operand in operands.split(","))
            moved += shapes[name] + read
    return kernels, moved


def assembled(dump: str, ptxas: pathlib.Path) -> dict[str, int]:
    """PTX instructions, most registers of a kernel, bytes spilled, by ptxas for sm_90a.

    Also what would change bits: products in TF32, float additions to one place without a fixed order. Raises
    ValueError if the folder has no PTX.
    """
    if not any(pathlib.Path(dump).glob("*.ptx")):
        raise ValueError("the compiler left no PTX: products in TF32 and unordered sums cannot be counted")
    instructions, registers, spilled, rounded, unordered = 0, [], 0, 0, 0
    for file in pathlib.Path(dump).glob("*.ptx"):
        text = file.read_text()
        instructions += len(re.findall(r"^\s+(?:@\S+ )?[a-z][\w.]+ .*;$", text, re.M))
        rounded += len(re.findall(r"mma\S*\.tf32", text))
        unordered += len(re.findall(r"\b(?:atom|red)\.\S*\bf\d+", text))
        output = subprocess.run(
            [ptxas, "-v", "-arch=sm_90a", "-o", os.devnull, file], capture_output=True, text=True, check=True
        ).stderr
        registers += [int(count) for count in re.findall(r"Used (\d+) registers", output)]
        spilled += sum(int(count) for count in re.findall(r"(\d+) bytes spill stores", output))
    return {"kernels": len(registers), "instructions": instructions, "registers": max(registers, default=0),
            "spilled": spilled, "rounded": rounded, "unordered": unordered}  # fmt: skip


def growth(counts: dict[str, float]) -> list[str]:
    """Counts beyond their limits, in words.

    >>> growth(LIMITS | {"kernels a month": 300})
    ['kernels a month: got 300, expected at most 276']
    """
    return [
        f"{name}: got {counts[name]:,.4g}, expected at most {most:,.4g}"
        for name, most in LIMITS.items() if counts[name] > most
    ]  # fmt: skip


def main() -> None:
    """Compile, count, print; exit code 1 if there is nothing to count or a count has grown."""
    tools = toolkit()
    if tools is None:
        sys.exit("jax's CUDA plugin is not on the path: run `make gpu-check`")
    plugin, nvcc = tools
    with tempfile.TemporaryDirectory() as dump:
        start = time.perf_counter()
        program, paths = compiled(dump, plugin, nvcc)
        seconds = time.perf_counter() - start
        try:
            kernels, moved = month_of(program.as_text())
            assembly = assembled(dump, nvcc / "bin" / "ptxas")
        except ValueError as error:
            sys.exit(f"nothing to count: {error}")
    each, memory = moved / paths, program.memory_analysis()
    live = memory.temp_size_in_bytes / paths
    print(
        f"jax {importlib.metadata.version('jax')}, {plugin}: compiled for an H100 in {seconds:.0f} s, chunks "
        f"of {paths:,} paths x {MONTHS} months"
    )
    print(f"a month: {sum(kernels.values())} kernels {dict(kernels)}")
    print(
        f"all kernels: {assembly['kernels']}, {assembly['instructions']:,} PTX instructions, at most "
        f"{assembly['registers']} registers, {assembly['spilled']} bytes spilled, "
        f"{assembly['rounded']} products in TF32, {assembly['unordered']} unordered sums of floats"
    )
    print(
        f"traffic: {each / 1024:,.1f} KiB a path and month if nothing stays in the cache; at 3,352 GB/s no "
        f"more than {BANDWIDTH / (each * MONTHS):,.0f} paths/s"
    )
    room = SHARE * MEMORY - memory.argument_size_in_bytes
    print(
        f"memory: {memory.argument_size_in_bytes / 1e6:,.0f} MB of arguments, most of them the tally, and "
        f"{live / 1e3:,.1f} kB a path of the chunk; chunks of up to {room / live:,.0f} paths would fit"
    )
    counts = (sum(kernels.values()), each / 1024, assembly["rounded"], assembly["unordered"])
    if lines := growth(dict(zip(LIMITS, counts, strict=True))):
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
