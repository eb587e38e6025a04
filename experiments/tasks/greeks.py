"""Sensitivities of the tail: the main job, then all numbers of the model moved at once, ranked by effect."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.book import limits
from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.checks import plain_paths_problems, whole_problems
from experiments.config.read import Experiment
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.session.progress import Progress
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk

if TYPE_CHECKING:  # the module is imported whenever a configuration is read
    import numpy as np
    import pandas as pd

    from engine.learn.greeks.steps import Step

WHOLE = {
    "paths": (512, 2**20, 512),
    "checked": (0, 20, 1),
    "drawn": (0, 20, 1),
    "ranges": (0, 200, 1),
    "bumps": (1, 1024, 1),
}
"""Whole-number options: least, most, and the number that divides them."""

MOST_CHECKED = 25
"""Numbers moved alone, at most: with the likelihood ratio's six rates, fewer than the 32 sections."""

LEAST_TAIL = 512
"""Paths of the first run in its tail, at least: four in a quarter of the tail of each of the 32 sections."""

MOVED = ("economy", "chips", "contracts", "credit", "lenders")
"""Groups of parameters whose numbers are continuous."""


@dataclasses.dataclass
class Options:
    """Options of `task=greeks`: numbers to move, size of the step, numbers to check."""

    level: float = 0.99  # of the ES whose sensitivities are measured
    step: float = 0.05  # share of its size by which each number is moved, up and down
    paths: Any = 512  # a row of the design
    checked: Any = 10  # numbers of the greatest effects that are also moved alone
    drawn: Any = 4  # further numbers moved alone, drawn at random
    ranges: Any = 12  # numbers moved across the whole range of values that one would defend
    bumps: Any = 4  # rows of each number moved alone
    groups: list[str] = dataclasses.field(
        default_factory=lambda: ["economy", "chips", "contracts", "credit", "lenders"]
    )  # groups of parameters that are moved


def problems(config: Config, options: Options) -> list[str]:
    """Options out of range, groups that cannot move, too few paths in the tail."""
    paths = config.run.paths
    faults = whole_problems("greeks", options, WHOLE)
    if not faults and options.checked + options.drawn > MOST_CHECKED:
        count = options.checked + options.drawn
        faults.append(expected("greeks.checked + greeks.drawn", count, f"at most {MOST_CHECKED}"))
    if not 0.0 < options.step <= 0.2:
        faults.append(expected("greeks.step", options.step, "a share above 0 and at most 0.2"))
    if not options.groups or set(options.groups) - set(MOVED):
        faults.append(expected("greeks.groups", options.groups, "some of " + ", ".join(MOVED)))
    if not 0.5 <= options.level < 1.0:
        faults.append(expected("greeks.level", options.level, "a level from 0.5 and below 1"))
    elif isinstance(paths, int) and paths * (1.0 - options.level) < LEAST_TAIL * (1.0 - 1e-9):
        least = math.ceil(LEAST_TAIL / (1.0 - options.level) - 1e-6)
        faults.append(expected("run.paths", paths, f"at least {least:,}, for {LEAST_TAIL} in the tail"))
    return faults + plain_paths_problems(config)


def model(context: Context) -> Model:
    """The main job's model; raises `BadInput` where a row of the design leaves the limits."""
    from engine.learn.greeks.steps import move

    experiment = context.experiment
    steps, signs, _, _ = design_of(experiment)
    for row in (*signs, *-signs):
        if faults := limits.problems_of(move(experiment.parameters, steps, row)):
            raise BadInput([expected("greeks.step", experiment.options.step, f"less: {faults[0]}")])
    return build(experiment, context.book)


def results(context: Context, model: Model) -> dict[str, Any]:
    """Run the design, then write the run's tables and summary with the effects; returns the summary."""
    tables, entry = measure(context, model[0])
    return tail_risk.results(context, model, tables, {"greeks": entry})


show = tail_risk.show


def design_of(
    experiment: Experiment,
) -> "tuple[list[Step], np.ndarray, np.ndarray, np.random.Generator]":
    """(steps, signs, spare columns, random generator) of the design."""
    import numpy as np

    from engine.learn.greeks.greeks import design
    from engine.learn.greeks.steps import steps_of

    def within(name: str, unit: str) -> tuple[float, float]:
        limit = limits.limits_of(name, unit)
        return limit.low, limit.high

    options = experiment.options
    steps = steps_of(experiment.parameters, options.step, within)
    steps = [step for step in steps if step.group in options.groups]
    rng = np.random.default_rng(experiment.run.seed)
    return steps, *design(len(steps), rng), rng


