"""From a checked configuration to the engine's book, System and plan."""

import pathlib

from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment


def load(experiment: Experiment):
    """The book, read and checked; raises `BadInput` with every problem of its files."""
    from engine.book.load import BookError, load_book, shipped_book

    wanted = experiment.book
    try:
        path = pathlib.Path(wanted.path) if wanted.path is not None else shipped_book(wanted.name)
    except ValueError as error:
        raise BadInput([f"book.name: {error}"]) from None
    try:
        return load_book(path, repair=wanted.repair)
    except BookError as error:
        raise BadInput(f"{path}: {line}" for line in book_lines(error)) from None


def book_lines(error: Exception, shown: int = 50) -> list[str]:
    """The problems of a book, one a line, the rest counted."""
    lines = [str(problem) for problem in error.problems]
    rest = len(lines) - shown
    return lines if rest <= 0 else [*lines[:shown], f"... and {rest} more"]


def build(experiment: Experiment, book):
    """(System, Plan, samplers) of the experiment; no samplers where a law must be learned first."""
    from engine.book.build import build_system
    from engine.run.plan import Plan
    from experiments.sampling import samplers

    run = experiment.run
    plan = Plan(paths=run.paths, block=run.block, seed=run.seed)
    system = build_system(book, experiment.parameters, run.months)
    return system, plan, samplers(experiment, book, system, plan)


def networks(experiment: Experiment, book):
    """(System as filled, Systems of the networks, Plan of each, samplers) of an ensemble.

    Raises `BadInput` where the book's totals leave no network.
    """
    from engine.book.build import build_system
    from engine.book.ensemble import sample_holdings, with_holdings
    from engine.paths.samplers import samplers_of
    from engine.run.plan import Plan

    run, wanted = experiment.run, experiment.network
    plan = Plan(paths=wanted.paths, block=run.block, seed=run.seed)
    filled = build_system(book, experiment.parameters, run.months)
    try:
        drawn = sample_holdings(book, wanted.method, wanted.networks, wanted.density, run.seed)
    except ValueError as error:
        raise BadInput([f"{book.path}: {error}"]) from None
    systems = [build_system(with_holdings(book, each), experiment.parameters, run.months) for each in drawn]
    return filled, systems, plan, samplers_of(filled, plan, "pseudo_random", wanted.blocks, 1)
