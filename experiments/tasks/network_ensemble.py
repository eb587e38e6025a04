"""The error from not knowing who holds what: many networks of holders on the same paths.

All are consistent with the known holdings.
"""

import dataclasses
from typing import Any

from engine.book.checks.problems import expected
from engine.vocabulary import METHODS
from experiments.config.bad_input import BadInput
from experiments.config.checks import whole_problems
from experiments.config.schema import Config
from experiments.context import Context
from experiments.session.progress import Progress
from experiments.tasks import tail_risk

GROUP = "network"
UNREAD = {"run": ("paths", "kernel"), "sampler": None}
"""The networks have paths and blocks of their own; the main job does not run."""

WHOLE = {"networks": (2, 100_000, 1), "paths": (2, 10**9, 1), "blocks": (2, 1024, 1)}
"""Whole-number options: least, most, and the number that divides them."""

MOST_PATHS = 2**26
"""Paths over all networks, at most: more might overflow the tally's sums."""


@dataclasses.dataclass
class Options:
    """Options of `task=network_ensemble`: number, method and density of networks, and their paths."""

    networks: Any = 50  # of holders that are drawn
    method: str = "fitness"  # or maximum_entropy, minimum_density, gibbs
    density: float = 0.3  # share of an instrument class's open cells that are links (fitness, gibbs)
    paths: Any = 8192  # of each network
    blocks: Any = 8  # of paths: their spread is the Monte Carlo error of each network


def problems(config: Config, options: Options) -> list[str]:
    """Options out of range, an unknown method, paths that are not plain or not in even blocks."""
    faults = whole_problems("network", options, WHOLE)
    if options.method not in METHODS:
        faults.append(expected("network.method", options.method, "one of " + ", ".join(METHODS)))
    if not 0.0 < options.density <= 1.0:
        faults.append(expected("network.density", options.density, "a share above 0 and at most 1"))
    if config.sampler.name != "pseudo_random":
        kind = "pseudo_random: the networks' paths are plain ones, in network.blocks blocks"
        faults.append(expected("sampler.name", config.sampler.name, kind))
    if config.run.kernel == "fused":
        kind = "xla or auto: a kernel belongs to one network"
        faults.append(expected("run.kernel", config.run.kernel, kind))
    if faults:
        return faults
    if options.paths % options.blocks:
        faults.append(expected("network.paths", options.paths, f"a multiple of {options.blocks} blocks"))
    if options.paths * options.networks > MOST_PATHS:
        kind = f"at most {MOST_PATHS // options.networks:,} with {options.networks} networks"
        faults.append(expected("network.paths", options.paths, kind))
    return faults


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """The System of the filled holdings, the networks' Systems, and the paths of each."""

    filled: Any
    systems: list[Any]
    plan: Any
    samplers: tuple


def model(context: Context) -> Ensemble:
    """The networks' Systems; raises `BadInput` where no network fits the book's totals."""
    from engine.book.build import build_system
    from engine.book.ensemble import sample_holdings, with_holdings
    from engine.paths.samplers import samplers_of
    from engine.run.plan import Plan

    experiment, options, book = context.experiment, context.options, context.book
    run, parameters = experiment.run, experiment.parameters
    plan = Plan(paths=options.paths, block=run.block, seed=run.seed)
    filled = build_system(book, parameters, run.months)
    try:
        holdings = sample_holdings(book, options.method, options.networks, options.density, run.seed)
    except ValueError as error:
        raise BadInput([f"{book.path}: {error}"]) from None
    systems = [build_system(with_holdings(book, shares), parameters, run.months) for shares in holdings]
    return Ensemble(filled, systems, plan, samplers_of(filled, plan, "pseudo_random", options.blocks, 1))


def results(context: Context, model: Ensemble) -> dict[str, Any]:
    """Simulate every network, then write tables and summary; returns the summary."""
    from engine.paths.ensemble import simulate_ensemble
    from engine.paths.simulate import layout_of
    from engine.results.losses import labels_of
    from engine.results.network_ensemble import NetworkMeasures, network_summary
    from engine.results.provenance import timing_of
    from engine.results.write import write_results
    from engine.run.plan import Hooks

    measures = NetworkMeasures(len(model.samplers))
    with Progress(model.plan.paths * len(model.systems)) as progress:
        hooks = Hooks(progress=progress.update, replication=measures.add, stopped=context.stop)
        tally, timing = simulate_ensemble(model.systems, model.plan, model.samplers, hooks)
    context.stop.check()
    tables = measures.tables(layout_of(model.filled), labels_of(model.filled, context.book))
    options = context.options
    network = {
        "networks": options.networks, "paths_each": options.paths, "blocks": options.blocks,
        "method": options.method, "density": options.density,
    } | network_summary(tables["network_split"])  # fmt: skip
    seconds = timing_of(timing.compile_s, timing.run_s, timing.paths, context.checkpoints.sessions)
    provenance = context.folder.provenance | {"status": "done", "timing": seconds, "network": network}
    return write_results(
        context.path, tally, model.filled, context.book, provenance, measures.replications(), more=tables
    )


show = tail_risk.show
