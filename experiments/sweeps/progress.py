"""Progress of a sweep under any launcher, read from the status files of its jobs."""

import pathlib
import sys
import threading

from experiments.session.progress import Bar
from experiments.session.run_folder import read_status

ENDED = ("done", "failed", "interrupted")
EVERY = 1.0
"""Seconds between two readings."""


class SweepProgress:
    """A bar over all jobs for a person at a terminal, else a line whenever a job ends."""

    def __init__(self, every: list[pathlib.Path], due: list[pathlib.Path]) -> None:
        self.total, self.skipped = len(every), len(every) - len(due)
        self.before = {folder: stamp(folder) for folder in due}
        self.printed = self.skipped
        self.bar = Bar("sweep", self.total, self.skipped)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def count(self) -> tuple[int, str]:
        """Number of jobs that have ended, and the others in words."""
        states = [read_status(path).get("status") for path, old in self.before.items() if stamp(path) != old]
        ended = self.skipped + sum(state in ENDED for state in states)
        failed, running = states.count("failed"), states.count("running")
        return ended, f"{running} running, {failed} failed"

    def look(self) -> None:
        """Read the status files and show what has changed."""
        ended, others = self.count()
        figures = f"{ended} of {self.total} jobs, {others}"
        self.bar.update(ended, figures)
        if not self.bar.shown and ended > self.printed:
            print(f"sweep: {figures}", file=sys.stderr)
        self.printed = ended

    def _watch(self) -> None:
        while not self.over.wait(EVERY):
            self.look()

    def __enter__(self) -> "SweepProgress":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.look()
        self.bar.stop()


def stamp(folder: pathlib.Path) -> int | None:
    """When a job's status was last written; None without one."""
    try:
        return (folder / "status.json").stat().st_mtime_ns
    except OSError:
        return None
