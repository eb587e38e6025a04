"""A bank's tape of thousands of loans, from the spreadsheet to its paths: seconds of each step.

    python benchmarks/large_tape.py [loans=2000 ...] [--paths 256]

The tape is made up: four loans to a borrower, each on a few chips, contracts with two of the shipped book's
firms. It is imported over the shipped book by the command, read, built over one year and
simulated on one device; seconds are of the processor, memory is the most that the process had.
"""

import argparse
import csv
import pathlib
import random
import tempfile
import time
from collections.abc import Callable
from typing import Any

from command import seconds
from startup import processor

HEAD = (
    "Loan ID", "Borrower", "Facility", "Commitment (USD)", "Drawn", "Margin", "Final Maturity", "LTV",
    "GPU type", "GPU count", "Off-taker",
)  # fmt: skip
SYLLABLES = "bar cel dor fen gal hol jun kal lor mur nor pel qui ras sol tur vel wex yor zin".split()


def borrowers(count: int, chance: random.Random) -> list[str]:
    """Names of firms, no two alike."""
    names: set[str] = set()
    while len(names) < count:
        words = ("".join(chance.choices(SYLLABLES, k=4)).title() for _ in range(2))
        names.add(" ".join((*words, "Compute LLC")))
    return sorted(names)


def tape(path: pathlib.Path, loans: int) -> None:
    """Write a tape of so many loans."""
    chance = random.Random(1)
    names = borrowers(max(loans // 4, 1), chance)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEAD)
        for number in range(loans):
            millions = chance.randint(5, 200)
            month = f"{chance.choice(('Jan', 'Mar', 'Jun', 'Sep'))} {chance.randint(2027, 2031)}"
            rows.writerow((
                f"L{number:05d}", names[number % len(names)],
                chance.choice(("Term Loan", "DDTL", "Equipment lease")), f"{millions}m", f"{millions - 1}m",
                f"{chance.randint(300, 800) / 100}%", f"{chance.randint(1, 28)} {month}",
                f"{chance.randint(40, 80)}%", chance.choice(("H100 SXM5", "A100", "GB200")),
                chance.randint(1, 60), chance.choice(("Microsoft", "spot", "Meta")),
            ))  # fmt: skip


def timed(step: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """A result and the processor seconds that it took."""
    begin = time.process_time()
    result = step(*arguments)
    return result, time.process_time() - begin


def measured(folder: pathlib.Path, loans: int, paths: int) -> str:
    """One row of the table."""
    from engine.book.build import build_system
    from engine.book.load import load_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.results.provenance import peak_memory
    from engine.run.plan import Plan

    tape(folder / "tape.csv", loans)
    begin = processor()
    seconds("task=import", "tape=tape.csv", "tape.lender='Large Bank'", cwd=folder)
    imported = processor() - begin
    book, loaded = timed(load_book, folder / "tape_book")
    system, built = timed(build_system, book, Parameters(), 12)
    plan = Plan(paths=paths, block=256, seed=1)
    _, first = timed(simulate, system, plan)
    _, again = timed(simulate, system, plan)
    sizes = (len(system.names.loans), len(system.names.firms))
    steps = (imported, loaded, built, first - again, 1e3 * again / paths)
    return "".join(f"{size:>10,}" for size in sizes) + "".join(
        f"{step:>10.1f}" for step in (*steps, peak_memory() / 1e3)
    )


def main() -> None:
    from engine.run.host import prepare_devices

    prepare_devices(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("loans", type=int, nargs="*", default=[2000])
    parser.add_argument("--paths", type=int, default=256)
    options = parser.parse_args()
    heads = ("loans", "firms", "import s", "load s", "build s", "compile s", "ms a path", "GB")
    print("".join(f"{head:>10}" for head in heads))
    for loans in options.loans:
        with tempfile.TemporaryDirectory() as folder:
            print(measured(pathlib.Path(folder), loans, options.paths), flush=True)


if __name__ == "__main__":
    main()
