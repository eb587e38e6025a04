"""Loops written as Numba functions of one float32 scratch array, innermost over lanes."""

import math

import numpy as np

from benchmarks.peers.compiler import njit, select
from benchmarks.peers.loops import dense

F32, U32, I32 = np.float32, np.uint32, np.int32
FAST = {"fastmath": {"contract", "nsz", "arcp"}, "error_model": "numpy"}
"""Not all of fastmath: the order of sums and infinities matter."""
LONG = 150
"""Operations of one function: compile time grows faster than linearly in them."""
WORDS = {"float32": "f", "uint32": "u", "int32": "i", "bool": "u"}
WRAP = {"uint32": "U32({})", "int32": "I32({})"}
SIGNS = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "pow": "power({}, {})",
    "and": "{} & {}", "or": "{} | {}", "xor": "{} ^ {}", "eq": "{} == {}", "ne": "{} != {}", "lt": "{} < {}",
    "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}", "shift_left": "{} << {}",
    "shift_right_logical": "{} >> {}", "max": "select({0} > {1}, {0}, {1})",
    "min": "select({0} < {1}, {0}, {1})", "neg": "-{}", "exp": "exp({})", "log": "log({})",
    "sqrt": "np.sqrt({})", "abs": "abs({})", "round": "np.rint({})", "is_finite": "abs({}) < INF",
    "select_n": "select({0}, {2}, {1})", "copy": "{}", "part": "{}",
}  # fmt: skip
REDUCED = {
    "reduce_sum": ("add", "0"), "reduce_max": ("max", "-np.inf"), "reduce_min": ("min", "np.inf"),
    "reduce_or": ("or", "0"), "reduce_and": ("and", "1"),
}  # fmt: skip
"""Operation of a reduction, and its value before the first row."""


@njit(**FAST)
def exp(x):
    """e^x to 1e-7 of itself (Cephes), between 1e-38 and 2e38."""
    x = select(x < F32(-87.3), F32(-87.3), select(x > F32(88.3), F32(88.3), x))
    whole = np.rint(x * F32(1.0 / math.log(2.0)))
    r = (x - whole * F32(0.693359375)) + whole * F32(2.12194440e-4)
    e = F32(1.9875691500e-4) * r + F32(1.3981999507e-3)
    e = e * r + F32(8.3334519073e-3)
    e = e * r + F32(4.1665795894e-2)
    e = e * r + F32(1.6666665459e-1)
    e = e * r + F32(5.0000001201e-1)
    e = e * (r * r) + r + F32(1.0)
    return e * U32(U32(I32(whole) + I32(127)) << U32(23)).view(F32)


@njit(**FAST)
def log(x):
    """Logarithm to 1e-7 (Cephes); -inf at zero."""
    bits = F32(x).view(U32)
    # The mantissa between sqrt(1/2) and sqrt(2).
    shifted = U32(bits - U32(0x3F3504F3))
    whole = F32(I32(shifted) >> I32(23))
    r = U32(U32(shifted & U32(0x007FFFFF)) + U32(0x3F3504F3)).view(F32) - F32(1.0)
    z = r * r
    p = F32(7.0376836292e-2) * r - F32(1.1514610310e-1)
    p = p * r + F32(1.1676998740e-1)
    p = p * r - F32(1.2420140846e-1)
    p = p * r + F32(1.4249322787e-1)
    p = p * r - F32(1.6668057665e-1)
    p = p * r + F32(2.0000714765e-1)
    p = p * r - F32(2.4999993993e-1)
    p = p * r + F32(3.3333331174e-1)
    p = r * z * p - whole * F32(2.12194440e-4) - F32(0.5) * z
    return select(x > F32(0.0), r + p + whole * F32(0.693359375), F32(-np.inf))


@njit(**FAST)
def power(x, y):
    """x^y of x >= 0."""
    return select(y == F32(0.0), F32(1.0), select(x > F32(0.0), exp(y * log(x)), F32(0.0)))


