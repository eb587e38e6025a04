"""Shared values are stored, not recomputed: what decides speed on a CPU.

XLA's CPU loop fusion pastes a cheap-looking producer into every consumer, and a chain of them into every
element of every consumer. A value behind an optimisation barrier is not fusible, so it is computed once and
stored. `store_shared` walks the operations of a function, estimates the cost of recomputing each value, and
sets a barrier behind those whose repeated evaluation would cost more than `WORTH` operations an element. On a
GPU fusion helps: there the function is left alone.

XLA removes barriers before it fuses, unless `BARRIERS` is among its flags when jax starts. With that flag
its compiler for GPUs refuses a program that has barriers: there none may be set.
"""

import collections
import itertools
import math
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Jaxpr, Literal

from engine.batch.passes import BARRIER_PASSES, BARRIERS

Values = TypeVar("Values")
Result = TypeVar("Result")

COSTS = {
    "broadcast_in_dim": 0.0, "reshape": 0.0, "squeeze": 0.0, "slice": 0.0, "integer_pow": 2.0, "gather": 2.0,
    "sqrt": 4.0, "div": 4.0, "exp": 12.0, "exp2": 12.0, "expm1": 12.0, "log": 12.0, "log1p": 12.0,
    "tanh": 12.0, "pow": 24.0, "sin": 24.0, "cos": 24.0,
}  # fmt: skip
"""Operations of one evaluation of an element; 1 where not listed."""
STORED = {"dot_general", "sort", "cond", "while", "scan", "cumsum", "scatter-add"}
"""Operations whose results the compiler stores anyway."""
REDUCTIONS = {"reduce_sum", "reduce_max", "reduce_min", "reduce_or", "reduce_and", "argmax", "argmin"}
"""Small results of long loops: always stored, for inside a larger loop they are not vectorised."""
MOVING = {"rev", "transpose", "sort", "concatenate", "gather"}
"""Operations that read other elements than the one they write, even where shapes agree."""
ROUNDED = {
    "add", "sub", "mul", "div", "integer_pow", "sqrt", "exp", "exp2", "expm1", "log", "log1p", "tanh", "pow",
    "sin", "cos",
}  # fmt: skip
"""Operations whose results are rounded where they are real."""
WORTH = 12.0
PASSES = 4


def stored(function: Callable[..., Result], *arguments: Any) -> Result:
    """`store_shared` where it pays, on a CPU; a plain call elsewhere."""
    if jax.default_backend() != "cpu":
        return function(*arguments)
    flags = os.environ.get("XLA_FLAGS", "")
    if not all(name in flags for name in BARRIER_PASSES):
        advice = "call undertow.prepare() before JAX computes anything"
        warnings.warn(f"XLA_FLAGS lacks {BARRIERS}: paths run many times slower; {advice}", stacklevel=2)
    return store_shared(function, *arguments)


def materialised(values: Values) -> Values:
    """Values, computed once on a CPU however many operations read them."""
    return lax.optimization_barrier(values) if jax.default_backend() == "cpu" else values


