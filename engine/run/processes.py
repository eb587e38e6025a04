"""Processes that share one run, each with its own devices, and exchange messages.

Process 0 listens at a named address until all have joined, then closes the port; every other process has one
connection, to process 0. Only tallies and a short message a round travel, as JSON and plain arrays, so
results do not depend on the network. Who does not know the run's token is turned away
(`engine.run.connection`).
"""

import logging
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

from engine.run.connection import Channel, Connection, Ended, Lost, Refused, admit, ask, waiting

__all__ = ["ALONE", "Ended", "Lost", "Processes", "Refused", "meet"]

HANDSHAKES = 64
"""Callers whose proof process 0 awaits at a time; more are turned away and may call again."""

RETRY = 0.2
"""Seconds between two tries to reach process 0."""

log = logging.getLogger("undertow")


class Processes:
    """Several processes of which this one is `rank`; all call the same methods in the same order.

    `connections` are those to the others by rank on the first process, and that to the first on the others.
    Values are JSON, or a dict of arrays by name. Every method raises `Ended` where the sender of an expected
    message has ended and `Lost` where it died, froze or hangs.
    """

    def __init__(self, rank: int = 0, count: int = 1, connections: Sequence[Connection] = ()) -> None:
        self.rank, self.count, self.connections = rank, count, tuple(connections)

    @property
    def first(self) -> bool:
        """Whether this is the process that reads and writes the run's folder."""
        return self.rank == 0

    def to_first(self, value: Any) -> list[Any]:
        """All values by rank, on the first process; on the others their own alone."""
        if self.first:
            return [value, *(other.receive() for other in self.connections)]
        self.connections[0].send(value)
        return [value]

    def of_first(self, value: Any) -> Any:
        """The first process's value, on all."""
        if not self.first:
            return self.connections[0].receive()
        for other in self.connections:
            other.send(value)
        return value

    def either(self, flag: bool) -> bool:
        """Whether the flag is true on any."""
        # By way of the first: messages grow with the processes, not with their square.
        return self.of_first(any(self.to_first(flag)))

    def farewell(self, code: int) -> None:
        """Tell the others that this process ends, with this exit code."""
        for other in self.connections:
            other.farewell(code)


ALONE = Processes()
"""One process."""


def meet(rank: int, count: int, host: str, port: int, token: bytes, patience: float) -> Processes:
    """All processes of a run, connected; process 0 listens at `host`:`port`, the others call there.

    Raises `Lost` where one does not come within `patience` seconds, `Refused` where this one does not fit,
    OSError where process 0 cannot listen at the address.
    """
    if rank:
        return Processes(rank, count, [Connection(0, called(rank, count, host, port, token, patience))])
    listener = listening(host, port)
    with waiting, listener:
        connections = Meeting(listener, count, token).connections(patience)
    return Processes(0, count, connections)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at the named address and no other; raises OSError."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address[:2], family=family, backlog=128)


class Meeting:
    """Process 0 while it waits for the others to join."""

    def __init__(self, listener: socket.socket, count: int, token: bytes) -> None:
        self.listener, self.count, self.token = listener, count, token
        self.joined: dict[int, Connection] = {}
        self.vacant, self.lock = set(range(1, count)), threading.Lock()
        self.places = threading.BoundedSemaphore(HANDSHAKES)
        self.refused = 0

    def connections(self, patience: float) -> list[Connection]:
        """Connections to all others by rank; raises `Lost` where one does not come in time."""
        end = time.monotonic() + patience
        self.listener.settimeout(RETRY)
        while len(self.joined) < self.count - 1:
            if time.monotonic() > end:
                for other in self.joined.values():
                    other.close()
                refused = f" (callers refused: {self.refused})" if self.refused else ""
                missing = min(set(range(1, self.count)) - set(self.joined))
                raise Lost(missing, f"it did not come within {patience:.0f} s{refused}")
            try:
                sock, address = self.listener.accept()
            except TimeoutError:
                continue
            if self.places.acquire(blocking=False):
                threading.Thread(target=self._admit, args=(sock, address), daemon=True).start()
            else:
                sock.close()
        return [self.joined[rank] for rank in range(1, self.count)]

    def _take(self, rank: int) -> bool:
        """Take the place of a rank, once."""
        with self.lock:
            free = rank in self.vacant
            self.vacant.discard(rank)
            return free

    def _admit(self, sock: socket.socket, address: Any) -> None:
        """Thread: one caller."""
        rank = 0

        def take(asked: int) -> bool:
            nonlocal rank
            free = self._take(asked)
            rank = asked if free else 0
            return free

        try:
            answer = admit(sock, self.token, self.count, take)
        except (OSError, EOFError):
            answer = "silence"
            if rank:
                self.vacant.add(rank)
        finally:
            self.places.release()
        if isinstance(answer, str):
            sock.close()
            self.refused += 1
            log.warning("a caller from %s was refused: wrong %s", address[0], answer)
            return
        self.joined[answer[0]] = Connection(*answer)


def called(rank: int, count: int, host: str, port: int, token: bytes, patience: float) -> Channel:
    """The channel to process 0, called until it answers; raises `Lost` where it does not in time."""
    end, reason = time.monotonic() + patience, "nobody answers"
    while time.monotonic() < end:
        try:
            sock = socket.create_connection((host, port), timeout=max(min(5.0, end - time.monotonic()), 0.1))
        except OSError as error:
            reason = error.strerror or str(error)
            time.sleep(RETRY)
            continue
        try:
            return ask(sock, token, rank, count)
        except Refused:
            sock.close()
            raise
        except (OSError, EOFError) as error:
            reason = str(error)
            sock.close()
            time.sleep(RETRY)
    raise Lost(0, f"it did not answer at {host}:{port} within {patience:.0f} s ({reason})")
