"""Which task reads which key: what follows from a task's `Options`, `READ`, `UNREAD` and `RUN_FOLDER`.

A key that the user sets on the command line and the task does not read is a mistake, and refused. Groups
that an experiment's file or a default sets are not: they are there for the task that reads them.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from types import ModuleType

from experiments.config.schema import group_types

Keys = Mapping[str, tuple[str, ...] | None]
"""Keys by group, None for a whole group."""

DOOR: Keys = {"run": ("devices", "processes", "process", "coordinator", "arrival_seconds")}
"""Keys that the command itself reads, whatever the task."""

CHOICES = ("task", "experiment", "hydra")
"""Groups that choose what runs; they are anybody's."""

NAMED = 3
"""Tasks that a message names; more are counted."""


def own_groups(tasks: Mapping[str, ModuleType]) -> dict[str, str]:
    """The configuration group of every task that has one of its own."""
    return {name: getattr(task, "GROUP", name) for name, task in tasks.items() if hasattr(task, "Options")}


def covers(keys: Keys, group: str, field: str) -> bool:
    """Whether a key is among some keys; a whole group is where any of its keys is.

    >>> covers({"run": ("seed",)}, "run", "seed"), covers({"run": ("seed",)}, "run", "paths")
    (True, False)
    """
    if group not in keys:
        return False
    fields = keys[group]
    return fields is None or not field or field in fields


def reads(tasks: Mapping[str, ModuleType], name: str, key: str) -> bool:
    """Whether the task of this name reads a key, `group.field`, or any key of a group."""
    group, _, field = key.partition(".")
    group, field = group.partition("/")[0], field.partition("[")[0].partition(".")[0]
    task, own = tasks[name], own_groups(tasks)
    if group in CHOICES:
        return True
    if group in own.values():
        return own.get(name) == group
    if not getattr(task, "RUN_FOLDER", True):
        return covers(DOOR, group, field) or covers(getattr(task, "READ", {}), group, field)
    unread = getattr(task, "UNREAD", {})
    return group not in unread or (unread[group] is not None and field not in unread[group])


def readers(tasks: Mapping[str, ModuleType], key: str) -> list[str]:
    """Tasks that read a key."""
    return [name for name in tasks if reads(tasks, name, key)]


def key_of(override: str) -> str:
    """The key or group of an override as Hydra records it.

    >>> [key_of(each) for each in ("chips.life=5", "+network@x=gibbs", "~run.dir")]
    ['chips.life', 'network', 'run.dir']
    """
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def unread_problems(name: str, overrides: Iterable[str], tasks: Mapping[str, ModuleType]) -> list[str]:
    """A sentence for each override of the command line that the task does not read."""
    if name not in tasks:
        return []
    keys = dict.fromkeys(key_of(override) for override in overrides)
    return [f"{key}: {unread(tasks, name, key)}" for key in keys if not reads(tasks, name, key)]


def unread(tasks: Mapping[str, ModuleType], name: str, key: str) -> str:
    """The sentence that a task does not read a key: its own key of that name, or who reads this one."""
    group, field = own_groups(tasks).get(name), key.rpartition(".")[2]
    options = group_types().get(group) if group else None
    if options and field in {each.name for each in dataclasses.fields(options)}:
        return f"task={name} does not read it, but {group}.{field}"
    return f"task={name} does not read it; {' and '.join(task_names(readers(tasks, key)))} does"


def task_names(names: list[str]) -> list[str]:
    """Tasks as one writes them, those beyond a few counted."""
    if len(names) <= NAMED:
        return [f"task={name}" for name in names]
    first = "tail_risk" if "tail_risk" in names else names[0]
    return [f"task={first}, like {len(names) - 1} others,"]