def measure(context: Context, system: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name and the entry of the summary: every number's effect, with its check if it has one."""
    from engine.learn.greeks import greeks
    from engine.results import greeks as greeks_tables

    experiment = context.experiment
    steps, signs, spare, rng = design_of(experiment)
    runs = Runs(context, system, rng)
    tail, mean = (greeks.slopes(signs, spare, each) for each in runs.changes(steps, signs, "design"))
    rows = greeks_tables.rows_of(steps, tail, mean)
    bumps = runs.alone(steps, to_check(rows["es"].to_numpy(), experiment.options, rng), "alone")
    wide, crossing = to_cross(steps, rows, experiment)
    ranges = runs.alone(wide, crossing, "ranges")
    table = greeks_tables.rank(rows, tail, bumps, runs.first.rates, ranges)
    options = experiment.options
    design = {"level": options.level, "step": options.step, "rows": len(signs), "row_paths": options.paths}
    entry = greeks_tables.summary(table, tail, runs.first.es, design)
    return {"greeks": table.rows}, entry


class Runs:
    """The run at the base parameters, then runs at moved ones on the same draws."""

    def __init__(self, context: Context, system: Any, rng: "np.random.Generator") -> None:
        from engine.book.variant import Variants
        from engine.learn.greeks import gradient

        experiment = context.experiment
        self.options, self.rng, self.stop = experiment.options, rng, context.stop
        self.base = gradient.Base(Variants(system, context.book), experiment.parameters, experiment.run.seed)
        paths = experiment.run.paths
        with Progress(paths, "base") as progress:
            onward = functools.partial(go_on, progress, self.stop)
            self.first = gradient.tail_run(self.base, paths, self.options.paths, self.options.level, onward)

    def changes(self, steps: "Sequence[Step]", signs: "np.ndarray", name: str) -> "np.ndarray":
        """Changes of ES and of the mean by each row of a design [2 rows sections]."""
        from engine.learn.greeks import gradient, greeks
        from engine.learn.greeks.sections import sample_ids

        ids = sample_ids(self.first.sections, len(signs), self.options.paths, self.rng)
        with Progress(2 * ids.size, name) as progress:
            onward = functools.partial(go_on, progress, self.stop)
            run = functools.partial(gradient.design_losses, self.base, steps, onward)
            return greeks.changes(run, signs, self.first.sections, ids)

    def alone(self, steps: "Sequence[Step]", places: list[int], name: str) -> "dict[int, np.ndarray]":
        """Change of ES by each of the numbers at `places` moved alone, by position [sections]."""
        import numpy as np

        if not places:
            return {}
        signs = np.repeat(np.eye(len(steps))[places], self.options.bumps, axis=0)
        tail, _ = self.changes(steps, signs, name)
        return dict(zip(places, tail.reshape(len(places), self.options.bumps, -1).mean(axis=1), strict=True))


def go_on(progress: Progress, stop: Stop, done: int) -> None:
    """Update the progress; stop the runs on request."""
    progress.update(done)
    stop.check()


def to_check(effects: "np.ndarray", options: Options, rng: "np.random.Generator") -> list[int]:
    """Positions of the greatest effects and of some others, drawn at random."""
    import numpy as np

    order = np.argsort(-np.abs(effects))
    others = order[options.checked :]
    extra = rng.choice(others, min(options.drawn, len(others)), replace=False)
    return [int(place) for place in (*order[: options.checked], *extra)]


def to_cross(
    steps: "Sequence[Step]", rows: "pd.DataFrame", experiment: Experiment
) -> "tuple[list[Step], list[int]]":
    """Steps across their ranges, where they have one, and the positions of those that matter most.

    Ranked by the linear effect over the range; without those whose range ends outside the limits.
    """
    import numpy as np

    from engine.learn.greeks.steps import across, move

    def possible(place: int) -> bool:
        ends = np.eye(len(steps))[place] * [[1.0], [-1.0]]
        return not any(limits.problems_of(move(experiment.parameters, wide, end)) for end in ends)

    wide = [step if step.low is None or step.high is None else across(step) for step in steps]
    order = [place for place in np.argsort(-rows["line"].abs().fillna(0.0)) if rows["line"].notna()[place]]
    return wide, [int(place) for place in order if possible(place)][: experiment.options.ranges]
