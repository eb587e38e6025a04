"""What no path changes: computed by JAX before the kernel runs, handed to it as tables of words.

A table has a row for each turn of the loops around the place where it is read, [turns ..., words]. So new
numbers of a book need no new kernel; only values that decide which element is read (`concrete`) are written
into it.
"""

import functools
import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from engine.batch.loops import carry_range
from engine.kernel.program import Equation, Program, Unsupported, Value, bodies

INDEXED = {"gather", "scatter-add", "scatter_add", "scatter"}
"""Primitives whose second operand says which elements they read or write."""


@dataclass(eq=False, repr=False)
class Known:
    """What no path changes in a program and in the bodies of its loops: all but the `moving` values."""

    program: Program
    moving: set[Value]

    @functools.cached_property
    def concrete(self) -> Callable[..., dict[Value, np.ndarray]]:
        """The known values that the source depends on, from the known arguments.

        Indices, and where known matrices of products are not zero.
        """
        indices, matrices = self.choosing()
        wanted = [value for value in indices | matrices if value.data is None]
        order = [v for program in bodies(self.program) for v in self.own(program) if v in set(wanted)]

        def values(program: Program, read: Any) -> list[Any]:
            own = set(self.own(program))
            return [read(v, np.arange(v.size)).reshape(v.shape) for v in order if v in own]

        evaluate = jax.jit(lambda *arguments: self.evaluate(arguments, values))

        def concrete(*arguments: Any) -> dict[Value, np.ndarray]:
            rows = jax.device_get(evaluate(*arguments))
            flat = [data for number in sorted(rows) for data in rows[number]]
            found = dict(zip(order, flat, strict=True))
            found |= {value: value.data for value in indices | matrices if value.data is not None}
            result = {value: settled(found[value], value.shape) for value in indices}
            return result | {
                v: (by_turn(found[v], v.shape) != 0).any(0) for v in matrices if v not in indices
            }

        return concrete

    def choosing(self) -> tuple[dict[Value, None], dict[Value, None]]:
        """Known indices, and known matrices of products, in the order of the program."""
        indices: dict[Value, None] = {}
        matrices: dict[Value, None] = {}
        for program in bodies(self.program):
            for equation in program.equations:
                if self.moving.isdisjoint(equation.results):
                    continue
                known = [value for value in equation.operands if value not in self.moving]
                if equation.name in INDEXED and equation.operands[1] in known:
                    indices[equation.operands[1]] = None
                if equation.name == "dot_general":
                    matrices |= dict.fromkeys(value for value in known if len(value.shape) == 2)
        return indices, matrices

    def choosers(self) -> list[int]:
        """Places among the known inputs of those that decide indices and zeros."""
        origins = {value: {place} for place, value in enumerate(self.inputs())}

        def of(values: Iterable[Value]) -> set[int]:
            return set().union(*(origins.get(value, ()) for value in values))

        def follow(program: Program) -> None:
            for equation in program.equations:
                if self.moving.isdisjoint(equation.results):
                    origins.update(dict.fromkeys(equation.results, of(equation.operands)))
                elif equation.body is not None:
                    pairs = zip(equation.body.inputs, equation.operands, strict=True)
                    origins.update({inner: of([outer]) for inner, outer in pairs})
                    follow(equation.body)

        follow(self.program)
        return sorted(of(value for values in self.choosing() for value in values))

    def inputs(self) -> list[Value]:
        """Inputs of the program that no path changes."""
        return [value for value in self.program.inputs if value not in self.moving]

    def own(self, program: Program) -> list[Value]:
        """Known inputs and results of a program's own equations."""
        values = [*program.inputs, *(value for equation in program.equations for value in equation.results)]
        return [value for value in values if value not in self.moving]

    def evaluate(self, arguments: Sequence[Any], collect: Any) -> dict[int, Any]:
        """`collect(program, read)` of the program and of its bodies by number, theirs with a row a turn.

        `read(value, index)` gives a value's elements at flat positions.
        """
        numbers = {each: number for number, each in enumerate(bodies(self.program))}

        def run(program: Program, values: dict[Value, Any]) -> dict[int, Any]:
            collected: dict[int, Any] = {}

            def data(value: Value) -> Any:
                return value.data if value.data is not None else values[value]

            def read(value: Value, index: np.ndarray) -> Any:
                return elements(jnp.asarray(data(value)), index)

            for equation in program.equations:
                if self.moving.isdisjoint(equation.results):
                    params = equation.primitive.get_bind_params(equation.params)
                    result = equation.primitive.bind(*map(data, equation.operands), **params)
                    results = result if equation.primitive.multiple_results else [result]
                    values = values | dict(zip(equation.results, results, strict=True))
                elif equation.body is not None:
                    collected |= self.turns(equation, values, run)
            return collected | {numbers[program]: collect(program, read)}

        return run(self.program, dict(zip(self.inputs(), arguments, strict=True)))

    def turns(self, loop: Equation, values: dict[Value, Any], run: Any) -> dict[int, Any]:
        """What the body of a moving loop collects in each of its turns."""
        assert loop.body is not None
        _, last = carry_range(loop.params)
        pairs = zip(loop.body.inputs[last:], loop.operands[last:], strict=True)
        rows = {inner: outer for inner, outer in pairs if outer not in self.moving}
        leaves = [outer.data if outer.data is not None else values[outer] for outer in rows.values()]

        def turn(_: Any, leaves: list[Any]) -> dict[int, Any]:
            return run(loop.body, values | dict(zip(rows, leaves, strict=True)))

        return jax.vmap(turn)(jnp.arange(loop.params["length"]), list(map(jnp.asarray, leaves)))


