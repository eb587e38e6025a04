"""What does a checkpoint cost? The same command with frequent checkpoints and with none.

    python benchmarks/checkpoints.py [turns] [paths]

Two variants alternate, each a fresh process that runs the shipped book from start to end: a checkpoint every
two seconds, and none. The difference divided by the number of checkpoints is the cost of one; relative to the
default `run.checkpoint_seconds` it is the overhead of a run.
"""

import pathlib
import statistics
import sys
import tempfile

from command import seconds

from experiments.config.schema import Run

EVERY = 2.0


def timed(folder: pathlib.Path, paths: int, every: float) -> tuple[float, int]:
    """Seconds of one command, and its number of checkpoints."""
    own = (f"run.dir={folder}", f"run.paths={paths}", f"run.checkpoint_seconds={every}")
    took = seconds(*own, "report.html=false", "report.xlsx=false")
    return took, (folder / "log.jsonl").read_text(encoding="utf-8").count("saved at")


def main(turns: int = 5, paths: int = 500_000) -> None:
    """Time both variants in turns; print the cost of one checkpoint."""
    each = []
    with tempfile.TemporaryDirectory() as base:
        timed(pathlib.Path(base) / "warm", 8192, 0.0)
        for turn in range(turns):
            without, _ = timed(pathlib.Path(base) / f"without-{turn}", paths, 0.0)
            took, saved = timed(pathlib.Path(base) / f"saved-{turn}", paths, EVERY)
            each.append((took - without) / saved)
            print(f"turn {turn}: {without:.1f} s, with {saved} checkpoints {took:.1f} s", flush=True)
    mean, error = statistics.mean(each), statistics.stdev(each) / len(each) ** 0.5
    print(
        f"a checkpoint costs {mean:.2f} ± {error:.2f} s (standard error over turns), "
        f"one every {Run().checkpoint_seconds:g} s {mean / Run().checkpoint_seconds:.2%}"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
