"""How a kernel keeps the numbers of a path, and over how many lanes it spreads them."""

from collections.abc import Sequence
from dataclasses import dataclass

TERM, STORE = 4, 12
"""Instructions of a term of a sum that lanes share, and of keeping the sum (read off machine code)."""


@dataclass(frozen=True)
class Form:
    """A kernel's form; a CPU has one lane, which is a vector of paths.

    `few`: the most numbers of an array that are variables rather than memory. `far`: the memory of arrays of
    which a loop reads or writes a row a turn. `near`: the most words of a path in the memory `s`; what they
    have no room for lies far. `part`: the characters of source, about, from which on a loop's body on a CPU
    is functions of its own; fixed, as a product and a sum round once within a function alone.
    """

    lanes: int = 1
    few: int = 5
    far: str = "s"
    near: int | None = None
    part: int = 90_000

    @property
    def spread(self) -> bool:
        """Whether a path has many lanes: variables belong to the group that makes them, sums are shared."""
        return self.lanes > 1

    def longest(self, lengths: Sequence[int]) -> int:
        """The most terms that one sum should have, of sums of these lengths; a longer one is made of parts.

        Lanes that share sums wait for the longest of them.

        >>> Form(lanes=16).longest([2] * 31 + [90]), Form(lanes=16).longest([8] * 16), Form().longest([2, 90])
        (9, 8, 90)
        """
        most = max(1, *lengths, 1)
        if not self.spread or len(lengths) == 1:
            return most
        return min((most, *range(2, most)), key=lambda length: self.cost(lengths, length))

    def cost(self, lengths: Sequence[int], longest: int) -> float:
        """Instructions of sums in parts of at most so many terms."""
        counts = [-(-length // longest) for length in lengths]
        parts = [min(longest, length - at) for length in lengths for at in range(0, length, longest)]
        own = self.rounds(parts)
        return own if len(parts) == len(lengths) else own + self.rounds(counts) + STORE

    def rounds(self, lengths: Sequence[int]) -> float:
        """Instructions of sums in rounds of one a lane, the longest first."""
        heads = sorted(lengths, reverse=True)[:: self.lanes]
        return sum(TERM * length + STORE for length in heads)
