"""The main job: simulate the book, tally the losses, write the report."""

import sys

from experiments import build, sampling
from experiments.build import Experiment
from experiments.checkpoints import Checkpoints, identity_of, interrupted_folder
from experiments.exit_codes import DONE, UNRELIABLE
from experiments.progress import Progress
from experiments.provenance import peak_memory, provenance_of
from experiments.reliability import doubts_of
from experiments.run_folder import RunFolder, refuse_foreign
from experiments.stopping import Stop


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run the experiment into its folder and, unless it is one of a sweep, say so; the exit code."""
    return carry_out(experiment, stop, alone, build.build, results)


def carry_out(experiment: Experiment, stop: Stop, alone: bool, build_model, results) -> int:
    """A run from book to folder: `build_model(experiment, book)`, then `results(...)`; the exit code."""
    refuse_foreign(experiment.run.dir)
    book = build.load(experiment)
    model = build_model(experiment, book)
    stop.check()
    provenance = provenance_of(experiment, book)
    identity = identity_of(experiment, book.hash)
    with RunFolder(experiment, provenance, interrupted_folder(experiment, identity)) as folder:
        checkpoints = Checkpoints(folder.path, identity, experiment, stop, provenance["device"])
        summary = results(experiment, book, model, folder, checkpoints)
        folder.doubts = doubts_of(summary, experiment.report)
    if alone:
        tell(summary, folder, experiment.report.html)
    return UNRELIABLE if folder.doubts else DONE


def results(
    experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints, more=None, told=None
) -> dict:
    """Simulate and write tables, summary and page into the folder; the summary.

    `more` holds tables by name and `told` entries of the summary that another task has made already.
    """
    system, plan, samplers = model
    from engine.paths.simulate import layout_of, simulate
    from engine.report.page import write_page
    from engine.report.replications import Replications
    from engine.report.results import write_results
    from engine.report.web import web_tables
    from engine.tail.blocks import Watch, beginning

    replications, stop = Replications(), checkpoints.stop
    provenance = folder.provenance | (told or {}) | {"status": "done"}
    if experiment.sampler.name == "importance":
        samplers, learning = sampling.learned(experiment, book, system, folder.path, stop)
        provenance["sampler"] = {"name": "importance", "learning": learning}
    start = checkpoints.start(beginning(layout_of(system)), replications)
    with Progress(plan.paths) as progress:
        watch = Watch(progress=progress.update, each=replications.add, keep=checkpoints.keep, stopped=stop)
        tally, timing = simulate(system, plan, samplers, watch, start=start)
    stop.check()
    provenance["timing"] = timing_of(timing, checkpoints.sessions)
    tables = web_tables(system, book, tally, plan.seed, samplers) | (more or {})
    summary = write_results(folder.path, tally, system, book, provenance, replications, more=tables)
    if experiment.report.html:
        write_page(folder.path)
    return summary


def tell(summary: dict, folder: RunFolder, html: bool) -> None:
    """The table, the doubts and where the report is, on the terminal."""
    from engine.report.terminal import print_summary

    print_summary(summary, sys.stdout)
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
