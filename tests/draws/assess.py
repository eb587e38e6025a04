"""dieharder over the engine's random words: which test says what of which stream.

    python tests/draws/assess.py out/random

Runs every test that dieharder's authors call good, each on words of a seed of its own, so that any line of
the table can be had again alone. Writes one CSV an order into the folder and prints what is not passed.
Exits with 1 if a stream fails a test.
"""

import argparse
import concurrent.futures
import csv
import pathlib
import subprocess
import sys

STREAM = pathlib.Path(__file__).with_name("battery.py")
AES = "aes"
"""dieharder's own AES in place of the engine: what its tests say of a generator beyond doubt."""

LAGS = (0, 1, 3, 7, 15, 31)
TESTS = (
    *((number, None) for number in (0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 17, 100, 101, 102)),
    *((200, bits) for bits in range(1, 13)),
    *((number, dimensions) for number in (201, 202) for dimensions in (2, 3, 4, 5)),
    *((203, lag) for lag in LAGS),
    *((number, None) for number in (204, 205, 206, 207, 208, 209)),
)
"""Test and its word length, dimension or lag. Left out: 5, 6, 7 (OPSO, OQSO, DNA), which `dieharder -l` calls
suspect, and 14 (sums), which it says not to use."""

FIELDS = ("test_name", "ntuple", "tsamples", "psamples", "pvalues", "assessment")
WEAK = 0.01
"""Share of p-values below 0.005 or above 0.995 when nothing is wrong."""


def seed_of(number: int, ntuple: int | None) -> int:
    """The seed of a test's words."""
    return 1000 * number + (ntuple or 0)


def judged(order: str, rounds: int, shift: int, number: int, ntuple: int | None) -> list[list[str]]:
    """Rows (seed, *FIELDS) that one test prints. Raises CalledProcessError if dieharder breaks off."""
    seed = shift + seed_of(number, ntuple)
    ask = ["dieharder", "-d", str(number), "-c", ","]
    ask += [word for field in FIELDS for word in ("-D", field)]
    ask += [] if ntuple is None else ["-n", str(ntuple)]
    if order == AES:
        text = subprocess.run([*ask, "-g", "205", "-S", str(seed + 1)], stdout=subprocess.PIPE, check=True)
    else:
        source = [sys.executable, STREAM, order, "--seed", str(seed), "--rounds", str(rounds)]
        with subprocess.Popen(source, stdout=subprocess.PIPE) as words:
            text = subprocess.run([*ask, "-g", "200"], stdin=words.stdout, stdout=subprocess.PIPE, check=True)
    lines = text.stdout.decode().splitlines()
    return [[str(seed), *(part.strip() for part in line.split(","))] for line in lines if "," in line]


def assess(folder: pathlib.Path, order: str, rounds: int, shift: int, tests, jobs: int) -> list[list[str]]:
    """Rows of all tests of one stream, written to the folder as they come."""
    name = order if rounds == 20 else f"{order}_{rounds}_rounds"
    name = name if shift == 0 else f"{name}_{shift}"
    rows: list[list[str]] = []
    with (
        open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file,
        concurrent.futures.ThreadPoolExecutor(jobs) as pool,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("seed", *FIELDS))
        for found in pool.map(lambda test: judged(order, rounds, shift, *test), tests):
            writer.writerows(found)
            file.flush()
            rows += found
    return rows


def report(order: str, rows: list[list[str]]) -> int:
    """Print what is not passed and the counts; how many failed."""
    verdicts = [row[-1] for row in rows]
    for row in rows:
        if row[-1] != "PASSED":
            print(f"  {row[1]} {row[2]} (seed {row[0]}): p = {row[-2]}, {row[-1]}")
    weak, failed = verdicts.count("WEAK"), verdicts.count("FAILED")
    print(
        f"{order}: {len(rows)} p-values, {weak} weak ({WEAK * len(rows):.1f} expected), {failed} failed",
        flush=True,
    )
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--orders", nargs="+", default=["paths", "months", "dimensions"])
    parser.add_argument("--rounds", type=int, default=20, help="of the hash, which has 20")
    parser.add_argument(
        "--tests", nargs="+", type=int, help="dieharder's numbers; all good ones if not given"
    )
    parser.add_argument("--shift", type=int, default=0, help="added to the seed of every test: fresh words")
    parser.add_argument("--jobs", type=int, default=1, help="tests run at a time")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    tests = [test for test in TESTS if asked.tests is None or test[0] in asked.tests]
    failed = 0
    for order in asked.orders:
        failed += report(order, assess(asked.folder, order, asked.rounds, asked.shift, tests, asked.jobs))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
