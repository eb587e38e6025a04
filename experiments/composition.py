"""Settings by their keys, without a command line: composed and checked as those of a command are."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from engine.book.checks.problems import expected
from engine.book.parameters import Parameters
from experiments import tasks
from experiments.config import schema
from experiments.config.bad_input import BadInput, reread
from experiments.config.overrides import spelled_out
from experiments.config.read import Experiment, read

GROUPS = (*(field.name for field in dataclasses.fields(Parameters)), "scenario")
"""Groups whose keys are numbers of the model; all others are about a run of the command."""


def experiment_of(settings: Mapping[str, Any]) -> Experiment:
    """The main job's experiment with these settings, {"scenario": "bust", "chips.life": 3}.

    Raises `BadInput` with every problem: a key that is no number of the model, a value that cannot be.
    """
    problems = [problem for key in settings if (problem := foreign(key))]
    if problems:
        raise BadInput(problems)
    schema.register(tasks.groups())
    overrides = [spelled_out(f"{key}={text_of(key, value)}") for key, value in settings.items()]
    with alone():
        try:
            with hydra.initialize_config_module("conf", version_base="1.3"):
                composed = hydra.compose("config", overrides=overrides)
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            raise reread(error, overrides) from None
    return read(composed, tasks.every())


def foreign(key: str) -> str | None:
    """What is wrong with a key of a run or a task; unknown keys are left to the schema."""
    group = key.partition(".")[0]
    others = {*schema.group_types(), "hydra", "network", "experiment"} - set(GROUPS)
    if group.lstrip("+~") not in others:
        return None
    kind = "a number of the model such as chips.life, or a group of them such as economy or policy"
    return f"{key}: not a setting of a model, expected {kind}"


def text_of(key: str, value: Any) -> str:
    """A value as one writes it behind the equals sign of a command.

    >>> text_of("a", None), text_of("a", True), text_of("a", [0.3, 3]), text_of("a", "bust")
    ('null', 'true', '[0.3,3]', 'bust')
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(text_of(key, item) for item in value) + "]"
    if isinstance(value, str):
        return value
    raise BadInput([expected(key, value, "a number, a text or a list of numbers")])


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """A block in which no other configuration of Hydra's is at work, as one may be in a notebook."""
    others = GlobalHydra.instance()
    before = others.hydra
    others.clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = before
