"""The command in a process of its own, with the stand-in engine behind the door and a mishap while it runs.

MISHAP=full python -m tests.experiments.stand_in run.dir=a
"""

import os
import pathlib
import resource
import shutil

import pytest

from experiments import main as entry
from tests.experiments.conftest import install

SMALL = 600
"""Bytes that a file may have from the mishap `limit` on: enough for a status, not for a summary."""


def folder() -> pathlib.Path:
    """The folder of the run at work."""
    return next(path.parent for path in pathlib.Path().glob("**/status.json"))


def fill() -> None:
    """Take the last byte of the folder's disk."""
    handle = os.open(folder().parent / "filler", os.O_CREAT | os.O_WRONLY)
    for size in (4096, 1):
        try:
            while True:
                os.write(handle, bytes(size))
        except OSError:
            pass


def occupy(name: str) -> None:
    """Put a folder where a file is to be written."""
    path = folder() / name
    path.unlink(missing_ok=True)
    (path / "in the way").mkdir(parents=True)


MISHAPS = {
    "full": fill,
    "limit": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL)),
    "gone": lambda: shutil.rmtree(folder()),
    "summary": lambda: occupy("summary.json"),
    "results": lambda: (folder() / "results").write_text("in the way"),
    "descriptors": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)),
    "raises": lambda: 1 // 0,
}
"""What befalls the run after its folder has been made."""


def main() -> None:
    """The command; the mishap's name is in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        engine = install(patch)
        if mishap := MISHAPS.get(os.environ.get("MISHAP", "")):
            engine.during = lambda progress, stopped: mishap()
        entry.main()


if __name__ == "__main__":
    main()
