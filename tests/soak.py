"""Runs in one process for so many minutes: whether its memory stays flat.

    python -m tests.soak 30

Each turn is what the command does: a book read from disk, paths simulated, tables, summary and page written.
The seed changes, and every third turn the sampler. Memory is the resident set after a collection of garbage.
The first third of the time is for compiling and for caches to fill; from then on a line is fitted. The code
is 1 where it rises by more than `MOST` of the mean an hour and the rise exceeds four of its standard errors.
"""

import argparse
import contextlib
import gc
import io
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

from engine.book.load import shipped_book

FEWEST = 10
"""Turns that a line is fitted to, at least."""

MOST = 0.10
"""Share of the memory by which it may grow in an hour."""

BOOK = str(shipped_book("worked_small"))
SAMPLERS = ((), ("sampler=antithetic", "sampler.replications=4"), ("sampler=sobol", "sampler.replications=4"))


def resident() -> float:
    """Megabytes in memory after a collection of garbage."""
    gc.collect()
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def turn(number: int, folder: pathlib.Path, book: str, paths: int, samplers: int) -> None:
    """One run of the command in this process."""
    from experiments import main as entry

    sys.argv = [
        "undertow", "book=own", f"book.path={book}", f"run.dir={folder}", f"run.paths={paths}",
        "run.months=12", f"run.seed={number}", *SAMPLERS[number % samplers],
    ]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            entry.main()
        except SystemExit as end:
            if end.code not in (0, 4):
                raise RuntimeError(f"turn {number} ended with code {end.code}\n{errors.getvalue()}") from None


def slope(seconds: np.ndarray, megabytes: np.ndarray) -> tuple[float, float]:
    """Growth of memory in MB an hour, with its standard error, by least squares.

    >>> slope(np.array([0.0, 1800.0, 3600.0, 5400.0]), np.array([100.0, 101.0, 102.0, 103.0]))
    (2.0, 0.0)
    """
    hours = seconds / 3600.0
    centred = hours - hours.mean()
    spread = float(centred @ centred)
    rise = float(centred @ megabytes) / spread
    residuals = megabytes - megabytes.mean() - rise * centred
    error = float(np.sqrt(residuals @ residuals / max(len(hours) - 2, 1) / spread))
    return round(rise, 6), round(error, 6)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--paths", type=int, default=4096)
    parser.add_argument("--samplers", type=int, choices=(1, 2, 3), default=3, help="each compiles once")
    given = parser.parse_args()
    begun, times, memory = time.monotonic(), [], []
    while time.monotonic() - begun < 60.0 * given.minutes:
        with tempfile.TemporaryDirectory() as folder:
            turn(len(times), pathlib.Path(folder) / "run", BOOK, given.paths, given.samplers)
        times.append(time.monotonic() - begun)
        memory.append(resident())
        if len(times) % 10 == 1:
            print(f"{times[-1]:7.0f} s  turn {len(times):5}  {memory[-1]:8.1f} MB", flush=True)
    seconds, megabytes = np.array(times), np.array(memory)
    settled = seconds > seconds[-1] / 3.0
    if settled.sum() < FEWEST:
        parser.error(f"{settled.sum()} turns after the first third of the time, expected {FEWEST} or more")
    rise, error = slope(seconds[settled], megabytes[settled])
    mean = megabytes[settled].mean()
    print(f"{len(times)} turns in {seconds[-1] / 60.0:.1f} minutes: {mean:.1f} MB, ", end="")
    print(f"{rise:+.1f} ± {error:.1f} MB an hour")
    raise SystemExit(int(rise > MOST * mean and rise > 4.0 * error))


if __name__ == "__main__":
    main()
