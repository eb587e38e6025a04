"""Sensitivities of the tail: the main job, then all numbers of the model moved at once, ranked by effect."""

import dataclasses
import functools
import logging
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

log = logging.getLogger("undertow")

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

LEAST_TAIL = 16
"""Paths of the first run in the tail of each section, at least: four in a quarter of it."""

SECTIONS = (32, 16, 8)
"""Sections of the first run: as many as its tail has paths for."""

LEVELS = (0.95, 0.9, 0.75, 0.5)
"""Levels that take the place of the one asked for where the tail beyond it has too few paths."""

FEWER = {"paths": 256, "checked": 1, "drawn": 0, "ranges": 4, "bumps": 1}
"""Whole-number options of a small run, at most."""

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
    elif isinstance(paths, int) and not sections_for(paths, LEVELS[-1]):
        least = math.ceil(LEAST_TAIL * SECTIONS[-1] / (1.0 - LEVELS[-1]))
        faults.append(expected("run.paths", paths, f"at least {least:,}: a tail to measure"))
    return faults + plain_paths_problems(config)


def sections_for(paths: int, level: float) -> int:
    """Sections that the tail of a first run has paths for; 0 where it has too few for any."""
    tail = paths * (1.0 - level) * (1.0 + 1e-9)
    return next((count for count in SECTIONS if tail >= LEAST_TAIL * count), 0)


def scaled(options: Options, paths: int) -> tuple[Options, int, str]:
    """The options for a first run of so many paths, its sections, and a warning where they are scaled down.

    A full run has 32 sections. A smaller one has fewer, a level that its tail can bear, and fewer checks.

    >>> scaled(Options(), 131_072)[1:], scaled(Options(), 512)[0].level
    ((32, ''), 0.75)
    """
    if sections_for(paths, options.level) == SECTIONS[0]:
        return options, SECTIONS[0], ""
    level = next(each for each in (options.level, *LEVELS) if sections_for(paths, each))
    fewer = {key: min(getattr(options, key), most) for key, most in FEWER.items()}
    small = dataclasses.replace(options, level=level, **fewer)
    full = math.ceil(LEAST_TAIL * SECTIONS[0] / (1.0 - options.level) - 1e-6)
    asked = f"ES {options.level:.4g} needs run.paths of {full:,}"
    count = sections_for(paths, level)
    warning = (
        f"greeks: run.paths = {paths:,} is small ({asked}): effects are on ES {level:.4g}, in {count} "
        "sections instead of 32, with fewer checks; errors are large, and ranks are rough"
    )
    return small, count, warning


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
    options, sections, warning = scaled(context.options, context.experiment.run.paths)
    if warning:
        log.warning("%s", warning)
    tables, entry = measure(context, model[0], options, sections)
    summary = tail_risk.results(context, model, tables, {"greeks": entry})
    return summary | {"warnings": [*summary.get("warnings", []), *([warning] if warning else [])]}


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


def measure(
    context: Context, system: Any, options: Options, sections: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name and the entry of the summary: every number's effect, with its check if it has one."""
    from engine.learn.greeks import greeks
    from engine.results import greeks as greeks_tables

    experiment = context.experiment
    steps, signs, spare, rng = design_of(experiment)
    runs = Runs(context, system, rng, options, sections)
    tail, mean = (greeks.slopes(signs, spare, each) for each in runs.changes(steps, signs, "design"))
    rows = greeks_tables.rows_of(steps, tail, mean)
    bumps = runs.alone(steps, to_check(rows["es"].to_numpy(), options, rng), "alone")
    wide, crossing = to_cross(steps, rows, experiment, options.ranges)
    ranges = runs.alone(wide, crossing, "ranges")
    table = greeks_tables.rank(rows, tail, bumps, runs.first.rates, ranges)
    design = {
        "level": options.level, "step": options.step, "rows": len(signs), "row_paths": options.paths,
        "sections": sections,
    }  # fmt: skip
    entry = greeks_tables.summary(table, tail, runs.first.es, design)
    return {"greeks": table.rows}, entry


class Runs:
    """The run at the base parameters, then runs at moved ones on the same draws."""

    def __init__(
        self, context: Context, system: Any, rng: "np.random.Generator", options: Options, sections: int
    ) -> None:
        from engine.book.variant import Variants
        from engine.learn.greeks import gradient

        experiment = context.experiment
        self.options, self.rng, self.stop = options, rng, context.stop
        self.base = gradient.Base(Variants(system, context.book), experiment.parameters, experiment.run.seed)
        paths = experiment.run.paths
        with Progress(paths, "base") as progress:
            onward = functools.partial(go_on, progress, self.stop)
            self.first = gradient.tail_run(self.base, paths, options.paths, options.level, onward, sections)

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
    steps: "Sequence[Step]", rows: "pd.DataFrame", experiment: Experiment, most: int
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
    return wide, [int(place) for place in order if possible(place)][:most]
