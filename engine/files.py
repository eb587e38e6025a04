"""Atomic writing of files: a reader sees the old one or the new, after a crash too.

Files are as readable for others as the user's umask says.
"""

import contextlib
import csv
import errno
import hashlib
import os
import pathlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

UNFINISHED = ".part"
"""Ending of a temporary file; a killed process leaves one behind."""

OTHERS = 0o022
"""Rights to write of all but a file's owner."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins for a spreadsheet program, in letters of usual and of full width."""


def write_whole(path: pathlib.Path, write: Callable[[str], None], mode: int = 0o666) -> None:
    """Call `write` on a temporary file beside `path`, sync it and rename it over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = str(path.parent / f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        write(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.replace(name, path)
        sync(path.parent)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def sources_of(package: pathlib.Path) -> list[pathlib.Path]:
    """The sources of a package, Python's and C++'s, in order."""
    return sorted(path for path in package.rglob("*") if path.suffix in (".py", ".cc", ".h", ".cuh"))


def digest_of_sources(package: pathlib.Path) -> str:
    """sha256 of the sources of a package, name by name."""
    digest = hashlib.sha256()
    for path in sources_of(package):
        digest.update(f"{path.relative_to(package.parent).as_posix()} {path.stat().st_size} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_bytes(path: pathlib.Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file of these bytes whole, for others as readable as a mode and the user's umask say."""

    def write(name: str) -> None:
        pathlib.Path(name).write_bytes(content)

    write_whole(path, write, mode)


def write_csv(path: pathlib.Path, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file whole, with an apostrophe before every text that would be a formula."""

    def write(name: str) -> None:
        with open(name, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows([inert_text(cell) for cell in row] for row in rows)

    write_whole(path, write)


def sync(folder: pathlib.Path) -> None:
    """Make a rename within the folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private(folder: pathlib.Path) -> None:
    """Make a folder that nobody else may write into; raises OSError where there can be none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_others(folder)


def refuse_others(path: pathlib.Path) -> None:
    """Take everybody else's right to write a file; raises PermissionError where it is another user's."""
    if not own(path):
        path.chmod(path.stat().st_mode & ~OTHERS)
        if not own(path):
            raise PermissionError(errno.EACCES, "it is another user's", str(path))


def own(path: pathlib.Path) -> bool:
    """Whether a file is the user's and nobody else may write it; raises FileNotFoundError."""
    status = path.stat()
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & OTHERS)


def used(path: pathlib.Path) -> pathlib.Path:
    """The file, dated now for `keep_latest` where that can be."""
    with contextlib.suppress(OSError):
        os.utime(path)
    return path


def keep_latest(folder: pathlib.Path, most: int) -> None:
    """Of what lies in a folder keep so many, the ones used last by their dates."""
    with contextlib.suppress(OSError):  # other processes remove too
        for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-most]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def sweep_unfinished(folder: pathlib.Path) -> None:
    """Remove temporary files of killed writers; only where no other process writes to the folder."""
    for path in folder.glob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before every text, and name of a column, that would be a formula.

    Numbers stay numbers, negative ones too.

    >>> inert(pd.DataFrame({"name": ["=1+1", "one"], "loss": [-2.5, 3.0]})).to_csv(index=False)
    "name,loss\\n'=1+1,-2.5\\none,3.0\\n"
    """
    cells = table.map(inert_text) if len(table.columns) else table
    return cells.set_axis([inert_text(name) for name in table.columns], axis="columns")


def inert_text(value: Any) -> Any:
    """A text with an apostrophe before it where it begins as a formula does; other values as they are.

    A spreadsheet program drops blanks in front, and takes a tab or a line's end for the start of a cell.
    """
    if isinstance(value, str) and value.lstrip(" \u00a0").startswith(FORMULA):
        return f"'{value}"
    return value
