"""Greeks: the main job, then every number of the model moved at once: what does the tail hang on?"""

import functools

import numpy as np

from experiments import build, limits, tail_risk
from experiments.build import Experiment
from experiments.checkpoints import Checkpoints
from experiments.complaints import BadInput, expected
from experiments.progress import Progress
from experiments.run_folder import RunFolder
from experiments.stopping import Stop


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run the design into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    return tail_risk.carry_out(experiment, stop, alone, build_model, results)


def build_model(experiment: Experiment, book):
    """The main job's model; raises `BadInput` where a row of the design would leave what numbers may be."""
    from engine.learn.steps import moved

    steps, signs, _, _ = designed(experiment)
    for row in (*signs, *-signs):
        if problems := limits.problems_of(moved(experiment.parameters, steps, row)):
            raise BadInput([expected("greeks.step", experiment.greeks.step, f"less: {problems[0]}")])
    return build.build(experiment, book)


def designed(experiment: Experiment):
    """Steps, the design's signs and spare columns, and the generator that made them."""
    from engine.learn.greeks import design
    from engine.learn.steps import steps_of

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
    from engine.book.variant import Variants
    from engine.learn import gradient, greeks
    from engine.learn.sections import drawn
    from engine.report import greeks_tables

    wanted, paths = experiment.greeks, experiment.run.paths
    steps, signs, spare, rng = designed(experiment)
    study = gradient.Study(Variants(system, book), experiment.parameters, steps, experiment.run.seed)
    with Progress(paths, "base") as progress:
        onward = functools.partial(go_on, progress, stop)
        first = gradient.first_run(study, paths, wanted.paths, wanted.level, onward)

    def changed(signs, name):
        with Progress(2 * len(signs) * wanted.paths, name) as progress:
            run = functools.partial(gradient.moved_losses, study, functools.partial(go_on, progress, stop))
            ids = drawn(first.sections, len(signs), wanted.paths, rng)
            return greeks.changes(run, signs, first.sections, ids)

    tail, mean = (greeks.slopes(signs, spare, each) for each in changed(signs, "design"))
    chosen = to_check(tail.value * [step.tenth / step.size for step in steps], wanted, rng)
    alone = np.repeat(np.eye(len(steps))[chosen], wanted.bumps, axis=0)
    bumps = changed(alone, "bumps")[0].reshape(len(chosen), wanted.bumps, -1).mean(axis=1) if chosen else []
    table = greeks_tables.ranked(steps, tail, mean, dict(zip(chosen, bumps, strict=True)), first.rates)
    return {"greeks": table.rows}, {"greeks": greeks_tables.summary(table, tail, first, wanted, len(signs))}


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
