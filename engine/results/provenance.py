"""What provenance.json holds: what was run, on what machine, from which inputs; one definition for all."""

import importlib.metadata
import os
import pathlib
import platform
import resource
import subprocess
import sys
from typing import TypedDict

from engine.files import digest_of_sources
from engine.kernel.compiler import NoCompiler, compiler, described


class Made(TypedDict):
    """By what and on what a result was computed."""

    versions: dict[str, str]
    sources: str  # sha256 of the engine's source files
    commit: str | None
    device: str  # number and kind of devices, processor, cores
    processes: int
    platform: str


class Origin(Made):
    """What provenance.json and summary.json both hold."""

    run: str  # the run's id
    task: str
    scenario: str
    story: str
    paths: int
    block: int
    seed: int
    months: int
    config_hash: str
    book: str
    book_hash: str
    book_repairs: list[str]
    book_warnings: list[str]  # numbers that are possible but hardly meant
    command: list[str]


class Provenance(Origin):
    """provenance.json, all of it known before the first path runs."""

    sampler: str


class Timing(TypedDict):
    """Seconds, speed, memory; `sessions` counts the interrupted ones too; `kernel` evaluated the paths."""

    compile_s: float
    run_s: float
    paths_per_s: float
    peak_rss_mb: float
    sessions: int
    kernel: str  # xla, fused, or xla and why not fused


def machine(origin: Origin) -> str:
    """The machine in words: devices, processor, platform."""
    return ", ".join(part for part in (origin["device"], origin["platform"]) if part)


ROOT = pathlib.Path(__file__).resolve().parents[2]
"""The folder that holds the engine."""


PACKAGES = ("undertow", "jax", "jaxlib", "numpy", "pandas", "equinox", "hydra-core")


def made(processes: int = 1) -> Made:
    """The software and the machine of this process, one of so many alike."""
    return {
        "versions": versions(), "sources": sources(), "commit": commit(), "device": device(processes),
        "processes": processes, "platform": platform.platform(),
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Python, the packages and the C++ compiler that numbers depend on."""
    found = {"python": platform.python_version(), "compiler": compiler_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def compiler_version() -> str:
    """The C++ compiler of fused kernels: its name, version and flags of the user's."""
    try:
        return described(compiler())
    except NoCompiler:
        return "none"


def sources() -> str:
    """sha256 of the engine's source, name by name: what `commit` cannot tell of an installed package."""
    return digest_of_sources(ROOT / "engine")


def commit() -> str | None:
    """The commit of the source, `+` where it was changed since; None without git."""
    if not (ROOT / ".git").exists():
        return None
    try:
        ask = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def device(processes: int) -> str:
    """The devices that JAX found, in so many processes alike, and the processor they sit on, in words."""
    import jax

    devices = jax.devices() * processes
    kind = devices[0].device_kind
    own = processor() if devices[0].platform == "cpu" else kind
    noun = "device" if len(devices) == 1 else "devices"
    return f"{len(devices)} {devices[0].platform} {noun}, {own}, {os.cpu_count()} cores"


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def peak_memory() -> float:
    """Greatest resident memory of this process so far, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024.0**2 if sys.platform == "darwin" else peak / 1024.0


def timing_of(compile_s: float, run_s: float, paths: int, sessions: int = 1, kernel: str = "xla") -> Timing:
    """What a simulation took: seconds, paths a second, and this process's greatest memory so far."""
    return {
        "compile_s": compile_s,
        "run_s": run_s,
        "paths_per_s": paths / max(run_s, 1e-9),
        "peak_rss_mb": peak_memory(),
        "sessions": sessions,
        "kernel": kernel,
    }
