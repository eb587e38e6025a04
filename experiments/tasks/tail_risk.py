"""The tail of the book's losses: the main job, on which other tasks build."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

from experiments import anatomy, focus, sampling, scenarios
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build, need_kernel
from experiments.session.checkpoints import identity_of
from experiments.session.processes import greet
from experiments.session.progress import Progress
from experiments.session.run_folder import speak
from experiments.session.stopping import Interrupted

log = logging.getLogger("undertow")

DRAWN = True
FOLLOWS_FILE = True


def problems(config: Config, options: None) -> list[str]:
    """Nothing beside what every run needs."""
    return []


def model(context: Context) -> Model:
    """The experiment's System, Plan and samplers; a scenario's file as understood is shown at once."""
    own = build(context.experiment, context.book)
    if context.experiment.scenario.file is not None:
        scenarios.announce(context, own)
    return own


def results(
    context: Context, model: Model, tables: Mapping[str, Any] | None = None,
    entries: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Simulate and write tables and summary into the run's folder; the summary.

    `tables`, by name, and `entries` of the summary are those that another task has made already.
    """
    system, plan, own = model
    from engine.paths.simulate import layout_of, simulate
    from engine.results.provenance import timing_of
    from engine.results.replications import Replications
    from engine.run.plan import Hooks, initial_state

    experiment, checkpoints, processes = context.experiment, context.checkpoints, context.processes
    greet(processes, checkpoints.identity, experiment.run, context.folder.id)
    replications = Replications()
    provenance = {**context.folder.provenance, **(entries or {}), "status": "done"}
    samplers = own or ()
    if experiment.sampler.name == "importance":
        with need_kernel():
            samplers, learning = sampling.learn_once(
                experiment, context.book, system, context.path, context.stop
            )
        column = experiment.sampler.column
        provenance["sampler"] = {"name": "importance", "column": column, "learning": learning}
    processes.of_first(sampling.law_arrays(experiment, samplers))
    start = checkpoints.start(initial_state(layout_of(system)), replications)
    with Progress(plan.paths) as progress:
        hooks = Hooks(
            progress=progress.update, replication=replications.add, checkpoint_due=checkpoints.due,
            checkpoint=checkpoints.save, stopped=context.stop,
        )  # fmt: skip
        with need_kernel():
            tally, timing = simulate(system, plan, samplers, hooks, start=start, processes=processes)
    context.stop.check()
    if timing.paths < plan.paths:
        raise Interrupted("another process")
    provenance["timing"] = timing_of(
        timing.compile_s, timing.run_s, timing.paths, checkpoints.sessions, timing.kernel
    )
    if experiment.scenario.file is not None:
        more, provenance["scenario_path"] = scenarios.results(context, model)
        tables = dict(tables or {}) | more
    # Nothing of the results is imported while paths wait for it.
    from engine.results.circular_web import web_tables
    from engine.results.write import write_results

    own_tables, entry = focus.look(context, system, samplers[0])
    provenance |= entry
    more = web_tables(system, context.book, tally, plan.seed, samplers) | dict(tables or {}) | own_tables
    summary = write_results(context.path, tally, system, context.book, provenance, replications, more=more)
    if experiment.task == "tail_risk":
        summary |= anatomy.dissect(context, system, plan, samplers)
    return summary


def show(context: Context, summary: dict[str, Any]) -> None:
    """The summary's table and where the report is."""
    from engine.report.terminal import print_summary

    print_summary(context.path, sys.stdout)
    print(f"\n{context.path / ('report.html' if context.experiment.report.html else 'summary.json')}")


def follow(context: Context) -> None:
    """The part of all processes but the first: blocks of the same run, no file."""
    from engine.paths.simulate import simulate
    from engine.run.plan import Hooks

    experiment, processes = context.experiment, context.processes
    system, plan, own = build(experiment, context.book)
    run = greet(processes, identity_of(experiment, context.book.hash), experiment.run)
    samplers = sampling.with_law(experiment, processes.of_first(None), system, own)
    speak(run, processes.rank)
    log.info("process %s of %s joined", processes.rank, processes.count)
    simulate(system, plan, samplers, Hooks(stopped=context.stop), processes=processes)
    if experiment.scenario.file is not None and experiment.scenario.beside:
        scenarios.free_tally(context, system, plan, samplers)
