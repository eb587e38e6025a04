"""Standard output and error as they may be: closed, a pipe that nobody reads, a full disk.

None of them ends a run, and none is answered with a traceback.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Any

from experiments.session.exit_codes import DONE, FAILED

NO_READER = (errno.EPIPE, errno.ESHUTDOWN)


def say(text: object) -> None:
    """A line on standard error, if anybody can read it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


def reopen() -> None:
    """Put the null device where a standard stream is closed.

    The next file to be opened, such as a run's log, would otherwise be the one that libraries write their
    errors to.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def shown(show: Callable[[], Any], code: int = DONE) -> int:
    """Call what prints; the exit code: `code`, or FAILED where standard output cannot be written.

    A reader that has enough, such as `head`, is no failure.
    """
    try:
        show()
        sys.stdout.flush()
    except OSError as error:
        silence()
        if error.errno not in NO_READER:
            say(f"undertow: standard output could not be written: {error.strerror}")
            return code or FAILED
    return code


def silence() -> None:
    """Hand what is left in the buffer of standard output, and what comes, to the null device."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def flushed(code: int) -> int:
    """The exit code once both streams are flushed: Python would do so later, with a traceback and 120."""
    code = shown(lambda: None, code)
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return code
