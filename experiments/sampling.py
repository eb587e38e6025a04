"""The sampler of the paths, and what importance sampling learns first."""

import contextlib
import logging
import pathlib
from typing import Any

from engine.book.checks.problems import expected
from experiments import proposals
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.config.scenario import files_of
from experiments.session.progress import Progress
from experiments.session.stopping import Stop

log = logging.getLogger("undertow")


def samplers(experiment: Experiment, book: Any, system: Any, plan: Any) -> tuple | None:
    """The run's samplers; None where one must be learned first. Raises `BadInput` for a wrong one."""
    from engine.paths.samplers import samplers_of

    choice = experiment.sampler
    if choice.name != "importance":
        free = samplers_of(system, plan, choice.name, choice.replications, choice.components)
        if experiment.scenario.file is None:
            return free
        return tuple(each.sampler for each in conditioned(experiment, book, system, free)[1])
    column_of(experiment, system)
    if choice.proposal is None:
        return None
    purpose = proposals.purpose_of(experiment, book.hash)
    path = pathlib.Path(choice.proposal)
    return (proposals.load(path, system, purpose, choice.candidates, choice.nearby)[0],)


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


def learn_once(
    experiment: Experiment, book: Any, system: Any, folder: pathlib.Path, stop: Stop
) -> tuple[tuple, dict[str, Any]]:
    """(samplers, notes on learning), from `sampler.proposal`, from an interrupted run, or learned now."""
    path, purpose = folder / proposals.NAME, proposals.purpose_of(experiment, book.hash)
    choice = experiment.sampler
    if choice.proposal is not None:
        file = pathlib.Path(choice.proposal)
        sampler, notes = proposals.load(file, system, purpose, choice.candidates, choice.nearby)
        proposals.save(path, sampler, notes, purpose)
        return (sampler,), notes | {"from": str(choice.proposal)}
    if path.exists() and experiment.run.resume:
        with contextlib.suppress(BadInput):
            sampler, notes = proposals.load(path, system, purpose, choice.candidates)
            if notes["asked"] == learning_settings(experiment):
                log.info("using the sampler that the interrupted run learned")
                return (sampler,), notes
    own = learn(experiment, system, stop)
    notes = {
        "asked": learning_settings(experiment),
        "paths": own.paths,
        "seconds": own.seconds,
        "r_squared": own.r_squared,
    }
    proposals.save(path, own.sampler, notes, purpose)
    return (own.sampler,), notes


def law_arrays(experiment: Experiment, samplers: tuple) -> dict[str, Any] | None:
    """What a run has learned by name, for its other processes; None where each makes its samplers."""
    return proposals.arrays_of(samplers[0]) if experiment.sampler.name == "importance" else None


def with_law(
    experiment: Experiment, arrays: dict[str, Any] | None, system: Any, samplers: tuple | None
) -> tuple:
    """The samplers of a process that is not the first: as process 0 learned, if it sent anything."""
    if arrays is None:
        return samplers or ()
    return (proposals.sampler_of(arrays, system, experiment.sampler.candidates, "from process 0"),)


def learning_settings(experiment: Experiment) -> list:
    """Settings that decide what is learned, beside the model."""
    choice = experiment.sampler
    return [choice.level, choice.defensive, choice.learning_paths, experiment.run.seed]


def learn(experiment: Experiment, system: Any, stop: Stop) -> Any:
    """Learn with the pilot's progress; the stop is obeyed before anything is fitted to its paths."""
    from engine.learn.importance.importance import TailTarget, learn
    from engine.run.plan import Hooks

    choice, run = experiment.sampler, experiment.run
    target = TailTarget(
        column=column_of(experiment, system), level=choice.level, candidates=choice.candidates,
        defensive=choice.defensive, paths=choice.learning_paths,
    )  # fmt: skip
    with Progress(target.paths, "learning") as progress:
        hooks = Hooks(progress=progress.update, stopped=stop)
        return learn(system, target, run.seed, min(run.block, 4096), hooks, stop.check, run.kernel)
