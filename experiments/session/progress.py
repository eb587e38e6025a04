"""How far a run is: a bar for a person at a terminal, a line every ten seconds for a log."""

import logging
import multiprocessing
import os
import sys
import time

EVERY = 10.0
"""Seconds between two lines of a log."""

log = logging.getLogger("undertow.progress")


def among_others() -> bool:
    """Whether this process is one of several that run jobs side by side."""
    return multiprocessing.current_process().name != "MainProcess"


def watched() -> bool:
    """Whether a person looks on: a terminal, not continuous integration, and not one job among several."""
    return not among_others() and sys.stderr.isatty() and not os.environ.get("CI")


class Progress:
    """`with Progress(paths) as progress:`; `progress.update(done)` with the number of paths done so far.

    `of` says which of several passes over the paths this is.

    Speed counts from the first update, so that neither compilation nor the first block is in it.
    """

    def __init__(self, paths: int, of: str = "") -> None:
        from tqdm import tqdm

        self.paths, self.base = paths, None
        self.said = time.monotonic()
        self.bar = tqdm(total=paths, unit=" paths", unit_scale=True, disable=not watched(), leave=False)
        self.name = f"{of}: " if of else ""
        self.bar.set_description(f"{self.name}compiling")
        log.info("%scompiling, then %s paths", self.name, f"{paths:,}")

    def update(self, done: int) -> None:
        """`done` paths are finished."""
        now = time.monotonic()
        if self.base is None:
            self.base = (done, now)
            self.bar.set_description(f"{self.name}simulating")
            self.bar.initial = done
            self.bar.unpause()
        self.bar.update(done - self.bar.n)
        if now - self.said >= EVERY or done == self.paths:
            self.said = now
            log.info(self.line(done, now))

    def line(self, done: int, now: float) -> str:
        """Paths done, paths a second and the time left in words."""
        first, start = self.base
        said = f"{self.name}{done:,} of {self.paths:,} paths"
        if done == first:
            return said
        speed = (done - first) / (now - start)
        return f"{said}, {speed:,.0f} paths/s, {(self.paths - done) / speed:,.0f} s left"

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
