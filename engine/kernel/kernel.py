"""A function of one path as one compiled program that evaluates many: traced, written in C++, called by XLA.

    kernel = kernel_of(function, shared, moving)
    results = kernel(kernel.tables(*shared), *moving_with_paths_last)

equals `batch_last(function, *shared, *moving, ...)` within float32 rounding. `function(*shared, *moving)` is
traced for one path. What depends on `shared` alone stays with JAX (`tables`, once for many calls), so the
kernel serves other numbers of the same shapes as long as the indices among them are the same.
"""

import ctypes
import functools
import hashlib
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from engine.kernel.body import FEW
from engine.kernel.build import Builder
from engine.kernel.compiler import library
from engine.kernel.known import Known, settled
from engine.kernel.operations import letter
from engine.kernel.program import Unsupported, Value, bodies, lift, moving_values, program_of
from engine.kernel.write import Writer

INDICES = {"gather": (1,), "scatter-add": (1,), "scatter_add": (1,), "scatter": (1,)}
"""Operands that choose elements."""


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """A compiled function of one path, for any number of paths; made by `kernel_of`."""

    target: str
    known: Known
    shapes: tuple[jax.ShapeDtypeStruct, ...]
    tree: Any

    def tables(self, *shared: Any) -> list[jax.Array]:
        """What no path changes, for these shared arguments."""
        return self.known.tables(jax.tree.leaves(shared))

    def __call__(self, tables: Sequence[jax.Array], *moving: Any) -> Any:
        """Results with the paths last, from moving arguments with the paths last."""
        leaves = jax.tree.leaves(moving)
        count = leaves[0].shape[-1]
        shapes = [jax.ShapeDtypeStruct((*shape.shape, count), shape.dtype) for shape in self.shapes]
        call = jax.ffi.ffi_call(self.target, shapes)
        return jax.tree.unflatten(self.tree, call(*tables, *leaves, count=np.int64(count)))


def kernel_of(
    function: Callable[..., Any], shared: Sequence[Any], moving: Sequence[Any], folder: pathlib.Path
) -> Kernel:
    """The kernel of `function(*shared, *moving)`, compiled in `folder` unless it is there.

    `shared` are concrete; of `moving` only shapes and types for one path count. Raises Unsupported where the
    function has what a kernel cannot do, NoCompiler without a C++ compiler.
    """
    leaves, form = jax.tree.flatten((tuple(shared), tuple(moving)))
    first = len(jax.tree.leaves(tuple(shared)))
    shapes = [jax.ShapeDtypeStruct(np.shape(leaf), jax.dtypes.result_type(leaf)) for leaf in leaves]

    def flat(*leaves: Any) -> Any:
        given, ids = jax.tree.unflatten(form, leaves)
        return function(*given, *ids)

    closed, results = jax.make_jaxpr(flat, return_shape=True)(*shapes)
    known = known_of(closed, first)
    concrete = concrete_values(known, leaves[:first])
    key = digest([str(closed), *(data.tobytes() for data in (*closed.consts, *concrete.values()))])
    if key not in KERNELS:
        source = source_of(known, concrete)
        path = library(source, folder)
        shapes = jax.tree.leaves(results)
        KERNELS[key] = Kernel(registered(path), known, tuple(shapes), jax.tree.structure(results))
    return KERNELS[key]


KERNELS: dict[str, Kernel] = {}
"""Kernels of this process by what they were made from."""


def digest(parts: Sequence[str | bytes]) -> str:
    """A hash of texts and numbers."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"\0")
    return whole.hexdigest()


def known_of(closed: ClosedJaxpr, first: int) -> Known:
    """A jaxpr as a program, split into what paths change and what none does; inputs from `first` on move."""
    program = program_of(closed)
    moving = moving_values(program, set(program.inputs[first:]))
    lift(program, moving)
    return Known(program, moving)


def concrete_values(known: Known, shared: Sequence[Any]) -> dict[Value, np.ndarray]:
    """Known values that the source depends on: indices, and matrices whose zeros are left out."""
    wanted: dict[Value, None] = {}
    matrices: dict[Value, None] = {}
    for program in bodies(known.program):
        for equation in program.equations:
            if known.moving.isdisjoint(equation.results):
                continue
            wanted |= dict.fromkeys(equation.operands[place] for place in INDICES.get(equation.name, ()))
            if equation.name == "dot_general":
                matrices |= dict.fromkeys(value for value in equation.operands if len(value.shape) == 2)
    both = [value for value in (wanted | matrices) if value not in known.moving]
    found = known.concrete({value for value in both if value.data is None}, shared)
    result = {}
    for value in both:
        data = found[value] if value.data is None else value.data
        if value in wanted:
            result[value] = settled(data, value.shape)
        else:
            result[value] = (data.reshape(-1, *value.shape) != 0).any(0)
    return result


def source_of(known: Known, concrete: dict[Value, np.ndarray]) -> str:
    """The C++ source of a program."""
    program = known.program
    builder = Builder(known, concrete)
    inputs = []
    for value in program.inputs:
        if value in known.moving:
            letter(value.dtype)
            array = builder.arrays.new(value.size, value.dtype, local=value.size <= FEW)
            if not array.local and array.dtype == "int64":
                raise Unsupported("more than a few 64-bit integers")
            builder.views[value] = array.codes(value.shape)
            inputs.append(array)
    body = builder.build(program)
    results = [(value, builder.view(value)) for value in program.results]
    return Writer(builder.arrays, known).source(body, inputs, results)


@functools.cache
def registered(path: pathlib.Path) -> str:
    """The name under which XLA calls a library's handler."""
    target = f"undertow_{path.stem}"
    handler = ctypes.CDLL(str(path)).undertow_handler
    jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(handler), platform="cpu")
    return target
