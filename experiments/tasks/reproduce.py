"""Repeat a run from its folder: the same to the bit, or what differs (run=DIR)."""

import contextlib
import dataclasses
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from engine.book.checks.problems import expected
from experiments import tasks
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.config.schema import Config, Report
from experiments.context import Context
from experiments.flow import in_folder
from experiments.model import load
from experiments.pairs import experiment_of
from experiments.session.run_folder import read_document, read_status, refuse_unwritable

RUN_FOLDER = False


@dataclasses.dataclass
class Options:
    """Options of `task=reproduce`: which run, and where its repetition is kept."""

    run: str | None = None  # the folder of a run that is done
    dir: str | None = None  # a new folder for the repeated run; null: none is kept


def problems(config: Config, options: Options) -> list[str]:
    """The run is done and left its configuration; the folder of the repetition is another."""
    name = "reproduce.run"
    if options.run is None:
        return [expected(name, None, "the folder of a run, as in run=out/a")]
    folder = pathlib.Path(options.run)
    status = read_status(folder).get("status")
    if status != "done" or not (folder / "config.yaml").is_file():
        return [expected(name, options.run, f"the folder of a run that is done; its status is {status}")]
    if options.dir is not None and pathlib.Path(options.dir).resolve() == folder.resolve():
        return [expected("reproduce.dir", options.dir, "another folder than that of the run")]
    return []


def model(context: Context) -> Experiment:
    """The experiment of the run; raises `BadInput` where this version cannot read it or its book differs."""
    folder = pathlib.Path(context.options.run)
    experiment = experiment_of(folder, tasks.every())
    then, now = read_document(folder / "provenance.json").get("book_hash"), load(experiment).hash
    if then != now:
        kind = f"a run whose book is as it was: its hash is {now} now and was {then}"
        raise BadInput([expected("reproduce.run", str(folder), kind)])
    return experiment


def results(context: Context, model: Experiment) -> dict[str, Any]:
    """Repeat the run; what differs, and by what and on what it was computed then and now."""
    from engine.results import compare

    before = pathlib.Path(context.options.run)
    with kept(context.options.dir) as after:
        run = dataclasses.replace(model.run, dir=str(after))
        report = model.report if context.options.dir else without_files(model.report)
        experiment = dataclasses.replace(model, run=run, report=report)
        in_folder(tasks.every()[model.task], Context(experiment, context.stop))
        lines = compare.differences(before, after)
        then, now = (read_document(folder / "provenance.json") for folder in (before, after))
    origins = compare.origins(then, now)
    return {"differences": lines, "origins": origins, "doubts": doubts(lines, origins)}


def without_files(report: Report) -> Report:
    """The report's options where nobody will see its files."""
    from engine.report.files import FORMATS

    none: dict[str, Any] = dict.fromkeys(FORMATS, False)
    return dataclasses.replace(report, **none)


def doubts(lines: list[str], origins: list[str]) -> list[str]:
    """Why the run is not reproduced: where it differs, and what else was computed otherwise."""
    if not lines:
        return []
    reason = "; ".join(origins) or "nothing, so that the folder was changed or the engine is at fault"
    return [f"the repeated run differs in {len(lines)} places; what else differs: {reason}"]


@contextlib.contextmanager
def kept(folder: str | None) -> Iterator[pathlib.Path]:
    """The folder of the repetition; a temporary one where none is named."""
    if folder is not None:
        refuse_unwritable(pathlib.Path(folder), "reproduce.dir")
        yield pathlib.Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="undertow-") as temporary:
        yield pathlib.Path(temporary) / "run"


def show(context: Context, summary: dict[str, Any]) -> None:
    """What differs, or that nothing does."""
    for line in summary["origins"]:
        print(f"computed otherwise  {line}")
    for line in summary["differences"]:
        print(f"differs             {line}")
    if not summary["differences"]:
        print(f"{context.options.run}: reproduced, every table and number the same to the bit")
