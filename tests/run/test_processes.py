"""Processes hear one another in any order of arrival, turn strangers away, and learn who has ended."""

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.run import connection, processes
from engine.run.connection import GREETING, HEADER, MESSAGE, NONCE, Channel, Connection, Forged, signature
from engine.run.processes import ALONE, Ended, Lost, Processes, Refused

COUNT = 3
TOKEN = b"a token of a test"


MET = []
"""Processes of the present test."""


def meet(*arguments):
    """`processes.meet`, whose connections are closed when the test is over."""
    MET.append(processes.meet(*arguments))
    return MET[-1]


@pytest.fixture(autouse=True)
def closed():
    """No test leaves a connection open."""
    yield
    while MET:
        for other in MET.pop().connections:
            other.close()


@pytest.fixture
def port():
    """A port of the loopback that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def together(port, part, count=COUNT, tokens=None, patience=20.0):
    """What `part(processes)` returns or raises in each of so many processes, here threads."""

    def run(rank):
        token = (tokens or {}).get(rank, TOKEN)
        return part(meet(rank, count, "127.0.0.1", port, token, patience))

    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(run, rank) for rank in range(count)]
        return [each.exception() or each.result() for each in running]


def test_the_first_hears_all_and_all_hear_the_first(port):
    def part(own):
        word = {"word": np.full(2, own.rank)}
        return [int(each["word"][0]) for each in own.to_first(word)], own.of_first(10 + own.rank)

    assert together(port, part) == [([0, 1, 2], 10), ([1], 10), ([2], 10)]


@pytest.mark.parametrize("loud", [None, 0, 2])
def test_a_flag_on_any_is_a_flag_on_all(port, loud):
    assert together(port, lambda own: own.either(own.rank == loud)) == [loud is not None] * COUNT


def test_a_large_message_waits_for_nobody(port):
    """Others may send tallies while the first does something else: no socket's buffer would hold them."""
    sent = threading.Barrier(COUNT)
    tally = {"a": np.random.default_rng(1).integers(0, 2**62, 2**20)}

    def part(own):
        if not own.first:
            own.to_first(tally)
            sent.wait(20)
            return True
        sent.wait(20)
        return all((other["a"] == tally["a"]).all() for other in own.to_first(None)[1:])

    assert together(port, part) == [True] * COUNT


def test_all_messages_arrive_in_order(port):
    def part(own):
        for step in range(50):
            assert own.of_first(step) == step
            own.to_first({"tally": np.arange(100)})
            own.either(False)

    assert together(port, part) == [None] * COUNT


@pytest.mark.parametrize("meeting", ["to_first", "of_first", "either"])
def test_nobody_waits_for_one_that_has_ended(port, meeting):
    """The first one ends before the meeting; whoever needs its word learns with which code it ended."""

    def part(own):
        if own.first:
            return own.farewell(3)
        return getattr(own, meeting)(True)

    first, *others = together(port, part)
    assert first is None
    if meeting == "to_first":
        assert others == [[True]] * 2, "they only speak"
    else:
        assert [(type(each), each.rank, each.code) for each in others] == [(Ended, 0, 3)] * 2


def test_the_last_word_of_one_that_has_ended_is_heard(port):
    def part(own):
        word = own.of_first("last")
        own.farewell(0)
        return word

    assert together(port, part) == ["last"] * COUNT


def test_one_that_dies_is_lost_at_once(port):
    def part(own):
        if own.rank == 2:
            return own.connections[0].channel.sock.shutdown(socket.SHUT_RDWR)
        try:
            return own.either(False)
        except (Ended, Lost) as error:
            own.farewell(5)  # as the door does
            raise error

    begun = time.monotonic()
    first, second, _ = together(port, part)
    assert isinstance(first, Lost) and first.rank == 2 and "closed" in str(first)
    assert isinstance(second, Ended) and (second.rank, second.code) == (0, 5)
    assert time.monotonic() - begun < 10.0


