"""A checkpoint comes back as it was, or not at all."""

import jax
import numpy as np
import pytest

from engine.run import checkpoint
from engine.run.checkpoint import Checkpoint
from engine.run.packing import Unreadable, packed, unpacked
from engine.tail import tally as tallies

IDENTITY = {"config": {"run": {"seed": 7}, "chips": {"life": 6.0}}, "book": "b", "sources": "s"}


@pytest.fixture
def filled():
    """A tally with numbers in every field, and an empty one."""
    empty = jax.device_get(tallies.init(horizons=2, columns=3, components=1, entities=2, months=24, series=2))
    rng = np.random.default_rng(1)

    def some(leaf):
        chosen = rng.random(leaf.shape) < 0.1
        return np.where(chosen, rng.integers(1, 99, leaf.shape), leaf).astype(leaf.dtype)

    return jax.tree.map(some, empty), empty


@pytest.fixture
def saved(tmp_path, filled):
    """Two checkpoints in a folder, the second with the filled tally."""
    tally, empty = filled
    checkpoint.write(tmp_path, Checkpoint(IDENTITY, {"sessions": 1}, packed(empty, empty)))
    checkpoint.write(tmp_path, Checkpoint(IDENTITY, {"sessions": 2}, packed(tally, empty)))
    return tmp_path


def test_every_leaf_comes_back_to_the_bit(saved, filled):
    tally, empty = filled
    read = checkpoint.read(saved / checkpoint.NAME)
    assert (read.identity, read.notes) == (IDENTITY, {"sessions": 2})
    back = unpacked(read.arrays, empty)
    for wanted, got in zip(jax.tree.leaves(tally), jax.tree.leaves(back), strict=True):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)
    assert checkpoint.read(saved / checkpoint.PREVIOUS).notes == {"sessions": 1}


def test_any_pytree_goes_in():
    tree = {"a": [np.float32(2.5), np.arange(6).reshape(2, 3)], "b": (np.full((0, 4), np.nan), 3)}
    empty = jax.tree.map(np.zeros_like, tree)
    back = unpacked(packed(tree, empty), empty)
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    jax.tree.map(np.testing.assert_array_equal, back, tree)


def test_a_tally_that_has_grown_a_field_does_not_take_an_old_one():
    empty = {"old": np.zeros(3, np.int64)}
    arrays = packed({"old": np.arange(3)}, empty)
    with pytest.raises(Unreadable, match="'new'"):
        unpacked(arrays, empty | {"new": np.zeros(3)})
    with pytest.raises(Unreadable, match="int64 there, float32 here"):
        unpacked(arrays, {"old": np.zeros(3, np.float32)})
    far = arrays | {"['old'] at": np.array([1, 3])}
    with pytest.raises(Unreadable, match="does not fit"):
        unpacked(far, empty)


def test_no_damage_goes_unseen(saved):
    path = saved / checkpoint.NAME
    good, rng = path.read_bytes(), np.random.default_rng(2)
    intact = checkpoint.read(path)
    for place in rng.integers(0, len(good), 200):
        bad = bytearray(good)
        bad[place] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(bad))
        try:
            read = checkpoint.read(path)
        except Unreadable:
            continue
        # A bit that no reader looks at, as in the archive's dates, may turn; then all else is as it was.
        assert read.checksum() == intact.checksum()
    for length in rng.integers(0, len(good), 50):
        path.write_bytes(good[:length])
        with pytest.raises(Unreadable):
            checkpoint.read(path)


def test_arrays_exchanged_within_a_whole_file_are_seen(saved):
    path = saved / checkpoint.NAME
    with np.load(path) as file:
        arrays = dict(file)
    arrays[".flags"], arrays[".flags at"] = np.array([3]), np.array([0])
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(Unreadable, match="checksum"):
        checkpoint.read(path)


def test_a_later_format_is_not_guessed_at(saved, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    with pytest.raises(Unreadable, match="format 1, expected 2"):
        checkpoint.read(saved / checkpoint.NAME)


def test_a_write_cut_short_leaves_the_last_good_one(saved, filled, monkeypatch):
    def cut(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", cut)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            checkpoint.write(saved, Checkpoint(IDENTITY, {}, {}))
    [left] = checkpoint.checkpoints_in(saved)
    assert checkpoint.read(left).notes == {"sessions": 2}


def test_differences_are_named():
    other = {"config": {"run": {"seed": 8}, "chips": {"life": 6.0}}, "book": "b", "sources": "t", "more": 1}
    assert checkpoint.differences(IDENTITY, other) == [
        "config.run.seed: 7 there, 8 here",
        "sources: s there, t here",
        "more: None there, 1 here",
    ]
