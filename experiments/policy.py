"""Policy: the main job without levers, then each lever alone and all together on the same draws."""

import dataclasses

from experiments import build, tail_risk
from experiments.build import Experiment
from experiments.checkpoints import Checkpoints
from experiments.progress import Progress
from experiments.run_folder import RunFolder
from experiments.stopping import Stop


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run every variant into the run's folder and, unless it is one of a sweep, say so; the exit code."""

    def without_levers(experiment, book):
        return build.build(with_levers(experiment, ()), book)

    return tail_risk.carry_out(experiment, stop, alone, without_levers, results)


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Compare the levers, then write the base run's tables, summary and page with theirs; the summary."""
    tables, told = compared(experiment, book, checkpoints.stop)
    return tail_risk.results(experiment, book, model, folder, checkpoints, tables, told)


def with_levers(experiment: Experiment, kept) -> Experiment:
    """The experiment with only these levers pulled."""
    policy = experiment.parameters.policy
    never = {f"{name}_month": 0.0 for name in build.LEVERS if name not in kept}
    parameters = dataclasses.replace(experiment.parameters, policy=dataclasses.replace(policy, **never))
    return dataclasses.replace(experiment, parameters=parameters)


def compared(experiment: Experiment, book, stop: Stop):
    """Tables by name and the summary's entry: every variant beside the base."""
    from engine.paths.ledger import ledger
    from engine.report import policy_tables
    from engine.tail.blocks import Watch

    pulled = build.pulled(experiment.parameters.policy, experiment.run.months)
    variants = [(name,) for name in pulled] + ([pulled] if len(pulled) > 1 else [])
    titles = book.tables["bearers"]["name"].tolist()
    rows, bearers, base = [], [], None
    for kept in [(), *variants]:
        system, plan, samplers = build.build(with_levers(experiment, kept), book)
        name = "base" if not kept else kept[0] if len(kept) == 1 else "all"
        with Progress(plan.paths, name) as progress:
            found = ledger(system, plan, samplers[0], Watch(progress=progress.update, stopped=stop))
        stop.check()
        base = found if base is None else base
        rows.append(policy_tables.row(name, kept, base, found))
        bearers += policy_tables.bearer_rows(name, system.names.bearers, titles, base, found)
    tables = policy_tables.tables(rows, bearers)
    return tables, {"policy": policy_tables.summary(tables)}
