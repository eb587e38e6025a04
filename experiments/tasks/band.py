"""How sure a number is: the main job, and its band from simulation, parameters and who holds what."""

import dataclasses
from typing import Any

from engine.book.checks.problems import expected
from engine.vocabulary import METHODS
from experiments.config.bad_input import BadInput
from experiments.config.checks import plain_paths_problems, whole_problems
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.session.progress import Progress
from experiments.tasks import tail_risk

WHOLE = {"sets": (8, 100_000, 1), "paths": (1024, 10**9, 1), "blocks": (4, 1024, 1)}
"""Whole-number options: least, most, and the number that divides them. Fewer tell nothing of a tail."""

MOST_PATHS = 2**26
"""Paths over all sets, at most: more might overflow the tally's sums."""


@dataclasses.dataclass
class Options:
    """Options of `task=band`: how many sets of parameters and networks are drawn, and their paths."""

    sets: Any = 48  # of parameters, networks, and pairs of both; 3 a parameter tell which parameters matter
    paths: Any = 2048  # of each set, the same for all
    blocks: Any = 4  # of paths: their spread says how much of the sets' differences is simulation error
    method: str = "fitness"  # that draws the networks; or maximum_entropy, minimum_density, gibbs
    density: float = 0.3  # share of an instrument class's open cells that are links (fitness, gibbs)


def problems(config: Config, options: Options) -> list[str]:
    """Options out of range, an unknown method, paths that are not plain or not in even blocks."""
    faults = whole_problems("band", options, WHOLE) + plain_paths_problems(config)
    if options.method not in METHODS:
        faults.append(expected("band.method", options.method, "one of " + ", ".join(METHODS)))
    if not 0.0 < options.density <= 1.0:
        faults.append(expected("band.density", options.density, "a share above 0 and at most 1"))
    if faults:
        return faults
    if options.paths % options.blocks:
        faults.append(expected("band.paths", options.paths, f"a multiple of {options.blocks} blocks"))
    if options.paths * members(options) > MOST_PATHS:
        kind = f"at most {MOST_PATHS // members(options):,} with {options.sets} sets"
        faults.append(expected("band.paths", options.paths, kind))
    return faults


def members(options: Options) -> int:
    """Systems that are simulated: the book's own, then sets of parameters, of networks, of both."""
    return 1 + 3 * options.sets


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """The main job, the Systems of the ensemble, the parameters of each set, and the paths of each."""

    main: Model
    systems: list[Any]
    names: tuple[Any, ...]
    draws: Any  # [sets parameters]
    plan: Any
    samplers: tuple


def model(context: Context) -> Ensemble:
    """The main job's model and the ensemble's; raises `BadInput` where there is nothing to draw."""
    from engine.book.build import NotFinite
    from engine.book.ranges import ranges_of, with_ranges
    from engine.paths.parameters import draw_sets
    from engine.paths.samplers import samplers_of
    from engine.run.plan import Plan

    experiment, options, book = context.experiment, context.options, context.book
    run, parameters = experiment.run, experiment.parameters
    main = build(experiment, book)
    names = tuple(ranges_of(parameters))
    if not names:
        raise BadInput([expected("task", "band", "a parameter within its range: all are set beyond it")])
    ranged = with_ranges(main[0], book["chips"], parameters)
    draws = draw_sets(ranged, run.seed, options.sets)
    try:
        systems = [main[0], *systems_of(context, names, draws)]
    except NotFinite as error:
        raise BadInput(str(error).split("; ")) from None
    except ValueError as error:
        raise BadInput([f"{book.path}: {error}"]) from None
    plan = Plan(paths=options.paths, block=run.block, seed=run.seed)
    samplers = samplers_of(main[0], plan, "pseudo_random", options.blocks, 1)
    return Ensemble(main, systems, names, draws, plan, samplers)


def systems_of(context: Context, names: tuple[Any, ...], draws: Any) -> list[Any]:
    """Sets of parameters on the book's holdings, networks under its parameters, set k on network k."""
    from engine.book.build import build_system
    from engine.book.ensemble import sample_holdings, with_holdings
    from engine.book.ranges import with_values

    experiment, options, book = context.experiment, context.options, context.book
    run, own = experiment.run, experiment.parameters
    sets = [with_values(own, dict(zip(names, values.tolist(), strict=True))) for values in draws]
    holdings = sample_holdings(book, options.method, options.sets, options.density, run.seed)
    books = [with_holdings(book, shares) for shares in holdings]
    pairs = [
        *((book, values) for values in sets),
        *((network, own) for network in books),
        *zip(books, sets, strict=True),
    ]
    systems = []
    for network, values in pairs:
        context.stop.check()
        systems.append(build_system(network, values, run.months))
    return systems


def results(context: Context, model: Ensemble) -> dict[str, Any]:
    """Simulate the ensemble, then the main job's tables and summary; returns the summary."""
    from engine.paths.ensemble import simulate_ensemble
    from engine.paths.simulate import layout_of
    from engine.results import band
    from engine.results.losses import labels_of
    from engine.run.plan import Hooks

    system, options = model.main[0], context.options
    measures = band.BandMeasures(layout_of(system), options.blocks)
    with Progress(model.plan.paths * len(model.systems), "sets") as progress:
        hooks = Hooks(progress=progress.update, replication=measures.add, stopped=context.stop)
        simulate_ensemble(model.systems, model.plan, model.samplers, hooks)
    context.stop.check()
    tables = measures.tables(labels_of(system, context.book), model.names, model.draws)
    entry = dataclasses.asdict(options) | band.summary(tables)
    return tail_risk.results(context, model.main, tables, {"band": entry})


show = tail_risk.show
