"""The full model in Numba, compiled, parallel over blocks of paths: the engine's own operations as loops.

One path, with the paths of a block on the last axis, is traced as for NumPy, gathered into loops (`loops.py`)
and written as source (`kernels.py`). A thread's scratch memory holds constants, values of the month's
calendar row, the state of a block and the arrays of the month.
"""

from collections import ChainMap

import jax
import numpy as np

from benchmarks.peers import kernels
from benchmarks.peers.compiler import carray, cfunc, njit, prange, select, use_threads
from benchmarks.peers.loops import Array, Loops, View, allocate, dense, flat, fold_constants
from benchmarks.peers.numpy_paths import begin, month
from engine.draws.address import seed_words

LANES = 64
"""Paths of a block."""
NAMESPACE = {
    "np": np, "F32": np.float32, "U32": np.uint32, "I32": np.int32, "I64": np.int64,
    "prange": prange, "ZERO": np.float32(0.0), "INF": np.float32(np.inf),
    "select": select, "exp": kernels.exp, "log": kernels.log, "power": kernels.power,
}  # fmt: skip


class Table:
    """Path-independent values: constants, in the first words of the scratch, then those of a month."""

    def __init__(self):
        self.known, self.monthly = {}, {}
        self.fixed: list = []
        self.moving: list = []
        self.views: dict = {}

    def __call__(self, key) -> View:
        """The view of a constant or of a month's value, placed at its first reading."""
        if key not in self.views:
            self.views[key] = self.place_value(key)
        return self.views[key]

    def place_value(self, key) -> View:
        """A month's own value or a constant."""
        if key in self.monthly:
            return self.store(np.stack(self.monthly[key]), self.moving)
        return self.constant(self.known[key])

    def constant(self, value) -> View:
        """One number for all where they are equal."""
        if value.dtype == np.int64:
            value = value.astype(np.int32)
        if value.size and np.all(value == value.flat[0]):
            return View(None, value.shape, (0,) * value.ndim, str(value.dtype), literal=value.flat[0])
        return self.store(value[None], self.fixed)

    def store(self, values, where) -> View:
        """The view of values [months ...]; a constant last axis is stored once."""
        shape, dtype = values.shape[1:], str(values.dtype)
        strides = dense(shape)
        if values.ndim > 1 and np.all(values == values[..., :1]):
            values = values[..., :1]
            strides = (*dense(values.shape[1:])[:-1], 0)
        array = Array(values.shape[1:], dtype)
        words = values.astype(np.uint32) if dtype == "bool" else values
        where.append((array, np.ascontiguousarray(words).view(np.float32).reshape(len(values), -1)))
        return View(array, shape, strides, dtype)

    def lay_out(self, where, start):
        """Give places from `start` on; the words [months words] of all."""
        end = start
        for array, words in where:
            array.place = end
            end += words.shape[1]
        blank = np.zeros((len(where[0][1]), -end % 16), np.float32)
        return np.concatenate([*(words for _, words in where), blank], 1), end + blank.shape[1]


