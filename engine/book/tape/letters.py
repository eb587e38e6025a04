"""Letters of names: most pairs are seen to differ without being compared letter by letter."""

import difflib

import numpy as np

KINDS = 64
"""Kinds of letters told apart; two letters of one kind only make names look more alike."""


def counts_of(name: str) -> np.ndarray:
    """How often each kind of letter stands in a name."""
    return np.bincount([ord(letter) % KINDS for letter in name], minlength=KINDS).astype(np.int16)


class Names:
    """Names among which the closest to another is looked up.

    >>> names = Names()
    >>> for name in ("alder compute", "birch cloud"):
    ...     names.add(name)
    >>> names.closest("aldr compute", 0.9), names.closest("cedar campus", 0.9)
    ('alder compute', None)
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.counts = np.zeros((16, KINDS), np.int16)

    def add(self, name: str) -> None:
        """One name more."""
        if len(self.names) == len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        self.counts[len(self.names)] = counts_of(name)
        self.names.append(name)

    def closest(self, name: str, cutoff: float) -> str | None:
        """The name of the greatest similarity from a cutoff on, as `difflib.get_close_matches` has it.

        Letters in common, in whatever order, bound the similarity of two names from above.
        """
        known = self.counts[: len(self.names)]
        common = np.minimum(known, counts_of(name)).sum(axis=1)
        able = np.flatnonzero(2.0 * common >= cutoff * (known.sum(axis=1) + len(name)))
        close = difflib.get_close_matches(name, [self.names[place] for place in able], 1, cutoff)
        return close[0] if close else None
