"""A kernel's shared library in the user's cache folder, by name: the hash of all that decides it.

Sources, compiler, flags, processor and the version of JAX, whose headers may lie anywhere. A library appears
whole or not at all: processes that make the same one at once write the same file.
"""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import jax

from engine.files import keep_latest, make_private, own, used
from engine.kernel.compiler import FLAGS, NoCompiler, compiler, digest, execute, make, processor

HERE = pathlib.Path(__file__).parent
MOST_FILES = 200
"""In the folder, at most some 0.8 MB each; beyond them the ones longest unused go."""


def frame(name: str) -> str:
    """What stands before every kernel: the frame of its machine, and what all of them share."""
    return (HERE / name).read_text() + (HERE / "common.h").read_text()


def bridge() -> str:
    """What XLA calls, which stands beside every kernel."""
    return (HERE / "bridge.cc").read_text()


def library(sources: Sequence[str], folder: pathlib.Path, more: Sequence[str] = ()) -> pathlib.Path:
    """The shared library of a kernel's sources, made unless the folder has it.

    Raises NoCompiler where it can neither be had nor made.
    """
    command, flags = compiler(), (*FLAGS, *more)
    path = folder / f"{digest(command, processor(), bridge(), *flags, *sources)}.so"
    try:
        make_private(folder)
        if not (path.exists() and own(path)):
            link(path, command, flags, sources)
    except OSError as error:
        raise NoCompiler(f"compiled kernels cannot be kept in {folder}: {error.strerror or error}") from error
    return used(path)


def link(path: pathlib.Path, command: list[str], flags: Sequence[str], sources: Sequence[str]) -> None:
    """Make a library, its sources compiled side by side."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [
            pool.submit(compiled, pathlib.Path(folder) / f"{number}.o", command, flags, source)
            for number, source in enumerate(sources)
        ]
        objects = [task.result() for task in (pool.submit(bridge_object, path.parent, command), *tasks)]
        try:
            make(path, [*command, *flags, "-shared", *map(str, objects)])
        except NoCompiler:
            forget(path)
            raise
    keep_latest(path.parent, MOST_FILES)


def compiled(path: pathlib.Path, command: list[str], flags: Sequence[str], source: str) -> pathlib.Path:
    """The object file of a source."""
    text = path.with_suffix(".cc")
    text.write_text(source, encoding="utf-8")
    execute([*command, *flags, "-c", str(text), "-o", str(path)])
    return path


def bridge_object(folder: pathlib.Path, command: list[str]) -> pathlib.Path:
    """The bridge compiled, unless the folder has it: to read its headers takes a second or two."""
    path = folder / f"bridge-{digest(command, processor(), bridge(), *FLAGS)}.o"
    if not (path.exists() and own(path)):
        make(path, [*command, *FLAGS, f"-I{jax.ffi.include_dir()}", "-c", str(HERE / "bridge.cc")])
    return path


def forget(path: pathlib.Path) -> None:
    """Remove a library that cannot be made or loaded, and what may be damaged of what it is made of."""
    for each in (path, *path.parent.glob("bridge-*.o")):
        with contextlib.suppress(OSError):
            each.unlink()
