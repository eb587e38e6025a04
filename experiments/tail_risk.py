"""The main job: simulate the book, tally the losses, write the report."""

import sys

from experiments import build
from experiments.build import Experiment
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
    with RunFolder(experiment, provenance_of(experiment, book)) as folder:
        summary = results(experiment, book, model, folder, stop)
        folder.doubts = doubts_of(summary, experiment.report)
    if alone:
        tell(summary, folder, experiment.report.html)
    return UNRELIABLE if folder.doubts else DONE


def results(experiment: Experiment, book, model, folder: RunFolder, stop: Stop) -> dict:
    """Simulate and write tables, summary and page into the folder; the summary."""
    system, plan, samplers = model
    from engine.paths.simulate import simulate
    from engine.report.page import write_page
    from engine.report.replications import Replications
    from engine.report.results import write_results
    from engine.report.web import web_tables
    from engine.tail.blocks import Watch

    replications = Replications()
    with Progress(plan.paths) as progress:
        watch = Watch(progress=progress.update, each=replications.add, stopped=stop)
        tally, timing = simulate(system, plan, samplers, watch)
    stop.check()
    provenance = folder.provenance | {"status": "done", "timing": timing_of(timing)}
    web = web_tables(system, book, tally, plan.seed, samplers)
    summary = write_results(folder.path, tally, system, book, provenance, replications, more=web)
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


def timing_of(timing) -> dict[str, float]:
    """Seconds, speed and memory, as summary.json names them."""
    return {
        "compile_s": timing.compile_s,
        "run_s": timing.run_s,
        "paths_per_s": timing.paths_per_s,
        "peak_rss_mb": peak_memory(),
    }
