"""A run's standing on disk, for the run to go on from after an interruption.

A checkpoint is one npz: `head`, JSON with format, identity, notes and checksum, beside named arrays. The
identity is a nested dictionary of all that decides a run's numbers; a checkpoint of another identity must not
be used, and `differences` names why. Notes are whatever else is to be remembered. The checksum covers it all.
Each checkpoint is written whole, and the one before it kept, so that a folder that ever held a good one does.

`packed` turns any pytree into arrays and `unpacked` turns them back: of each leaf only what differs from an
empty pytree's is kept, because most bins of a tally are empty.
"""

import hashlib
import json
import os
import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from engine.files import write_whole

FORMAT = 1
NAME, PREVIOUS = "checkpoint.npz", "checkpoint-previous.npz"

Arrays = dict[str, np.ndarray]


class Unreadable(ValueError):
    """A file that is not a whole checkpoint; its text says what is wrong."""


class Checkpoint(NamedTuple):
    """What a file holds."""

    identity: dict[str, Any]
    notes: dict[str, Any]
    arrays: Arrays

    def checksum(self) -> str:
        """sha256 of identity, notes and every array's name, type, shape and bytes."""
        digest = hashlib.sha256(json.dumps([self.identity, self.notes], sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()):
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array))
        return digest.hexdigest()


def write(folder: pathlib.Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into the folder; the last one becomes the previous one."""
    if (folder / NAME).exists():
        os.replace(folder / NAME, folder / PREVIOUS)
    save(folder / NAME, checkpoint)


def save(path: pathlib.Path, checkpoint: Checkpoint) -> None:
    """Write one file whole."""
    identity, notes, arrays = checkpoint
    head = {"format": FORMAT, "identity": identity, "notes": notes, "sha256": checkpoint.checksum()}
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)

    def write(name: str) -> None:
        with open(name, "wb") as file:
            np.savez(file, head=text, **arrays)

    write_whole(path, write)


def read(path: pathlib.Path) -> Checkpoint:
    """A checkpoint from its file; raises `Unreadable` unless it is whole."""
    head = read_head(path)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files if name != "head"}
    except Exception as error:  # a damaged archive raises whatever its damage leads to
        raise Unreadable(f"{path}: not a whole checkpoint ({error})") from None
    checkpoint = Checkpoint(head["identity"], head["notes"], arrays)
    if head["sha256"] != checkpoint.checksum():
        raise Unreadable(f"{path}: its checksum does not fit its content")
    return checkpoint


def read_head(path: pathlib.Path) -> dict[str, Any]:
    """Format, identity, notes and checksum of a checkpoint, without its arrays; raises `Unreadable`."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            head = json.loads(saved["head"].tobytes())
        if head["format"] != FORMAT:
            raise ValueError(f"format {head['format']}, expected {FORMAT}")
        return {key: head[key] for key in ("format", "identity", "notes", "sha256")}
    except Exception as error:
        raise Unreadable(f"{path}: not a whole checkpoint ({error})") from None


def found(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folder's checkpoints, latest first."""
    return [folder / name for name in (NAME, PREVIOUS) if (folder / name).exists()]


def discard(folder: pathlib.Path) -> None:
    """Remove the folder's checkpoints."""
    for path in found(folder):
        path.unlink(missing_ok=True)


def differences(theirs: Any, ours: Any, name: str = "") -> list[str]:
    """Where two identities differ, one line a value: its dotted name, theirs and ours.

    >>> differences({"config": {"seed": 7}, "book": "a"}, {"config": {"seed": 8}, "book": "a"})
    ['config.seed: 7 there, 8 here']
    """
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = [*theirs, *(key for key in ours if key not in theirs)]
        pairs = [(f"{name}.{key}".lstrip("."), theirs.get(key), ours.get(key)) for key in keys]
        return [line for key, a, b in pairs for line in differences(a, b, key)]
    return [] if theirs == ours else [f"{name}: {theirs} there, {ours} here"]


def packed(tree: Any, empty: Any) -> Arrays:
    """Of each leaf of a pytree the flat places where it differs from that of an empty one, and its values.

    >>> packed({"a": np.array([0, 5, 0])}, {"a": np.zeros(3, int)})
    {"['a'] at": array([1]), "['a']": array([5])}
    """
    arrays = {}
    for (name, leaf), blank in zip(named(tree), jax.tree.leaves(empty), strict=True):
        leaf = np.asarray(leaf)
        at = np.flatnonzero(leaf != np.asarray(blank))
        arrays |= {f"{name} at": at, name: leaf.ravel()[at]}
    return arrays


def unpacked(arrays: Arrays, empty: Any) -> Any:
    """The pytree again, its leaves as NumPy arrays; raises `Unreadable` where the arrays do not fit."""
    leaves = []
    for name, blank in named(empty):
        leaf = np.array(blank)
        try:
            at, values = arrays[f"{name} at"], arrays[name]
            if values.dtype != leaf.dtype:
                raise TypeError(f"{values.dtype} there, {leaf.dtype} here")
            np.put(leaf, at, values, mode="raise")
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Unreadable(f"the checkpoint's {name or 'leaf'} does not fit this run ({error})") from None
        leaves.append(leaf)
    return jax.tree.unflatten(jax.tree.structure(empty), leaves)


def named(tree: Any) -> list[tuple[str, Any]]:
    """The leaves of a pytree with their names."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]
