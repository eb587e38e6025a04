"""Are time a path and peak memory flat in the number of paths?

    python benchmarks/flat.py [largest of the shipped book] [largest of the small one]

Each run is a fresh process: the main job through the tally on all devices, on the shipped book and the small
worked one over 12 months, from 10^5 paths in steps of ten. Time a path is the processor time of all threads
after the first round of blocks, which excludes compilation and other load on the machine. Flat means within
5% of the run of 10^6 paths. A round is 4,096 paths on two devices; the last one is whole.
"""

import json
import subprocess
import sys
import time

from engine.run.host import prepare_devices

BOOKS = ("ai_credit_2025", "worked_small")
MONTHS, BLOCK, SEED = 12, 2_048, 7
FIRST, MIDDLE, WITHIN = 10**5, 10**6, 0.05


def one(book: str, paths: int) -> None:
    """Run once and print a line of JSON: compile and run seconds, MB, processor microseconds a path."""
    prepare_devices()
    from record import peak_memory

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.run.plan import Hooks, Plan

    system, marks = build_system(load_book(shipped_book(book)), Parameters(), MONTHS), []
    hooks = Hooks(progress=lambda done: marks.append((done, time.process_time())))
    _, timing = simulate(system, Plan(paths, BLOCK, SEED), hooks=hooks)
    (first, first_s), (last, last_s) = marks[0], marks[-1]
    record = {"compile_s": timing.compile_s, "run_s": timing.run_s, "memory_mb": peak_memory()}
    print(json.dumps(record | {"processor_us": (last_s - first_s) / (last - first) * 1e6}))


def measured(book: str, paths: int) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, book, str(paths)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"{book}, {paths:,} paths: {answer.stderr.strip().splitlines()[-1]}")
    return json.loads(answer.stdout.splitlines()[-1])


def verdict(values: dict[int, float], what: str) -> str:
    """Whether a measure by paths stays within 5% of its value at a million paths, and its largest deviation.

    >>> verdict({10**5: 1.2, 10**6: 1.0, 10**7: 1.04}, "time a path")
    'time a path not flat: +20.0% at 100,000 paths'
    """
    deviations = {paths: value / values[MIDDLE] - 1.0 for paths, value in values.items()}
    worst = max(deviations, key=lambda paths: abs(deviations[paths]))
    word = "flat" if abs(deviations[worst]) <= WITHIN else "not flat"
    return f"{what} {word}: {deviations[worst]:+.1%} at {worst:,} paths"


def main(shipped: int = 10**7, small: int = 10**7) -> None:
    """Every size of each book, smallest first."""
    prepare_devices()
    from record import Record, spread

    for book, most in zip(BOOKS, (shipped, small), strict=True):
        times, memories, paths = {}, {}, FIRST
        while paths <= most:
            run = measured(book, paths)
            times[paths], memories[paths] = run.pop("processor_us"), run["memory_mb"]
            rate = spread([paths / run["run_s"]])
            Record("flat", f"{book}, {MONTHS} months, {paths:,} paths", rate, "paths/s", **run).tell()
            print(f"  {times[paths]:.2f} us of processor a path after the first round")
            paths *= 10
        if len(times) > 1:
            print(f"{book}: {verdict(times, 'time a path')}; {verdict(memories, 'peak memory')}")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in BOOKS:
        one(sys.argv[1], int(sys.argv[2]))
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
