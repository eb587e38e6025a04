"""The one way through a task: model, run folder, results, doubts, page, terminal."""

import logging
import os
from types import ModuleType
from typing import Any

from engine.results.reliability import doubts_of
from engine.run.processes import Ended, Lost, Processes
from experiments.config.read import Experiment
from experiments.config.schema import Report
from experiments.context import Context
from experiments.model import load
from experiments.session.checkpoints import Checkpoints, identity_of, interrupted_folder
from experiments.session.exit_codes import DONE, FAILED, LOST, UNRELIABLE
from experiments.session.output import say, shown
from experiments.session.progress import doing
from experiments.session.provenance import provenance_of
from experiments.session.run_folder import RunFolder, refuse_foreign
from experiments.session.stopping import Stop

log = logging.getLogger("undertow")


def carry_out(
    task: ModuleType, experiment: Experiment, stop: Stop, processes: Processes, quiet: bool = False
) -> int:
    """Carry a task out; the exit code. `quiet`, as in a sweep, leaves the terminal to others."""
    context = Context(experiment, stop, processes)
    if not processes.first:
        with processes.guarded(lambda lost: abandon(processes, lost)):
            context.book = load(experiment)
            task.follow(context)
        return processes.of_first(None)
    summary = in_folder(task, context) if getattr(task, "RUN_FOLDER", True) else bare(task, context)
    # Sent before anything is shown: a terminal may stand still for as long as it likes.
    code = UNRELIABLE if summary["doubts"] else FAILED if context.unwritten else DONE
    try:
        processes.of_first(code)
    except (Ended, Lost) as error:
        say(f"undertow: {error}, after the run was done")
    if not quiet:
        code = shown(lambda: task.show(context, summary), code)
        for doubt in summary["doubts"]:
            say(f"undertow: not reliable: {doubt}")
    return code


def bare(task: ModuleType, context: Context) -> dict[str, Any]:
    """The summary of a task without a book and a run folder."""
    return {"doubts": []} | task.results(context, task.model(context))


def in_folder(task: ModuleType, context: Context) -> dict[str, Any]:
    """The summary of a task in a run folder; page, status and exit code speak from its one list of doubts."""
    experiment = context.experiment
    refuse_foreign(experiment.run.dir)
    with doing(f"reading the book {experiment.book.path or experiment.book.name}"):
        context.book = load(experiment)
    with doing("building the model"):
        model = task.model(context)
    context.stop.check()
    provenance = provenance_of(experiment, context.book)
    identity = identity_of(experiment, context.book.hash)
    with RunFolder(experiment, provenance, interrupted_folder(experiment, identity)) as folder:
        context.folder = folder
        context.checkpoints = Checkpoints(
            folder.path, identity, experiment, context.stop, provenance["device"]
        )
        with context.processes.guarded(lambda lost: abandon(context.processes, lost, folder)):
            summary = task.results(context, model)
        report = experiment.report
        summary["doubts"] = doubts_of(summary, report.most_flagged, report.fail_on_unresolved)
        folder.doubts = summary["doubts"]
        with doing("writing the report"):
            context.unwritten = publish(folder, summary, report)
    return summary


def abandon(processes: Processes, lost: Lost, folder: RunFolder | None = None) -> None:
    """End a process that is too busy to end by itself: another one is lost, and the run waits for it."""
    if folder is not None:
        folder.status("interrupted", str(lost))
    processes.farewell(LOST)
    say(f"undertow: {lost}; the same command resumes the run")
    os._exit(LOST)


def publish(folder: RunFolder, summary: dict[str, Any], report: Report) -> str:
    """summary.json with the doubts, then the report made from it; what a browser failed to write, and why.

    A run is done without what only a browser can make of it.
    """
    from engine.report.chromium import NoBrowser
    from engine.report.files import write_report
    from engine.results.folder import write_json

    write_json(folder.path / "summary.json", summary)
    try:
        write_report(folder.path, report.formats, report.browser)
    except NoBrowser as error:
        log.error("the run is done, its report is not complete: %s", error)
        return str(error)
    return ""
