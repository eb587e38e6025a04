"""One path becomes many: a function of one path evaluated with the path axis last on every array.

`jax.vmap` would do the same with the path axis first, but it moves the axis to the front whenever a batched
vector meets an unbatched one, and on a CPU that layout costs a factor of two. Here every batched value keeps
its own axes and gains one at the end, so elementwise operations, reductions, slices, concatenations and
products with constant matrices need no transposition. An operation without a rule falls back on its own
batching rule with the axis last. `tests/batch/test_path_last.py` holds it equal to `jax.vmap`.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from engine.batch.barriers import materialised, stored
from engine.batch.loops import carry_range

Result = TypeVar("Result")
Flagged = tuple[Any, bool]
"""A value, and whether it carries the path axis."""
Rule = Callable[[JaxprEqn, Sequence[Flagged], int], Any]
"""An operation on flagged inputs with so many paths; its result carries the path axis."""

ELEMENTWISE = {
    "add", "sub", "mul", "max", "min", "pow", "rem", "atan2", "nextafter", "and", "or", "xor",
    "not", "neg", "sign", "floor", "ceil", "round", "exp", "exp2", "expm1", "log", "log1p", "sin",
    "cos", "tan", "tanh", "logistic", "sqrt", "rsqrt", "cbrt", "abs", "square", "integer_pow",
    "is_finite", "eq", "ne", "lt", "le", "gt", "ge", "select_n", "clamp", "convert_element_type",
    "shift_left", "shift_right_logical", "shift_right_arithmetic", "erf", "erf_inv", "lgamma",
    "digamma", "stop_gradient", "copy", "add_any",
}  # fmt: skip

WINDOW = 32
"""Rows that XLA sums in one loop on a CPU; of more it stores every addend first."""

LONG = 64
"""Operations of a loop's turn from which on its shared values are stored."""

