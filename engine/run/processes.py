"""Processes that share one run, each with its own devices: what one says, the others hear.

They meet in the key-value store of jax.distributed's coordination service, which process 0 hosts. Nothing
of a simulation travels there but its tallies and a word a round, so neither the devices nor the network
between them decide anything; and unlike a collective of the devices, it waits as long as it takes.
"""

import itertools
import pickle
import zlib
from collections.abc import Sequence

POLL = 5_000
"""Milliseconds until a process that is waited for is asked whether it has ended."""

PIECE = 2**20
"""Bytes of one entry of the store: larger ones travel more slowly."""


class Ended(Exception):
    """A process that was waited for has ended, with this exit code."""

    def __init__(self, rank: int, code: int) -> None:
        super().__init__(f"process {rank} ended with code {code}")
        self.rank, self.code = rank, code


class Processes:
    """`count` processes of which this one is `rank`; all call the same methods in the same order.

    `store` is the coordination service's client. Every method raises `Ended` where a process it waits for
    has said farewell.
    """

    def __init__(self, rank: int = 0, count: int = 1, store=None) -> None:
        self.rank, self.count, self.store = rank, count, store
        self.meetings, self.said = itertools.count(), []

    @property
    def first(self) -> bool:
        """Whether this is the process that reads and writes the run's folder."""
        return self.rank == 0

    def to_first(self, value) -> list:
        """All values by rank, on the first process, which says none; on the others their own alone."""
        return [value, *self._meet(value, range(1, self.count), hears=self.first)]

    def of_first(self, value):
        """The first process's value, on all."""
        return self._meet(value, (0,), hears=True)[0]

    def either(self, flag: bool) -> bool:
        """Whether the flag is true on any; what was said before has been heard by then, and is forgotten."""
        before, self.said = self.said, []
        # By way of the first: words grow with the processes, not with their square.
        found = self.of_first(any(self.to_first(flag)))
        for key in before:
            self.store.key_value_delete(key)
        return found

    def farewell(self, code: int) -> None:
        """Say that this process ends, with this exit code."""
        if self.count > 1:
            self.store.key_value_set(f"farewell/{self.rank}/code", str(code))

    def _meet(self, value, speakers: Sequence[int], hears: bool) -> list:
        """Say the value, if this process is to speak; what all speakers say, if it is to hear."""
        if self.count == 1:
            return [value] * len(speakers)
        meeting = f"meeting/{next(self.meetings)}"
        if self.rank in speakers:
            self._say(f"{meeting}/{self.rank}", zlib.compress(pickle.dumps(value), level=1))
        if not hears:
            return []
        return [value if rank == self.rank else self._heard(f"{meeting}/{rank}", rank) for rank in speakers]

    def _say(self, key: str, word: bytes) -> None:
        """Leave a word in pieces, the first of which tells how many more there are."""
        pieces = [word[at : at + PIECE] for at in range(0, len(word), PIECE)]
        pieces[0] = len(pieces).to_bytes(4) + pieces[0]
        for number, piece in enumerate(pieces):
            self.said.append(f"{key}/{number}")
            self.store.key_value_set_bytes(self.said[-1], piece)

    def _heard(self, key: str, rank: int):
        """What a process says, waited for as long as it lives."""
        first = self._piece(f"{key}/0", rank)
        rest = (self._piece(f"{key}/{number}", rank) for number in range(1, int.from_bytes(first[:4])))
        return pickle.loads(zlib.decompress(b"".join([first[4:], *rest])))

    def _piece(self, key: str, rank: int) -> bytes:
        """One piece of what a process says."""
        from jax.errors import JaxRuntimeError

        while True:
            # Asked before, so that what it said before it ended is heard.
            ended = self.store.key_value_dir_get(f"farewell/{rank}")
            try:
                return self.store.blocking_key_value_get_bytes(key, POLL)
            except JaxRuntimeError as error:
                if "DEADLINE_EXCEEDED" not in str(error):
                    raise
            if ended:
                raise Ended(rank, int(ended[0][1]))


ALONE = Processes()
"""One process."""
