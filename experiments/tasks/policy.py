"""Policy: the main job without levers, then each lever alone and all together on the same draws."""

import dataclasses

from engine.book.parameters import Parameters
from experiments.config.checks import LEVERS, pulled
from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.checkpoints import Checkpoints
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk
from experiments.tasks.comparison import ledgers


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run every variant into the run's folder and, unless it is one of a sweep, say so; the exit code."""

    def without_levers(experiment, book):
        base = with_levers(experiment.parameters, ())
        return build(dataclasses.replace(experiment, parameters=base), book)

    return tail_risk.carry_out(experiment, stop, alone, without_levers, results)


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Compare the levers, then write the base run's tables, summary and page with theirs; the summary."""
    tables, told = compared(experiment, book, checkpoints.stop)
    return tail_risk.results(experiment, book, model, folder, checkpoints, tables, told)


def with_levers(parameters: Parameters, kept) -> Parameters:
    """The parameters with only these levers pulled."""
    never = {f"{name}_month": 0.0 for name in LEVERS if name not in kept}
    return dataclasses.replace(parameters, policy=dataclasses.replace(parameters.policy, **never))


def compared(experiment: Experiment, book, stop: Stop):
    """Tables by name and the summary's entry: every variant beside the base."""
    from engine.results import policy

    dated = pulled(experiment.parameters.policy, experiment.run.months)
    kept = {"base": ()} | {name: (name,) for name in dated} | ({"all": dated} if len(dated) > 1 else {})
    variants = {name: with_levers(experiment.parameters, levers) for name, levers in kept.items()}
    titles = book.tables["bearers"]["name"].tolist()
    rows, bearers, base = [], [], None
    for name, system, found in ledgers(experiment, book, variants, stop):
        base = found if base is None else base
        rows.append(policy.row(name, kept[name], base, found))
        bearers += policy.bearer_rows(name, system.names.bearers, titles, base, found)
    tables = policy.tables(rows, bearers)
    return tables, {"policy": policy.summary(tables)}
