"""The state of a run on disk, to resume from after an interruption.

A checkpoint is one npz: `head`, JSON with format, identity, notes and checksum, beside named arrays. The
identity is a nested dictionary of everything that decides a run's numbers; a checkpoint of another identity
must not be used, and `differences` names the differences. Notes are free. The checksum covers everything.
Each checkpoint is written whole and the previous one stays, so that a folder never loses its last good one.
"""

import hashlib
import json
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

from engine.files import write_whole
from engine.run.packing import Arrays, Unreadable

FORMAT = 1
NAME, PREVIOUS = "checkpoint.npz", "checkpoint-previous.npz"


class Checkpoint(NamedTuple):
    """Content of a file: identity, notes and named arrays."""

    identity: dict[str, Any]
    notes: dict[str, Any]
    arrays: Arrays

    def checksum(self) -> str:
        """sha256 of identity, notes and every array's name, type, shape and bytes."""
        digest = hashlib.sha256(json.dumps([self.identity, self.notes], sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()):
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
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
    named: dict[str, Any] = {"head": np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays}

    def write(name: str) -> None:
        with open(name, "wb") as file:
            np.savez(file, **named)

    write_whole(path, write)


def read(path: pathlib.Path) -> Checkpoint:
    """A checkpoint from its file; raises `Unreadable` unless it is whole."""
    head = read_head(path)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files if name != "head"}
    except Exception as error:  # the exception depends on the damage
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


def checkpoints_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folder's checkpoints, latest first."""
    return [folder / name for name in (NAME, PREVIOUS) if (folder / name).exists()]


def discard(folder: pathlib.Path) -> None:
    """Remove the folder's checkpoints."""
    for path in checkpoints_in(folder):
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