def store_shared(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call `function` on arrays with its shared values stored."""
    leaves, tree = jax.tree.flatten(arguments)
    closed, shapes = jax.make_jaxpr(
        lambda *flat: function(*jax.tree.unflatten(tree, flat)), return_shape=True
    )(*leaves)
    stored = worth_storing(closed.jaxpr)
    known = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    known |= dict(zip(closed.jaxpr.invars, leaves, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else known[atom]

    for equation in closed.jaxpr.eqns:
        parameters = equation.primitive.get_bind_params(equation.params)
        result = equation.primitive.bind(*(read(atom) for atom in equation.invars), **parameters)
        results = result if equation.primitive.multiple_results else [result]
        for variable, value in zip(equation.outvars, results, strict=True):
            known[variable] = lax.optimization_barrier(value) if variable in stored else value
    return jax.tree.unflatten(jax.tree.structure(shapes), [read(atom) for atom in closed.jaxpr.outvars])


def worth_storing(jaxpr: Jaxpr) -> set:
    """Variables to store: recomputing them would cost more than WORTH operations an element.

    What a value costs depends on which of its inputs are stored, and how often it is evaluated on which of
    its users are: a few passes of both settle the choice.
    """
    stored: set = set()
    for _ in range(PASSES):
        evaluated = evaluations(jaxpr, stored)
        stored = choose(jaxpr, evaluated)
    return stored


def choose(jaxpr: Jaxpr, evaluated: dict) -> set:
    """Front to back: store a value once its own cone of unstored operations is worth it.

    What rounds is stored whatever it costs where it has two users or is a result: else a product could be
    contracted with a sum into one rounding where the compiler happens to fuse them, and two programs would
    differ in the last bit.
    """
    cones: dict = {}
    stored = set()
    results = [atom for atom in jaxpr.outvars if not isinstance(atom, Literal)]
    users = collections.Counter(atom for atom in read_by(jaxpr) if not isinstance(atom, Literal))
    users.update(results)  # whoever reads a result is one more
    for number, equation in enumerate(jaxpr.eqns):
        name = equation.primitive.name
        if name in STORED:
            continue
        cone = {number: COSTS.get(name, 1.0)}
        for atom in equation.invars:
            if not isinstance(atom, Literal):
                cone |= cones.get(atom, {})
        for variable in equation.outvars:
            repeated = sum(cone.values()) * (evaluated.get(variable, 0.0) - 1.0)
            twice = users[variable] > 1 and name in ROUNDED and real(variable)
            worth = repeated > WORTH or twice or name in REDUCTIONS
            if worth and math.prod(shape_of(variable)) > 1:
                stored.add(variable)
            else:
                cones[variable] = cone
    return stored


def real(variable: Any) -> bool:
    """Whether a variable of a jaxpr has real numbers: whole ones are exact."""
    return jnp.issubdtype(variable.aval.dtype, jnp.inexact)


def shape_of(variable: Any) -> tuple[int, ...]:
    """Shape of a variable of a jaxpr."""
    return variable.aval.shape


def read_by(jaxpr: Jaxpr) -> Iterator[Any]:
    """Everything that is read: operands of every operation, then the results."""
    return itertools.chain(*(equation.invars for equation in jaxpr.eqns), jaxpr.outvars)


def evaluations(jaxpr: Jaxpr, stored: set) -> dict:
    """How often each element of a value is evaluated, given what is stored.

    Users of the same element in the same loop share one evaluation; a user that reads other elements (a
    slice, an operand of a concatenation, a broadcast) or writes to another loop adds its own.
    """
    loops: dict = {}
    for atom in jaxpr.outvars:
        if not isinstance(atom, Literal):
            loops.setdefault(atom, {})[atom] = 1.0
    for number, equation in reversed(list(enumerate(jaxpr.eqns))):
        name, produced = equation.primitive.name, equation.outvars[0]
        materialised = name in STORED or any(variable in stored for variable in equation.outvars)
        own: dict = {}
        for variable in equation.outvars:
            own |= loops.get(variable, {})
        for position, atom in enumerate(equation.invars):
            if isinstance(atom, Literal):
                continue
            users = loops.setdefault(atom, {})
            if name in STORED:
                users[number] = 1.0
            elif shape_of(atom) == shape_of(produced) and name not in MOVING:
                for loop, times in ({number: 1.0} if materialised else own).items():
                    users[loop] = max(users.get(loop, 0.0), times)
            else:
                times = 1.0 if materialised else sum(own.values())
                ratio = math.prod(shape_of(produced)) / max(math.prod(shape_of(atom)), 1)
                users[number, position] = times * (1.0 if name == "concatenate" else ratio)
    return {variable: sum(users.values()) for variable, users in loops.items()}
