"""When every array is made and last read, and so where it lies: first fit by liveness."""

from collections import defaultdict
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


def readers(item: Any) -> list[tuple[Codes, Copy | None]]:
    """Views that an item reads, each with the copy that reads it."""
    if isinstance(item, Turns):
        return [*((copy.operand, copy) for copy in item.start), *((codes, None) for _, codes in item.rows)]
    return [(codes, None) for codes in reads(item)]


def array_of(codes: Codes, arrays: Arrays, size: int) -> Array | None:
    """The array of so many elements that a view shows as it is; None where it shows another thing."""
    flat = codes.reshape(-1)
    array = arrays.at(flat[0])[0] if flat.size else None
    whole = (
        array is not None
        and array.moves
        and array.size == size
        and np.array_equal(flat, array.codes((size,)))
    )
    return array if whole else None


def home_of(array: Array) -> Array:
    """The array in whose place an array lies in the end."""
    return array if array.home is None else home_of(array.home)


def variables(group: Group) -> set[Array]:
    """Arrays of few numbers that straight code makes."""
    return set() if group.size else {item.result for item in group.items if isinstance(item, Rows)}


def readable_as_variable(array: Array, here: set[Array], form: Form) -> bool:
    """Whether a local array can be read as a variable where `here` was made.

    Lanes read variables of their own group alone, to need fewer registers. A 64-bit integer has no place in
    memory and is a variable everywhere.
    """
    return array.local and (not form.spread or array in here or array.dtype == "int64")


