"""Are time a path and peak memory flat in the number of paths?

    python benchmarks/flat.py [largest]

Each run in a process of its own, the main job through the tally on all devices: the shipped book and the
small worked one over 12 months, from 10^5 paths by tens to `largest`, the shipped book no further than 10^7.
Time a path is that of simulation, without compilation. Flat means within 5% of the run of 10^6 paths.
"""

import json
import subprocess
import sys

from experiments.devices import prepare_devices

MONTHS, BLOCK, SEED = 12, 16_384, 7
FIRST, MIDDLE, WITHIN = 10**5, 10**6, 0.05
MOST = {"ai_credit_2025": 10**7, "worked_small": 10**8}


def one(book: str, paths: int) -> None:
    """Run once and print a line of JSON: compile and run seconds, MB."""
    prepare_devices()
    from record import peak_memory

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.tail.blocks import Plan

    system = build_system(load_book(shipped_book(book)), Parameters(), MONTHS)
    _, timing = simulate(system, Plan(paths, BLOCK, SEED))
    print(json.dumps({"compile_s": timing.compile_s, "run_s": timing.run_s, "memory_mb": peak_memory()}))


def measured(book: str, paths: int) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, book, str(paths)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"{book}, {paths:,} paths: {answer.stderr.strip().splitlines()[-1]}")
    return json.loads(answer.stdout.splitlines()[-1])


def verdict(found: dict[int, float], what: str) -> str:
    """Whether a measure by paths keeps within 5% of that of a million paths, and the furthest it is from it.

    >>> verdict({10**5: 1.2, 10**6: 1.0, 10**7: 1.04}, "time a path")
    'time a path not flat: +20.0% at 100,000 paths'
    """
    apart = {paths: value / found[MIDDLE] - 1.0 for paths, value in found.items()}
    worst = max(apart, key=lambda paths: abs(apart[paths]))
    said = "flat" if abs(apart[worst]) <= WITHIN else "not flat"
    return f"{what} {said}: {apart[worst]:+.1%} at {worst:,} paths"


def main(largest: int = 10**7) -> None:
    """Every size of each book, smallest first."""
    prepare_devices()
    from record import Record, spread

    for book, most in MOST.items():
        times, memories, paths = {}, {}, FIRST
        while paths <= min(largest, most):
            run = measured(book, paths)
            times[paths], memories[paths] = run["run_s"] / paths * 1e6, run["memory_mb"]
            rate = spread([paths / run["run_s"]])
            Record("flat", f"{book}, {MONTHS} months, {paths:,} paths", rate, "paths/s", **run).tell()
            paths *= 10
        if len(times) > 1:
            print(f"{book}: {verdict(times, 'time a path')}; {verdict(memories, 'peak memory')}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        one(sys.argv[1], int(sys.argv[2]))
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
