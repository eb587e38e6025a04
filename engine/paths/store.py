"""Shared values are stored, not recomputed: what decides speed on a CPU.

XLA's CPU loop fusion pastes a cheap-looking producer into every consumer, and a chain of them into every
element of every consumer. A value that passes through a conditional is not fusible, so it is computed once
and kept. `store_shared` walks the operations of a function, keeps the cost of recomputing each value, and
sends those whose repeated evaluation would cost more than `WORTH` operations an element through
`lax.cond(keep, value, zero)`. `keep` must be true and known only at run time. On a GPU fusion is what one
wants: there the function is left alone.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Literal

COSTS = {"exp": 12.0, "log": 12.0, "pow": 24.0, "sin": 24.0, "cos": 24.0, "exp2": 12.0, "log1p": 12.0, "tanh": 12.0,
         "sqrt": 4.0, "div": 4.0, "expm1": 12.0, "integer_pow": 2.0, "gather": 2.0}  # fmt: skip
STORED = {"dot_general", "reduce_sum", "reduce_max", "reduce_min", "reduce_or", "reduce_and", "sort", "cond", "while",
          "scan", "cumsum", "scatter-add"}  # fmt: skip
WORTH = 12.0


def store_shared(function, keep, *arguments):
    """Call `function` on arrays with its shared values stored. `keep` is a boolean scalar that is always true."""
    leaves, tree = jax.tree.flatten(arguments)
    closed, shapes = jax.make_jaxpr(lambda *flat: function(*jax.tree.unflatten(tree, flat)), return_shape=True)(*leaves)
    stored = worth_storing(closed.jaxpr)
    known = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    known |= dict(zip(closed.jaxpr.invars, leaves, strict=True))

    def read(atom):
        return atom.val if isinstance(atom, Literal) else known[atom]

    for equation in closed.jaxpr.eqns:
        parameters = equation.primitive.get_bind_params(equation.params)
        result = equation.primitive.bind(*(read(atom) for atom in equation.invars), **parameters)
        results = result if equation.primitive.multiple_results else [result]
        for variable, value in zip(equation.outvars, results, strict=True):
            known[variable] = through(keep, value) if variable in stored else value
    return jax.tree.unflatten(jax.tree.structure(shapes), [read(atom) for atom in closed.jaxpr.outvars])


def through(keep, value):
    """The value, by a way the compiler cannot fuse."""
    return lax.cond(keep, lambda kept: kept, jnp.zeros_like, value)


def worth_storing(jaxpr) -> set:
    """Variables whose repeated evaluation costs more than WORTH operations an element."""
    uses = evaluations(jaxpr)
    cost, stored = {}, set()
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        inherited = sum(cost.get(atom, 0.0) for atom in equation.invars if not isinstance(atom, Literal))
        for variable in equation.outvars:
            cost[variable] = 0.0 if name in STORED else inherited + COSTS.get(name, 1.0)
            repeated = cost[variable] * (uses.get(variable, 0.0) - 1.0)
            if repeated > WORTH and math.prod(variable.aval.shape) > 1:
                stored.add(variable)
                cost[variable] = 0.0
    return stored


def evaluations(jaxpr) -> dict:
    """How often each element of a value would be evaluated if nothing were stored."""
    uses: dict = {}
    for equation in jaxpr.eqns:
        reads_all = equation.primitive.name in STORED
        for atom in equation.invars:
            if isinstance(atom, Literal):
                continue
            size = max(math.prod(atom.aval.shape), 1)
            produced = max(math.prod(variable.aval.shape) for variable in equation.outvars)
            uses[atom] = uses.get(atom, 0.0) + (1.0 if reads_all else produced / size)
    for atom in jaxpr.outvars:
        if not isinstance(atom, Literal):
            uses[atom] = uses.get(atom, 0.0) + 1.0
    return uses