class Paths:
    """`Paths(system, seed)(first, count)`: system loss at the end of each of `count` paths from `first`.

    `count` is a multiple of `lanes`. Unless `compiled`, Python interprets the source, for a test.
    """

    def __init__(self, system, seed: int, lanes: int = LANES, compiled: bool = True):
        self.lanes, self.table = lanes, Table()
        calendar = jax.tree.map(np.asarray, system.calendar)
        self.months = calendar.month.shape[0]
        fixed, ids = (system, seed_words(seed)), np.arange(lanes, dtype=np.int64)
        self.words = [Array((lanes,), "uint32") for _ in range(2)]
        numbers = View(self.words[0], (lanes,), (1,), "int64")

        fate, state, draws = jax.eval_shape(lambda ids: begin(fixed, ids), ids)
        arrays = jax.tree.map(array_of, (fate, state, draws))
        self.draws = [
            (arrays[2].normals, array_of(jax.eval_shape(lambda x: x[0], draws.normals))),
            (arrays[2].uniforms, array_of(jax.eval_shape(lambda x: x[0], draws.uniforms))),
        ]
        self.result = arrays[1].legacy_loss, arrays[1].new_money_loss
        self.state = [*self.words, *jax.tree.leaves(arrays), *(one for _, one in self.draws)]

        self.begin_loops = self.loops(begin, fixed, (ids,), [], [numbers], jax.tree.leaves(arrays))
        row = jax.tree.map(lambda leaf: leaf[0], calendar)
        rows = [[leaf[place] for leaf in jax.tree.leaves(calendar)] for place in range(self.months)]
        ones = [one for _, one in self.draws]
        sources = [numbers, *map(whole, [*jax.tree.leaves(arrays[:2]), *ones])]
        arguments = (row, ids, fate, state, *(jax.ShapeDtypeStruct(one.shape, one.dtype) for one in ones))
        self.month = self.loops(month, fixed, arguments, rows, sources, jax.tree.leaves(arrays[1]))
        self.place()
        self.kernel = self.build_kernel(compiled)

    def loops(self, function, fixed, arguments, rows, sources, targets):
        """Loops of a function whose results end in `targets`.

        Leaves of its arguments: those of a row, given for every month in `rows`, then what `sources` view.
        """
        leaves, tree = jax.tree.flatten(arguments)
        closed = jax.make_jaxpr(lambda *flat: function(fixed, *jax.tree.unflatten(tree, flat)))(*leaves)
        keys, known, equations = [object() for _ in leaves], self.table.known, []
        results = flat(closed.jaxpr, closed.consts, keys, known, equations)
        equations = fold_constants(equations, known)
        count = len(leaves) - len(sources)
        for row in rows:
            monthly = ChainMap(dict(zip(keys[:count], map(np.asarray, row), strict=True)), known)
            remainder = fold_constants(equations, monthly)
            for key, value in monthly.maps[0].items():
                self.table.monthly.setdefault(key, []).append(value)
        values = dict(zip(keys[count:], sources, strict=True))
        loops = Loops(remainder if rows else equations, values, self.table, self.words)
        return finish(loops, [loops.read(key) for key in results], targets)

    def place(self) -> None:
        """Places of everything."""
        self.fixed, end = self.table.lay_out(self.table.fixed, 0)
        self.monthly, end_rows = self.table.lay_out(self.table.moving, end)
        end = end_rows
        for array in self.state:
            array.place = end
            end += -(-int(np.prod(array.shape)) // 16) * 16
        self.size = max(allocate(loops, end, self.state) for loops in (self.begin_loops, self.month))

    def build_kernel(self, compiled):
        """The function of all blocks, which calls those of the loops."""
        sources = [kernels.Source("begin", self.begin_loops), kernels.Source("month", self.month)]
        names = NAMESPACE | ({} if compiled else {"select": python_select, "scratch": lambda f: f})
        if compiled:
            names["scratch"] = scratch_of(self.size)
        exec("\n".join(line for source in sources for line in source.lines), names)
        # Called by address: to link them with their caller would compile all of them once more.
        self.callbacks = {
            name: cfunc("void(CPointer(float32))", **kernels.FAST)(names[name])
            for source in sources for name in source.names if compiled
        }  # fmt: skip
        names |= {name: callback.ctypes for name, callback in self.callbacks.items()}
        argument = "f.ctypes" if compiled else "f"
        calls = [[f"{name}({argument})" for name in source.names] for source in sources]
        copies = [
            f"f[{to.place}:{to.place + np.prod(to.shape)}] = "
            f"f[{of.place} + place * {np.prod(to.shape)}:{of.place} + (place + 1) * {np.prod(to.shape)}]"
            for of, to in self.draws
        ]
        low, high = (word.place for word in self.words)
        legacy, fresh = (array.place for array in self.result)
        text = "\n".join([
            "def kernel(first, fixed, monthly, losses, threads):",
            " for thread in prange(threads):",
            f"  f = np.zeros({self.size}, F32)",
            "  u = f.view(U32)",
            "  f[:fixed.size] = fixed",
            f"  for block in range(thread, losses.size // {self.lanes}, threads):",
            f"   for l in range({self.lanes}):",
            f"    path = first + block * {self.lanes} + l",
            f"    u[{low} + l] = U32(path)",
            f"    u[{high} + l] = U32(path >> 32)",
            *(f"   {call}" for call in calls[0]),
            f"   for place in range({self.months}):",
            "    f[fixed.size:fixed.size + monthly.shape[1]] = monthly[place]",
            *(f"    {line}" for line in copies),
            *(f"    {call}" for call in calls[1]),
            f"   for l in range({self.lanes}):",
            f"    losses[block * {self.lanes} + l] = f[{legacy} + l] + f[{fresh} + l]",
        ])  # fmt: skip
        exec(text, names)
        return njit(parallel=True, **kernels.FAST)(names["kernel"]) if compiled else names["kernel"]

    def __call__(self, first: int, count: int, threads: int | None = None):
        """On all cores, or on so many threads."""
        threads = use_threads(threads)
        losses = np.empty(count, np.float32)
        self.kernel(np.int64(first), self.fixed[0], self.monthly, losses, threads)
        return losses


def scratch_of(size):
    """The function that views the memory at an address as an array."""

    @njit
    def scratch(at):
        return carray(at, (size,))

    return scratch


def python_select(which, yes, no):
    """`select` in plain Python."""
    return yes if which else no


def finish(loops, views, targets):
    """Loops that end with results copied to their own arrays, after the last reader of the old content."""
    views = [
        loops.made("copy", [view], view.shape, view.dtype)
        if view.array in targets and not (view.array is target and view.whole) else view
        for view, target in zip(views, targets, strict=True)
    ]  # fmt: skip
    for view, target in zip(views, targets, strict=True):
        if view.array is not target:
            part = ("part", target, [view], (0, dense(view.shape)))
            loops.put(view.shape, [view], part, after=target.read)
    for target in targets:
        target.read = -1
    return loops.loops


def array_of(leaf) -> Array:
    """An array of the shape and type of a traced value."""
    return Array(tuple(leaf.shape), str(leaf.dtype))


def whole(array) -> View:
    """All of an array."""
    return View(array, array.shape, dense(array.shape), array.dtype)