class Source:
    """Source of the functions part0, part1, ... that execute loops."""

    def __init__(self, name, loops):
        self.lines: list[str] = []
        self.names: list[str] = []
        size = LONG
        for loop in loops:
            if size >= LONG:
                self.names.append(f"{name}{len(self.names)}")
                self.lines += [f"def {self.names[-1]}(at):", " f = scratch(at)"]
                self.lines.append(" u, i = f.view(U32), f.view(I32)")
                size = 0
            getattr(self, loop.kind)(loop)
            size += len(loop.items)

    def elementwise(self, loop) -> None:
        """All items of a row for every lane; reductions accumulate the row."""
        body = Body(loop)
        for name, array, *_ in loop.items:
            if name in REDUCED:
                letter, size = WORDS[array.dtype], math.prod(array.shape)
                self.lines.append(f" for l in range({size}):")
                self.lines.append(f"  {letter}[{array.place} + l] = {cast(array.dtype, REDUCED[name][1])}")
        indent = " "
        for axis, rows in enumerate(loop.shape[:-1]):
            self.lines.append(f"{indent}for r{axis} in range({rows}):")
            indent += " "
        self.lines += [indent + line for line in body.row]
        self.lines.append(f"{indent}for l in range({loop.shape[-1]}):")
        self.lines += [f"{indent} {line}" for line in body.lane]

    def gather(self, loop) -> None:
        """Copy the rows that a table lists."""
        ((_, array, (value, rows), _),) = loop.items
        width = math.prod(array.shape[1:])
        letter, source = WORDS[array.dtype], value.array.place + value.offset
        self.lines += [
            f" for r in range({array.shape[0]}):",
            f"  k = I64({entry(rows)}) * {width}",
            f"  for l in range({width}):",
            f"   {letter}[{array.place} + r * {width} + l] = {letter}[{source} + k + l]",
        ]

    def scatter(self, loop) -> None:
        """Add rows at the positions that a table lists."""
        ((_, array, (start, rows, updates), _),) = loop.items
        width, size = math.prod(array.shape[1:]), math.prod(array.shape)
        if start.array is None:
            initial = cast(array.dtype, repr(start.literal.item()))
        elif start.dense:
            initial = f"f[{start.array.place + start.offset} + l]"
        else:
            raise NotImplementedError("scatter-add to a broadcast array")
        self.lines += [
            f" for l in range({size}):",
            f"  f[{array.place} + l] = {initial}",
            f" for r in range({updates.shape[0]}):",
            f"  k = I64({entry(rows)}) * {width}",
            f"  for l in range({width}):",
            f"   f[{array.place} + k + l] += f[{updates.array.place + updates.offset} + r * {width} + l]",
        ]

    def dot(self, loop) -> None:
        """A constant matrix times rows of lanes, four rows at a time."""
        ((_, array, (left, right), _),) = loop.items
        inner, width = right.shape[0], math.prod(right.shape[1:])
        out, x = array.place, right.array.place + right.offset
        a, across = left.array.place + left.offset, left.strides[-1]
        rows = left.shape[:-1]
        if len(rows) > 1:
            raise NotImplementedError(f"dot of a matrix of {left.shape}")
        down, count = (left.strides[0], rows[0]) if rows else (0, 1)
        self.lines.append(f" for r in range({count}):")
        self.lines += [
            f"  for l in range({width}):",
            f"   f[{out} + r * {width} + l] = ZERO",
            f"  for k in range({inner}):",
            f"   w = f[{a} + r * {down} + k * {across}]",
            "   if w != ZERO:",
            f"    for l in range({width}):",
            f"     f[{out} + r * {width} + l] += w * f[{x} + k * {width} + l]",
        ]


