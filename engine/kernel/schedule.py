"""Later is better: an item moves to the last group that its readers allow where that saves memory.

A builder places every item as early as it can, so that arrays wait long for their readers. Moved late, and
best into the loop of its only reader, an item's result lives shorter or is a variable of that loop, and its
operands may live longer.
"""

import math
from collections import defaultdict
from typing import Any

from engine.kernel.arrays import Array, Arrays, Codes, uniform
from engine.kernel.body import LONGEST, Body, Group, Item, Turns
from engine.kernel.timeline import reads


def sink(body: Body, arrays: Arrays, results: list[Codes]) -> None:
    """Move the items of a body, and of the bodies of its loops, to later groups."""
    Sinking(body, arrays, results).run()
    for group in body.groups:
        for item in group.items:
            if isinstance(item, Turns):
                sink(item.body, arrays, [copy.operand for copy in item.body.end])
    body.groups = [group for group in body.groups if group.items]


def inner_reads(item: Any) -> list[Codes]:
    """Views that an item reads, those of a loop's own body among them."""
    views = list(reads(item))
    if isinstance(item, Turns):
        for group in item.body.groups:
            for each in group.items:
                views += inner_reads(each)
        views += [copy.operand for copy in item.body.end]
    return views


class Sinking:
    """Who reads what where in one body, kept true while items move."""

    def __init__(self, body: Body, arrays: Arrays, results: list[Codes]):
        self.body, self.arrays = body, arrays
        self.end = len(body.groups)
        self.readers: dict[Array, dict[Any, tuple[int, bool]]] = defaultdict(dict)
        self.writers: dict[Array, int] = defaultdict(int)
        for number, group in enumerate(body.groups):
            for item in group.items:
                self.note(item, number)
                if not isinstance(item, Turns):
                    self.writers[item.result] += 1
        for codes in results:
            for array in arrays.of(codes.reshape(-1)):
                self.readers[array][self] = (self.end, False)

    def note(self, item: Any, number: int) -> None:
        """An item reads in this group; whether its group may make what it reads."""
        group = self.body.groups[number]
        alone: dict[Array, bool] = {}
        for codes in inner_reads(item):
            for array in self.arrays.of(codes):
                alone[array] = alone.get(array, True) and self.body.together(array, codes, group.size, group)
        for array, same in alone.items():
            if array.moves:
                self.readers[array][item] = (number, same)

    def run(self) -> None:
        """From the last item to the first, so that readers move before what they read."""
        for number in range(len(self.body.groups) - 1, -1, -1):
            group = self.body.groups[number]
            for item in reversed(list(group.items)):
                if not isinstance(item, Turns) and self.writers[item.result] == 1:
                    self.move(item, number)

    def move(self, item: Any, number: int) -> None:
        """Move one item if that saves memory."""
        readers = self.readers[item.result].values()
        if not readers:
            return
        last = min(at if same else at - 1 for at, same in readers)
        own = self.body.groups[number]
        operands = sum(1 for codes in reads(item) if not uniform(codes)) if own.size else 0
        target = next(
            (at for at in range(last, number, -1) if self.room(self.body.groups[at], own.size, operands)),
            None,
        )
        if target is None or self.gain(item, number, target) <= 0:
            return
        own.items.remove(item)
        own.operands -= operands
        self.body.groups[target].items.insert(0, item)
        self.body.groups[target].operands += operands
        item.result.group = target
        self.note(item, target)

    def room(self, group: Group, size: int, operands: int) -> bool:
        """Whether a group is of this size and has room."""
        turns = any(isinstance(item, Turns) for item in group.items)
        return (
            bool(group.items)
            and group.size == size
            and not turns
            and (size == 0 or group.operands + operands <= LONGEST)
        )

    def gain(self, item: Any, number: int, target: int) -> float:
        """Words times groups that a move saves."""
        readers = self.readers[item.result].values()
        whole = isinstance(item, Item) and item.start is None
        if whole and all(at == target and same for at, same in readers):
            saved = math.inf  # a variable of the loop
        else:
            saved = item.result.size * (target - number)
        longer = 0
        for array in {array for codes in reads(item) for array in self.arrays.of(codes)}:
            if array.moves and array.body is self.body:
                others = [at for reader, (at, _) in self.readers[array].items() if reader is not item]
                longer += array.size * max(0, target - max(others, default=number))
        return saved - longer
