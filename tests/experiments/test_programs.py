"""Programs on disk among those of other books, lengths and settings: a run says what it says without them."""

import os
import re
import shutil
import subprocess

import pytest

from engine.book.load import shipped_book
from tests.experiments.kills import COMMAND, results_of

SETTINGS = ("book=own", "run.paths=512", "report.html=false", "report.xlsx=false")
RUNS = {
    "a year": ("run.months=12",),
    "two years": ("run.months=24",),
    "other borrowers": ("run.months=12",),
    "other paths": ("run.months=24", "run.seed=9", "run.block=256"),
    "points of Sobol": ("run.months=24", "sampler=sobol", "sampler.replications=2"),
    "drawn": ("run.months=24", "run.parameters=drawn"),
    "one device": ("run.months=24", "run.devices=1"),
    "a lever": ("task=policy", "policy=bailout", "policy.bailout_month=7", "run.months=24"),
    "a story": ("run.months=24", "scenario=bust"),
}


@pytest.mark.whole
def test_a_run_says_the_same_among_other_programs(tmp_path):
    shutil.copytree(shipped_book("worked_small"), tmp_path / "book")
    shutil.copytree(shipped_book("worked_small"), tmp_path / "other")
    for path in (tmp_path / "other").glob("*.csv"):
        path.write_text(re.sub(r"\bCLOUD\b", "CLOUX", path.read_text(encoding="utf-8")), encoding="utf-8")

    def run(name, turn, **more):
        folder = tmp_path / turn / name.replace(" ", "-")
        book = tmp_path / ("other" if name == "other borrowers" else "book")
        command = (*COMMAND, *SETTINGS, *RUNS[name], f"book.path={book}", f"run.dir={folder}")
        subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env=os.environ | more)
        return results_of(folder)

    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = {name: run(name, "first", **cache) for name in RUNS}
    again = {name: run(name, "again", **cache) for name in reversed(RUNS)}
    for name in RUNS:
        alone = run(name, "alone", JAX_ENABLE_COMPILATION_CACHE="false")
        assert first[name] == alone and again[name] == alone, name
