"""The operations of a traced program as loops over arrays, ready to be written as source.

Elementwise operations of one shape share a loop once their operands exist; values that only this loop reads
are never stored. Broadcasts, slices, transpositions and most reshapes are views and cost nothing. Stored
arrays occupy one scratch array and free their place after the last reader. Paths of one block
are the last axis of every array that moves, "lanes".
"""

from dataclasses import dataclass, field
from math import prod

import numpy as np
from jax.extend.core import Literal

from benchmarks.peers.numpy_paths import REDUCTIONS, evaluate, parts

LONGEST = 48
"""Operations of one loop, at most: more would spill registers."""
PAIRS = {"add", "sub", "mul", "div", "max", "min", "pow", "and", "or", "xor", "eq", "ne", "lt", "le", "gt"}
PAIRS |= {"ge", "shift_left", "shift_right_logical"}
SINGLE = {"neg", "exp", "log", "sqrt", "abs", "round", "is_finite", "not", "convert_element_type"}
ELEMENTWISE = PAIRS | SINGLE | {"select_n", "integer_pow"}
SAME = {"copy", "stop_gradient", "optimization_barrier"}


@dataclass(eq=False)
class Array:
    """A stored array: rows of lanes, or a constant. `fused`: computed elementwise by the loop `last`."""

    shape: tuple
    dtype: str
    first: int = -1
    last: int = -1
    fused: bool = False
    stored: bool = False
    read: int = -1
    place: int | None = None


@dataclass(frozen=True)
class View:
    """How an operand is read: element (i, j, ...) lies at offset + i strides[0] + j strides[1] + ..."""

    array: Array | None
    shape: tuple
    strides: tuple
    dtype: str
    offset: int = 0
    literal: object = None

    @property
    def whole(self) -> bool:
        """Whether it is the array itself, element by element."""
        return self.offset == 0 and self.shape == self.array.shape and self.dense

    @property
    def dense(self) -> bool:
        """Whether its elements follow one another."""
        return all(
            n == 1 or a == b for n, a, b in zip(self.shape, self.strides, dense(self.shape), strict=True)
        )


@dataclass
class Loop:
    """Items (name, result, operands, parameters) over one shape."""

    shape: tuple
    kind: str = "elementwise"
    items: list = field(default_factory=list)


