"""Atomic writing of files: a reader sees the old one or the new, after a crash too."""

import os
import pathlib
import tempfile
from collections.abc import Callable

UNFINISHED = ".part"
"""Ending of a temporary file; a killed process leaves one behind."""


def write_whole(path: pathlib.Path, write: Callable[[str], None]) -> None:
    """Call `write` on a temporary file beside `path`, sync it and rename it over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    os.close(handle)
    try:
        write(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
        sync(path.parent)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def sync(folder: pathlib.Path) -> None:
    """Make a rename within the folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_unfinished(folder: pathlib.Path) -> None:
    """Remove temporary files of killed writers; only where no other process writes to the folder."""
    for path in folder.glob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)
