"""A kernel for this machine's processor: C++ on vectors of paths, called through XLA's typed FFI."""

import ctypes
import functools
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from engine.kernel.arrays import Arrays
from engine.kernel.compiler import frame, library
from engine.kernel.form import Form
from engine.kernel.kernel import Call
from engine.kernel.known import Tables
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
        return call_of(library([head + text for text in (*source.parts, source.text)], self.folder))


def call_of(path: pathlib.Path) -> Call:
    """The operation that a library's handler carries out."""
    target = registered(path)

    def call(shapes: Sequence[jax.ShapeDtypeStruct], operands: Sequence[Any], count: int) -> Sequence[Any]:
        return list(jax.ffi.ffi_call(target, shapes)(*operands, count=np.int64(count)))

    return call


@functools.cache
def registered(path: pathlib.Path) -> str:
    """The name under which XLA calls a library's handler."""
    target = f"undertow_{path.stem}"
    handler = ctypes.CDLL(str(path)).undertow_handler
    jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(handler), platform="cpu")
    return target