def dense(shape) -> tuple:
    """Strides of elements that follow one another."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def flat(jaxpr, consts, arguments, known, equations):
    """Equations (primitive, parameters, operands, results) with inner programs written out.

    An operand is a key of `known`, the table of constants and arguments, or of an equation's result.
    """
    names = dict(zip(jaxpr.invars, arguments, strict=True))
    for variable, const in zip(jaxpr.constvars, consts, strict=True):
        names[variable] = known_key(known, const)

    def key(atom):
        if isinstance(atom, Literal):
            return known_key(known, np.asarray(atom.val, atom.aval.dtype))
        return names[atom]

    for equation in jaxpr.eqns:
        operands = [key(atom) for atom in equation.invars]
        if equation.primitive.name in ("jit", "pjit"):
            inner = equation.params["jaxpr"]
            results = flat(inner.jaxpr, inner.consts, operands, known, equations)
            names.update(zip(equation.outvars, results, strict=True))
            continue
        for part in parts(equation):
            [result] = part.outvars
            names[result] = object()
            equations.append((part, operands, names[result]))
    return [key(atom) for atom in jaxpr.outvars]


def known_key(known, value):
    """A new key for a constant."""
    key = object()
    known[key] = np.asarray(value)
    return key


def fold_constants(equations, known):
    """Evaluate equations of known values by NumPy; the other equations."""
    remainder = []
    for equation, operands, result in equations:
        if all(operand in known for operand in operands):
            known[result] = np.asarray(evaluate(equation, [known[operand] for operand in operands]))
        else:
            remainder.append((equation, operands, result))
    return remainder


class Loops:
    """Loops of a list of flat equations. `values` maps keys to views and grows.

    A path's number has 64 bits, kept as two `words`, the low one first.
    """

    def __init__(self, equations, values, constants, words):
        self.values, self.constants, self.words = values, constants, words
        self.loops: list[Loop] = []
        for equation, operands, result in equations:
            self.values[result] = self.add(equation, [self.read(operand) for operand in operands])

    def read(self, key) -> View:
        """The view of an operand."""
        return self.values[key] if key in self.values else self.constants(key)

    def ready(self, view, shape) -> int:
        """First loop over `shape` that may read a view; -1 where any may."""
        array = view.array
        if array is None or array.last < 0:
            return 0
        together = array.fused and view.whole and shape == array.shape
        return array.last if together else array.last + 1

    def put(self, shape, views, item, kind="elementwise", after=-1) -> int:
        """Place an item in the first loop over its shape, beyond `after`, that may read its operands."""
        at = max([self.ready(view, shape) for view in views] + [after + 1])
        place = len(self.loops)
        if kind == "elementwise":
            for number in range(at, len(self.loops)):
                loop = self.loops[number]
                if loop.kind == kind and loop.shape == shape and len(loop.items) < LONGEST:
                    place = number
                    break
        if place == len(self.loops):
            self.loops.append(Loop(shape, kind))
        self.loops[place].items.append(item)
        for view in views:
            array = view.array
            if array is not None:
                array.read = max(array.read, place)
                array.stored |= not (array.fused and array.last == place and view.whole)
        return place

    def new_view(self, name, views, shape, dtype, parameters=None, over=None, kind="elementwise") -> View:
        """The view of the new array of an item."""
        array = Array(shape, dtype, fused=over is None, stored=over is not None)
        place = self.put(over or shape, views, (name, array, views, parameters), kind)
        array.first = array.last = place
        array.read = max(array.read, place)
        return View(array, shape, dense(shape), dtype)

    def solid(self, view) -> View:
        """The view itself where its elements follow one another, else a copy's."""
        if view.array is not None and view.dense:
            return view
        return self.new_view("copy", [view], view.shape, view.dtype)

    def add(self, equation, views) -> View:
        """The view of an equation's result."""
        name, parameters = equation.primitive.name, equation.params
        out = equation.outvars[0].aval
        shape, dtype = tuple(out.shape), str(out.dtype)
        if views[0].dtype == "int64":
            return self.word(name, views)
        if name in SAME or name == "convert_element_type" and views[0].dtype == dtype:
            return views[0]
        if name in ELEMENTWISE:
            wide = [spread(view, shape) for view in views]
            return self.new_view(name, wide, shape, dtype, parameters)
        if name in REDUCTIONS:
            return self.reduction(name, views[0], parameters["axes"], shape, dtype)
        if not hasattr(self, name.replace("-", "_")):
            raise NotImplementedError(f"operation {name}")
        return getattr(self, name.replace("-", "_"))(parameters, views, shape, dtype)

    def word(self, name, views) -> View:
        """One of the two words of paths' numbers."""
        view, *_ = views
        if name == "convert_element_type":
            return View(view.array, view.shape, view.strides, "uint32")
        if name != "shift_right_arithmetic" or views[1].literal != 32:
            raise NotImplementedError(f"{name} of 64 bits")
        return View(self.words[1], view.shape, view.strides, "int64")

    def reduction(self, name, view, axes, shape, dtype) -> View:
        """Rows accumulated in the result, one after another."""
        strides = list(dense(shape))
        for axis in sorted(axes):
            strides.insert(axis, 0)
        return self.new_view(name, [view], shape, dtype, tuple(strides), over=view.shape)

    def broadcast_in_dim(self, parameters, views, shape, dtype) -> View:
        strides = [0] * len(shape)
        for axis, place in enumerate(parameters["broadcast_dimensions"]):
            strides[place] = views[0].strides[axis] if views[0].shape[axis] > 1 else 0
        return reshape_view(views[0], shape, strides)

    def squeeze(self, parameters, views, shape, dtype) -> View:
        strides = [s for axis, s in enumerate(views[0].strides) if axis not in parameters["dimensions"]]
        return reshape_view(views[0], shape, strides)

    def transpose(self, parameters, views, shape, dtype) -> View:
        return reshape_view(views[0], shape, [views[0].strides[axis] for axis in parameters["permutation"]])

    def slice(self, parameters, views, shape, dtype) -> View:
        starts, steps = parameters["start_indices"], parameters["strides"] or (1,) * len(shape)
        strides = views[0].strides
        offset = sum(start * stride for start, stride in zip(starts, strides, strict=True))
        strides = [step * stride for step, stride in zip(steps, strides, strict=True)]
        return reshape_view(views[0], shape, strides, views[0].offset + offset)

    def element(self, parameters, views, shape, dtype) -> View:
        axis, strides = parameters["axis"], list(views[0].strides)
        offset = parameters["place"] * strides.pop(axis)
        return reshape_view(views[0], shape, strides, views[0].offset + offset)

    def reshape(self, parameters, views, shape, dtype) -> View:
        long = [(n, s) for n, s in zip(views[0].shape, views[0].strides, strict=True) if n > 1]
        if [n for n, _ in long] == [n for n in shape if n > 1]:
            rest = iter(long)
            return reshape_view(views[0], shape, [next(rest)[1] if n > 1 else 0 for n in shape])
        view = self.solid(views[0])
        return reshape_view(view, shape, dense(shape))

    def concatenate(self, parameters, views, shape, dtype) -> View:
        axis, start, strides = parameters["dimension"], 0, dense(shape)
        array, places = Array(shape, dtype, stored=True), []
        for view in views:
            at = (start * strides[axis], strides)
            places.append(self.put(view.shape, [view], ("part", array, [view], at)))
            start += view.shape[axis]
        array.first, array.last, array.read = min(places), max(places), max(places)
        return View(array, shape, strides, dtype)

    def stack(self, parameters, views, shape, dtype) -> View:
        axis = parameters["axis"]
        parts = [
            reshape_view(v, (*v.shape[:axis], 1, *v.shape[axis:]), (*v.strides[:axis], 0, *v.strides[axis:]))
            for v in views
        ]
        if axis < len(shape) - 1:
            return self.concatenate({"dimension": axis}, parts, shape, dtype)
        # Lanes stay the last axis of what is stored.
        columns = [reshape_view(p, (1, *p.shape[:-1]), (0, *p.strides[:-1])) for p in parts]
        view = self.concatenate({"dimension": 0}, columns, (shape[-1], *shape[:-1]), dtype)
        return reshape_view(view, shape, (*view.strides[1:], view.strides[0]))

    def gather(self, parameters, views, shape, dtype) -> View:
        numbers, (value, rows) = parameters["dimension_numbers"], views
        if numbers.start_index_map != (0,) or parameters["slice_sizes"][1:] != value.shape[1:]:
            raise NotImplementedError(f"gather {numbers}, expected whole rows")
        return self.new_view("gather", [self.solid(value), rows], shape, dtype, over=shape, kind="gather")

    def scatter_add(self, parameters, views, shape, dtype) -> View:
        if parameters["dimension_numbers"].scatter_dims_to_operand_dims != (0,):
            raise NotImplementedError("scatter-add, expected whole rows")
        start, rows, updates = views
        views = [spread(start, shape), rows, self.solid(updates)]
        return self.new_view("scatter", views, shape, dtype, over=shape, kind="scatter")

    def dot_general(self, parameters, views, shape, dtype) -> View:
        left, right = views
        axes, batch = parameters["dimension_numbers"]
        if left.array is None and axes[1] == (0,):
            # All elements are one number, so all rows of the result are one.
            products = self.new_view("mul", [right, spread(left, right.shape)], right.shape, dtype)
            total = self.reduction("reduce_sum", products, (0,), right.shape[1:], dtype)
            return reshape_view(total, shape, (0,) * (len(left.shape) - 1) + total.strides)
        if not any(batch) and len(left.shape) == len(axes[1]) == 1 and axes[1] != (0,):
            # A vector along another axis than the first: products and their sum.
            along = axes[1][0]
            ones = [left.shape[0] if axis == along else 1 for axis in range(len(right.shape))]
            steps = [left.strides[0] if axis == along else 0 for axis in range(len(right.shape))]
            weight = spread(reshape_view(left, ones, steps), right.shape)
            products = self.new_view("mul", [right, weight], right.shape, dtype)
            return self.reduction("reduce_sum", products, axes[1], shape, dtype)
        if any(batch) or axes[1] != (0,) or left.array.last >= 0:
            raise NotImplementedError(f"dot {axes} of {left}, {right}, expected constant times moving")
        axis = axes[0][0]
        order = (*(a for a in range(len(left.shape)) if a != axis), axis)
        left = reshape_view(left, [left.shape[a] for a in order], [left.strides[a] for a in order])
        return self.new_view("dot", [left, self.solid(right)], shape, dtype, over=shape, kind="dot")


def reshape_view(view, shape, strides, offset=None) -> View:
    """Another view of the same array."""
    offset = view.offset if offset is None else offset
    return View(view.array, tuple(shape), tuple(strides), view.dtype, offset, view.literal)


def spread(view, shape) -> View:
    """A scalar, or one row for all, in a result's shape."""
    if not view.shape:
        return reshape_view(view, shape, (0,) * len(shape))
    strides = (s if n > 1 else 0 for n, s in zip(view.shape, view.strides, strict=True))
    return view if view.shape == tuple(shape) else reshape_view(view, shape, strides)


def allocate(loops, start, state) -> int:
    """Place the stored arrays of loops, but those of `state`, from `start` on by first fit; the end."""
    arrays = {item[1]: None for loop in loops for item in loop.items if item[1].stored}
    end, places = start, []
    for array in sorted((each for each in arrays if each not in state), key=lambda each: each.first):
        places = sorted(each for each in places if each[2] >= array.first)
        place, size = start, -(-prod(array.shape) // 16) * 16
        for low, high, _ in places:
            if place + size <= low:
                break
            place = max(place, high)
        array.place = place
        places.append((place, place + size, array.read))
        end = max(end, place + size)
    return end
