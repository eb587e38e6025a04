"""Where lanes of a path must wait for one another: an exact account of who touched which word since they did.

Every address of a kernel is known when it is written, so nothing here is an estimate.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

NOBODY, ALL = -1, -2
"""Beside a lane's number: no lane; every lane, each for itself."""


class Access(NamedTuple):
    """Words of a memory, each touched by a lane, or all by every lane (which write one value)."""

    base: str
    words: np.ndarray
    lanes: np.ndarray | int


class Syncs:
    """Who has written and who has read each word of each memory since the lanes last waited."""

    def __init__(self) -> None:
        self.writers: dict[str, np.ndarray] = {}
        self.readers: dict[str, np.ndarray] = {}

    def clear(self) -> None:
        """The lanes have waited."""
        self.writers.clear()
        self.readers.clear()

    def last(self, kind: dict[str, np.ndarray], access: Access) -> np.ndarray:
        """Who touched each word of an access last."""
        if access.base not in kind or not access.words.size:
            return np.full(access.words.shape, NOBODY)
        own = kind[access.base]
        inside = access.words < own.size
        return np.where(inside, own[np.where(inside, access.words, 0)], NOBODY)

    def needed(self, reads: Iterable[Access], writes: Iterable[Access]) -> bool:
        """Whether the lanes must wait before a statement that reads and then writes these words.

        A lane sees what it has written itself, and what every lane has written for itself. It must not write
        what another one may still have to read or to write.
        """
        for access in reads:
            writer = self.last(self.writers, access)
            if ((writer >= 0) & (writer != access.lanes)).any():
                return True
        for access in writes:
            for kind in (self.writers, self.readers):
                other = self.last(kind, access)
                alone = (other == access.lanes) & (np.asarray(access.lanes) >= 0)
                if ((other != NOBODY) & ~alone).any():
                    return True
        return False

    def note(self, reads: Iterable[Access], writes: Iterable[Access]) -> None:
        """The statement has been written."""
        for kind, accesses in ((self.readers, reads), (self.writers, writes)):
            for access in accesses:
                if not access.words.size:
                    continue
                size = int(access.words.max()) + 1
                own = kind.get(access.base, np.zeros(0, np.int64))
                if own.size < size:
                    own = np.concatenate([own, np.full(size - own.size, NOBODY)])
                # Many lanes may read one word: then nobody may write it.
                for word, lane in zip(*np.broadcast_arrays(access.words, access.lanes), strict=True):
                    own[word] = lane if own[word] in (NOBODY, lane) else ALL
                kind[access.base] = own
