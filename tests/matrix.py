"""`make matrix`: set-up, a small report and the tests for pairs of Python and JAX, one after another.

    python tests/matrix.py 3.11:0.10.2 3.12:0.12.0.1 [--tests "tests/run tests/paths"] [--workers 2]

Every pair has an environment of its own in .venv-matrix/, pinned by the two constraints.txt except for JAX,
with a log beside it. A failure stops nothing; at the end there is one table, and exit code 1 if anything
failed.
"""

import argparse
import dataclasses
import glob
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv-matrix"
HEAD = ("Python", "JAX", "setup", "report", "tests", "passed", "failed", "skipped", "seconds")


@dataclasses.dataclass(frozen=True)
class Pair:
    """A Python and a JAX, and where their environment is."""

    python: str
    jax: str

    @property
    def folder(self) -> pathlib.Path:
        return FOLDER / f"{self.python}-{self.jax}"

    @property
    def bin(self) -> pathlib.Path:
        return self.folder / "bin"

    def run(self, *command: object) -> bool:
        """Whether a command succeeds; what it prints goes to the log."""
        with open(f"{self.folder}.log", "a", encoding="utf-8") as log:
            print("$", *command, file=log, flush=True)
            where = {"cwd": ROOT, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
            return subprocess.run([*map(str, command)], stdout=log, stderr=log, **where).returncode == 0


def interpreter(python: str) -> str | None:
    """A Python of this version: on the path, or one of pyenv's."""
    root = os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv"
    for path in (shutil.which(f"python{python}"), *glob.glob(f"{root}/versions/{python}.*/bin/python")):
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    return None


def setup(pair: Pair) -> bool:
    """The pinned environment, then this JAX in it."""
    python = interpreter(pair.python)
    versions = (f"jax=={pair.jax}", f"jaxlib=={pair.jax}")
    return (
        python is not None
        and pair.run("make", "develop", f"VENV={pair.folder}", f"PYTHON={python}")
        and pair.run(pair.bin / "python", "-m", "pip", "install", "--quiet", "--no-deps", *versions)
    )


def report(pair: Pair) -> bool:
    """The main job on the shipped book, of 65,536 paths."""
    run = ROOT / "out" / "matrix" / pair.folder.name
    shutil.rmtree(run, ignore_errors=True)
    return pair.run(pair.bin / "undertow", "run.paths=65536", f"run.dir={run}")


def test(pair: Pair, tests: list[str], workers: str) -> tuple[bool, list[int]]:
    """Whether the tests pass; how many passed, failed and were skipped."""
    results = pathlib.Path(f"{pair.folder}.xml")
    results.unlink(missing_ok=True)
    options = ("-n", workers, "--dist", "loadfile", "--max-worker-restart", "0", f"--junitxml={results}")
    success = pair.run(pair.bin / "python", "-m", "pytest", *options, *tests)
    if not results.exists():
        return False, [0, 0, 0]
    suite = xml.parse(results).getroot().find("testsuite")
    count, failures, errors, skipped = (
        int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")
    )
    return success, [count - failures - errors - skipped, failures + errors, skipped]


def row(pair: Pair, tests: list[str], workers: str) -> tuple[bool, list[str]]:
    """Whether all went well with a pair, and its row of the table."""
    begun, counts = time.monotonic(), [0, 0, 0]
    steps = {"setup": setup(pair), "report": False, "tests": False}
    if steps["setup"]:
        steps["report"] = report(pair)
        steps["tests"], counts = test(pair, tests, workers)
    words = ["ok" if success else "FAILED" for success in steps.values()]
    numbers = [str(number) for number in (*counts, round(time.monotonic() - begun))]
    return all(steps.values()), [pair.python, pair.jax, *words, *numbers]


def main() -> int:
    """Run all pairs and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", nargs="+", help="PYTHON:JAX")
    parser.add_argument("--tests", default="", help="files of tests, separated by blanks; default all")
    parser.add_argument("--workers", default="auto", help="processes of pytest")
    given = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    rows = []
    for pair in given.pairs:
        rows.append(row(Pair(*pair.split(":")), given.tests.split(), given.workers))
        print(*rows[-1][1], flush=True)
    table = [HEAD, *(cells for _, cells in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print()
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    return 0 if all(success for success, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