class Body:
    """Statements of an elementwise loop: those of a row, and those of each of its lanes."""

    def __init__(self, loop):
        self.loop, self.row, self.lane = loop, [], []
        self.loaded: dict = {}
        self.named: dict = {}
        for name, array, views, parameters in loop.items:
            operands = [self.operand(view) for view in views]
            if name in REDUCED:
                at = self.at(array.place, parameters)
                word = f"{WORDS[array.dtype]}[{at}]"
                more = reduction(name, array.dtype, word, operands[0])
                self.lane.append(f"{word} = {self.stored(array, more)}")
            elif name == "part":
                offset, strides = parameters
                at = self.at(array.place + offset, strides)
                self.lane.append(f"{WORDS[array.dtype]}[{at}] = {self.stored(array, operands[0])}")
            else:
                self.named[array] = f"t{len(self.named)}"
                self.lane.append(f"{self.named[array]} = {formula(name, array, views, operands, parameters)}")
                if array.stored:
                    at = self.at(array.place, dense(array.shape))
                    self.lane.append(f"{WORDS[array.dtype]}[{at}] = {self.stored(array, self.named[array])}")

    def stored(self, array, text) -> str:
        """A truth value as a word."""
        return f"select({text}, U32(1), U32(0))" if array.dtype == "bool" else text

    def at(self, place, strides) -> str:
        """Index of an element."""
        rows = [f"r{axis} * {s}" for axis, s in enumerate(strides[:-1]) if s]
        lane = [] if strides[-1] == 0 else ["l"] if strides[-1] == 1 else [f"l * {strides[-1]}"]
        return " + ".join([str(place), *rows, *lane])

    def operand(self, view) -> str:
        """A literal, the result of an earlier item, or a value loaded from the scratch array."""
        if view.array is None:
            return cast(view.dtype, repr(view.literal.item()))
        if view.array in self.named and view.whole:
            return self.named[view.array]
        at = self.at(view.array.place + view.offset, view.strides)
        key = (at, view.dtype)
        if key not in self.loaded:
            name = self.loaded[key] = f"x{len(self.loaded)}"
            word = f"{WORDS[view.dtype]}[{at}]"
            lines = self.row if view.strides[-1] == 0 else self.lane
            lines.append(f"{name} = {word} != U32(0)" if view.dtype == "bool" else f"{name} = {word}")
        return self.loaded[key]


def entry(rows) -> str:
    """Entry r of a table of rows."""
    if rows.array is None:
        return repr(rows.literal.item())
    return f"i[{rows.array.place + rows.offset} + r * {rows.strides[0]}]"


def cast(dtype, text) -> str:
    """A number of a type."""
    if dtype == "bool":
        return text if text in ("True", "False") else f"U32({text})"
    if text in ("inf", "-inf", "nan"):
        text = text.replace("inf", "np.inf").replace("nan", "np.nan")
    return f"{ {'float32': 'F32', 'uint32': 'U32', 'int32': 'I32'}[dtype] }({text})"


def reduction(name, dtype, word, operand) -> str:
    """The accumulated value of a reduction with one more row."""
    if dtype == "bool":
        return f"({word} != U32(0)) {'|' if name == 'reduce_or' else '&'} {operand}"
    return WRAP.get(dtype, "{}").format(SIGNS[REDUCED[name][0]].format(word, operand))


def formula(name, array, views, operands, parameters) -> str:
    """The text of one operation."""
    if name == "convert_element_type":
        if views[0].dtype == "bool":
            return f"select({operands[0]}, {cast(array.dtype, '1')}, {cast(array.dtype, '0')})"
        if array.dtype == "bool":
            return f"{operands[0]} != {cast(views[0].dtype, '0')}"
        return cast(array.dtype, operands[0])
    if name == "integer_pow":
        return " * ".join(operands * parameters["y"])
    if name == "not" and array.dtype == "bool":
        return f"not {operands[0]}"
    if name == "not":
        return WRAP[array.dtype].format(f"~{operands[0]}")
    return WRAP.get(array.dtype, "{}").format(SIGNS[name].format(*operands))
