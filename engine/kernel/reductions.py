"""Sums and their kin: an array of lists of terms, added in straight code or in a loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernel import structure
from engine.kernel.arrays import Code, Codes, uniform
from engine.kernel.body import Body, Item, Products, Text
from engine.kernel.operations import literal
from engine.kernel.program import Equation, Unsupported

if TYPE_CHECKING:
    from engine.kernel.build import Builder

WIDEST = 64
"""Terms of a sum that are written out for every element of a loop."""
FEW = 5
"""Terms that are written out, and rows of longer ones that are added up one by one."""
DENSE = 0.7
"""Share of entries other than zero from which on a known matrix is multiplied as a whole."""

GATHER = {
    "reduce_sum": ("{} + {}", lambda dtype: 0),
    "reduce_max": ("larger({}, {})", lambda dtype: lowest(dtype)),
    "reduce_min": ("smaller({}, {})", lambda dtype: highest(dtype)),
    "reduce_and": ("{} & {}", lambda dtype: -1),
    "reduce_or": ("{} | {}", lambda dtype: 0),
    "reduce_prod": ("{} * {}", lambda dtype: 1),
}
"""Two operands as one, and what changes none."""

SUMS = {*GATHER, "dot_general"}
"""What adds elements up, be there none."""


def of_nothing(name: str, dtype: str) -> Any:
    """What no elements come to."""
    neutral = GATHER[name][1](dtype) if name in GATHER else 0
    return bool(neutral) if dtype == "bool" else neutral


def lowest(dtype: str) -> Any:
    """The least number of a type."""
    return -np.inf if dtype == "float32" else np.iinfo(dtype).min


def highest(dtype: str) -> Any:
    """The greatest number of a type."""
    return np.inf if dtype == "float32" else np.iinfo(dtype).max


def reduction(builder: Builder, body: Body, name: str, view: Codes, axes: Sequence[int]) -> Codes:
    """One number of all elements along some axes."""
    dtype = builder.dtype(view)
    pair, neutral = GATHER[name]
    rest = [axis for axis in range(view.ndim) if axis not in axes]
    shape = tuple(view.shape[axis] for axis in rest)
    table = view.transpose(*rest, *axes).reshape(math.prod(shape), -1)
    return gathered(builder, body, pair, literal(neutral(dtype), dtype), [table], "{}", dtype).reshape(shape)


def gathered(
    builder: Builder, body: Body, pair: str, start: str, tables: list[Codes], term: str, dtype: str
) -> Codes:
    """Rows of terms [rows terms], made of the elements of one or two tables, each row as one number."""
    rows, terms = tables[0].shape
    wide = rows > FEW and terms <= WIDEST
    if wide or terms <= FEW:
        columns = [table[:, at] for at in range(terms) for table in tables]
        count = len(tables)

        def text(texts: Sequence[str]) -> str:
            parts = [term.format(*texts[at : at + count]) for at in range(0, len(texts), count)]
            return tree(pair, parts)

        return builder.item(body, text, columns, dtype, rows)
    return np.concatenate(
        [
            total(builder, body, pair, start, [table[row] for table in tables], term, dtype)
            for row in range(rows)
        ]
    )


def total(
    builder: Builder, body: Body, pair: str, start: str, views: list[Codes], term: str, dtype: str
) -> Codes:
    """One number of all elements of a view, in a loop over them."""
    array = builder.arrays.new(1, dtype, local=True)
    views = [builder.readable(body, view) for view in views]

    def text(texts: Sequence[str]) -> str:
        return pair.format(texts[0], f"({term.format(*texts[1:])})")

    body.add(Item(array, text, views, start, pair), views[0].size, views, builder.arrays)
    return array.codes((1,))


def dot(builder: Builder, body: Body, equation: Equation, views: Sequence[Codes]) -> Codes:
    """Products of rows and columns; of a known matrix with many zeros the other entries alone."""
    ((left_axes, right_axes), batch) = equation.params["dimension_numbers"]
    shape, dtype = equation.results[0].shape, equation.results[0].dtype
    if any(batch) or len(left_axes) != 1 or dtype != "float32":
        raise Unsupported(f"dot_general {equation.params['dimension_numbers']} of {dtype}")
    left = np.moveaxis(views[0], left_axes[0], -1).reshape(-1, views[0].shape[left_axes[0]])
    right = np.moveaxis(views[1], right_axes[0], -1).reshape(-1, left.shape[1])
    tables = [np.repeat(left, len(right), axis=0), np.tile(right, (len(left), 1))]
    used = np.ones(tables[0].shape, bool)
    for place, (operand, axis) in enumerate(
        zip(equation.operands, (left_axes[0], right_axes[0]), strict=True)
    ):
        if operand in builder.concrete and len(operand.shape) == 2:
            own = np.moveaxis(builder.concrete[operand] != 0, axis, -1)
            other = (len(right), len(left))[place]
            used &= np.repeat(own, other, axis=0) if place == 0 else np.tile(own, (other, 1))
    if used.mean() < DENSE:
        sums: list[Products] = [
            list(zip(*(table[row][used[row]] for table in tables), strict=True)) for row in range(len(used))
        ]
        return builder.sums(body, sums, dtype).reshape(shape)
    return gathered(builder, body, "{} + {}", "all(0.0f)", tables, "{} * {}", dtype).reshape(shape)


def sum_of(products: Products) -> tuple[Text, Codes]:
    """The sum of products of elements."""
    codes = np.array([code for factors in products for code in factors], np.int64)
    ends = np.cumsum([0, *(len(factors) for factors in products)])

    def text(texts: Sequence[str]) -> str:
        parts = [" * ".join(texts[a:b]) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        return tree("{} + {}", parts) if parts else "all(0.0f)"

    return text, codes


def scatter_add(builder: Builder, body: Body, equation: Equation) -> Codes:
    """Elements added where constant indices say, as a list of terms for each result."""
    start, index, updates = equation.operands
    view, terms = builder.view(start), builder.view(updates).reshape(-1)
    places = structure.scatter_rows(equation, start.shape, builder.index(index)).reshape(-1)
    zero = is_zero(builder, view)
    lists: list[list[Code]] = [[] for _ in range(start.size)]
    for place, code in zip(places, terms, strict=True):
        lists[place].append(code)
    result = view.reshape(-1).copy()
    summed: dict[int, Products] = {}
    for row, (first, added) in enumerate(zip(view.reshape(-1), lists, strict=True)):
        alone = added if zero else [first, *added]
        if len(alone) == 1 and in_memory(builder, alone[0]):
            result[row] = alone[0]
        elif not alone:
            result[row] = builder.arrays.zero(start.dtype).number << 32
        else:
            summed[row] = [(code,) for code in alone]
    if summed:
        result[list(summed)] = builder.sums(body, list(summed.values()), start.dtype)
    return result.reshape(start.shape)


def in_memory(builder: Builder, code: Code) -> bool:
    """Whether an element moves and can be read by a table of places."""
    array, _ = builder.arrays.at(code)
    return array.moves and array.base == "s"


def is_zero(builder: Builder, view: Codes) -> bool:
    """Whether a view shows nothing but a constant zero."""
    if not uniform(view):
        return False
    array, at = builder.arrays.at(view.flat[0])
    return array.always_zero or array.fixed is not None and not array.fixed[at]


def scatter(builder: Builder, equation: Equation) -> Codes:
    """Elements put where constant indices say."""
    start, index, updates = equation.operands
    view = builder.view(start).reshape(-1).copy()
    places = structure.scatter_rows(equation, start.shape, builder.index(index)).reshape(-1)
    view[places] = builder.view(updates).reshape(-1)
    return view.reshape(start.shape)


def cumulative(builder: Builder, body: Body, equation: Equation, view: Codes) -> Codes:
    """Partial sums along an axis, one after the other."""
    axis, dtype = equation.params["axis"], equation.results[0].dtype
    rows = [np.asarray(row) for row in np.moveaxis(view, axis, 0)]
    if equation.params["reverse"]:
        rows = rows[::-1]
    sums = [rows[0]]
    for row in rows[1:]:
        sums.append(builder.elementwise(body, "add", {}, [sums[-1], row], dtype, row.shape))
    return np.stack(sums[::-1] if equation.params["reverse"] else sums, axis=axis)


def tree(pair: str, parts: list[str]) -> str:
    """Parts as one, two and two, so that no long chain forms."""
    while len(parts) > 1:
        joined = [f"({pair.format(a, b)})" for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = joined + parts[2 * len(joined) :]
    return parts[0]
