"""What a program or a loop's body does: items in groups, each group a loop over elements or straight code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.kernel.arrays import Array, Code, Codes, uniform
from engine.kernel.program import Equation, Program

LONGEST = 160
"""Operands of the items of one loop: more spill registers."""

Text = Callable[[Sequence[str]], str]
Products = list[tuple[Code, ...]]


@dataclass(eq=False, repr=False)
class Item:
    """Elementwise: element e of `result` from elements e of the operands.

    With `start` the elements are gathered in a result of one: text(result so far, operands ...), and `pair`
    makes one of two results.
    """

    result: Array
    text: Text
    operands: list[Codes]  # each [size of the loop]
    start: str | None = None
    pair: str = ""


@dataclass(eq=False, repr=False)
class Rows:
    """Element r of `result` from its own list of operands.

    `products` where every one is a sum of products of one or two elements.
    """

    result: Array
    rows: list[tuple[Text, Codes]]
    products: list[Products] | None = None


@dataclass(eq=False, repr=False)
class Copy:
    """Elements of a view put into a stored array from `first` on."""

    result: Array
    first: int
    operand: Codes


@dataclass(eq=False, repr=False)
class Turns:
    """A loop with a body: what it carries, the rows it reads and those it writes."""

    loop: Equation
    body: "Body"
    carry: list[Array]
    start: list[Copy]
    rows: list[tuple[Array, Codes]]  # the body's row and the whole it is one of
    results: list[tuple[Array, Array]]  # the body's row and the whole


@dataclass(eq=False, repr=False)
class Group:
    """Items that share a loop over `size` elements; 0 where they are straight code, one after the other."""

    size: int
    items: list[Any] = field(default_factory=list)
    operands: int = 0


@dataclass(eq=False, repr=False)
class Body:
    """Groups in order, of a program inside the bodies `outer`."""

    program: Program
    outer: "Body | None" = None
    groups: list[Group] = field(default_factory=list)
    end: list[Copy] = field(default_factory=list)

    def add(self, item: Any, size: int, reads: Sequence[Codes], arrays: Any) -> None:
        """Place an item in the first group of its kind that may read its operands."""
        first = 0
        for codes in reads:
            for array in arrays.of(codes):
                if array.body is self:
                    first = max(first, array.group + (0 if self.together(array, codes, size) else 1))
        number = self.place(first, size, sum(1 for codes in reads if not uniform(codes)) if size else 0)
        self.groups[number].items.append(item)
        item.result.body, item.result.group = self, max(number, item.result.group)

    def together(self, array: Array, codes: Codes, size: int, group: Group | None = None) -> bool:
        """Whether a group of this size may read a view of an array that it makes itself."""
        group = group or self.groups[array.group]
        if group.size != size or any(isinstance(item, Turns) for item in group.items):
            return False
        return size == 0 or array.size == size and np.array_equal(codes, array.codes(codes.shape))

    def place(self, first: int, size: int, operands: int) -> int:
        """The number of the first group from `first` on that has room for so many operands more."""
        for number in range(first, len(self.groups)):
            group = self.groups[number]
            turns = any(isinstance(item, Turns) for item in group.items)
            if group.size == size and not turns and (size == 0 or group.operands + operands <= LONGEST):
                group.operands += operands
                return number
        self.groups.append(Group(size, operands=operands))
        return len(self.groups) - 1

    def turns(self, item: Turns) -> int:
        """Place a loop behind everything there is; its number."""
        self.groups.append(Group(0, [item]))
        return len(self.groups) - 1
