"""Contribution of each mechanism: the main job, then the same paths with each mechanism switched off."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from engine.book.checks.problems import expected
from engine.book.parameters import Mechanisms, Parameters
from experiments.comparison import ledgers
from experiments.config.checks import plain_paths_problems
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model
from experiments.tasks import tail_risk

CONDUCT = ("paper_sales", "credit_lines", "redemptions", "recession")
"""Lenders' reactions to losses; all of them off is the variant `conduct`."""


def problems(config: Config, options: None) -> list[str]:
    """No mechanism is on."""
    faults = plain_paths_problems(config)
    if not switched_on(config.mechanisms):
        faults.append(expected("mechanisms", "none", "at least one that is on, as in mechanisms=base"))
    return faults


FOLLOWS_FILE = True

model = tail_risk.model


def results(context: Context, model: Model) -> dict[str, Any]:
    """Switch off mechanisms one by one, then write the run's tables and summary; returns the summary."""
    from engine.results import attribution

    rows, base = [], None
    for name, _, ledger in ledgers(context, variants_of(context.experiment.parameters)):
        base = ledger if base is None else base
        rows.append(attribution.row(name, base, ledger))
    tables = attribution.tables(rows)
    return tail_risk.results(context, model, tables, {"attribution": attribution.summary(tables)})


show = tail_risk.show


def switched_on(mechanisms: Mechanisms) -> tuple[str, ...]:
    """Mechanisms that are on."""
    return tuple(name for name, switch in dataclasses.asdict(mechanisms).items() if switch > 0.0)


def without(parameters: Parameters, switches: Iterable[str]) -> Parameters:
    """The parameters with these mechanisms off."""
    off = dict.fromkeys(switches, 0.0)
    return dataclasses.replace(parameters, mechanisms=dataclasses.replace(parameters.mechanisms, **off))


def variants_of(parameters: Parameters) -> dict[str, Parameters]:
    """The base, and variants with one mechanism off, with lenders' conduct off, and with all off."""
    on = switched_on(parameters.mechanisms)
    conduct = [name for name in CONDUCT if name in on]
    single = {name: without(parameters, (name,)) for name in on}
    together = {"conduct": without(parameters, conduct)} if len(conduct) > 1 else {}
    return {"base": parameters} | single | together | {"all": without(parameters, on)}
