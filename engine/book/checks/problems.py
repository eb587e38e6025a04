"""Problems of a book, each with its place and what was expected there."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

SHOWN = 50
"""Problems that are told; the rest are counted."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """One fault: file, row as an editor numbers it (None for a whole file), column, value and expectation."""

    file: str
    row: int | None
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        return self.sentence(self.row)

    def sentence(self, last: int | None) -> str:
        """The problem in words, of rows up to a last one."""
        rows = f"row {self.row}" if last == self.row else f"rows {self.row} to {last}"
        place = self.file if self.row is None else f"{self.file}, {rows}"
        column = f", column {self.column}" if self.column else ""
        got = f" got {self.value!r}," if self.value else ""
        return f"{place}{column}:{got} expected {self.expected}"


def sentences(problems: Sequence[Problem], shown: int = SHOWN) -> list[str]:
    """Problems in words, alike ones of rows that follow one another in one; the rest is counted.

    >>> sentences([Problem("loans", row, "coupon", "x", "a number") for row in (2, 3, 4, 7)])
    ["loans, rows 2 to 4, column coupon: got 'x', expected a number", \
"loans, row 7, column coupon: got 'x', expected a number"]
    """
    lines: list[str] = []

    def alike(place: int) -> tuple[Any, ...]:
        each = problems[place]
        return each.file, each.column, each.value, each.expected, (each.row or 0) - place

    for _, places in itertools.groupby(range(len(problems)), alike):
        group = [problems[place] for place in places]
        lines.append(group[0].sentence(group[-1].row))
    rest = len(lines) - shown
    return lines if rest <= 0 else [*lines[:shown], f"... and {rest} more"]


class BookError(ValueError):
    """A book that cannot be used. `problems` has all of them, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "".join(f"\n  {line}" for line in sentences(self.problems))
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{len(self.problems)} {noun} in the book:{shown}")


def expected(name: str, got: object, expectation: str) -> str:
    """The sentence of one problem."""
    return f"{name}: got {got!r}, expected {expectation}"


def complaint(problems: Sequence[str]) -> str:
    """The message of a command or a call that is refused: how many problems, then each.

    >>> print(complaint(["chips.life: got -1, expected a number above 0"]))
    undertow: 1 problem in the input, nothing was run
      chips.life: got -1, expected a number above 0
    """
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = ("  " + problem.replace("\n", "\n    ") for problem in problems)
    return "\n".join([f"undertow: {count} in the input, nothing was run", *lines])
