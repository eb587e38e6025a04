"""Processes hear one another in any order of arrival, forget what all have heard, and learn who has ended."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from jax.errors import JaxRuntimeError

from engine.run import processes
from engine.run.processes import ALONE, Ended, Processes

COUNT = 3


class Store:
    """A key-value store within one process, with the words of the coordination service's client."""

    def __init__(self):
        self.held, self.changed = {}, threading.Condition()

    def key_value_set_bytes(self, key, value):
        with self.changed:
            assert key not in self.held, "the service refuses a key that is there"
            self.held[key] = value
            self.changed.notify_all()

    key_value_set = key_value_set_bytes

    def blocking_key_value_get_bytes(self, key, milliseconds):
        with self.changed:
            if not self.changed.wait_for(lambda: key in self.held, milliseconds / 1000):
                raise JaxRuntimeError(f"DEADLINE_EXCEEDED: {key}")
            return self.held[key]

    def key_value_dir_get(self, key):
        with self.changed:
            return [(name, value) for name, value in self.held.items() if name.startswith(key + "/")]

    def key_value_delete(self, key):
        with self.changed:
            self.held.pop(key, None)


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(processes, "POLL", 20)
    return Store()


def together(store, part, count=COUNT):
    """What `part(processes)` returns or raises in each of so many processes, here threads."""
    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(part, Processes(rank, count, store)) for rank in range(count)]
        return [each.exception() or each.result() for each in running]


def test_the_first_hears_all_and_all_hear_the_first(store):
    def part(own):
        word = np.full(2, own.rank)
        return [int(each[0]) for each in own.to_first(word)], own.of_first(10 + own.rank)

    assert together(store, part) == [([0, 1, 2], 10), ([1], 10), ([2], 10)]


@pytest.mark.parametrize("loud", [None, 0, 2])
def test_a_flag_on_any_is_a_flag_on_all(store, loud):
    assert together(store, lambda own: own.either(own.rank == loud)) == [loud is not None] * COUNT


def test_what_all_have_heard_is_forgotten(store):
    def part(own):
        for step in range(50):
            assert own.of_first(step) == step
            own.to_first(b"tally" * 100)
            own.either(False)

    assert together(store, part) == [None] * COUNT
    assert len(store.held) == COUNT, "the last flags of all but the first, and the first one's answer"


@pytest.mark.parametrize("meeting", ["to_first", "of_first", "either"])
def test_nobody_waits_for_one_that_has_ended(store, meeting):
    """The first one ends before the meeting; whoever needs its word learns with which code it ended."""

    def part(own):
        if own.first:
            return own.farewell(3)
        return getattr(own, meeting)(True)

    first, *others = together(store, part)
    assert first is None
    if meeting == "to_first":
        assert others == [[True]] * 2, "they only speak"
    else:
        assert [(type(each), each.rank, each.code) for each in others] == [(Ended, 0, 3)] * 2


def test_the_last_word_of_one_that_has_ended_is_heard(store):
    def part(own):
        word = own.of_first("last")
        own.farewell(0)
        return word

    assert together(store, part) == ["last"] * COUNT


def test_one_alone_talks_to_itself():
    assert ALONE.first and ALONE.to_first(5) == [5] and ALONE.of_first(6) == 6
    assert ALONE.either(True) and not ALONE.either(False)
    ALONE.farewell(1)