def test_one_that_freezes_is_lost_when_it_is_silent(port, monkeypatch):
    """A frozen process sends no pulse: here its thread that would is told that the process is over."""
    monkeypatch.setattr(connection, "SILENT", 1.5)
    monkeypatch.setattr(connection, "EVERY", 0.2)

    def part(own):
        if own.first:
            return own.to_first(None)
        own.connections[0].over.set()
        time.sleep(4)

    first, _ = together(port, part, count=2)
    assert isinstance(first, Lost) and first.rank == 1 and "no sign of life" in str(first)


@pytest.mark.parametrize("works", [False, True])
def test_one_that_hangs_is_lost_and_one_that_works_is_not(port, monkeypatch, works):
    """Pulses go on while a process hangs; what tells them apart is the processor time it uses."""
    monkeypatch.setattr(connection, "SILENT", 2.0)
    monkeypatch.setattr(connection, "EVERY", 0.2)
    begun, at_work = time.monotonic(), threading.Event()
    monkeypatch.setattr(connection.time, "process_time", lambda: time.monotonic() - begun if works else 1.0)

    def part(own):
        if own.first:
            # In one process the two would share this: the first's own waiting must not excuse the other.
            monkeypatch.setattr(connection, "waiting", contextlib.nullcontext())
            monkeypatch.setattr(connection.waiting, "depth", 0, raising=False)
            at_work.set()
            return own.to_first("here")
        at_work.wait(10)
        time.sleep(5)
        return own.to_first("late")

    first, _ = together(port, part, count=2)
    if works:
        assert first == ["here", "late"]
    else:
        assert isinstance(first, Lost) and first.rank == 1 and "hangs" in str(first)


def test_one_that_never_comes_is_missed(port):
    def first():
        return meet(0, 3, "127.0.0.1", port, TOKEN, 2.0)

    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        waits = pool.submit(first)
        joined = pool.submit(meet, 1, 3, "127.0.0.1", port, TOKEN, 2.0).result()
        error = waits.exception()
        assert isinstance(error, Lost) and error.rank == 2 and "did not come within 2 s" in str(error)
    assert time.monotonic() - begun < 5.0 and joined.rank == 1
    with pytest.raises(Lost, match="process 0 was lost: it did not answer at 127.0.0.1"):
        meet(1, 2, "127.0.0.1", port, TOKEN, 1.0)


def test_a_wrong_token_is_refused_and_said(port, caplog):
    first, other = together(port, lambda own: None, count=2, tokens={1: b"another token here"}, patience=2.0)
    assert isinstance(other, Refused) and "the token of process 1 is not that of process 0" in str(other)
    assert isinstance(first, Lost) and "(callers refused: 1)" in str(first)
    assert "a caller from 127.0.0.1 was refused: wrong token" in caplog.text


def test_another_count_and_a_rank_twice_are_refused(port):
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(meet, 0, 3, "127.0.0.1", port, TOKEN, 10.0)
        with pytest.raises(Refused, match="process 1 counts 4 processes"):
            meet(1, 4, "127.0.0.1", port, TOKEN, 5.0)
        meet(1, 3, "127.0.0.1", port, TOKEN, 5.0)
        with pytest.raises(Refused, match="there is a process 1 already"):
            meet(1, 3, "127.0.0.1", port, TOKEN, 5.0)
        meet(2, 3, "127.0.0.1", port, TOKEN, 5.0)
        assert [each.rank for each in first.result().connections] == [1, 2]


