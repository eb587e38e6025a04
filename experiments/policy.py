"""Policy: the main job without levers, then each lever alone and all together on the same draws."""

import dataclasses

from experiments import build, tail_risk
from experiments.build import Experiment
from experiments.exit_codes import DONE, UNRELIABLE
from experiments.progress import Progress
from experiments.provenance import provenance_of
from experiments.reliability import doubts_of
from experiments.run_folder import RunFolder, refuse_foreign
from experiments.stopping import Stop


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run every variant into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    pulled = build.pulled(experiment.parameters.policy, experiment.run.months)
    refuse_foreign(experiment.run.dir)
    book = build.load(experiment)
    base = with_levers(experiment, ())
    model = build.build(base, book)
    stop.check()
    with RunFolder(experiment, provenance_of(experiment, book)) as folder:
        tables, told = compared(experiment, book, pulled, stop)
        summary = tail_risk.results(base, book, model, folder, stop, tables, told)
        folder.doubts = doubts_of(summary, experiment.report)
    if alone:
        tail_risk.tell(summary, folder, experiment.report.html)
    return UNRELIABLE if folder.doubts else DONE


def with_levers(experiment: Experiment, kept) -> Experiment:
    """The experiment with only these levers pulled."""
    policy = experiment.parameters.policy
    never = {f"{name}_month": 0.0 for name in build.LEVERS if name not in kept}
    parameters = dataclasses.replace(experiment.parameters, policy=dataclasses.replace(policy, **never))
    return dataclasses.replace(experiment, parameters=parameters)


def compared(experiment: Experiment, book, pulled: tuple[str, ...], stop: Stop):
    """Tables by name and the summary's entry: every variant beside the base."""
    from engine.paths.ledger import ledger
    from engine.report import policy_tables
    from engine.tail.blocks import Watch

    variants = [(name,) for name in pulled] + ([pulled] if len(pulled) > 1 else [])
    titles = book.tables["bearers"]["name"].tolist()
    rows, bearers, base = [], [], None
    for kept in [(), *variants]:
        system, plan, samplers = build.build(with_levers(experiment, kept), book)
        with Progress(plan.paths) as progress:
            found = ledger(system, plan, samplers[0], Watch(progress=progress.update, stopped=stop))
        stop.check()
        base = found if base is None else base
        name = "base" if not kept else kept[0] if len(kept) == 1 else "all"
        rows.append(policy_tables.row(name, kept, base, found))
        bearers += policy_tables.bearer_rows(name, system.names.bearers, titles, base, found)
    tables = policy_tables.tables(rows, bearers)
    return tables, {"policy": policy_tables.summary(tables)}
