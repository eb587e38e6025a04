"""What does it cost to save a run? The same command with checkpoints in quick succession and without any.

    python benchmarks/checkpoints.py [turns] [paths]

Both in turns, each a process of its own that runs the shipped book from start to end, once with a checkpoint
every two seconds and once without. The difference over the number of checkpoints is what one costs, and its
share of `run.checkpoint_seconds` as it is by default what checkpoints cost a run.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from experiments.schema import Run

EVERY = 2.0


def timed(folder: pathlib.Path, paths: int, every: float) -> tuple[float, int]:
    """Seconds of one command, and how often it was saved."""
    command = [sys.executable, "-m", "experiments.main", f"run.dir={folder}", f"run.paths={paths}"]
    begun = time.perf_counter()
    found = subprocess.run(
        [*command, f"run.checkpoint_seconds={every}", "report.html=false"], capture_output=True, text=True
    )
    if found.returncode not in (0, 4):
        raise SystemExit(found.stderr)
    return time.perf_counter() - begun, (folder / "log.jsonl").read_text(encoding="utf-8").count("saved at")


def main(turns: int = 5, paths: int = 500_000) -> None:
    """Time both in turns; print what one checkpoint costs."""
    each = []
    with tempfile.TemporaryDirectory() as base:
        timed(pathlib.Path(base) / "warm", 8192, 0.0)
        for turn in range(turns):
            without, _ = timed(pathlib.Path(base) / f"without-{turn}", paths, 0.0)
            seconds, saved = timed(pathlib.Path(base) / f"saved-{turn}", paths, EVERY)
            each.append((seconds - without) / saved)
            print(f"turn {turn}: {without:.1f} s, with {saved} checkpoints {seconds:.1f} s", flush=True)
    mean, error = statistics.mean(each), statistics.stdev(each) / len(each) ** 0.5
    print(
        f"a checkpoint costs {mean:.2f} ± {error:.2f} s (standard error over turns), "
        f"one every {Run().checkpoint_seconds:g} s {mean / Run().checkpoint_seconds:.2%}"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
