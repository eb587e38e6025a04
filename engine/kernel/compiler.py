"""The machine's C++ compiler: its command, what it is, and what it makes."""

import functools
import hashlib
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence

import jaxlib.version

from engine.files import refuse_others, write_whole

COMPILERS = ("g++", "clang++", "c++")
"""Tried in this order unless the environment names one in CXX."""
FLAGS = (
    "-std=c++17", "-O2", "-march=native", "-fno-fast-math", "-ffp-contract=fast", "-fno-math-errno",
    "-fno-trapping-math", "-fno-strict-aliasing", "-fno-tree-pre", "-fno-gcse", "-fPIC", "-w",
)  # fmt: skip
"""Whatever CXX asks for, a number may be NaN. A product and a sum may round once. Straight code of thousands
of lines has no partial redundancies to look for: without that search a kernel compiles in four fifths of the
time and runs as fast."""
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


def described(command: list[str]) -> str:
    """A compiler by its name, version and the flags that come with it.

    >>> described(["/usr/bin/g++", "-O3"])  # doctest: +SKIP
    'g++ (Debian 12.2.0-14) 12.2.0 -O3'
    """
    return " ".join([version(tuple(command)).partition("\n")[0].strip(), *command[1:]])


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


def make(path: pathlib.Path, command: list[str]) -> None:
    """Run a compiler that writes `path`, whole or not at all; nobody else may write it."""

    def compiled(name: str) -> None:
        execute([*command, "-o", name])
        refuse_others(pathlib.Path(name))

    write_whole(path, compiled)


def digest(command: Sequence[str], *texts: str) -> str:
    """A name from everything that decides what a compiler makes."""
    parts = (version(tuple(command)), jaxlib.version.__version__, *command, *texts)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