@dataclass(eq=False, repr=False)
class Need:
    """Elements of a known value that a kernel reads; one over them where `inverse`."""

    value: Value
    index: np.ndarray
    inverse: bool


@dataclass(eq=False, repr=False)
class Tables:
    """The known numbers that a kernel reads: for each program a table of words."""

    known: Known
    needs: dict[Program, list[Need]] = field(default_factory=lambda: defaultdict(list))
    words: dict[Program, int] = field(default_factory=lambda: defaultdict(int))
    places: dict[tuple, int] = field(default_factory=dict)

    def place(self, program: Program, value: Value, index: np.ndarray, inverse: bool = False) -> int:
        """Where the table of `program` has these elements of a value."""
        key = (program, value, index.tobytes(), inverse)
        if key not in self.places:
            self.places[key] = self.words[program]
            self.needs[program].append(Need(value, index, inverse))
            self.words[program] += index.size * (2 if value.dtype == "int64" else 1)
        return self.places[key]

    @property
    def digest(self) -> str:
        """A hash of which elements of which values lie where."""
        programs = list(bodies(self.known.program))
        order = {v: n for n, v in enumerate(v for program in programs for v in self.known.own(program))}
        content = hashlib.sha256()
        for number, program in enumerate(programs):
            for need in self.needs[program]:
                data = need.value.data
                value = order[need.value] if data is None else f"constant {data.tobytes().hex()}"
                content.update(f"{number} {value} {need.inverse} {need.index.size} ".encode())
                content.update(need.index.astype(np.int64).tobytes())
        return content.hexdigest()

    def __call__(self, arguments: Sequence[Any]) -> list[Array]:
        """All tables, uint32 [turns ..., words], from the known arguments."""

        def words(program: Program, read: Any) -> Array:
            parts = [word_form(read(n.value, n.index), n.inverse) for n in self.needs[program]]
            if jax.default_backend() == "cpu":
                # Or the compiler pastes every part's computation into one loop; a GPU's refuses barriers.
                parts = lax.optimization_barrier(parts)
            return jnp.concatenate([*parts, jnp.zeros(1, jnp.uint32)])

        tables = self.known.evaluate(arguments, words)
        return [tables[number] for number in sorted(tables)]


def elements(values: Array, index: np.ndarray) -> Array:
    """Elements of an array in the order of flat positions."""
    flat = jnp.ravel(values)
    if not index.size:
        return flat[:0]
    first, last = int(index[0]), int(index[-1]) + 1
    if np.array_equal(index, np.arange(first, last)):
        return flat if last - first == flat.size else lax.slice(flat, (first,), (last,))
    return jnp.take(flat, index)


def word_form(values: Array, inverse: bool) -> Array:
    """Numbers as 32-bit words: booleans as masks, 64-bit integers as two words, the low one first."""
    if inverse:
        values = jnp.ones_like(values) / values
    if values.dtype == jnp.bool_:
        return jnp.where(values, jnp.uint32(0xFFFFFFFF), jnp.uint32(0))
    if values.dtype == jnp.int64:
        high = (values >> 32).astype(jnp.uint32)
        return jnp.stack([values.astype(jnp.uint32), high], axis=-1).ravel()
    if values.dtype not in (jnp.float32, jnp.int32, jnp.uint32):
        raise Unsupported(f"numbers of type {values.dtype}")
    return lax.bitcast_convert_type(values, jnp.uint32)


def by_turn(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The values of a shape in all turns of the loops around it, [turns ...]."""
    return data.reshape(math.prod(data.shape[: data.ndim - len(shape)]), *shape)


def settled(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The one value of rows that do not change from turn to turn; raises Unsupported where they do."""
    rows = by_turn(data, shape)
    if not np.array_equal(rows, np.broadcast_to(rows[:1], rows.shape)):
        raise Unsupported("indices that change from turn to turn of a loop")
    return rows[0]
