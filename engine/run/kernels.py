"""Fused kernels known on disk by what they are made from, so that a second start traces and writes none.

By the numbers of the arguments that decide a kernel's source, a record has the library compiled of it and
what its tables have. A record is known by all else that decides them: the engine's sources, versions and
settings, compiler and processor, the function, the form and shapes of the arguments. Like programs, kernels
are kept for the command alone (`engine.run.programs`).
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from engine.files import own
from engine.kernel.compiler import NoCompiler, compiler, version
from engine.kernel.cpu import Cpu, Library, registered
from engine.kernel.kernel import Kernel, Machine
from engine.kernel.program import Unsupported
from engine.run import programs
from engine.run.programs import (
    Unnamed,
    described,
    hashed,
    keep_bytes,
    kept_bytes,
    named,
    settings,
    sources,
    surroundings,
    unchanged,
)

Result = TypeVar("Result")

MOST = 50
"""Kernels of a record: books of one form."""


class StaleRecord(RuntimeError):
    """A record named another kernel than is made now, and is removed: what needs the kernel begins anew."""


@dataclasses.dataclass(frozen=True)
class KeptKernel:
    """A kernel by its name, which is made where a program that calls it is traced."""

    name: str
    make: Callable[[], Kernel] = dataclasses.field(compare=False, repr=False)

    @functools.cached_property
    def kernel(self) -> Kernel:
        """The kernel itself; raises StaleRecord where it is not the one of its name."""
        return self.make()

    def tables(self, *shared: Any) -> list[jax.Array]:
        """See Kernel."""
        return self.kernel.tables(*shared)

    def __call__(self, tables: Sequence[jax.Array], *moving: Any) -> Any:
        """See Kernel."""
        return self.kernel(tables, *moving)


AnyKernel = Kernel | KeptKernel


def kept_kernel(
    function: Callable[..., Any],
    shared: Sequence[Any],
    moving: Sequence[Any],
    machine: Machine,
    make: Callable[[], Kernel],
) -> AnyKernel:
    """The kernel of `function(*shared, *moving)`: made, unless it is known and its library there.

    Where programs are not kept, off CPUs, and for what has no name by which to know it again, `make()`.
    Raises NoCompiler where there is no compiler.
    """
    folder = programs.folder_of_programs()
    if folder is None or not isinstance(machine, Cpu):
        return make()
    try:
        origin = origin_of(function, tuple(shared), tuple(moving), machine)
    except Unnamed:
        return make()
    leaves, record = jax.tree.leaves(tuple(shared)), Record(folder / f"{origin}.kernels")
    if (entry := record.entry(leaves)) and loaded(machine.folder, entry[0]):
        return KeptKernel(hashed(origin, *entry), functools.partial(kernel_of_entry, make, entry, record))
    kernel = make()
    entry = entry_of(kernel)
    record.add(kernel.words.known.choosers(), leaves, entry)
    return KeptKernel(hashed(origin, *entry), lambda: kernel)


def kernel_of_entry(make: Callable[[], Kernel], entry: list[str], record: "Record") -> Kernel:
    """The kernel of a record's entry; removes the record and raises StaleRecord where it is another."""
    with contextlib.suppress(NoCompiler, Unsupported):
        kernel = make()
        if entry_of(kernel) == entry:
            return kernel
    record.remove()
    raise StaleRecord("a kernel is not the one that its record names; run again")


def with_records(action: Callable[[], Result]) -> Result:
    """What an action gives that makes kernels and calls them, begun anew after a stale record."""
    try:
        return action()
    except StaleRecord:
        return action()


def entry_of(kernel: Kernel) -> list[str]:
    """What tells a kernel of one origin from the others: its library, and what its tables have."""
    assert isinstance(kernel.call, Library)
    return [kernel.call.path.name, kernel.words.digest]


def origin_of(
    function: Callable[..., Any], shared: tuple[Any, ...], moving: tuple[Any, ...], machine: Cpu
) -> str:
    """A hash of what decides a kernel beside the numbers of its arguments. Raises Unnamed, NoCompiler."""
    leaves, form = jax.tree.flatten((shared, moving))
    command = compiler()
    return hashed(
        sources(), *surroundings(), *settings(), named(function), repr(machine.form), *command,
        version(tuple(command)), described(form),
        *(f"{np.shape(leaf)} {jax.dtypes.result_type(leaf)}" for leaf in leaves),
    )  # fmt: skip


def loaded(folder: pathlib.Path, library: str) -> bool:
    """Whether a folder of the user's own has a library, which XLA knows from now on."""
    with contextlib.suppress(OSError, AttributeError):
        return own(folder) and own(folder / library) and bool(registered(folder / library))
    return False


@dataclasses.dataclass(frozen=True)
class Record:
    """The kernels of one origin in a file: places of the leaves that decide, entries by their numbers."""

    path: pathlib.Path

    def read(self) -> dict[str, Any]:
        """What the file has; empty without one that is whole and the user's own."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(kept_bytes(self.path) or b"{}")
        return {}

    def entry(self, leaves: Sequence[Any]) -> list[str] | None:
        """Library and digest of the tables for these numbers; None where they are not known."""
        content = self.read()
        return content["kernels"].get(digest(content["places"], leaves)) if content else None

    def remove(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def add(self, places: list[int], leaves: Sequence[Any], entry: list[str]) -> None:
        """Add an entry; a folder that cannot be written costs later starts their time."""
        kernels = self.read().get("kernels", {}) | {digest(places, leaves): entry}
        content = json.dumps({"places": places, "kernels": dict(list(kernels.items())[-MOST:])})
        with contextlib.suppress(OSError):
            if unchanged():
                keep_bytes(self.path, content.encode("ascii"))


def digest(places: Sequence[int], leaves: Sequence[Any]) -> str:
    """A hash of the numbers of the leaves at these places."""
    numbers = hashlib.sha256()
    for place in places:
        numbers.update(np.ascontiguousarray(jax.device_get(leaves[place])).tobytes())
    return numbers.hexdigest()
