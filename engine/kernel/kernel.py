"""A function of one path as one program that evaluates many: traced, written, compiled, called by XLA.

    kernel = kernel_of(function, shared, moving, Cpu(folder))
    results = kernel(kernel.tables(*shared), *moving_with_paths_last)

equals `batch_last(function, *shared, *moving, ...)` within float32 rounding. `function(*shared, *moving)` is
traced for one path. What depends on `shared` alone stays with JAX (`tables`, once for many calls), so the
kernel serves other numbers of the same shapes as long as the indices among them are the same.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from engine.kernel.arrays import Arrays
from engine.kernel.build import Builder
from engine.kernel.form import Form
from engine.kernel.known import Known, Tables
from engine.kernel.operations import letter
from engine.kernel.program import Unsupported, Value, lift, moving_values, program_of
from engine.kernel.schedule import sink
from engine.kernel.write import Source, Writer

Call = Callable[[Sequence[jax.ShapeDtypeStruct], Sequence[Any], int], Sequence[Any]]
"""Results of these shapes, from tables and moving arguments with the paths last, for so many paths."""


@runtime_checkable
class Machine(Protocol):
    """What a kernel is written and compiled for; hashable."""

    @property
    def form(self) -> Form:
        """How its kernels keep numbers."""
        ...

    def writer(self, arrays: Arrays, tables: Tables) -> Writer:
        """What writes its source."""
        ...

    def call(self, source: Source) -> Call:
        """The kernel compiled, unless it has been, as an operation of a jitted program."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """A compiled function of one path, for any number of paths; made by `kernel_of`."""

    call: Call
    words: Tables
    shapes: tuple[jax.ShapeDtypeStruct, ...]
    tree: Any

    def tables(self, *shared: Any) -> list[jax.Array]:
        """What no path changes, for these shared arguments."""
        return self.words(jax.tree.leaves(shared))

    def __call__(self, tables: Sequence[jax.Array], *moving: Any) -> Any:
        """Results with the paths last, from moving arguments with the paths last."""
        leaves = jax.tree.leaves(moving)
        count = leaves[0].shape[-1]
        shapes = [jax.ShapeDtypeStruct((*shape.shape, count), shape.dtype) for shape in self.shapes]
        return jax.tree.unflatten(self.tree, self.call(shapes, [*tables, *leaves], count))


def kernel_of(
    function: Callable[..., Any], shared: Sequence[Any], moving: Sequence[Any], machine: Machine
) -> Kernel:
    """The kernel of `function(*shared, *moving)`, compiled for a machine unless it has been.

    `shared` are concrete; of `moving` only shapes and types for one path count. Raises Unsupported where the
    function has what a kernel cannot do, NoCompiler without a compiler for the machine.
    """
    leaves, form = jax.tree.flatten((tuple(shared), tuple(moving)))
    first = len(jax.tree.leaves(tuple(shared)))
    shapes = (jax.ShapeDtypeStruct(np.shape(leaf), jax.dtypes.result_type(leaf)) for leaf in leaves)
    trace = traced(function, form, tuple(shapes), first)
    with jax.ensure_compile_time_eval():  # a program that calls the kernel may be traced now
        concrete = trace.known.concrete(*leaves[:first])
    key = (machine, trace, *(data.tobytes() for data in concrete.values()))
    if key not in KERNELS:
        tables = Tables(trace.known)
        call = machine.call(source_of(tables, concrete, machine))
        KERNELS[key] = Kernel(call, tables, trace.shapes, trace.tree)
    return KERNELS[key]


KERNELS: dict[tuple, Kernel] = {}
"""Kernels of this process by machine, trace and what is written into their sources."""


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """A function of one path: its known part, shapes and structure of its results."""

    known: Known
    shapes: tuple[jax.ShapeDtypeStruct, ...]
    tree: Any


@functools.lru_cache(maxsize=16)
def traced(
    function: Callable[..., Any], form: Any, shapes: tuple[jax.ShapeDtypeStruct, ...], first: int
) -> Trace:
    """The trace of a function; arguments from leaf `first` on move."""

    def flat(*leaves: Any) -> Any:
        given, ids = jax.tree.unflatten(form, leaves)
        return function(*given, *ids)

    closed, results = jax.make_jaxpr(flat, return_shape=True)(*shapes)
    program = program_of(closed)
    moving = moving_values(program, set(program.inputs[first:]))
    lift(program, moving)
    return Trace(Known(program, moving), tuple(jax.tree.leaves(results)), jax.tree.structure(results))


def source_of(tables: Tables, concrete: dict[Value, np.ndarray], machine: Machine) -> Source:
    """The source of a program, which reads these tables."""
    known, program = tables.known, tables.known.program
    arrays = Arrays()
    writer = machine.writer(arrays, tables)
    builder = Builder(known, concrete, arrays, machine.form)
    inputs = []
    for value in program.inputs:
        if value in known.moving:
            letter(value.dtype)
            array = arrays.new(value.size, value.dtype, local=value.size <= machine.form.few)
            if not array.local and array.dtype == "int64":
                raise Unsupported("more than a few 64-bit integers")
            builder.views[value] = array.codes(value.shape)
            inputs.append(array)
    body = builder.build(program)
    results = [(value, builder.view(value)) for value in program.results]
    sink(body, arrays, [codes for _, codes in results])
    return writer.source(body, inputs, results)