REDUCTIONS = {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or"}

SAME_AXES = {
    "argmax", "argmin", "cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "rev",
    "concatenate", "split", "sort",
}  # fmt: skip

INLINE = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr"}


def batch_last(function: Callable[..., Result], *arguments: Any, batched: Sequence[bool]) -> Result:
    """Evaluate `function`, written for one path, on arguments that may carry paths on the last axis.

    `batched` has one entry per argument: True where all its leaves carry the path axis. Returns the outputs
    with the path axis last on every leaf.
    """
    leaves, tree = jax.tree.flatten(arguments)
    carries = [
        flag for argument, flag in zip(arguments, batched, strict=True) for _ in jax.tree.leaves(argument)
    ]
    size = next(leaf.shape[-1] for leaf, flag in zip(leaves, carries, strict=True) if flag)
    single = [
        jax.ShapeDtypeStruct(leaf.shape[:-1] if flag else leaf.shape, leaf.dtype)
        for leaf, flag in zip(leaves, carries, strict=True)
    ]
    closed, shapes = jax.make_jaxpr(
        lambda *flat: function(*jax.tree.unflatten(tree, flat)), return_shape=True
    )(*single)
    values = evaluate(closed.jaxpr, closed.consts, list(zip(leaves, carries, strict=True)), size)
    return jax.tree.unflatten(
        jax.tree.structure(shapes), [with_path_axis(value, flag, size) for value, flag in values]
    )


def with_path_axis(value: Any, flag: bool, size: int) -> Any:
    """Give a value the path axis if it lacks it."""
    return value if flag else jnp.broadcast_to(value[..., None], (*value.shape, size))


def evaluate(jaxpr: Jaxpr, consts: Sequence[Any], arguments: Sequence[Flagged], size: int) -> list[Flagged]:
    """Run a jaxpr on pairs (value, carries the path axis)."""
    known = dict(zip(jaxpr.constvars, ((const, False) for const in consts), strict=True))
    known |= dict(zip(jaxpr.invars, arguments, strict=True))

    def read(atom: Any) -> Flagged:
        return (atom.val, False) if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        inputs = [read(atom) for atom in equation.invars]
        name = equation.primitive.name
        if name in INLINE:
            inner = equation.params[INLINE[name]]
            outputs = evaluate(inner.jaxpr, inner.consts, inputs, size)
        elif not any(flag for _, flag in inputs):
            result = equation.primitive.bind(
                *(value for value, _ in inputs), **equation.primitive.get_bind_params(equation.params)
            )
            outputs = [
                (value, False) for value in (result if equation.primitive.multiple_results else [result])
            ]
        else:
            result = rule_of(name)(equation, inputs, size)
            outputs = [
                (value, True) for value in (result if equation.primitive.multiple_results else [result])
            ]
        known.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def rule_of(name: str) -> Rule:
    """The rule of a primitive."""
    if name in ELEMENTWISE:
        return elementwise
    if name in SAME_AXES:
        return same_axes
    if name in REDUCTIONS:
        return reduction
    return RULES.get(name, fallback)


def result_of(equation: JaxprEqn) -> Any:
    """Shape and type of the result of an operation for one path."""
    return equation.outvars[0].aval


def elementwise(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Unbatched operands of rank one and more gain a last axis of length `size`; scalars stay."""
    shape = (*result_of(equation).shape, size)
    name = equation.primitive.name
    operands = []
    for position, (value, flag) in enumerate(inputs):
        scalar = jnp.ndim(value) == 0 and not flag
        stays = scalar and (name == "clamp" or name == "select_n" and position == 0)
        operands.append(value if stays else whole(value, flag, shape))
    return equation.primitive.bind(*operands, **equation.params)


def whole(value: Any, flag: bool, shape: tuple[int, ...]) -> Array:
    """A value in the shape of the result, paths last."""
    if flag:
        return jnp.broadcast_to(value, shape)
    value = jnp.asarray(value)
    return lax.broadcast_in_dim(value, shape, tuple(range(value.ndim)))


def division(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """By what no path carries: times its inverse, which the compiler would do in some programs only."""
    (value, _), (divisor, moving) = inputs
    if moving or not jnp.issubdtype(result_of(equation).dtype, jnp.floating):
        return elementwise(equation, inputs, size)
    shape = (*result_of(equation).shape, size)
    inverse = jnp.ones_like(divisor) / divisor
    return whole(value, True, shape) * whole(inverse, False, shape)


def same_axes(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Axes are counted from the front, so they keep their numbers."""
    operands = [with_path_axis(jnp.asarray(value), flag, size) for value, flag in inputs]
    return equation.primitive.bind(*operands, **equation.params)


def reduction(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """One axis after the other, the last first: a loop over two is not vectorised on a CPU."""
    ((value, _),) = inputs
    for axis in sorted(equation.params["axes"], reverse=True):
        value = equation.primitive.bind(value, **(equation.params | {"axes": (axis,)}))
    return value


def broadcast_in_dim(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """The path axis goes last in the result too."""
    (value, _), *_ = inputs
    shape = (*equation.params["shape"], size)
    return lax.broadcast_in_dim(value, shape, (*equation.params["broadcast_dimensions"], len(shape) - 1))


def reshape(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Rows in order, paths last."""
    (value, _), *_ = inputs
    return lax.reshape(value, (*equation.params["new_sizes"], size))


def squeeze(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Drop axes before the last."""
    (value, _), *_ = inputs
    return lax.squeeze(value, equation.params["dimensions"])


def transpose(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Permute axes before the last."""
    (value, _), *_ = inputs
    return lax.transpose(value, (*equation.params["permutation"], value.ndim - 1))


def slicing(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Slice axes before the last."""
    (value, _), *_ = inputs
    strides = equation.params["strides"]
    return lax.slice(
        value,
        (*equation.params["start_indices"], 0),
        (*equation.params["limit_indices"], size),
        None if strides is None else (*strides, 1),
    )


def dot_general(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Constant times batched keeps paths last; batched times batched is a product and a sum."""
    (left, left_flag), (right, right_flag) = inputs
    (left_axes, right_axes), batch = equation.params["dimension_numbers"]
    if any(batch) or (left_flag and right_flag) or len(left_axes) != 1:
        return dot_elementwise(equation, inputs, size)
    options = {key: equation.params[key] for key in ("precision", "preferred_element_type")}
    if right_flag:
        # Result axes: free of left, free of right; paths are the last free axis of right.
        return lax.dot_general(left, right, ((left_axes, right_axes), ((), ())), **options)
    swapped = lax.dot_general(right, left, ((right_axes, left_axes), ((), ())), **options)
    free_right, free_left = right.ndim - 1, left.ndim - 2
    order = (*range(free_right, free_right + free_left), *range(free_right), swapped.ndim - 1)
    return lax.transpose(swapped, order)


def dot_elementwise(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Contract by broadcasting, multiplying and summing; small arrays only."""
    (left_axes, right_axes), batch = equation.params["dimension_numbers"]
    if any(batch):
        return fallback(equation, inputs, size)
    left, right = (with_path_axis(jnp.asarray(value), flag, size) for value, flag in inputs)
    if len(left_axes) == 1 and left.ndim == 2:
        return vector_times_matrix(left, right, right_axes[0])
    if len(left_axes) == 1 and right.ndim == 2:
        return vector_times_matrix(right, left, left_axes[0])
    free_left = [axis for axis in range(left.ndim - 1) if axis not in left_axes]
    free_right = [axis for axis in range(right.ndim - 1) if axis not in right_axes]
    left = lax.transpose(left, (*free_left, *left_axes, left.ndim - 1))
    right = lax.transpose(right, (*free_right, *right_axes, right.ndim - 1))
    shape_left, shape_right = left.shape[: len(free_left)], right.shape[: len(free_right)]
    inner = left.shape[len(free_left) : -1]
    left = left.reshape(*shape_left, *(1,) * len(shape_right), *inner, size)
    right = right.reshape(*(1,) * len(shape_left), *shape_right, *inner, size)
    product = left * right
    first = len(shape_left) + len(shape_right)
    return jnp.sum(product, axis=tuple(range(first, first + len(inner))))


def vector_times_matrix(vector: Array, matrix: Array, axis: int) -> Array:
    """Sum over an axis of the matrix [., ., paths], where it lies; on a CPU `WINDOW` rows at a time."""
    rows, sums = vector.shape[0], []
    window = min(WINDOW, rows) if jax.default_backend() == "cpu" else rows
    for first in range(0, max(rows, 1), max(window, 1)):
        last = min(first + window, rows)
        part = lax.slice_in_dim(matrix, first, last, axis=axis)
        weight = lax.broadcast_in_dim(vector[first:last], part.shape, (axis, part.ndim - 1))
        # Stored, or two programs could round the product with its sum once or twice, as each happens to fuse.
        sums.append(jnp.sum(materialised(weight * part), axis=axis))
    return sum(sums[1:], sums[0])


def gather(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Rows picked by constant indices: the path axis is one more offset axis."""
    (value, flag), (indices, moving) = inputs
    if moving or not flag:
        return fallback(equation, inputs, size)
    numbers = equation.params["dimension_numbers"]
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(*numbers.offset_dims, len(result_of(equation).shape)),
        collapsed_slice_dims=numbers.collapsed_slice_dims,
        start_index_map=numbers.start_index_map,
    )
    return lax.gather(
        value, indices, numbers, (*equation.params["slice_sizes"], size),
        mode=equation.params["mode"], fill_value=equation.params["fill_value"],
        indices_are_sorted=equation.params["indices_are_sorted"],
        unique_indices=equation.params["unique_indices"],
    )  # fmt: skip


def scatter_add(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Rows that are added where constant indices say: the path axis is one more window axis."""
    _, (indices, moving), _ = inputs
    if moving:
        return fallback(equation, inputs, size)
    value = with_path_axis(jnp.asarray(inputs[0][0]), inputs[0][1], size)
    updates = with_path_axis(jnp.asarray(inputs[2][0]), inputs[2][1], size)
    numbers = equation.params["dimension_numbers"]
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=(*numbers.update_window_dims, updates.ndim - 1),
        inserted_window_dims=numbers.inserted_window_dims,
        scatter_dims_to_operand_dims=numbers.scatter_dims_to_operand_dims,
    )
    return lax.scatter_add(
        value, indices, updates, numbers,
        indices_are_sorted=equation.params["indices_are_sorted"],
        unique_indices=equation.params["unique_indices"], mode=equation.params["mode"],
    )  # fmt: skip


def scan(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """A loop whose every turn keeps paths last; what it carries has the path axis from the start."""
    numbers, body = equation.params, equation.params["jaxpr"]
    first, last = carry_range(numbers)
    shared, begin, each = inputs[:first], inputs[first:last], inputs[last:]
    moving = [flag for _, flag in each]

    def turn(carry: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
        own = [(value, True) for value in carry]
        results = evaluate(body.jaxpr, body.consts, [*shared, *own, *zip(rows, moving, strict=True)], size)
        values = [with_path_axis(jnp.asarray(value), flag, size) for value, flag in results]
        return values[: last - first], values[last - first :]

    start = [with_path_axis(jnp.asarray(value), flag, size) for value, flag in begin]
    rows = [value for value, _ in each]
    # Shared values of a long turn are stored: pasted into each other they would take minutes to compile.
    whole = len(body.jaxpr.eqns) > LONG

    def one(carry: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
        return stored(turn, carry, rows) if whole else turn(carry, rows)

    carry, results = lax.scan(one, start, rows, numbers["length"], numbers["reverse"], numbers["unroll"])
    return [*carry, *results]


def fallback(equation: JaxprEqn, inputs: Sequence[Flagged], size: int) -> Any:
    """Any other operation: its own batching rule, with paths on the last axis."""
    parameters = equation.primitive.get_bind_params(equation.params)
    axes = tuple(-1 if flag else None for _, flag in inputs)

    def bind(*values: Any) -> Any:
        return equation.primitive.bind(*values, **parameters)

    return jax.vmap(bind, in_axes=axes, out_axes=-1)(*(value for value, _ in inputs))


RULES = {
    "broadcast_in_dim": broadcast_in_dim,
    "reshape": reshape,
    "squeeze": squeeze,
    "transpose": transpose,
    "slice": slicing,
    "div": division,
    "dot_general": dot_general,
    "gather": gather,
    "scatter-add": scatter_add,
    "scan": scan,
}
