"""Attribution: the main job, then the same draws with each mechanism switched off: what does it add?"""

import dataclasses

from engine.book.parameters import Parameters
from experiments.config.checks import switched_on
from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.checkpoints import Checkpoints
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk
from experiments.tasks.comparison import ledgers

CONDUCT = ("paper_sales", "credit_lines", "redemptions", "recession")
"""What lenders do when they lose, together the variant `conduct`."""


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run every variant into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    return tail_risk.carry_out(experiment, stop, alone, build, results)


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Switch off what is on, one by one, then write the run's tables, summary and page; the summary."""
    from engine.results import attribution

    rows, base = [], None
    variants = variants_of(experiment.parameters)
    for name, _, found in ledgers(experiment, book, variants, checkpoints.stop):
        base = found if base is None else base
        rows.append(attribution.row(name, base, found))
    tables = attribution.tables(rows)
    told = {"attribution": attribution.summary(tables)}
    return tail_risk.results(experiment, book, model, folder, checkpoints, tables, told)


def without(parameters: Parameters, switches) -> Parameters:
    """The parameters with these mechanisms off."""
    off = dict.fromkeys(switches, 0.0)
    return dataclasses.replace(parameters, mechanisms=dataclasses.replace(parameters.mechanisms, **off))


def variants_of(parameters: Parameters) -> dict[str, Parameters]:
    """The base, each mechanism that is on switched off alone, lenders' conduct as one, and all of them."""
    on = switched_on(parameters.mechanisms)
    conduct = [name for name in CONDUCT if name in on]
    single = {name: without(parameters, (name,)) for name in on}
    together = {"conduct": without(parameters, conduct)} if len(conduct) > 1 else {}
    return {"base": parameters} | single | together | {"all": without(parameters, on)}
