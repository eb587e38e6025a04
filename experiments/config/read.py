"""From the configuration to plain values: the last place that sees Hydra's or OmegaConf's types.

`read` turns the composed configuration into one `Experiment` or raises `BadInput` with every problem;
`experiments.model` turns that into the engine's book, System and Plan.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from engine.book import limits
from engine.book.checks.problems import expected
from engine.book.parameters import Parameters
from experiments.config.bad_input import BadInput, explain, unknown
from experiments.config.checks import (
    book_problems,
    folder_problems,
    kernel_problems,
    parameters_problems,
    processes_problems,
    report_problems,
    run_problems,
    sampler_problems,
)
from experiments.config.overrides import at_home
from experiments.config.readers import own_groups, unread_problems
from experiments.config.scenario import FILES, content_of, scenario_problems
from experiments.config.schema import Book, Config, Report, Run, Sampler, Scenario, complete, group_types

NO_RESULT: dict[str, tuple[str, ...] | None] = {
    "run": (
        "dir",
        "devices",
        "processes",
        "process",
        "coordinator",
        "arrival_seconds",
        "checkpoint_seconds",
        "resume",
    ),
    "report": None,
}
"""Keys, or None for a whole group, that change no number of any result."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A checked configuration in plain types."""

    task: str
    run: Run
    book: Book
    scenario: Scenario
    parameters: Parameters
    sampler: Sampler
    report: Report
    options: Any  # the task's own group, an `Options` of its module; None where it has none
    config: dict[str, Any]  # every key
    decisive: dict[str, Any]  # the keys that change a result of this task
    hash: str  # 64 hexadecimal digits over the decisive keys


def nested_lists(plain: Mapping[str, Any]) -> list[str]:
    """Parameters that are lists of something else than numbers."""
    return [
        expected(f"{group.name}.{key}", value, "numbers")
        for group in dataclasses.fields(Parameters)
        for key, value in plain.get(group.name, {}).items()
        if isinstance(value, list) and any(isinstance(entry, list | dict) for entry in value)
    ]


def read(cfg: DictConfig, tasks: Mapping[str, ModuleType], overrides: Sequence[str] = ()) -> Experiment:
    """Every value of the configuration in plain types; raises `BadInput` with all problems at once.

    `overrides` are those of the command line: each must be of a key that the task reads.
    """
    try:
        plain: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise BadInput([explain(error)]) from None
    if problems := unknown_keys(plain) + nested_lists(plain):
        raise BadInput(problems)
    try:
        config: Any = OmegaConf.to_object(typed(cfg, plain))
    except OmegaConfBaseException as error:
        raise BadInput([explain(error)]) from None
    task = tasks.get(config.task.name)
    own = own_groups(tasks)
    group = own.get(config.task.name)
    options = getattr(config, group) if group else None
    config.book.path, config.run.dir = at_home(config.book.path), at_home(config.run.dir)
    config.sampler.proposal = at_home(config.sampler.proposal)
    config.report.browser = at_home(config.report.browser)
    for key in FILES:
        setattr(config.scenario, key, at_home(getattr(config.scenario, key)))
    parameters = Parameters(
        **{field.name: getattr(config, field.name) for field in dataclasses.fields(Parameters)}
    )
    problems = problems_of(config, task, options, list(tasks)) + limits.problems_of(parameters)
    problems += [
        each
        for each in unread_problems(config.task.name, overrides, tasks)
        if not any(problem.startswith(each.partition(":")[0]) for problem in problems)
    ]
    if problems:
        raise BadInput(problems)
    # The checks have turned 1e6 into 1000000; what is recorded is what runs.
    for name in ("run", "sampler", "report", *([group] if group else [])):
        plain[name] = dataclasses.asdict(getattr(config, name))
    others = {name for name in own.values() if name != group}
    chosen = decisive(plain, unread_by(task, others))
    if config.scenario.file is not None:
        chosen["scenario"] |= {"content": content_of(config.scenario)}
    return Experiment(
        task=config.task.name, run=config.run, book=config.book, scenario=config.scenario,
        parameters=parameters, sampler=config.sampler, report=config.report, options=options,
        config=plain, decisive=chosen, hash=digest(chosen),
    )  # fmt: skip


def typed(cfg: DictConfig, plain: Mapping[str, Any]) -> Any:
    """The configuration with its groups' types, which a job of a sweep comes without."""
    if OmegaConf.get_type(cfg) is complete():
        return cfg
    return OmegaConf.merge(OmegaConf.structured(complete()), plain)


def problems_of(config: Config, task: ModuleType | None, options: Any, names: list[str]) -> list[str]:
    """What is wrong with the groups that every task shares, then what the task itself asks of them."""
    problems = run_problems(config.run)
    problems += processes_problems(config.run, config.task.name, hasattr(task, "follow"))
    problems += sampler_problems(config.sampler, config.run) + report_problems(config.report, config.sampler)
    problems += parameters_problems(config, getattr(task, "DRAWN", False))
    problems += kernel_problems(config, getattr(task, "EXACT", False))
    problems += scenario_problems(config, getattr(task, "FOLLOWS_FILE", False))
    if task is None:
        problems.append(expected("task.name", config.task.name, "one of " + ", ".join(names)))
    else:
        problems += task.problems(config, options)
    if getattr(task, "RUN_FOLDER", True):
        problems += book_problems(config.book) + folder_problems("run.dir", config.run.dir, needed=False)
    return problems


def unknown_keys(plain: Mapping[str, Any]) -> list[str]:
    """Keys that the schema does not have: `+key=value` slips past Hydra."""
    groups = group_types()
    problems = [unknown(group) for group in plain if group not in groups]
    for group, kind in groups.items():
        known = {field.name for field in dataclasses.fields(kind)}
        problems += [unknown(f"{group}.{key}") for key in plain.get(group) or {} if key not in known]
    return problems


def unread_by(task: ModuleType | None, others: Iterable[str]) -> dict[str, tuple[str, ...] | None]:
    """Keys by group, None for a whole group, that change no result of a task."""
    unread = NO_RESULT | dict.fromkeys(others)
    for group, keys in getattr(task, "UNREAD", {}).items():
        shared = unread.get(group, ())
        unread[group] = None if keys is None or shared is None else (*shared, *keys)
    return unread


def decisive(plain: Mapping[str, Any], unread: Mapping[str, tuple[str, ...] | None]) -> dict[str, Any]:
    """The configuration without what changes no result: keys by group, None for a whole group."""
    chosen = {}
    for group, values in plain.items():
        keys = unread.get(group, ())
        if keys is not None:
            chosen[group] = {key: value for key, value in values.items() if key not in keys}
    report = plain.get("report") or {}
    if report.get("focus") is not None:
        # A page of its own comes with tables of its own; without one nothing of the report counts.
        chosen["report"] = {key: report[key] for key in ("focus", "focus_paths")}
    return chosen


def digest(chosen: Mapping[str, Any]) -> str:
    """sha256 of what changes a result, independent of the order of keys."""
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
