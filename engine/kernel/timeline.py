"""When every array is made and last read, and so where it lies: first fit by liveness."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.kernel.arrays import Array, Arrays, Codes, uniform
from engine.kernel.body import Body, Copy, Group, Item, Rows, Turns
from engine.kernel.form import Form


def reads(item: Any) -> list[Codes]:
    """Views that an item reads, those of a loop's own body aside."""
    if isinstance(item, Item):
        return item.operands
    if isinstance(item, Rows):
        return [codes for _, codes in item.rows]
    if isinstance(item, Copy):
        return [item.operand]
    return [*(copy.operand for copy in item.start), *(codes for _, codes in item.rows)]


def registers(group: Group) -> set[Array]:
    """Arrays whose element of the turn is a variable of the group's loop."""
    return {item.result for item in group.items if isinstance(item, Item) and item.start is None}


def variables(group: Group) -> set[Array]:
    """Arrays of few numbers that straight code makes."""
    return set() if group.size else {item.result for item in group.items if isinstance(item, Rows)}


def readable_as_variable(array: Array, here: set[Array], form: Form) -> bool:
    """Whether a local array can be read as a variable where `here` was made.

    Lanes read variables of their own group alone, to need fewer registers. A 64-bit integer has no place in memory and is a variable everywhere.
    """
    return array.local and (not form.spread or array in here or array.dtype == "int64")


class Timeline:
    """First and last group of every array, on one clock through all bodies."""

    def __init__(
        self, body: Body, arrays: Arrays, inputs: Sequence[Array], results: list[Codes], form: Form
    ):
        self.arrays, self.clock, self.form = arrays, 0, form
        self.first: dict[Array, int] = {}
        self.last: dict[Array, int] = {}
        for array in (*inputs, *arrays.zeros.values()):
            self.made(array)
        self.walk(body, [])
        self.clock += 1
        for codes in results:
            self.read(codes, [])
            self.store(codes, set(), set())
        self.last |= dict.fromkeys(arrays.zeros.values(), self.clock)

    def walk(self, body: Body, around: list[tuple[Body, list[Array]]]) -> None:
        """Every group of a body; `around` are the bodies outside, each with what its loop will have read."""
        for group in body.groups:
            self.clock += 1
            inside, here = registers(group) if group.size else set(), variables(group)
            for item in group.items:
                for codes in reads(item):
                    self.read(codes, around)
                    spread = self.form.spread and isinstance(item, Rows) and len(item.rows) > 1
                    self.store(codes, inside, set() if spread else here, group.size == 0)
                if isinstance(item, Turns):
                    self.loop(item, body, around)
                else:
                    self.made(item.result)
        self.clock += 1
        for copy in body.end:
            self.read(copy.operand, around)
            self.store(copy.operand, set(), set())
            self.made(copy.result)

    def loop(self, item: Turns, body: Body, around: list[tuple[Body, list[Array]]]) -> None:
        """A loop: what it carries and writes lives from its start, what it reads from outside to its end."""
        for array in (*item.carry, *(whole for _, whole in item.results)):
            self.made(array)
        outside: list[Array] = [self.arrays.at(codes[0])[0] for _, codes in item.rows]
        self.walk(item.body, [*around, (body, outside)])
        self.clock += 1
        for array in (*outside, *item.carry, *(whole for _, whole in item.results)):
            self.last[array] = self.clock

    def made(self, array: Array) -> None:
        """An array is written now."""
        self.first.setdefault(array, self.clock)
        self.last[array] = max(self.last.get(array, 0), self.clock)

    def read(self, codes: Codes, around: list[tuple[Body, list[Array]]]) -> None:
        """The arrays of a view are read now; those of a body outside until its loop ends."""
        for array in self.arrays.of(codes):
            if array.moves:
                self.last[array] = self.clock
                for body, outside in around:
                    if array.body is body:
                        outside.append(array)

    def store(self, codes: Codes, inside: set[Array], here: set[Array], straight: bool = False) -> None:
        """Arrays of a view that must lie in memory to be read.

        `inside` and `here` are the arrays whose elements are variables of the loop and of the straight code.
        """
        if not codes.size:
            return
        for array in self.arrays.of(codes):
            if not array.moves or (
                array.local and (straight or uniform(codes)) and readable_as_variable(array, here, self.form)
            ):
                continue
            own = codes.reshape(-1)
            whole = own.size == array.size and np.array_equal(own, array.codes((array.size,)))
            if not (array in inside and whole):
                array.stored = True

    def place(self, base: str) -> int:
        """Places for all stored arrays of a memory; its size."""
        taken: list[tuple[int, int, int]] = []
        end = 0
        stored = [array for array in self.first if array.stored and array.base == base]
        for array in sorted(stored, key=lambda array: self.first[array]):
            taken = sorted(each for each in taken if each[2] >= self.first[array])
            at = 0
            for low, high, _ in taken:
                if at + array.size <= low:
                    break
                at = max(at, high)
            array.place = at
            taken.append((at, at + array.size, self.last[array]))
            end = max(end, at + array.size)
        return end
