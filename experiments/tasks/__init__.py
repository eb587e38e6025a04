"""The tasks of `undertow task=NAME`: one module a task, all of one shape; this folder is the registry.

A task is a module `experiments/tasks/NAME.py`. The first line of its docstring is its line in
`undertow --help`. It defines four functions:

    problems(config, options) -> list[str]    what the configuration must mend before anything runs
    model(context)                            what is simulated; raises `BadInput`, writes nothing
    results(context, model) -> dict           computes and writes; returns the summary
    show(context, summary) -> None            what the terminal says at the end

and, where it needs them:

    Options           dataclass with the keys of its own configuration group; an instance is `context.options`
    GROUP             name of that group, where it is not the task's own (`import` is a word of Python)
    UNREAD            shared keys that it does not read: {group: keys, or None for all of them}
    DRAWN             True where its paths may draw their parameters (`run.parameters=drawn`)
    FOLLOWS_FILE      True where its paths may follow the table of `scenario.file`
    EXACT             True where it simulates paths of its run again and they are to be the same to the bit:
                      `run.kernel=auto` is XLA's form, and `fused` is refused
    RUN_FOLDER        False for a task that reads no book and leaves no run folder
    READ              shared keys that such a task reads all the same, in the form of UNREAD
    follow(context)   the part of every process but the first; only tasks that have it share a run

`experiments.flow` carries every task out. All are imported whenever a configuration is read, before the
devices are prepared, so that a task imports JAX, pandas and whatever imports them inside its functions.
"""

import importlib
import pathlib
import pkgutil
from types import ModuleType

FUNCTIONS = ("problems", "model", "results", "show")
"""What every task defines."""


def names() -> list[str]:
    """Every task, in alphabetical order."""
    return sorted(entry.name for entry in pkgutil.iter_modules(__path__))


def every() -> dict[str, ModuleType]:
    """The modules of all tasks by name; raises TypeError for one that is not of the shape."""
    return {name: check_shape(importlib.import_module(f"{__name__}.{name}")) for name in names()}


def groups() -> dict[str, type]:
    """The `Options` of every task that has a configuration group of its own, by the group's name."""
    return {
        getattr(task, "GROUP", name): task.Options
        for name, task in every().items()
        if hasattr(task, "Options")
    }


def check_shape(module: ModuleType) -> ModuleType:
    """The module, if it has the four functions of a task."""
    missing = [name for name in FUNCTIONS if not callable(getattr(module, name, None))]
    if missing:
        raise TypeError(f"{module.__name__}: a task defines {', '.join(FUNCTIONS)}; missing {missing[0]}")
    return module


def one_liners() -> dict[str, str]:
    """The first line of every task's docstring, read without importing or parsing any."""
    paths = [path for folder in __path__ for path in pathlib.Path(folder).glob("*.py")]
    return dict(sorted((path.stem, first_line(path)) for path in paths if path.stem != "__init__"))


def first_line(path: pathlib.Path) -> str:
    """The first line of a module's docstring; empty where the file begins with anything else."""
    with open(path, encoding="utf-8") as file:
        line = file.readline().strip()
    return line.strip('"') if line.startswith('"""') else ""
