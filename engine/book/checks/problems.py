"""Problems of a book, each with its place and what was expected there."""

import dataclasses
from collections.abc import Iterable, Sequence

SHOWN = 50
"""Problems printed by a `BookError`; the rest are counted."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """One fault: file, row as an editor numbers it (None for a whole file), column, value and expectation."""

    file: str
    row: int | None
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        column = f", column {self.column}" if self.column else ""
        got = f" got {self.value!r}," if self.value else ""
        return f"{place}{column}:{got} expected {self.expected}"


class BookError(ValueError):
    """A book that cannot be used. `problems` has all of them, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"  {problem}" for problem in self.problems[:SHOWN])
        rest = len(self.problems) - SHOWN
        more = f"\n  ... and {rest} more" if rest > 0 else ""
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{len(self.problems)} {noun} in the book:\n{shown}{more}")


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
