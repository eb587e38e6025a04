"""What no path changes: computed by JAX before the kernel runs, handed to it as tables of words.

A table has a row for each turn of the loops around the place where it is read, [turns ..., words]. So new
numbers of a book need no new kernel; only values that decide which element is read (`concrete`) are written
into it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from engine.kernel.program import Equation, Program, Unsupported, Value, bodies, carry_range


@dataclass(eq=False, repr=False)
class Need:
    """Elements of a known value that a kernel reads, at words `place`, ... of its program's table."""

    value: Value
    index: np.ndarray
    inverse: bool  # read one over them
    place: int


@dataclass(eq=False, repr=False)
class Known:
    """The known values of a program and of its loops' bodies, and those that the kernel reads."""

    program: Program
    moving: set[Value]
    needs: dict[Program, list[Need]] = field(default_factory=lambda: defaultdict(list))
    words: dict[Program, int] = field(default_factory=lambda: defaultdict(int))
    places: dict[tuple, int] = field(default_factory=dict)

    def place(self, program: Program, value: Value, index: np.ndarray, inverse: bool = False) -> int:
        """Where the table of `program` has these elements of a value."""
        key = (program, value, index.tobytes(), inverse)
        if key not in self.places:
            self.places[key] = self.words[program]
            self.needs[program].append(Need(value, index, inverse, self.words[program]))
            self.words[program] += index.size * (2 if value.dtype == "int64" else 1)
        return self.places[key]

    def tables(self, arguments: Sequence[Any]) -> list[Array]:
        """The tables of the program and its bodies, uint32 [turns ..., words], from the known arguments."""

        def words(program: Program, read: Any) -> Array:
            # Behind a barrier, or the compiler pastes every part's computation into one loop.
            parts = [word_form(read(need), need.inverse) for need in self.needs[program]]
            parts = lax.optimization_barrier(parts)
            return jnp.concatenate([*parts, jnp.zeros(1, jnp.uint32)])

        tables = self.evaluate(self.program, dict(zip(self.inputs(), arguments, strict=True)), words)
        return [tables[number] for number, _ in enumerate(bodies(self.program))]

    def concrete(self, wanted: set[Value], arguments: Sequence[Any]) -> dict[Value, np.ndarray]:
        """Known values as NumPy arrays, by row of the loops around them: [turns ..., *shape]."""
        places: dict[Program, list[Value]] = defaultdict(list)

        def values(program: Program, read: Any) -> list[Any]:
            places[program] = [value for value in self.own(program) if value in wanted]
            return [read(Need(v, np.arange(v.size), False, 0)).reshape(v.shape) for v in places[program]]

        def run(*arguments: Any) -> dict[int, Any]:
            return self.evaluate(self.program, dict(zip(self.inputs(), arguments, strict=True)), values)

        found = jax.device_get(jax.jit(run)(*arguments))
        numbers = {number: program for number, program in enumerate(bodies(self.program))}
        return {
            value: data
            for number, rows in found.items()
            for value, data in zip(places[numbers[number]], rows, strict=True)
        }

    def inputs(self) -> list[Value]:
        """Inputs of the program that no path changes."""
        return [value for value in self.program.inputs if value not in self.moving]

    def own(self, program: Program) -> list[Value]:
        """Known inputs and results of a program's own equations."""
        values = [*program.inputs, *(value for equation in program.equations for value in equation.results)]
        return [value for value in values if value not in self.moving]

    def evaluate(self, program: Program, values: dict[Value, Any], collect: Any) -> dict[int, Any]:
        """`collect(program, read)` of the program and of its bodies by number, theirs with a row a turn."""
        numbers = {each: number for number, each in enumerate(bodies(self.program))}

        def run(program: Program, values: dict[Value, Any]) -> dict[int, Any]:
            collected: dict[int, Any] = {}

            def data(value: Value) -> Any:
                return value.data if value.data is not None else values[value]

            def read(need: Need) -> Any:
                return elements(jnp.asarray(data(need.value)), need.index)

            for equation in program.equations:
                if self.moving.isdisjoint(equation.results):
                    params = equation.primitive.get_bind_params(equation.params)
                    result = equation.primitive.bind(*map(data, equation.operands), **params)
                    results = result if equation.primitive.multiple_results else [result]
                    values = values | dict(zip(equation.results, results, strict=True))
                elif equation.body is not None:
                    collected |= self.turns(equation, values, run)
            return collected | {numbers[program]: collect(program, read)}

        return run(program, values)

    def turns(self, loop: Equation, values: dict[Value, Any], run: Any) -> dict[int, Any]:
        """What the body of a moving loop collects in each of its turns."""
        assert loop.body is not None
        _, last = carry_range(loop)
        pairs = zip(loop.body.inputs[last:], loop.operands[last:], strict=True)
        rows = {inner: outer for inner, outer in pairs if outer not in self.moving}
        leaves = [outer.data if outer.data is not None else values[outer] for outer in rows.values()]

        def turn(_: Any, leaves: list[Any]) -> dict[int, Any]:
            return run(loop.body, values | dict(zip(rows, leaves, strict=True)))

        return jax.vmap(turn)(jnp.arange(loop.params["length"]), list(map(jnp.asarray, leaves)))


def elements(values: Array, index: np.ndarray) -> Array:
    """Elements of an array in the order of flat positions."""
    flat, first, last = jnp.ravel(values), int(index[0]), int(index[-1]) + 1
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


def settled(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The one value of rows that do not change from turn to turn; raises Unsupported where they do."""
    rows = data.reshape(-1, *shape)
    if not np.array_equal(rows, np.broadcast_to(rows[:1], rows.shape)):
        raise Unsupported("indices that change from turn to turn of a loop")
    return rows[0]
