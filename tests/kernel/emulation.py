"""A kernel for a GPU on this machine's processor: the same source under `emulate.h`, threads as fibres."""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from engine.kernel.arrays import Arrays
from engine.kernel.cpu import Library
from engine.kernel.form import Form
from engine.kernel.kernel import Call
from engine.kernel.known import Tables
from engine.kernel.lanes import LaneWriter
from engine.kernel.library import frame, library
from engine.kernel.write import Source

OWN = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Emulated:
    """A GPU of `grid` blocks of `warps` warps, each path on so many lanes."""

    folder: pathlib.Path
    lanes: int = 16
    few: int = 1
    near: int | None = None
    warps: int = 1
    grid: int = 2

    @property
    def form(self) -> Form:
        """The GPU's form."""
        return Form(self.lanes, self.few, "g", self.near)

    def writer(self, arrays: Arrays, tables: Tables) -> LaneWriter:
        """What writes its source: the GPU's writer."""
        return LaneWriter(arrays, tables, self.form)

    def call(self, source: Source) -> Call:
        """The kernel compiled, as an operation of a jitted program on a CPU."""
        own = [(OWN / name).read_text() for name in ("emulate.h", "launch.h")]
        text = own[0] + frame("frame.cuh") + source.text + own[1]
        macros = [f"-DWARPS={self.warps}", f"-DGRID={self.grid}"]
        call = Library(library([text], self.folder, [*macros, "-O0", "-ffp-contract=off"]))
        scratch = self.grid * self.warps * 32 // self.lanes * source.far

        def run(shapes: Sequence[jax.ShapeDtypeStruct], operands: Sequence[Any], count: int) -> Sequence[Any]:
            counts = jnp.full((1,), count, jnp.int64)
            far = jax.ShapeDtypeStruct((max(scratch, 1),), jnp.uint32)
            return call([*shapes, far], [*operands, counts], count)[:-1]

        return run
