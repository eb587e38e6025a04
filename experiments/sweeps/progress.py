"""How far a sweep is, whichever launcher runs it: read from the status files of its jobs."""

import pathlib
import sys
import threading

from experiments.session.progress import watched
from experiments.session.run_folder import read_status

ENDED = ("done", "failed", "interrupted")
EVERY = 1.0
"""Seconds between two looks."""


class SweepProgress:
    """A bar over all jobs for a person at a terminal, else a line whenever a job has ended."""

    def __init__(self, every: list[pathlib.Path], due: list[pathlib.Path]) -> None:
        from tqdm import tqdm

        self.total, self.skipped = len(every), len(every) - len(due)
        self.before = {folder: stamp(folder) for folder in due}
        self.said = self.skipped
        self.bar = tqdm(
            total=self.total, initial=self.skipped, unit=" jobs", desc="sweep", disable=not watched()
        )
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def line(self) -> tuple[int, str]:
        """Jobs that have ended, and the others in words."""
        states = [read_status(path).get("status") for path, old in self.before.items() if stamp(path) != old]
        ended = self.skipped + sum(state in ENDED for state in states)
        failed, running = states.count("failed"), states.count("running")
        return ended, f"{running} running, {failed} failed"

    def look(self) -> None:
        """Look at the status files and say what is new."""
        ended, others = self.line()
        self.bar.set_postfix_str(others, refresh=False)
        self.bar.update(ended - self.bar.n)
        if self.bar.disable and ended > self.said:
            print(f"sweep: {ended} of {self.total} jobs, {others}", file=sys.stderr)
        self.said = ended

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
        self.bar.close()


def stamp(folder: pathlib.Path) -> int | None:
    """When a job's status was last written; None where it has none."""
    try:
        return (folder / "status.json").stat().st_mtime_ns
    except OSError:
        return None
