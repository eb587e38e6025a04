"""The likeliest paths to a loss, quarter by quarter: the main job, then a search for systematic scenarios."""

import dataclasses
import itertools
import logging
import math
from collections.abc import Callable
from typing import Any

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.checks import number, plain_paths_problems, whole
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.session.progress import Progress
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk

log = logging.getLogger("undertow")

LEAST_PATHS = 8192
"""Paths of a main job below which the search is a quick one, so that all of it is as small."""

MOST_QUICK = 3
"""Scenarios of a quick search, at most."""

MOST_SCENARIOS = 11
"""Kinds of scenario: a boom that lasts, or breaks in one of five years into a plateau or a bust."""


@dataclasses.dataclass
class Options:
    """Options of `task=reverse_stress`: target, loss column, scenarios; `target=300` sets the target."""

    target: Any = None  # USD bn, at the end of the run
    of: str = "system"  # or lender:<id>, class:<id>, lenders:<class>, bearer:<id>
    scenarios: Any = 5  # kinds of scenario that are listed


def problems(config: Config, options: Options) -> list[str]:
    """A target that is not positive, a number of scenarios out of range; turns both into numbers."""
    faults = []
    target, count = number(options.target), number(options.scenarios)
    if target is None or not 0.0 < target < math.inf:
        faults.append(expected("reverse_stress.target", options.target, "USD bn above 0, as in target=300"))
    if count is None or not 1 <= count <= MOST_SCENARIOS or count != int(count):
        kind = f"a whole number from 1 to {MOST_SCENARIOS}"
        faults.append(expected("reverse_stress.scenarios", options.scenarios, kind))
    faults += plain_paths_problems(config)
    if not faults:
        options.target, options.scenarios = target, whole(options.scenarios)
    return faults


def model(context: Context) -> Model:
    """The main job's model; raises `BadInput` for an unknown loss column."""
    from engine.paths.path import column_names

    model, of = build(context.experiment, context.book), context.options.of
    if of not in (columns := column_names(model[0])):
        kind = of.partition(":")[0] + ":"
        near = [name for name in columns if name.startswith(kind)] or columns
        raise BadInput([expected("reverse_stress.of", of, "system or one of " + ", ".join(near[:60]))])
    return model


def results(context: Context, model: Model) -> dict[str, Any]:
    """Run the main job, then write the scenarios' tables; returns the summary with their entry."""
    from engine.results.folder import read_results, write_table

    _, _, warnings = effort_of(context)
    for warning in warnings:
        log.warning("%s", warning)
    summary = tail_risk.results(context, model)
    summary["warnings"] = [*summary.get("warnings", []), *warnings]
    tables, entry = run_search(context, model, read_results(context.path))
    context.stop.check()
    for name, table in tables.items():
        write_table(context.path, name, table)
    return summary | {"reverse_stress": entry}


show = tail_risk.show


def run_search(context: Context, model: Model, plain: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name and the summary's entry, with `unreachable` where no path reaches the target."""
    from engine.learn.reverse_stress.probability import probabilities
    from engine.learn.reverse_stress.reverse_stress import Unreachable
    from engine.learn.reverse_stress.story import story
    from engine.learn.reverse_stress.trials import Trials
    from engine.results import reverse_stress

    experiment, options = context.experiment, context.options
    share = reverse_stress.plain_share(plain, options.of, options.target)
    effort, count, _ = effort_of(context)
    total = effort.start + count * effort.scenario
    with Progress(total, "reverse stress") as progress:
        trials = Trials(model[0], experiment.run.seed, options.of, watching(progress, context.stop), effort)
        try:
            answers = scenarios_for(trials, options.target, count)
        except Unreachable as error:
            return {}, reverse_stress.out_of_reach(options.target, options.of, error, share)
        chances = probabilities(trials, answers, options.target)
        stories = [story(trials, answer.scenario) for answer in answers]
    tables = reverse_stress.tables(trials, answers, stories)
    start = experiment.parameters.economy.start
    entry = reverse_stress.summary(options.target, options.of, start, tables, chances, share)
    return tables, entry


def scenarios_for(trials: Any, target: float, count: int) -> list[Any]:
    """The scenarios of a search; what a quick one does not reach is searched for in full.

    Raises `Unreachable` where a full search does not reach the target either.
    """
    from engine.learn.reverse_stress.reverse_stress import Unreachable, search
    from engine.learn.reverse_stress.trials import FULL

    try:
        return search(trials, target, count)
    except Unreachable:
        if trials.effort == FULL:
            raise
        trials.effort = FULL
        return search(trials, target, count)


def effort_of(context: Context) -> tuple[Any, int, list[str]]:
    """The effort of the search, its number of scenarios, and a warning where both are scaled down."""
    from engine.learn.reverse_stress.trials import FULL, QUICK

    paths, count = context.experiment.run.paths, context.options.scenarios
    if paths >= LEAST_PATHS:
        return FULL, count, []
    scenarios = min(count, MOST_QUICK)
    warning = (
        f"reverse stress: run.paths = {paths:,} is below {LEAST_PATHS:,}, so the search is a quick one "
        f"({scenarios} of {count} scenarios, half of the paths around each): its answers are rough"
    )
    return QUICK, scenarios, [warning]


def watching(progress: Progress, stop: Stop) -> Callable[[int], None]:
    """Callback for every batch of the search: updates the progress, stops on request."""
    batches = itertools.count(1)

    def watch(paths: int) -> None:
        stop.check()
        progress.update(min(next(batches) * paths, progress.paths))

    return watch
