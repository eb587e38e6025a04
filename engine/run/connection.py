"""A connection between two processes of a run that know the same token: signed frames over TCP.

Each side proves that it knows the token, which itself never travels:

    first -> other    GREETING, nonce a
    other -> first    nonce b, rank, count, HMAC(token, "other", a, b, rank, count)
    first -> other    verdict, HMAC(token, "first", a, b, verdict)

Then both send frames, signed with key = HMAC(token, "key", a, b), so that none can be forged, changed,
repeated or left out on the way. They are not encrypted.

    frame = length (8 bytes), kind (1 byte), body, HMAC(key, sender, number of the frame, length, kind, body)

A pulse says every few seconds that a process lives and whether it works or waits for another process. HMAC
is that of SHA-256 (RFC 2104).
"""

import contextlib
import hmac
import queue
import secrets
import socket
import struct
import threading
import time
from typing import Any

GREETING = b"undertow 1\n"
NONCE, SIGNATURE = 32, 32
WELCOME, WRONG_TOKEN, WRONG_COUNT, TAKEN = b"welcome ", b"token   ", b"count   ", b"taken   "
"""Verdicts on a process that wants to join, of equal length."""

MESSAGE, PULSE, END = 0, 1, 2
"""Kinds of frames."""

HEADER = struct.Struct(">QB")
JOINING = struct.Struct(">II")  # rank, count
BEAT = struct.Struct(">d?")  # processor seconds, whether the process waits for another
MOST_FRAME = 2**30 + 2**21
"""Bytes of a frame's body: what `engine.run.messages` allows, and its head."""

PIECE = 2**20
"""Bytes that are sent or received together, each with the socket's time limit."""

HANDSHAKE = 5.0
"""Seconds for each step of a handshake."""

SILENT = 30.0
"""Seconds without a sign of life, or without work, after which a process that others wait for is lost."""

EVERY = 2.0
"""Seconds between two pulses."""

WORK = 0.5
"""Processor seconds that a process at work uses within `SILENT`: 1.7% of a core."""


class Ended(Exception):
    """The sender of an expected message has ended, with this exit code."""

    def __init__(self, rank: int, code: int) -> None:
        super().__init__(f"process {rank} ended with code {code}")
        self.rank, self.code = rank, code


class Lost(Exception):
    """A process of the run never came, died, froze or hangs."""

    def __init__(self, rank: int, reason: str) -> None:
        super().__init__(f"process {rank} was lost: {reason}")
        self.rank = rank


class Refused(ValueError):
    """The processes do not fit together; the text says why."""


class Forged(ValueError):
    """A frame that the other end did not send like this."""


class Waiting:
    """`with waiting:` while this process waits for another one, which is then the one that must work."""

    def __init__(self) -> None:
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


waiting = Waiting()
"""Of this process; its pulses tell the others."""


def signature(key: bytes, *parts: bytes) -> bytes:
    """HMAC of parts; each goes in with its length, so that no two lists of parts are signed alike."""
    digest = hmac.new(key, digestmod="sha256")
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


def exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes from a socket; raises EOFError where it ends before."""
    content = bytearray()
    while len(content) < size:
        piece = sock.recv(min(size - len(content), PIECE))
        if not piece:
            raise EOFError("the connection was closed")
        content += piece
    return bytes(content)


class Channel:
    """Signed frames to and from a socket. `own` and `other` name the two ends."""

    def __init__(self, sock: socket.socket, key: bytes, own: bytes, other: bytes) -> None:
        sock.settimeout(SILENT)
        self.sock, self.key, self.own, self.other = sock, key, own, other
        self.sent = self.received = 0

    def send(self, kind: int, body: bytes) -> None:
        """Send one frame; raises OSError where the other end is gone."""
        header = HEADER.pack(len(body), kind)
        sign = signature(self.key, self.own, self.sent.to_bytes(8), header, body)
        self.sent += 1
        frame = memoryview(header + body + sign)
        for at in range(0, len(frame), PIECE):
            self.sock.sendall(frame[at : at + PIECE])

    def receive(self) -> tuple[int, bytes]:
        """Kind and body of the next frame; raises EOFError or OSError at its end, `Forged` if it is."""
        header = exactly(self.sock, HEADER.size)
        length, kind = HEADER.unpack(header)
        if length > MOST_FRAME:
            raise Forged(f"a frame of {length:,} bytes, expected at most {MOST_FRAME:,}")
        body = exactly(self.sock, length)
        expected = signature(self.key, self.other, self.received.to_bytes(8), header, body)
        if not hmac.compare_digest(exactly(self.sock, SIGNATURE), expected):
            raise Forged("a frame with a wrong signature")
        self.received += 1
        return kind, body


def admit(sock: socket.socket, token: bytes, count: int, vacant: Any) -> tuple[int, Channel] | str:
    """The first process's side of the handshake: rank and channel of who joined, or why none did.

    `vacant(rank)` takes the place of a rank; False where it is taken or is none. Raises OSError or EOFError
    where the other end says nothing in time.
    """
    sock.settimeout(HANDSHAKE)
    ours = secrets.token_bytes(NONCE)
    sock.sendall(GREETING + ours)
    theirs, joining = exactly(sock, NONCE), exactly(sock, JOINING.size)
    expected = signature(token, b"other", ours, theirs, joining)
    verdict, (rank, their_count) = WELCOME, JOINING.unpack(joining)
    if not hmac.compare_digest(exactly(sock, SIGNATURE), expected):
        verdict = WRONG_TOKEN
    elif their_count != count:
        verdict = WRONG_COUNT
    elif not vacant(rank):
        verdict = TAKEN
    sock.sendall(verdict + signature(token, b"first", ours, theirs, verdict))
    if verdict != WELCOME:
        return verdict.decode().strip()
    return rank, Channel(sock, signature(token, b"key", ours, theirs), b"first", b"other")


def ask(sock: socket.socket, token: bytes, rank: int, count: int) -> Channel:
    """Another process's side of the handshake; raises `Refused`, OSError or EOFError."""
    sock.settimeout(HANDSHAKE)
    if exactly(sock, len(GREETING)) != GREETING:
        raise Refused("the coordinator's port answers, but not as process 0 of this version does")
    theirs, ours = exactly(sock, NONCE), secrets.token_bytes(NONCE)
    joining = JOINING.pack(rank, count)
    sock.sendall(ours + joining + signature(token, b"other", theirs, ours, joining))
    verdict, sign = exactly(sock, len(WELCOME)), exactly(sock, SIGNATURE)
    expected = signature(token, b"first", theirs, ours, verdict)
    if verdict == WRONG_TOKEN or not hmac.compare_digest(sign, expected):
        raise Refused(f"the token of process {rank} is not that of process 0")
    if verdict == WRONG_COUNT:
        raise Refused(f"process {rank} counts {count} processes, process 0 another number")
    if verdict == TAKEN:
        raise Refused(f"there is a process {rank} already")
    return Channel(sock, signature(token, b"key", theirs, ours), b"other", b"first")


