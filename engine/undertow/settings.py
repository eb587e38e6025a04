"""Scenario and settings by the command's keys, as parameters.

Composed by `experiments.composition`, imported here at need: the only import of the door in the engine, so
that a key means the same on the command line and in a notebook.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.book.checks.problems import expected
from engine.book.limits import problems_of
from engine.book.parameters import Parameters
from engine.undertow.bad_input import BadInput

BASELINE = "baseline"

ARGUMENTS = {
    "scenario": "scenario", "run.paths": "paths", "run.seed": "seed", "run.months": "months",
    "run.kernel": "kernel", "sampler": "sampler", "sampler.name": "sampler", "book": "book",
    "sampler.replications": "replications", "book.name": "book", "book.path": "book",
}  # fmt: skip
"""Keys of the command that are arguments of `run`."""


class Settings(NamedTuple):
    """The model's numbers, and the scenario that they are of."""

    parameters: Parameters
    scenario: str = BASELINE
    story: str = ""


def settings_of(scenario: str, settings: Mapping[str, Any] | None, parameters: Parameters | None) -> Settings:
    """Parameters as given, or those of a scenario and single settings, {"chips.life": 3}.

    Raises BadInput with every problem, where both are given too.
    """
    if scenario == BASELINE and not settings:
        chosen = Settings(Parameters() if parameters is None else parameters)
        if problems := problems_of(chosen.parameters):
            raise BadInput(problems)
        return chosen
    if parameters is not None:
        raise BadInput([expected("parameters", "Parameters", "None beside a scenario or settings")])
    settings = settings or {}
    if named := [key for key in settings if key in ARGUMENTS]:
        raise BadInput(expected(key, settings[key], f"the argument {ARGUMENTS[key]}=") for key in named)
    from experiments.composition import experiment_of
    from experiments.config.bad_input import BadInput as Refusal

    try:
        experiment = experiment_of({"scenario": scenario} | dict(settings))
    except Refusal as error:
        raise BadInput(error.problems) from None
    return Settings(experiment.parameters, experiment.scenario.name, experiment.scenario.story)
