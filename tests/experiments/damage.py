"""Damaged configurations: every key of the schema with every value that it hardly means."""

import copy
import dataclasses
import typing

import hydra
from omegaconf import OmegaConf

from experiments import tasks
from experiments.config import schema
from experiments.config.read import own_groups

VALUES = (
    float("nan"), float("inf"), 1e39, -1e39, 1e-40, -1.0, 0, 2029, 46022, 10**30, True, None, "", "text",
    "1e400", "caf\u00e9",
    [], [1.0], [[1.0], 2.0, 3.0], ["a", "b", "c"], {"a": 1}, "${nowhere}", "${run.seed}",
)  # fmt: skip


def plain() -> dict[str, typing.Any]:
    """The default configuration in plain types."""
    schema.register(tasks.groups())
    with hydra.initialize_config_module("conf", version_base="1.3"):
        return typing.cast(dict, OmegaConf.to_container(hydra.compose("config")))


def keys() -> list[tuple[str, str]]:
    """(group, key) of the whole schema."""
    schema.register(tasks.groups())
    groups = schema.group_types()
    return [(group, field.name) for group, kind in groups.items() for field in dataclasses.fields(kind)]


def configs() -> dict[str, tuple[str, str, object]]:
    """Every damaged configuration by its name."""
    return {
        f"{group}.{key}={number}:{str(value)[:12]}": (group, key, value)
        for group, key in keys()
        for number, value in enumerate(VALUES)
    }


def damaged(defaults: dict[str, typing.Any], group: str, key: str, value: object) -> typing.Any:
    """The default configuration with one value; of a task's own group that task's."""
    config = copy.deepcopy(defaults)
    config[group][key] = value
    for task, own in own_groups(tasks.every()).items():
        if own == group:
            config["task"]["name"] = task
    return OmegaConf.create(config)
