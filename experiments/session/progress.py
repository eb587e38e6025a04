"""Progress of a run: a bar for a person at a terminal, a line every ten seconds for a log."""

import contextlib
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator

EVERY = 10.0
"""Seconds between two log lines."""

FIRST = "the first time takes longest; the program is kept for later runs"
"""Said while a program is compiled."""

log = logging.getLogger("undertow.progress")


def among_others() -> bool:
    """Whether this process is one of several that run jobs side by side."""
    return multiprocessing.current_process().name != "MainProcess"


def watched() -> bool:
    """Whether a person watches: a terminal, not continuous integration, and not one job among several."""
    return not among_others() and sys.stderr.isatty() and not os.environ.get("CI")


@contextlib.contextmanager
def doing(what: str) -> Iterator[None]:
    """`with doing("reading the book"):` says so on standard error while it lasts, where a person watches."""
    if not watched():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what, spinner="line"):
        yield


class Bar:
    """A progress bar on standard error, with figures beside it.

    Shown only where a person watches; it disappears when it stops.
    """

    def __init__(self, description: str, total: int, done: int = 0, figures: str = "") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.shown = watched()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not self.shown)
        self.task = self.bar.add_task(description, total=total, completed=done, figures=figures)
        self.bar.start()

    def update(self, done: int, figures: str, description: str | None = None) -> None:
        """Show `done` of the total with these figures behind the bar, and another description if given."""
        self.bar.update(self.task, completed=done, figures=figures, description=description)

    def stop(self) -> None:
        """Take the bar away."""
        self.bar.stop()


class Progress:
    """`with Progress(paths) as progress:`; `progress.update(done)` with the number of paths done so far.

    `of` says which of several passes over the paths this is.

    Speed counts from the first update, so that neither compilation nor the first block is in it.
    """

    def __init__(self, paths: int, of: str = "") -> None:
        self.paths = paths
        self.first: tuple[int, float] | None = None  # paths done and time at the first update
        self.logged = time.monotonic()
        self.name = f"{of}: " if of else ""
        self.bar = Bar(f"{self.name}compiling", paths, figures=FIRST)
        log.info("%scompiling, then %s paths", self.name, f"{paths:,}")

    def update(self, done: int) -> None:
        """`done` paths are finished."""
        now = time.monotonic()
        if self.first is None:
            self.first = (done, now)
        figures = self.figures(done, now)
        self.bar.update(done, figures, f"{self.name}simulating")
        if now - self.logged >= EVERY or done == self.paths:
            self.logged = now
            log.info("%s%s", self.name, figures)

    def figures(self, done: int, now: float) -> str:
        """Paths done, paths a second and the time left in words."""
        first, start = self.first or (done, now)
        count = f"{done:,} of {self.paths:,} paths"
        if done == first or now == start:
            return count
        speed = (done - first) / (now - start)
        return f"{count}, {speed:,.0f} paths/s, {(self.paths - done) / speed:,.0f} s left"

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