def test_strangers_do_not_keep_the_processes_apart(port, monkeypatch):
    """Silence, noise, a wrong proof, a replayed proof, a web browser: all are closed, none is answered."""
    monkeypatch.setattr(connection, "HANDSHAKE", 1.0)
    noises = (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x80\x04\x95cos\nsystem\n(S'true'\ntR." * 9, bytes(10_000))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(meet, 0, 2, "127.0.0.1", port, TOKEN, 10.0)
        strangers = []
        for noise in noises * 5:
            while True:
                try:
                    strangers.append(socket.create_connection(("127.0.0.1", port)))
                    break
                except ConnectionRefusedError:
                    time.sleep(0.05)
            strangers[-1].sendall(noise)
        other = pool.submit(meet, 1, 2, "127.0.0.1", port, TOKEN, 10.0).result()
        own = first.result()
        other.to_first("still here")
        assert own.to_first("me") == ["me", "still here"]
        for stranger in strangers:
            stranger.close()


def test_the_port_is_bound_to_the_named_address_and_closed_once_all_have_come(port):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(meet, 0, 2, "127.0.0.1", port, TOKEN, 10.0)
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):  # another address of this machine
            socket.create_connection(("127.0.0.2", port), timeout=2)
        meet(1, 2, "127.0.0.1", port, TOKEN, 5.0)
        first.result()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2)


def test_a_first_process_that_does_not_know_the_token_is_not_believed(port):
    """Whoever sits on the port cannot pass for process 0, not even by saying welcome."""
    with socket.create_server(("127.0.0.1", port)) as listener, ThreadPoolExecutor(1) as pool:
        other = pool.submit(meet, 1, 2, "127.0.0.1", port, TOKEN, 3.0)
        caller, _ = listener.accept()
        caller.sendall(GREETING + bytes(NONCE))
        caller.recv(1000)
        caller.sendall(b"welcome " + bytes(32))
        with pytest.raises(Refused, match="token"):
            other.result()
        caller.close()


def ends():
    """The two channels of a connection."""
    a, b = socket.socketpair()
    return Channel(a, b"key", b"first", b"other"), Channel(b, b"key", b"other", b"first")


def test_a_frame_that_was_changed_repeated_or_turned_around_is_forged():
    first, other = ends()
    first.send(MESSAGE, b"good")
    assert other.receive() == (MESSAGE, b"good")
    first.sock.close(), other.sock.close()
    header = HEADER.pack(4, MESSAGE)
    number = (1).to_bytes(8)
    for frame in (
        header + b"evil" + bytes(32),  # no signature
        header + b"good" + signature(b"key", b"first", (0).to_bytes(8), header, b"good"),  # repeated
        header + b"good" + signature(b"key", b"other", number, header, b"good"),  # its own, sent back
        header + b"evil" + signature(b"key", b"first", number, header, b"good"),  # changed
        HEADER.pack(2**40, MESSAGE),  # more than there is memory
    ):
        first, other = ends()
        first.send(MESSAGE, b"good")
        other.receive()
        first.sock.sendall(frame)
        with pytest.raises(Forged):
            other.receive()
        first.sock.close(), other.sock.close()


def test_what_is_no_message_loses_its_sender():
    first, other = ends()
    own = Connection(1, first)
    other.send(MESSAGE, b"\xff\xff\xff\xff no message")
    with pytest.raises(Lost, match="process 1 was lost: it sent a message"):
        own.receive()
    own.close(), other.sock.close()


def test_one_alone_talks_to_itself():
    assert ALONE.first and ALONE.to_first(5) == [5] and ALONE.of_first(6) == 6
    assert ALONE.either(True) and not ALONE.either(False)
    ALONE.farewell(1)


def test_the_number_of_proofs_awaited_is_bounded(port, monkeypatch):
    monkeypatch.setattr(processes, "HANDSHAKES", 2)
    monkeypatch.setattr(connection, "HANDSHAKE", 1.0)
    before = threading.active_count()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(meet, 0, 2, "127.0.0.1", port, TOKEN, 10.0)
        time.sleep(0.3)
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        time.sleep(0.3)
        assert threading.active_count() <= before + 1 + 2
        assert isinstance(meet(1, 2, "127.0.0.1", port, TOKEN, 8.0), Processes)
        first.result()
        for stranger in silent:
            stranger.close()