class Timeline:
    """First and last group of every array, on one clock through all bodies."""

    def __init__(self, body: Body, arrays: Arrays, inputs: Sequence[Array], results: list[Codes], form: Form):
        self.arrays, self.clock, self.form = arrays, 0, form
        self.first: dict[Array, int] = {}
        self.last: dict[Array, int] = {}
        self.uses: dict[Array, list[tuple[int, Any]]] = defaultdict(list)
        self.loops: dict[Turns, tuple[int, int]] = {}
        for array in (*inputs, *arrays.zeros.values()):
            self.made(array)
        self.walk(body, [])
        self.clock += 1
        for codes in results:
            self.read(codes, [], None)
            self.store(codes, set(), set())
        self.last |= dict.fromkeys(arrays.zeros.values(), self.clock)
        self.share()
        if form.near is not None:
            self.send_away(form.near)

    def walk(self, body: Body, around: list[tuple[Body, list[Array]]]) -> None:
        """Every group of a body; `around` are the bodies outside, each with what its loop will have read."""
        for group in body.groups:
            self.clock += 1
            inside, here = registers(group) if group.size else set(), variables(group)
            for item in group.items:
                for codes, reader in readers(item):
                    alone = bool(group.size) and array_of(codes, self.arrays, group.size) is not None
                    self.read(codes, around, group if alone else reader)
                    spread = self.form.spread and isinstance(item, Rows) and len(item.rows) > 1
                    self.store(codes, inside, set() if spread else here, group.size == 0, spread)
                if isinstance(item, Turns):
                    self.loop(item, body, around)
                else:
                    self.made(item.result)
        self.clock += 1
        for copy in body.end:
            self.read(copy.operand, around, copy)
            self.store(copy.operand, set(), set())
            self.made(copy.result)

    def loop(self, item: Turns, body: Body, around: list[tuple[Body, list[Array]]]) -> None:
        """A loop: what it carries and writes lives from its start, what it reads from outside to its end."""
        begin = self.clock
        for array in (*item.carry, *(whole for _, whole in item.results)):
            self.made(array)
        outside: list[Array] = [self.arrays.at(codes[0])[0] for _, codes in item.rows]
        self.walk(item.body, [*around, (body, outside)])
        self.clock += 1
        for array in (*outside, *item.carry, *(whole for _, whole in item.results)):
            self.last[array] = self.clock
        self.loops[item] = begin, self.clock

    def made(self, array: Array) -> None:
        """An array is written now."""
        self.first.setdefault(array, self.clock)
        self.last[array] = max(self.last.get(array, 0), self.clock)

    def read(self, codes: Codes, around: list[tuple[Body, list[Array]]], reader: Any) -> None:
        """The arrays of a view are read now; those of a body outside until its loop ends.

        `reader` is a copy, or a loop over elements that reads each for itself, or none.
        """
        for array in self.arrays.of(codes):
            if array.moves:
                self.last[array] = self.clock
                self.uses[array].append((self.clock, reader))
                for body, outside in around:
                    if array.body is body:
                        outside.append(array)

    def store(
        self, codes: Codes, inside: set[Array], here: set[Array], straight: bool = False, listed: bool = False
    ) -> None:
        """Arrays of a view that must lie in memory to be read.

        `inside` and `here` are the arrays whose elements are variables of the loop and of the straight code.
        """
        if not codes.size:
            return
        arrays = self.arrays.of(codes)
        for array in arrays:
            array.listed |= listed or len(arrays) > 1
            if not array.moves or (
                array.local and (straight or uniform(codes)) and readable_as_variable(array, here, self.form)
            ):
                continue
            own = codes.reshape(-1)
            whole = own.size == array.size and np.array_equal(own, array.codes((array.size,)))
            if not (array in inside and whole):
                array.stored = True

    # Arrays in the place of others, so that a copy between them is none.

    def share(self) -> None:
        """What a loop begins with and what a turn hands on lies where the loop carries it, if it can."""
        for item, (_, end) in self.loops.items():
            starts = {copy.result: copy for copy in item.start}
            for copy in item.body.end:
                carried, new = copy.result, array_of(copy.operand, self.arrays, copy.result.size)
                if carried in starts and new is not None and new.body is item.body and self.free(new):
                    begins = {each for inner in self.loops for each in inner.start if each.result is new}
                    if all(self.over(use, new, end, begins | {copy}) for use in self.uses[carried]):
                        self.join(new, carried)
        for item, (begin, _) in self.loops.items():
            for copy in item.start:
                start = array_of(copy.operand, self.arrays, copy.result.size)
                if start is None or not self.free(start) or start.body is not item.body.outer:
                    continue
                if all(at < begin or reader in item.start for at, reader in self.uses[start]):
                    self.join(start, copy.result)

    def join(self, array: Array, other: Array) -> None:
        """An array lies in another's place."""
        array.home, own = other, home_of(other)
        self.first[own] = min(self.first[own], self.first[array])
        self.last[own] = max(self.last[own], self.last[array])

    def free(self, array: Array) -> bool:
        """Whether an array may lie in another's place."""
        return array.stored and array.base == "s" and not array.always_zero and array.home is None

    def over(self, use: tuple[int, Any], new: Array, end: int, copies: set[Copy]) -> bool:
        """Whether a use of a carried array comes before its new value, makes it, or comes after the loop."""
        at, reader = use
        begin = self.first[new]
        return (
            at < begin
            or at > end
            or reader in copies
            or (at == begin and isinstance(reader, Group) and reader.size == new.size)
        )

    def send_away(self, near: int) -> None:
        """What near memory has no room for lies far: first what is read least for the time it takes room."""
        families: dict[Array, list[Array]] = defaultdict(list)
        for array in self.first:
            if array.stored and array.base == "s":
                families[home_of(array)].append(array)
        load = np.zeros(self.clock + 2, np.int64)
        movable = {}
        for own, family in families.items():
            span = slice(self.first[own], self.last[own] + 1)
            load[span] += own.size
            uses = sum(len(self.uses[array]) + 1 for array in family)
            if not any(array.listed or array.local or array.always_zero for array in family):
                movable[own] = (span.stop - span.start) / uses
        room = near
        while self.place("s") > near:
            room -= max(near // 64, 1)
            while load.max() > room:
                peak = int(load.argmax())
                alive = [own for own in movable if self.first[own] <= peak <= self.last[own]]
                if not alive:
                    return
                own = max(alive, key=lambda each: movable[each])
                del movable[own]
                load[self.first[own] : self.last[own] + 1] -= own.size
                for array in families.pop(own):
                    array.base = self.form.far

    def place(self, base: str) -> int:
        """Places for all stored arrays of a memory; its size."""
        taken: list[tuple[int, int, int]] = []
        end = 0
        stored = [array for array in self.first if array.stored and array.base == base]
        alone = [array for array in stored if array.home is None]
        for array in sorted(alone, key=lambda array: self.first[array]):
            taken = sorted(each for each in taken if each[2] >= self.first[array])
            at = 0
            for low, high, _ in taken:
                if at + array.size <= low:
                    break
                at = max(at, high)
            array.place = at
            taken.append((at, at + array.size, self.last[array]))
            end = max(end, at + array.size)
        for array in stored:
            array.place = home_of(array).place
        return end
