"""One process per run folder: a lock that the system releases however its holder ends."""

import fcntl
import os
import pathlib

NAME = ".lock"


class Busy(Exception):
    """Another process holds the folder."""


class Lock:
    """`Lock(folder)` holds the folder until `release`; raises `Busy` where another process does.

    On a file system without locks it holds nothing.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.handle)
            raise Busy(str(folder)) from None
        except OSError:
            pass

    def release(self) -> None:
        """Release the folder."""
        os.close(self.handle)


def busy(folder: pathlib.Path) -> bool:
    """Whether a process holds the folder now, as far as this one can tell."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
