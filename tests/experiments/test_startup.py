"""The command answers at once."""

import os
import resource
import subprocess
import sys

from engine.book.load import shipped_book
from tests.experiments.kills import COMMAND, results_of

HEAVY = ("numpy", "jax", "pandas", "scipy", "plotly", "pyarrow", "equinox", "rich", "importlib.metadata")
"""None is needed to read a configuration: the tasks, all imported there, import them inside functions."""


def seconds_of(command, folder):
    """What a command says, and the least processor seconds of three times."""
    seconds = []
    for _ in range(3):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
    return answer.stdout, min(seconds)


def test_help_answers_at_once(tmp_path):
    """In less than half of what importing jax takes on the same processor."""
    said, seconds = seconds_of([sys.executable, "-m", "experiments.main", "--help"], tmp_path)
    assert "scenario=bust" in said and "million" in said
    assert seconds < 0.5 * seconds_of([sys.executable, "-c", "import jax"], tmp_path)[1]


def test_composing_imports_nothing_heavy(tmp_path):
    script = (
        "import sys; from experiments import main; sys.argv = ['undertow', '--cfg', 'job']; main.main(); "
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    )
    ask = [sys.executable, "-c", script]
    answer = subprocess.run(ask, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert answer.stdout.splitlines()[-1] == "loaded: []"


REPORTS = (
    "plotly",
    "matplotlib",
    "optuna",
    "scipy.stats",
    "engine.report.page",
    "engine.results.circular_web",
)


def test_paths_wait_for_no_report(tmp_path):
    script = (
        "import sys; from experiments import main; import engine.paths.simulate as paths\n"
        "def simulate(*arguments, **more):\n"
        f"    print('loaded:', [name for name in {REPORTS} if name in sys.modules]); sys.exit(0)\n"
        "paths.simulate = simulate; sys.argv = ['undertow', 'run.dir=run', 'run.paths=256']; main.main()"
    )
    ask = [sys.executable, "-c", script]
    answer = subprocess.run(ask, capture_output=True, text=True, cwd=tmp_path)
    assert answer.stdout.splitlines()[-1] == "loaded: []", answer.stderr


def test_the_report_imports_no_distributions(tmp_path):
    """scipy.stats takes a quarter of a second, and only tasks that estimate need it."""
    script = (
        "import sys; import engine.report.files, engine.results.write; print('scipy.stats' in sys.modules)"
    )
    ask = [sys.executable, "-c", script]
    assert subprocess.run(ask, capture_output=True, text=True, cwd=tmp_path).stdout.strip() == "False"


def test_a_second_start_reads_what_the_first_compiled(tmp_path):
    """And says the same to the bit."""
    book = ("book=own", f"book.path={shipped_book('worked_small')}")
    settings = (*book, "run.paths=512", "run.months=12", "report.html=false", "report.xlsx=false")
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    kept = tmp_path / "cache" / "undertow" / "jax" / "programs"

    def run(name):
        command = [*COMMAND, f"run.dir={tmp_path / name}", *settings]
        subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env=environment)
        return {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}

    first = run("a")
    programs = {name for name in first if name.endswith(".program")}
    again = run("b")
    assert len(programs) >= 3 and set(again) == set(first)
    assert all(again[name] > first[name] for name in programs)
    assert results_of(tmp_path / "a") == results_of(tmp_path / "b")
