"""Numbers of a path where a kernel keeps them, and views of them as arrays of codes.

The code of an element says in which array it lies and where: number of the array << 32 | position. What
only rearranges elements (slices, broadcasts, gathers by constant indices, concatenations) rearranges codes,
and the kernel does nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernel.program import Program, Value

if TYPE_CHECKING:
    from engine.kernel.body import Body

Code = int | np.integer
Codes = np.ndarray
"""int64 codes in the shape of the value."""


@dataclass(eq=False, repr=False)
class Array:
    """Numbers of one type.

    An array with a `value` is known: written into the source or read from a table, or one over it. Every
    other is computed by `body` in its group `group`. Few numbers are `local`: variables of the kernel. The
    others lie in memory once `stored`, `place` elements behind `base`.
    """

    number: int
    size: int
    dtype: str
    value: Value | None = None
    inverse: bool = False
    owner: Program | None = None  # of a known array: whose table has it; None: the outermost's
    body: "Body | None" = None
    group: int = -1
    local: bool = False
    stored: bool = False
    always_zero: bool = False
    base: str = "s"
    place: int = -1
    listed: bool = False  # read through lists of places in near memory
    home: "Array | None" = None  # the array in whose place it lies

    @property
    def moves(self) -> bool:
        """Whether paths change it."""
        return self.value is None

    @property
    def fixed(self) -> np.ndarray | None:
        """The numbers that are written into the source, flat."""
        if self.value is None or self.value.data is None:
            return None
        data = np.ravel(self.value.data)
        return np.ones_like(data) / data if self.inverse else data

    def codes(self, shape: tuple[int, ...]) -> Codes:
        """The view of all elements in a shape."""
        return ((self.number << 32) + np.arange(self.size, dtype=np.int64)).reshape(shape)


class Arrays:
    """All arrays of a kernel by number."""

    def __init__(self) -> None:
        self.all: list[Array] = []
        self.twins: dict[tuple[Any, bool], Array] = {}
        self.zeros: dict[str, Array] = {}

    def new(self, size: int, dtype: str, **kind: Any) -> Array:
        """A new array."""
        array = Array(len(self.all), size, dtype, **kind)
        self.all.append(array)
        return array

    def constant(self, value: Value, owner: Program | None, inverse: bool = False) -> Array:
        """The array of a known value, or of one over it."""
        key = (value, inverse)
        if key not in self.twins:
            kind: dict[str, Any] = {"value": value, "inverse": inverse, "owner": owner}
            self.twins[key] = self.new(value.size, value.dtype, **kind)
        return self.twins[key]

    def zero(self, dtype: str) -> Array:
        """A zero in memory, so that a table of places may point at it."""
        if dtype not in self.zeros:
            self.zeros[dtype] = self.new(1, dtype, always_zero=True, stored=True)
        return self.zeros[dtype]

    def inverse(self, codes: Codes) -> Codes:
        """The view of one over known numbers."""
        result = codes.copy()
        for array in self.of(codes):
            assert array.value is not None
            twin = self.constant(array.value, array.owner, inverse=True)
            own = codes >> 32 == array.number
            result[own] = codes[own] + ((twin.number - array.number) << 32)
        return result

    def of(self, codes: Codes) -> list[Array]:
        """The arrays that a view looks at."""
        return [self.all[number] for number in np.unique(codes >> 32)]

    def at(self, code: Code) -> tuple[Array, int]:
        """The array and the position of an element."""
        return self.all[int(code) >> 32], int(code) & 0xFFFFFFFF

    def moves(self, codes: Codes) -> bool:
        """Whether any of the elements moves."""
        return any(array.moves for array in self.of(codes))


def uniform(codes: Codes) -> bool:
    """Whether a view shows one element throughout."""
    return bool((codes == codes.flat[0]).all())


def step(positions: np.ndarray) -> int | None:
    """The constant difference of positions; None where there is none."""
    if positions.size == 1:
        return 1
    steps = np.diff(positions)
    return int(steps[0]) if (steps == steps[0]).all() else None


def runs(codes: Codes) -> Iterator[tuple[int, Codes]]:
    """Stretches of a flat view that lie in one array with one step: (first element, its codes)."""
    first = 0
    while first < codes.size:
        last = first + 1
        width = codes[last] - codes[first] if last < codes.size else 0
        same = codes >> 32 == codes[first] >> 32
        while last < codes.size and same[last] and codes[last] - codes[last - 1] == width:
            last += 1
        yield first, codes[first:last]
        first = last
