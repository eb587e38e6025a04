"""Files written whole or not at all: a reader sees the old one or the new, after a crash too."""

import os
import pathlib
import tempfile
from collections.abc import Callable

UNFINISHED = ".part"
"""Ending of a temporary file; one that lies about is what a killed process left."""


def write_whole(path: pathlib.Path, write: Callable[[str], None]) -> None:
    """Calls `write` on a temporary file beside `path`, syncs it and renames it over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    os.close(handle)
    try:
        write(name)
        with open(name, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
        sync(path.parent)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def sync(folder: pathlib.Path) -> None:
    """Makes a rename within the folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_unfinished(folder: pathlib.Path) -> None:
    """Removes what killed writers left in the folder; only for who alone writes to it."""
    for path in folder.glob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)
