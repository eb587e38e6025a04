"""The sampler of the paths, and the law that importance sampling learns first."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

from engine.book.checks.problems import expected
from experiments import tilts
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.config.scenario import files_of
from experiments.session.progress import Progress
from experiments.session.stopping import Stop

log = logging.getLogger("undertow")


def samplers(experiment: Experiment, book: Any, system: Any, plan: Any) -> tuple | None:
    """The run's samplers; None where a law must be learned first. Raises `BadInput` for a wrong law."""
    from engine.paths.samplers import samplers_of

    choice = experiment.sampler
    if choice.name != "importance":
        free = samplers_of(system, plan, choice.name, choice.replications, choice.components)
        if experiment.scenario.file is None:
            return free
        return tuple(each.sampler for each in conditioned(experiment, book, system, free)[1])
    column_of(experiment, system)
    if choice.tilt is None:
        return None
    purpose = tilts.purpose_of(experiment, book.hash)
    return (tilts.load(pathlib.Path(choice.tilt), system, purpose)[0],)


def conditioned(experiment: Experiment, book: Any, system: Any, free: tuple) -> tuple[Any, list[Any]]:
    """The scenario of `scenario.file` as understood, and the conditioning of each free sampler.

    Raises `BadInput` for a file that is not understood, or that the model cannot follow.
    """
    import numpy as np

    from engine.book.scenario.mapping import ScenarioError
    from engine.book.scenario.reading import Choice, read_scenario
    from engine.paths.conditioning import Impossible, conditioning

    options, months = experiment.scenario, experiment.run.months
    files = files_of(options)
    choice = Choice(
        files["file"], files.get("history"), files.get("mapping"),
        options.start, options.end, options.case, options.region,
    )  # fmt: skip
    rate = float(np.asarray(system.numbers.economy.rate))
    try:
        scenario = read_scenario(choice, book.about.date, months, rate)
        return scenario, [conditioning(system, scenario.pins, sampler) for sampler in free]
    except ScenarioError as error:
        raise BadInput(f"scenario.file: {problem}" for problem in error.problems) from None
    except Impossible as error:
        raise BadInput([f"scenario.file: {choice.file.name}: {error}"]) from None


def column_of(experiment: Experiment, system: Any) -> int:
    """Position of the loss whose tail is sampled; raises `BadInput` for an unknown name."""
    from engine.paths.path import column_names

    names = column_names(system)
    if experiment.sampler.column not in names:
        kind = "a loss column: system, class:ABS, lenders:BANK, lender:ATHENE and the like"
        raise BadInput([expected("sampler.column", experiment.sampler.column, kind)])
    return names.index(experiment.sampler.column)


def learned(
    experiment: Experiment, book: Any, system: Any, folder: pathlib.Path, stop: Stop
) -> tuple[tuple, dict[str, Any]]:
    """(samplers, notes on learning), from the law of `sampler.tilt`, of an interrupted run, or a new one."""
    path, purpose = folder / tilts.NAME, tilts.purpose_of(experiment, book.hash)
    choice = experiment.sampler
    if choice.tilt is not None:
        sampler, notes = tilts.load(pathlib.Path(choice.tilt), system, purpose)
        tilts.save(path, sampler.tilt, notes, purpose)
        return (sampler,), notes | {"from": str(choice.tilt)}
    if path.exists() and experiment.run.resume:
        with contextlib.suppress(BadInput):
            sampler, notes = tilts.load(path, system, purpose)
            if notes["asked"] == learning_settings(experiment):
                log.info("using the law that the interrupted run learned")
                return (sampler,), notes
    law = learn(experiment, system, stop)
    stop.check()
    notes = {
        "asked": learning_settings(experiment),
        "paths": law.paths,
        "seconds": law.seconds,
        "hits": law.hits,
    }
    tilts.save(path, law.sampler.tilt, notes, purpose)
    return (law.sampler,), notes


def law_arrays(experiment: Experiment, samplers: tuple) -> dict[str, Any] | None:
    """The arrays of a run's law by name, for its other processes; None where each makes its samplers."""
    from engine.run.packing import named

    if experiment.sampler.name != "importance":
        return None
    import numpy as np

    return {name: np.asarray(leaf) for name, leaf in named(samplers[0].tilt)}


def with_law(arrays: dict[str, Any] | None, system: Any, samplers: tuple | None) -> tuple:
    """The samplers of a process that is not the first: by the law that process 0 sent, if it sent one."""
    return samplers or () if arrays is None else (tilts.sampler_of(arrays, system, "from process 0"),)


def learning_settings(experiment: Experiment) -> list:
    """Settings that decide the law, beside the model."""
    choice = experiment.sampler
    return [choice.level, choice.parts, choice.defensive, choice.learning_paths, experiment.run.seed]


def learn(experiment: Experiment, system: Any, stop: Stop) -> Any:
    """Run the pilots, each with its progress."""
    from engine.learn.importance.importance import TailTarget, learn
    from engine.run.plan import Hooks

    choice = experiment.sampler
    first = choice.learning_paths // 4
    target = TailTarget(
        column=column_of(experiment, system), level=choice.level, parts=choice.parts,
        defensive=choice.defensive, paths=(first, first, choice.learning_paths - 2 * first),
    )  # fmt: skip

    @contextlib.contextmanager
    def hooks_of(stage: int, paths: int) -> Iterator[Hooks]:
        with Progress(paths, f"learning, pilot {stage + 1} of {len(target.paths)}") as progress:
            yield Hooks(progress=progress.update, stopped=stop)

    return learn(system, target, experiment.run.seed, min(experiment.run.block, 4096), hooks_of)
