"""A kernel for this machine's processor: C++ on vectors of paths, called through XLA's typed FFI."""

import ctypes
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from engine.kernel.arrays import Arrays
from engine.kernel.compiler import NoCompiler
from engine.kernel.form import Form
from engine.kernel.kernel import Call
from engine.kernel.known import Tables
from engine.kernel.library import forget, frame, library
from engine.kernel.vectors import VectorWriter
from engine.kernel.write import Source


@dataclass(frozen=True)
class Cpu:
    """This machine's processor; compiled kernels lie in a folder."""

    folder: pathlib.Path
    form: Form = Form()

    def writer(self, arrays: Arrays, tables: Tables) -> VectorWriter:
        """What writes its source."""
        return VectorWriter(arrays, tables, self.form)

    def call(self, source: Source) -> Call:
        """The kernel compiled, as an operation of a jitted program."""
        head = frame("frame.h")
        path = library([head + text for text in (*source.parts, source.text)], self.folder)
        try:
            registered(path)
        except (OSError, AttributeError) as error:  # half a file, a folder that nothing may be executed from
            forget(path)
            raise NoCompiler(f"a compiled kernel cannot be loaded: {error}") from error
        return Library(path)


@dataclass(frozen=True)
class Library:
    """The operation that the handler of a compiled library carries out."""

    path: pathlib.Path

    def __call__(
        self, shapes: Sequence[jax.ShapeDtypeStruct], operands: Sequence[Any], count: int
    ) -> Sequence[Any]:
        """See Call."""
        return list(jax.ffi.ffi_call(registered(self.path), shapes)(*operands, count=np.int64(count)))


def registered(path: pathlib.Path) -> str:
    """The name under which XLA calls a library's handler: libraries of one name are the same.

    Raises OSError or AttributeError where it cannot be loaded or has no handler.
    """
    target = f"undertow_{path.stem}"
    if target not in HANDLERS:
        HANDLERS[target] = ctypes.CDLL(str(path)).undertow_handler
        jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(HANDLERS[target]), platform="cpu")
    return target


HANDLERS: dict[str, Any] = {}
"""Handlers that XLA knows in this process, by target."""
