"""Variants of one experiment on the same draws, path by path."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from engine.book.parameters import Parameters
from experiments.context import Context
from experiments.model import build
from experiments.session.progress import Progress


def ledgers(
    context: Context, variants: Mapping[str, Parameters], book: Any = None
) -> Iterator[tuple[str, Any, Any]]:
    """(name, System, ledger) of each variant; every one faces the same draws.

    `book` takes the place of the context's where a variant has one of its own.
    """
    from engine.paths.ledger import ledger
    from engine.run.plan import Hooks

    book = context.book if book is None else book
    for name, parameters in variants.items():
        variant = dataclasses.replace(context.experiment, parameters=parameters)
        system, plan, samplers = build(variant, book)
        assert samplers is not None  # tasks that compare refuse importance sampling
        with Progress(plan.paths, name) as progress:
            hooks = Hooks(progress=progress.update, stopped=context.stop)
            losses = ledger(system, plan, samplers[0], hooks)
        context.stop.check()
        yield name, system, losses
