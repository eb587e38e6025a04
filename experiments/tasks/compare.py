"""Two or more finished runs side by side: changes with paired errors, and what cannot be compared."""

import dataclasses
import hashlib
import pathlib
import sys
from typing import Any

from engine.book.checks.problems import expected
from experiments import tasks
from experiments.config.checks import folder_problems, whole_problems
from experiments.config.overrides import at_home
from experiments.config.schema import Config
from experiments.context import Context
from experiments.session.run_folder import read_status, refuse_unwritable

RUN_FOLDER = False

WHOLE = {"paths": (0, 2**20, 1)}
"""Whole-number options: least, most, and the number that divides them."""


@dataclasses.dataclass
class Options:
    """Options of `task=compare`: the runs, the first of which is the base, and the paths to pair them on."""

    runs: list[str] = dataclasses.field(default_factory=list)  # folders of runs, or of sweeps
    paths: Any = 8192  # of each run that are simulated again, for paired errors; 0: none
    dir: str | None = None  # folder of the page and the tables; null: out/compare-<hash of the runs>
    html: bool = True  # write compare.html


def problems(config: Config, options: Options) -> list[str]:
    """Folders that hold no finished run, and fewer than two runs; puts the runs of a sweep for its folder."""
    faults = whole_problems("compare", options, WHOLE)
    folders = [pathlib.Path(at_home(each) or "") for each in options.runs]
    faults += [fault for folder in folders if (fault := run_problem(folder))]
    options.dir = at_home(options.dir)
    faults += folder_problems("compare.dir", options.dir, needed=False)
    if faults:
        return faults
    runs = list(dict.fromkeys(run for folder in folders for run in runs_of(folder)))
    if len(runs) < 2:
        kind = "two runs or more, or the folder of a sweep, as in compare.runs=[out/a,out/b]"
        return [expected("compare.runs", [str(run) for run in runs], kind)]
    options.runs = [str(run) for run in runs]
    return []


def run_problem(folder: pathlib.Path) -> str:
    """What keeps a folder from being compared; empty where it is a run that is done, or holds some."""
    if runs_of(folder):
        return ""
    status = read_status(folder).get("status")
    kind = f"a run that is done; its status is {status}" if status else "the folder of a run, or of a sweep"
    return expected("compare.runs", str(folder), kind)


def runs_of(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folder itself if it is a finished run, else the finished runs right below it."""
    if is_done(folder):
        return [folder]
    return sorted(each for each in folder.iterdir() if is_done(each)) if folder.is_dir() else []


def is_done(folder: pathlib.Path) -> bool:
    """Whether a folder holds a finished run."""
    return (folder / "summary.json").is_file() and read_status(folder).get("status") == "done"


def model(context: Context) -> list[Any]:
    """The runs, read; raises `BadInput` for one that this version cannot read, or whose folder is torn."""
    from experiments.pairs import runs_read

    options = context.options
    digest = hashlib.sha256("\n".join(options.runs).encode()).hexdigest()
    options.dir = options.dir or f"out/compare-{digest[:8]}"
    refuse_unwritable(pathlib.Path(options.dir), "compare.dir")
    return runs_read([pathlib.Path(each) for each in options.runs])


def results(context: Context, model: list[Any]) -> dict[str, Any]:
    """Pair the runs with the first one; writes tables and page into compare.dir."""
    from experiments.pairs import compared, write

    options = context.options
    comparison = compared(model, options.paths, context.stop, tasks.every())
    return {"comparison": comparison, "page": write(pathlib.Path(options.dir), comparison, options.html)}


def show(context: Context, summary: dict[str, Any]) -> None:
    """The changes, and where the page is."""
    from engine.report.comparison import print_comparison

    print_comparison(summary["comparison"], sys.stdout)
    print(f"\n{summary['page']}")
