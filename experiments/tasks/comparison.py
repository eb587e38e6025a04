"""Variants of one experiment on the same draws, path by path."""

import dataclasses
from collections.abc import Iterator

from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.progress import Progress
from experiments.session.stopping import Stop


def ledgers(experiment: Experiment, book, variants: dict, stop: Stop) -> Iterator[tuple]:
    """(name, System, ledger) of each variant: its name and `Parameters`; every one faces the same draws."""
    from engine.paths.ledger import ledger
    from engine.run.plan import Hooks

    for name, parameters in variants.items():
        system, plan, samplers = build(dataclasses.replace(experiment, parameters=parameters), book)
        with Progress(plan.paths, name) as progress:
            found = ledger(system, plan, samplers[0], Hooks(progress=progress.update, stopped=stop))
        stop.check()
        yield name, system, found
