"""Processes that share one run, each with its own devices, and exchange messages.

They meet in the key-value store of jax.distributed's coordination service, which process 0 hosts. Only
tallies and a short message a round travel there, so results do not depend on the network between devices; and
unlike a collective of the devices, a message has no time limit.
"""

import itertools
import pickle
import zlib
from collections.abc import Sequence
from typing import Any

POLL = 5_000
"""Milliseconds between checks whether the sender has ended."""

PIECE = 2**20
"""Bytes of one entry of the store: larger ones travel more slowly."""


class Ended(Exception):
    """The sender of an expected message has ended, with this exit code."""

    def __init__(self, rank: int, code: int) -> None:
        super().__init__(f"process {rank} ended with code {code}")
        self.rank, self.code = rank, code


class Processes:
    """`count` processes of which this one is `rank`; all call the same methods in the same order.

    `store` is the coordination service's client. Every method raises `Ended` where the sender of an
    expected message has ended.
    """

    def __init__(self, rank: int = 0, count: int = 1, store: Any = None) -> None:
        self.rank, self.count, self.store = rank, count, store
        self.meetings = itertools.count()
        self.sent: list[str] = []

    @property
    def first(self) -> bool:
        """Whether this is the process that reads and writes the run's folder."""
        return self.rank == 0

    def to_first(self, value: Any) -> list[Any]:
        """All values by rank, on the first process; on the others their own alone."""
        return [value, *self._meet(value, range(1, self.count), receives=self.first)]

    def of_first(self, value: Any) -> Any:
        """The first process's value, on all."""
        return self._meet(value, (0,), receives=True)[0]

    def either(self, flag: bool) -> bool:
        """Whether the flag is true on any; earlier messages have been received by then and are deleted."""
        received, self.sent = self.sent, []
        # By way of the first: messages grow with the processes, not with their square.
        answer = self.of_first(any(self.to_first(flag)))
        for key in received:
            self.store.key_value_delete(key)
        return answer

    def farewell(self, code: int) -> None:
        """Tell the others that this process ends, with this exit code."""
        if self.count > 1:
            self.store.key_value_set(f"farewell/{self.rank}/code", str(code))

    def _meet(self, value: Any, senders: Sequence[int], receives: bool) -> list[Any]:
        """Send the value if this process is among the senders; all their values if it receives."""
        if self.count == 1:
            return [value] * len(senders)
        meeting = f"meeting/{next(self.meetings)}"
        if self.rank in senders:
            self._send(f"{meeting}/{self.rank}", zlib.compress(pickle.dumps(value), level=1))
        if not receives:
            return []
        return [value if rank == self.rank else self._receive(f"{meeting}/{rank}", rank) for rank in senders]

    def _send(self, key: str, message: bytes) -> None:
        """Leave a message in pieces; the first begins with their number."""
        pieces = [message[at : at + PIECE] for at in range(0, len(message), PIECE)]
        pieces[0] = len(pieces).to_bytes(4) + pieces[0]
        for number, piece in enumerate(pieces):
            self.sent.append(f"{key}/{number}")
            self.store.key_value_set_bytes(self.sent[-1], piece)

    def _receive(self, key: str, rank: int) -> Any:
        """The message of a process, waited for as long as that process lives."""
        first = self._piece(f"{key}/0", rank)
        rest = (self._piece(f"{key}/{number}", rank) for number in range(1, int.from_bytes(first[:4])))
        return pickle.loads(zlib.decompress(b"".join([first[4:], *rest])))

    def _piece(self, key: str, rank: int) -> bytes:
        """One piece of a message."""
        from jax.errors import JaxRuntimeError

        while True:
            # Asked before, so that a message sent before the end is received.
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
