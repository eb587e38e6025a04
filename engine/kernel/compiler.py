"""The machine's C++ compiler: from a kernel's source to a shared library in the user's cache folder.

A library is named by a hash of its sources, the compiler, its flags, the processor and the version of JAX,
and appears whole or not at all: processes that compile the same kernel at once write the same file.
"""

import functools
import hashlib
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import jax

from engine.files import write_whole

HERE = pathlib.Path(__file__).parent
COMPILERS = ("g++", "clang++", "c++")
"""Tried in this order unless the environment names one in CXX."""
FLAGS = (
    "-std=c++17", "-O2", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
    "-fno-strict-aliasing", "-fno-tree-pre", "-fno-gcse", "-fPIC", "-w",
)  # fmt: skip
"""A product and a sum may round once. Straight code of thousands of lines has no partial redundancies to look
for: without that search a kernel compiles in four fifths of the time and runs as fast."""
SECONDS = 300


class NoCompiler(Exception):
    """There is no compiler, or it refused a kernel; the message says which."""


def compiler() -> list[str]:
    """The command of the C++ compiler. Raises NoCompiler where there is none."""
    try:
        own = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:
        raise NoCompiler(f"CXX={os.environ['CXX']} cannot be read: {error}") from None
    for command in [own] if own else [[name] for name in COMPILERS]:
        path = shutil.which(command[0])
        if path:
            return [path, *command[1:]]
    asked = f"CXX={os.environ['CXX']}" if own else f"one of {', '.join(COMPILERS)}"
    raise NoCompiler(f"no C++ compiler: {asked} is not on the PATH")


@functools.cache
def version(command: tuple[str, ...]) -> str:
    """What the compiler says of itself."""
    return execute([*command, "--version"])


@functools.cache
def processor() -> str:
    """What machine code for this processor depends on, as far as the system tells."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    told = {
        each for each in text.splitlines() if each.startswith(("flags", "Features", "model name", "CPU part"))
    }
    return " ".join(sorted(told)) or f"{platform.machine()} {platform.processor()} {platform.node()}"


def execute(command: list[str]) -> str:
    """Run a command; what it says. Raises NoCompiler with its last words where it fails."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        reason = next((line for line in lines if "error" in line), lines[-1] if lines else "no message")
        raise NoCompiler(f"{command[0]} failed: {reason}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCompiler(f"{command[0]} failed: {error}") from error
    return answer.stdout


def library(sources: Sequence[str], folder: pathlib.Path, more: Sequence[str] = ()) -> pathlib.Path:
    """The shared library of a kernel's sources, compiled side by side unless the folder has it."""
    command = compiler()
    bridge = (HERE / "bridge.cc").read_text(), [f"-I{jax.ffi.include_dir()}"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [
            pool.submit(compiled, command, source, flags, folder)
            for source, flags in (*((source, more) for source in sources), bridge)
        ]
        objects = [task.result() for task in tasks]
    path = folder / f"{digest(command, processor(), *(each.name for each in objects))}.so"
    if not path.exists():
        make(path, [*command, "-shared", *map(str, objects)])
    return path


def compiled(command: list[str], source: str, more: Sequence[str], folder: pathlib.Path) -> pathlib.Path:
    """The object file of a source."""
    flags = [*FLAGS, *more]
    path = folder / f"{digest(command, processor(), source, *flags)}.o"
    if not path.exists():
        write_whole(path.with_suffix(".cc"), lambda name: put(name, source))
        make(path, [*command, *flags, "-c", str(path.with_suffix(".cc"))])
    return path


def frame(name: str) -> str:
    """What stands before every kernel: the frame of its machine, and what all of them share."""
    return (HERE / name).read_text() + (HERE / "common.h").read_text()


def make(path: pathlib.Path, command: list[str]) -> None:
    """Run a compiler that writes `path`, whole or not at all."""

    def compiled(name: str) -> None:
        execute([*command, "-o", name])

    write_whole(path, compiled)


def put(name: str, text: str) -> None:
    """Write a text file."""
    pathlib.Path(name).write_text(text, encoding="utf-8")


def digest(command: Sequence[str], *texts: str) -> str:
    """A name from everything that decides what a compiler makes."""
    parts = (version(tuple(command)), jax.__version__, *command, *texts)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
