"""The main job: simulate the book, tally the losses, write the report."""

import functools
import logging
import sys

from engine.results.reliability import doubts_of
from engine.run.processes import ALONE, Processes
from experiments import sampling
from experiments.config.read import Experiment
from experiments.model import build, load
from experiments.session.checkpoints import Checkpoints, identity_of, interrupted_folder
from experiments.session.exit_codes import DONE, UNRELIABLE
from experiments.session.processes import greet
from experiments.session.progress import Progress
from experiments.session.provenance import peak_memory, provenance_of
from experiments.session.run_folder import RunFolder, refuse_foreign, speak
from experiments.session.stopping import Interrupted, Stop

log = logging.getLogger("undertow")


def run(experiment: Experiment, stop: Stop, alone: bool, processes: Processes = ALONE) -> int:
    """Run the experiment into its folder and, unless it is one of a sweep, say so; the exit code."""
    if not processes.first:
        return follow(experiment, stop, processes)
    shared = functools.partial(results, processes=processes)
    return processes.of_first(carry_out(experiment, stop, alone, build, shared))


def carry_out(experiment: Experiment, stop: Stop, alone: bool, build_model, results) -> int:
    """A run from book to folder: `build_model(experiment, book)`, then `results(...)`; the exit code."""
    refuse_foreign(experiment.run.dir)
    book = load(experiment)
    model = build_model(experiment, book)
    stop.check()
    provenance = provenance_of(experiment, book)
    identity = identity_of(experiment, book.hash)
    with RunFolder(experiment, provenance, interrupted_folder(experiment, identity)) as folder:
        checkpoints = Checkpoints(folder.path, identity, experiment, stop, provenance["device"])
        summary = results(experiment, book, model, folder, checkpoints)
        folder.doubts = doubts_of(
            summary, experiment.report.most_flagged, experiment.report.fail_on_unresolved
        )
    if alone:
        tell(summary, folder, experiment.report.html)
    return UNRELIABLE if folder.doubts else DONE


def results(
    experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints, more=None, told=None,
    processes: Processes = ALONE,
) -> dict:  # fmt: skip
    """Simulate and write tables, summary and page into the folder; the summary.

    `more` holds tables by name and `told` entries of the summary that another task has made already.
    """
    system, plan, samplers = model
    from engine.paths.simulate import layout_of, simulate
    from engine.results.replications import Replications
    from engine.run.plan import Watch, beginning

    greet(processes, checkpoints.identity, experiment.run, folder.id)
    replications, stop = Replications(), checkpoints.stop
    provenance = folder.provenance | (told or {}) | {"status": "done"}
    if experiment.sampler.name == "importance":
        samplers, learning = sampling.learned(experiment, book, system, folder.path, stop)
        provenance["sampler"] = {"name": "importance", "learning": learning}
    samplers = processes.of_first(samplers)
    start = checkpoints.start(beginning(layout_of(system)), replications)
    with Progress(plan.paths) as progress:
        watch = Watch(
            progress=progress.update, each=replications.add, due=checkpoints.due, keep=checkpoints.save,
            stopped=stop,
        )  # fmt: skip
        tally, timing = simulate(system, plan, samplers, watch, start=start, processes=processes)
    stop.check()
    if timing.paths < plan.paths:
        raise Interrupted("another process")
    provenance["timing"] = timing_of(timing, checkpoints.sessions)
    # Nothing of the report is imported while paths wait for it.
    from engine.report.page import write_page
    from engine.results.circular_web import web_tables
    from engine.results.write import write_results

    tables = web_tables(system, book, tally, plan.seed, samplers) | (more or {})
    summary = write_results(folder.path, tally, system, book, provenance, replications, more=tables)
    if experiment.report.html:
        write_page(folder.path)
    return summary


def follow(experiment: Experiment, stop: Stop, processes: Processes) -> int:
    """The part of all processes but the first: blocks of the same run, no file; the first one's exit code."""
    from engine.paths.simulate import simulate
    from engine.run.plan import Watch

    book = load(experiment)
    system, plan, _ = build(experiment, book)
    run = greet(processes, identity_of(experiment, book.hash), experiment.run)
    samplers = processes.of_first(None)
    speak(run, processes.rank)
    log.info("process %s of %s joined", processes.rank, processes.count)
    simulate(system, plan, samplers, Watch(stopped=stop), processes=processes)
    return processes.of_first(None)


def tell(summary: dict, folder: RunFolder, html: bool) -> None:
    """The table, the doubts and where the report is, on the terminal."""
    from engine.report.terminal import print_summary

    print_summary(folder.path, sys.stdout)
    for doubt in folder.doubts:
        print(f"undertow: not reliable: {doubt}", file=sys.stderr)
    print(f"\n{folder.path / ('report.html' if html else 'summary.json')}")


def timing_of(timing, sessions: int) -> dict[str, float]:
    """Seconds, speed and memory, as summary.json names them; `sessions` counts the interrupted ones too."""
    return {
        "compile_s": timing.compile_s,
        "run_s": timing.run_s,
        "paths_per_s": timing.paths_per_s,
        "peak_rss_mb": peak_memory(),
        "sessions": sessions,
    }
