"""A bank's tape of thousands of loans, from the spreadsheet to its paths: seconds of each step.

    python benchmarks/large_tape.py [loans=2000 ...] [--lenders 1] [--paths 256]

The tape is made up: four loans to a borrower, each on a few chips, contracts with two of the shipped book's
firms. It is imported over the shipped book by the command, read, built over one year and
simulated on one device; seconds are of the processor, memory is the most that the process had. What a path
costs is the slope from a number of paths to thrice as many, what is fixed the rest. With several lenders each
loan is held by five of them in equal parts.
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


HOLDERS = 5
"""Of a loan, where several lenders share the tape."""


def syndicate(book: pathlib.Path, lenders: int) -> None:
    """Let so many lenders share the loans, each with as much capital as commitments."""
    chance, names = random.Random(2), [f"BANK_{number:05d}" for number in range(lenders)]
    capital = dict.fromkeys(names, 1e-3)

    def read(table: str) -> list[dict[str, str]]:
        with (book / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def rewrite(table: str, rows: Callable[[dict[str, str]], list[dict[str, str]]]) -> None:
        before = read(table)
        with (book / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(before[0]))
            writer.writeheader()
            writer.writerows(row for each in before for row in rows(each))

    def shares(row: dict[str, str]) -> list[dict[str, str]]:
        part, holders = float(row["share"]) / HOLDERS, chance.sample(names, HOLDERS)
        for name in holders:
            capital[name] += part * committed[row["instrument"]]
        return [row | {"lender": name, "share": str(part)} for name in holders]

    def banks(row: dict[str, str]) -> list[dict[str, str]]:
        return [row | {"lender": name, "name": name, "capital": f"{capital[name]:.9f}"} for name in names]

    committed = {row["loan"]: float(row["committed"]) for row in read("loans")}
    rewrite("holdings", shares)
    rewrite("lenders", banks)
    rewrite("incidence", lambda row: [row | {"lender": name} for name in names])


def timed(step: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """A result and the processor seconds that it took."""
    begin = time.process_time()
    result = step(*arguments)
    return result, time.process_time() - begin


def measured(folder: pathlib.Path, loans: int, lenders: int, paths: int) -> str:
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
    if lenders > 1:
        syndicate(folder / "tape_book", lenders)
    book, loaded = timed(load_book, folder / "tape_book")
    system, built = timed(build_system, book, Parameters(), 12)
    few, many = (Plan(paths=count, block=256, seed=1) for count in (paths, 3 * paths))
    _, first = timed(simulate, system, few)
    _, again = timed(simulate, system, few)
    _, thrice = timed(simulate, system, many)
    each = (thrice - again) / (2 * paths)
    sizes = (len(system.names.loans), len(system.names.firms), len(system.names.lenders))
    steps = (imported, loaded, built, first - again, again - paths * each, 1e3 * each)
    return "".join(f"{size:>10,}" for size in sizes) + "".join(
        f"{step:>10.1f}" for step in (*steps, peak_memory() / 1e3)
    )


def main() -> None:
    from engine.run.host import prepare_devices

    prepare_devices(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("loans", type=int, nargs="*", default=[2000])
    parser.add_argument("--lenders", type=int, default=1)
    parser.add_argument("--paths", type=int, default=256)
    options = parser.parse_args()
    heads = (
        "loans", "firms", "lenders", "import s", "load s", "build s", "compile s", "fixed s", "ms a path",
        "GB",
    )  # fmt: skip
    print("".join(f"{head:>10}" for head in heads))
    for loans in options.loans:
        with tempfile.TemporaryDirectory() as folder:
            print(measured(pathlib.Path(folder), loans, options.lenders, options.paths), flush=True)


if __name__ == "__main__":
    main()
