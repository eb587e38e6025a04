"""Greeks: the main job, then every number of the model moved at once: what does the tail hang on?"""

import functools

import numpy as np

from engine.book import limits
from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.checkpoints import Checkpoints
from experiments.session.progress import Progress
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run the design into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    return tail_risk.carry_out(experiment, stop, alone, build_model, results)


def build_model(experiment: Experiment, book):
    """The main job's model; raises `BadInput` where a row of the design would leave what numbers may be."""
    from engine.learn.greeks.steps import moved

    steps, signs, _, _ = designed(experiment)
    for row in (*signs, *-signs):
        if problems := limits.problems_of(moved(experiment.parameters, steps, row)):
            raise BadInput([expected("greeks.step", experiment.greeks.step, f"less: {problems[0]}")])
    return build(experiment, book)


def designed(experiment: Experiment):
    """Steps, the design's signs and spare columns, and the generator that made them."""
    from engine.learn.greeks.greeks import design
    from engine.learn.greeks.steps import steps_of

    def within(name: str, unit: str) -> tuple[float, float]:
        found = limits.limits_of(name, unit)
        return found.low, found.high

    wanted = experiment.greeks
    steps = steps_of(experiment.parameters, wanted.step, within)
    steps = [step for step in steps if step.group in wanted.groups]
    rng = np.random.default_rng(experiment.run.seed)
    return steps, *design(len(steps), rng), rng


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Move the numbers, then write the run's tables, summary and page with what came of it; the summary."""
    tables, told = measured(experiment, book, model[0], checkpoints.stop)
    return tail_risk.results(experiment, book, model, folder, checkpoints, tables, told)


def measured(experiment: Experiment, book, system, stop: Stop):
    """Tables by name and the summary's entry: every number's effect, with its check where it has one."""
    from engine.learn.greeks import greeks
    from engine.results import greeks as greeks_tables

    steps, signs, spare, rng = designed(experiment)
    runs = Runs(experiment, book, system, stop, rng)
    tail, mean = (greeks.slopes(signs, spare, each) for each in runs.changes(steps, signs, "design"))
    rows = greeks_tables.rows_of(steps, tail, mean)
    bumps = runs.alone(steps, to_check(rows["es"].to_numpy(), experiment.greeks, rng), "alone")
    ranges = runs.alone(*to_cross(steps, rows, experiment), "ranges")
    table = greeks_tables.ranked(rows, tail, bumps, runs.first.rates, ranges)
    told = greeks_tables.summary(table, tail, runs.first, experiment.greeks, len(signs))
    return {"greeks": table.rows}, {"greeks": told}


class Runs:
    """The paths of the parameters as they are, then those of moved ones on the same draws."""

    def __init__(self, experiment: Experiment, book, system, stop: Stop, rng: np.random.Generator):
        from engine.book.variant import Variants
        from engine.learn.greeks import gradient

        self.wanted, self.rng, self.stop = experiment.greeks, rng, stop
        self.base = gradient.Base(Variants(system, book), experiment.parameters, experiment.run.seed)
        paths = experiment.run.paths
        with Progress(paths, "base") as progress:
            onward = functools.partial(go_on, progress, stop)
            self.first = gradient.first_run(self.base, paths, self.wanted.paths, self.wanted.level, onward)

    def changes(self, steps, signs, name: str) -> np.ndarray:
        """What the rows of a design do to ES and to the mean [2 rows sections]."""
        from engine.learn.greeks import gradient, greeks
        from engine.learn.greeks.sections import drawn

        ids = drawn(self.first.sections, len(signs), self.wanted.paths, self.rng)
        with Progress(2 * ids.size, name) as progress:
            onward = functools.partial(go_on, progress, self.stop)
            run = functools.partial(gradient.moved_losses, self.base, steps, onward)
            return greeks.changes(run, signs, self.first.sections, ids)

    def alone(self, steps, chosen: list[int], name: str) -> dict[int, np.ndarray]:
        """What each chosen number does to ES when it moves alone, by position [sections]."""
        if not chosen:
            return {}
        signs = np.repeat(np.eye(len(steps))[chosen], self.wanted.bumps, axis=0)
        tail, _ = self.changes(steps, signs, name)
        return dict(zip(chosen, tail.reshape(len(chosen), self.wanted.bumps, -1).mean(axis=1), strict=True))


def go_on(progress: Progress, stop: Stop, done: int) -> None:
    """Show how far the runs are; end them where that is asked."""
    progress.update(done)
    stop.check()


def to_check(effects, wanted, rng) -> list[int]:
    """Positions of the greatest effects and of some others, drawn by chance."""
    order = np.argsort(-np.abs(effects))
    others = order[wanted.checked :]
    drawn = rng.choice(others, min(wanted.drawn, len(others)), replace=False)
    return [int(place) for place in (*order[: wanted.checked], *drawn)]


def to_cross(steps, rows, experiment: Experiment):
    """Steps across their ranges, where they have one, and the positions of those that matter most.

    Judged by the straight line; left out where an end of the range is not possible beside the other numbers.
    """
    from engine.learn.greeks.steps import across, moved

    def possible(place: int) -> bool:
        ends = np.eye(len(steps))[place] * [[1.0], [-1.0]]
        return not any(limits.problems_of(moved(experiment.parameters, wide, end)) for end in ends)

    wide = [step if step.low is None or step.high is None else across(step) for step in steps]
    order = [place for place in np.argsort(-rows["line"].abs().fillna(0.0)) if rows["line"].notna()[place]]
    return wide, [int(place) for place in order if possible(place)][: experiment.greeks.ranges]
