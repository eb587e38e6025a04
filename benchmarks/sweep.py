"""How efficiently does a sweep of many small runs use the cores? Parallel jobs against a single run.

    python benchmarks/sweep.py [jobs] [paths]

One run of the command alone on one core, from start to end, and then a sweep of `jobs` such runs with
hydra/launcher=joblib, each with its own seed. The ideal is the time of one run times the jobs over the cores.
The cache of compiled programs is warm. A run is `paths` paths of the small worked book for 12 months, with
its report.
"""

import pathlib
import sys
import tempfile

from command import seconds

from engine.run.host import cores

BOOK = pathlib.Path(__file__).resolve().parent.parent / "engine" / "book" / "shipped" / "worked_small"


def main(jobs: int = 200, paths: int = 16_384) -> None:
    """Time one run three times, then the sweep."""
    small = ("book=own", f"book.path={BOOK}", "run.months=12", f"run.paths={paths}")
    with tempfile.TemporaryDirectory() as base:
        lone = (*small, "run.devices=1")
        seconds(*lone, f"run.dir={base}/warm")
        alone = [seconds(*lone, f"run.dir={base}/alone-{turn}", f"run.seed={turn}") for turn in range(3)]
        seeds = ",".join(str(1000 + job) for job in range(jobs))
        many = (f"run.dir={base}/sweep", f"run.seed={seeds}", "hydra/launcher=joblib")
        took = seconds("-m", *small, *many)
    one = sorted(alone)[1]
    ideal = one * jobs / cores()
    print(f"one run alone {one:.2f} s ({min(alone):.2f}-{max(alone):.2f})")
    print(
        f"{jobs} runs on {cores()} cores: {took:.0f} s, {took / ideal:.2f} times the ideal of {ideal:.0f} s"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
