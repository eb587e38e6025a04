"""The full model in NumPy, vectorised over paths: the engine's own operations, one array at a time.

The four thousand operations of a month come from the model itself: one path, with the path axis last, is
traced once and executed by NumPy on the same draws. Path-independent values are computed once, not every
month; broadcasts and slices are views; arrays are float32 as in the engine.
"""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from engine.batch.path_last import batch_last
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths import path as paths

BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "max": np.maximum, "min": np.minimum, "pow": np.power,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "eq": np.equal,
    "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "shift_left": np.left_shift, "shift_right_logical": np.right_shift,
    "shift_right_arithmetic": np.right_shift,
}  # fmt: skip
UNARY = {
    "neg": np.negative, "exp": np.exp, "exp2": np.exp2, "log": np.log, "log1p": np.log1p, "expm1": np.expm1,
    "sqrt": np.sqrt, "abs": np.abs, "floor": np.floor, "round": np.rint, "is_finite": np.isfinite,
    "not": np.invert, "sign": np.sign, "tanh": np.tanh, "stop_gradient": np.asarray, "copy": np.asarray,
    "optimization_barrier": np.asarray,
}  # fmt: skip
REDUCTIONS = {
    "reduce_sum": np.add, "reduce_max": np.maximum, "reduce_min": np.minimum, "reduce_and": np.logical_and,
    "reduce_or": np.logical_or,
}  # fmt: skip


def broadcast(value, shape, broadcast_dimensions, **_):
    """A view: the value's axes at the given places, all others new."""
    narrow = [1] * len(shape)
    for axis, place in enumerate(broadcast_dimensions):
        narrow[place] = value.shape[axis]
    return np.broadcast_to(value.reshape(narrow), shape)


def dot(left, right, dimension_numbers, **_):
    """One axis of each contracted."""
    (left_axes, right_axes), _ = dimension_numbers
    return np.tensordot(left, right, (left_axes, right_axes))


def gather(value, indices, dimension_numbers, slice_sizes, **_):
    """Rows selected by indices."""
    if dimension_numbers.start_index_map != (0,) or tuple(slice_sizes[1:]) != value.shape[1:]:
        raise NotImplementedError(f"gather {dimension_numbers}, expected whole rows")
    return value[indices[..., 0]]


def scatter_add(value, indices, updates, dimension_numbers, **_):
    """Rows added at indices: sorted, then each run of equal indices at once."""
    if dimension_numbers.scatter_dims_to_operand_dims != (0,) or indices.ndim != 2:
        raise NotImplementedError(f"scatter-add {dimension_numbers}, expected whole rows")
    at = indices[:, 0]
    order = np.argsort(at, kind="stable")
    rows, starts = np.unique(at[order], return_index=True)
    total = value.copy()
    total[rows] += np.add.reduceat(updates[order], starts, axis=0)
    return total


RULES = {
    "broadcast_in_dim": broadcast,
    "dot_general": dot,
    "gather": gather,
    "scatter-add": scatter_add,
    "argmax": lambda x, axes, index_dtype, **_: np.argmax(x, axes[0]).astype(index_dtype),
    "argmin": lambda x, axes, index_dtype, **_: np.argmin(x, axes[0]).astype(index_dtype),
    "reshape": lambda x, new_sizes, **_: x.reshape(new_sizes),
    "squeeze": lambda x, dimensions, **_: x.squeeze(tuple(dimensions)),
    "transpose": lambda x, permutation, **_: x.transpose(permutation),
    "slice": lambda x, start_indices, limit_indices, strides, **_: x[
        tuple(map(slice, start_indices, limit_indices, strides or (None,) * x.ndim))
    ],
    "concatenate": lambda *parts, dimension, **_: np.concatenate(parts, dimension),
    "stack": lambda *parts, axis=0, **_: np.stack(parts, axis),
    "select_n": lambda which, *cases, **_: (
        np.where(which, cases[1], cases[0]) if which.dtype == bool else np.choose(which, cases)
    ),
    "clamp": lambda low, x, high, **_: np.minimum(np.maximum(x, low), high),
    "convert_element_type": lambda x, new_dtype, **_: x.astype(new_dtype, copy=False),
    "integer_pow": lambda x, y, **_: np.power(x, np.asarray(y, x.dtype)),
    "iota": lambda dtype, shape, dimension, **_: broadcast(
        np.arange(shape[dimension], dtype=dtype), shape, (dimension,)
    ),
    "element": lambda x, axis, place: np.take(x, place, axis),
    "cumsum": lambda x, axis, **_: np.cumsum(x, axis, dtype=x.dtype),
}  # fmt: skip