class Connection:
    """A joined process at the other end, by its rank; two threads keep in touch with it."""

    def __init__(self, rank: int, channel: Channel) -> None:
        self.rank, self.channel = rank, channel
        self.inbox: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self.work, self.worked = 0.0, time.monotonic()
        self.sending, self.over = threading.Lock(), threading.Event()
        self.silent = threading.Event()  # the other end sends nothing more
        for task in (self._listen, self._beat):
            threading.Thread(target=task, daemon=True).start()

    def send(self, value: Any) -> None:
        """Send a message; raises `Ended` or `Lost` where nobody is there to receive it."""
        from engine.run.messages import encoded  # NumPy and JAX, which `undertow --help` does without

        try:
            with self.sending:
                self.channel.send(MESSAGE, encoded(value))
        except OSError as error:
            self._await_end(str(error))

    def receive(self) -> Any:
        """The next message, waited for as long as its sender lives and works; else raises `Ended`, `Lost`."""
        begun = time.monotonic()
        with waiting:
            while True:
                try:
                    kind, body = self.inbox.get(timeout=1.0)
                except queue.Empty:
                    if time.monotonic() - max(begun, self.worked) > SILENT:
                        reason = f"it hangs, without work for {SILENT:.0f} s"
                        raise Lost(self.rank, reason) from None
                    continue
                if kind == MESSAGE:
                    return self._decoded(body)
                self._end(kind, body)

    def farewell(self, code: int) -> None:
        """Say that this process ends, with this exit code; it sends nothing more."""
        self.over.set()
        with contextlib.suppress(OSError), self.sending:  # where nobody is there to hear it
            self.channel.send(END, code.to_bytes(1))
            self.channel.sock.shutdown(socket.SHUT_WR)
        if self.silent.is_set():
            self.close()

    def close(self) -> None:
        """Close the connection without a word; the other end is lost to this one, and this one to it."""
        self.over.set()
        with contextlib.suppress(OSError):
            self.channel.sock.shutdown(socket.SHUT_RDWR)
        self.channel.sock.close()

    def _decoded(self, body: bytes) -> Any:
        from engine.run.messages import decoded
        from engine.run.packing import Unreadable

        try:
            return decoded(body)
        except Unreadable as error:
            raise Lost(self.rank, f"it sent {error}") from None

    def _end(self, kind: int, body: Any) -> None:
        """Raise what the end of the other process means, again for whoever asks next."""
        self.inbox.put((kind, body))
        raise Ended(self.rank, body[0]) if kind == END else Lost(self.rank, body)

    def _await_end(self, reason: str) -> None:
        """After a message could not be sent: raise what the other end said last."""
        while True:
            try:
                kind, body = self.inbox.get(timeout=SILENT)
            except queue.Empty:
                raise Lost(self.rank, reason) from None
            if kind != MESSAGE:
                self._end(kind, body)

    def _listen(self) -> None:
        """Thread: frames to the inbox, pulses to the record of work, until the end."""
        try:
            while True:
                kind, body = self.channel.receive()
                if kind != PULSE:
                    self.inbox.put((kind, body))
                    if kind == END:
                        return
                    continue
                seconds, waits = BEAT.unpack(body)
                if waits or seconds > self.work + WORK:
                    self.work, self.worked = seconds, time.monotonic()
        except TimeoutError:
            self.inbox.put((-1, f"no sign of life for {SILENT:.0f} s"))
        except (OSError, EOFError, Forged, struct.error) as error:
            self.inbox.put((-1, str(error) or type(error).__name__))
        finally:
            self.silent.set()
            if self.over.is_set():
                self.close()

    def _beat(self) -> None:
        """Thread: a pulse every few seconds until this process or the other ends."""
        while not self.over.wait(EVERY):
            try:
                with self.sending:
                    if not self.over.is_set():
                        self.channel.send(PULSE, BEAT.pack(time.process_time(), waiting.depth > 0))
            except OSError:
                return
