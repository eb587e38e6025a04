"""Effect of policy: the main job, then each lever alone and all together on the same paths."""

import dataclasses
from collections.abc import Container
from typing import Any

from engine.book.checks.problems import expected
from engine.book.parameters import Parameters, Policy
from engine.vocabulary import LEVERS
from experiments import scenarios
from experiments.comparison import ledgers
from experiments.config.checks import plain_paths_problems
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.tasks import tail_risk

FOLLOWS_FILE = True


def problems(config: Config, options: None) -> list[str]:
    """No lever is dated within the run."""
    faults, months = plain_paths_problems(config), config.run.months
    if isinstance(months, int) and not levers_within(config.policy, months):
        kind = f"at least one above 0 and at most run.months = {months}, as in policy=all"
        faults.append(expected("policy.*_month", 0.0, kind))
    return faults


def model(context: Context) -> Model:
    """The main job's model without levers."""
    base = with_levers(context.experiment.parameters, ())
    own = build(dataclasses.replace(context.experiment, parameters=base), context.book)
    if context.experiment.scenario.file is not None:
        scenarios.announce(context, own)
    return own


def results(context: Context, model: Model) -> dict[str, Any]:
    """Compare the levers, then write the base run's tables and summary with theirs; returns the summary."""
    tables, entry = compare(context)
    return tail_risk.results(context, model, tables, {"policy": entry})


show = tail_risk.show


def levers_within(policy: Policy, months: int) -> tuple[str, ...]:
    """Levers of policy that are dated within the run."""
    return tuple(name for name in LEVERS if 0.0 < getattr(policy, f"{name}_month") <= months)


def with_levers(parameters: Parameters, names: Container[str]) -> Parameters:
    """The parameters with these levers alone."""
    never = {f"{name}_month": 0.0 for name in LEVERS if name not in names}
    return dataclasses.replace(parameters, policy=dataclasses.replace(parameters.policy, **never))


def compare(context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name and the summary's entry: every variant beside the base."""
    from engine.results import policy

    experiment = context.experiment
    levers = levers_within(experiment.parameters.policy, experiment.run.months)
    sets = {"base": ()} | {name: (name,) for name in levers} | ({"all": levers} if len(levers) > 1 else {})
    variants = {name: with_levers(experiment.parameters, names) for name, names in sets.items()}
    titles = context.book.tables["bearers"]["name"].tolist()
    rows, bearers, base = [], [], None
    for name, system, ledger in ledgers(context, variants):
        base = ledger if base is None else base
        rows.append(policy.row(name, sets[name], base, ledger))
        bearers += policy.bearer_rows(name, system.names.bearers, titles, base, ledger)
    tables = policy.tables(rows, bearers)
    return tables, policy.summary(tables)