def parts(equation):
    """The equation, or one `element` for each result of an `unstack`, which JAX has from 0.11 on."""
    if equation.primitive.name != "unstack":
        return [equation]
    axis, element = equation.params["axis"], SimpleNamespace(name="element")
    return [
        SimpleNamespace(
            primitive=element, params={"axis": axis, "place": place}, invars=equation.invars,
            outvars=[variable],
        )
        for place, variable in enumerate(equation.outvars)
    ]  # fmt: skip


def evaluate(equation, values):
    """The result of an operation by NumPy."""
    name = equation.primitive.name
    if name in BINARY:
        return BINARY[name](*values)
    if name in UNARY:
        return UNARY[name](*values)
    if name in REDUCTIONS:
        return REDUCTIONS[name].reduce(values[0], axis=tuple(equation.params["axes"]))
    if name not in RULES:
        raise NotImplementedError(f"operation {name}")
    return RULES[name](*values, **equation.params)


class Program:
    """A function of (fixed, changing) arguments on NumPy arrays; the fixed part is computed once."""

    def __init__(self, function, fixed, *variable):
        leaves, tree = jax.tree.flatten(variable)
        closed, shapes = jax.make_jaxpr(
            lambda *flat: function(fixed, *jax.tree.unflatten(tree, flat)), return_shape=True
        )(*leaves)
        self.jaxpr, self.result = closed.jaxpr, jax.tree.structure(shapes)
        self.known = {
            var: np.asarray(const) for var, const in zip(closed.jaxpr.constvars, closed.consts, strict=True)
        }
        self.equations = []
        for equation in self.jaxpr.eqns:
            if all(isinstance(atom, Literal) or atom in self.known for atom in equation.invars):
                self.run(equation, self.known)
            else:
                self.equations.append(equation)

    def run(self, equation, known):
        """One operation."""
        values = [
            np.asarray(a.val, a.aval.dtype) if isinstance(a, Literal) else known[a] for a in equation.invars
        ]
        if equation.primitive.name in ("jit", "pjit"):
            inner = equation.params["jaxpr"]
            own = dict(zip(inner.jaxpr.constvars, map(np.asarray, inner.consts), strict=True))
            own |= dict(zip(inner.jaxpr.invars, values, strict=True))
            for each in inner.jaxpr.eqns:
                self.run(each, own)
            results = [own[variable] for variable in inner.jaxpr.outvars]
        else:
            results = [np.asarray(evaluate(part, values)) for part in parts(equation)]
        known.update(zip(equation.outvars, results, strict=True))

    def __call__(self, *variable):
        known = dict(self.known)
        known |= dict(zip(self.jaxpr.invars, jax.tree.leaves(variable), strict=True))
        for equation in self.equations:
            self.run(equation, known)
        outputs = (atom.val if isinstance(atom, Literal) else known[atom] for atom in self.jaxpr.outvars)
        return jax.tree.unflatten(self.result, list(outputs))


class Paths:
    """`Paths(system, seed, count)(first)`: system loss at the end of each of `count` paths from `first`."""

    def __init__(self, system, seed: int, count: int):
        fixed = (system, seed_words(seed))
        ids = np.arange(count, dtype=np.int64)
        self.count, self.calendar = count, jax.tree.map(np.asarray, system.calendar)
        self.begin = Program(begin, fixed, ids)
        fate, state, draws = jax.tree.map(np.asarray, self.begin(ids))
        shocks = draws.normals[0], draws.uniforms[0]
        self.month = Program(month, fixed, self.row(0), ids, fate, state, *shocks)

    def row(self, place: int):
        """The calendar's row."""
        return jax.tree.map(lambda leaf: leaf[place], self.calendar)

    def __call__(self, first: int):
        ids = first + np.arange(self.count, dtype=np.int64)
        fate, state, draws = self.begin(ids)
        for place in range(self.calendar.month.shape[0]):
            state = self.month(self.row(place), ids, fate, state, draws.normals[place], draws.uniforms[place])
        return state.legacy_loss + state.new_money_loss


def begin(fixed, ids):
    """Fate, the state of month 0, and the economy's draws."""
    system, seed = fixed
    return batch_last(paths.begin, system, PSEUDO_RANDOM, seed, ids, batched=(False,) * 3 + (True,))


def month(fixed, row, ids, fate, state, normal, regime):
    """The state a month later."""
    system, seed = fixed

    def one(system, seed, row, path, fate, state, normal, regime):
        return paths.advance(system, seed, path, fate, state, row, normal, regime)[0]

    return batch_last(
        one, system, seed, row, ids, fate, state, jnp.asarray(normal), jnp.asarray(regime),
        batched=(False,) * 3 + (True,) * 5,
    )  # fmt: skip
