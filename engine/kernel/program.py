"""A traced function as a flat list of equations: calls written out, loops with a body, dead code dropped."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

from engine.batch.loops import carry_range

INLINE = {
    "jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr", "remat2": "jaxpr",
}  # fmt: skip
"""Primitives that call another program, and the parameter that holds it."""


class Unsupported(Exception):
    """A program has something that the kernel cannot write; the message names it."""


@dataclass(eq=False, repr=False)
class Value:
    """One value of a program; `data` where it is a literal or a constant of the trace."""

    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(eq=False, repr=False)
class Equation:
    """A primitive with its operands and results; a loop has a `body`."""

    primitive: Any
    params: dict[str, Any]
    operands: list[Value]
    results: list[Value]
    body: "Program | None" = None

    @property
    def name(self) -> str:
        """The primitive's name."""
        return self.primitive.name


@dataclass(eq=False, repr=False)
class Program:
    """Inputs, equations in order, results."""

    inputs: list[Value]
    equations: list[Equation] = field(default_factory=list)
    results: list[Value] = field(default_factory=list)


def program_of(closed: ClosedJaxpr) -> Program:
    """The program of a closed jaxpr, without the equations that no result needs."""
    inputs = [value_of(variable.aval) for variable in closed.jaxpr.invars]
    program = Program(inputs)
    program.results = write_out(closed, inputs, program.equations)
    drop_dead(program)
    return program


def value_of(aval: Any) -> Value:
    """A new value of an abstract one's shape and type."""
    return Value(tuple(aval.shape), str(aval.dtype))


def constant(data: Any) -> Value:
    """The value of a constant."""
    data = np.asarray(data)
    return Value(data.shape, str(data.dtype), data)


def write_out(closed: ClosedJaxpr, inputs: Sequence[Value], equations: list[Equation]) -> list[Value]:
    """Append a jaxpr's equations on these inputs, calls written out; its results."""
    jaxpr = closed.jaxpr
    names = dict(zip(jaxpr.invars, inputs, strict=True))
    names |= {variable: constant(data) for variable, data in zip(jaxpr.constvars, closed.consts, strict=True)}

    def read(atom: Any) -> Value:
        if isinstance(atom, Literal):
            return constant(np.asarray(atom.val, value_of(atom.aval).dtype))
        return names[atom]

    for equation in jaxpr.eqns:
        operands, name = [read(atom) for atom in equation.invars], equation.primitive.name
        if name in INLINE:
            results = write_out(equation.params[INLINE[name]], operands, equations)
        else:
            results = [value_of(variable.aval) for variable in equation.outvars]
            body = program_of(equation.params["jaxpr"]) if name == "scan" else None
            equations.append(Equation(equation.primitive, equation.params, operands, results, body))
        names |= dict(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def drop_dead(program: Program) -> None:
    """Keep the equations that results need."""
    needed, live = set(program.results), []
    for equation in reversed(program.equations):
        if needed.intersection(equation.results):
            needed.update(equation.operands)
            live.append(equation)
    program.equations = live[::-1]


def moving_values(program: Program, moving: set[Value]) -> set[Value]:
    """The values that depend on one of `moving`, in the program and in the bodies of its loops."""
    for equation in program.equations:
        if not moving.intersection(equation.operands):
            continue
        moving.update(equation.results)
        if equation.body is not None:
            moving.update(moving_inputs(equation, moving))
            moving_values(equation.body, moving)
    return moving


def moving_inputs(loop: Equation, moving: set[Value]) -> set[Value]:
    """Inputs of a loop's body that move: what it carries, and what comes from a moving operand."""
    first, last = carry_range(loop.params)
    assert loop.body is not None
    pairs = zip(loop.body.inputs, loop.operands, strict=True)
    return {inner for place, (inner, outer) in enumerate(pairs) if outer in moving or first <= place < last}


def lift(program: Program, moving: set[Value]) -> None:
    """Loops read what surrounds them directly, and what no turn changes is computed before the first."""
    equations = []
    for equation in program.equations:
        if equation.body is not None and moving.intersection(equation.operands):
            first, _ = carry_range(equation.params)
            rename(equation.body, dict(zip(equation.body.inputs[:first], equation.operands, strict=False)))
            lift(equation.body, moving)
            equations += invariant(equation.body, moving)
        equations.append(equation)
    program.equations = equations


def rename(program: Program, names: dict[Value, Value]) -> None:
    """Other values in place of some, wherever the program or a body of it reads them."""
    for equation in program.equations:
        equation.operands = [names.get(value, value) for value in equation.operands]
        if equation.body is not None:
            rename(equation.body, names)
    program.results = [names.get(value, value) for value in program.results]


def invariant(body: Program, moving: set[Value]) -> list[Equation]:
    """Take the equations out of a loop's body whose results are the same in every turn."""
    own, out, rest = set(body.inputs), [], []
    for equation in body.equations:
        if own.isdisjoint(equation.operands) and moving.isdisjoint(equation.operands):
            out.append(equation)
        else:
            own.update(equation.results)
            rest.append(equation)
    body.equations = rest
    return out


def bodies(program: Program) -> Iterator[Program]:
    """A program and the bodies of its loops, from the outside in."""
    yield program
    for equation in program.equations:
        if equation.body is not None:
            yield from bodies(equation.body)
