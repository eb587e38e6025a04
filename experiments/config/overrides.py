"""Overrides as a person types them: a path or a text stands as it is, without Hydra's grammar.

`book.path=books (1)`, `run.dir=1e6` and `book.path=bücher` are names of folders. Quotes, interpolations and,
in a sweep, lists of values keep the meaning that Hydra gives them.
"""

import os
import re
import types
import typing
from collections.abc import Mapping, Sequence

from experiments.config.schema import group_types

SHORT = {"target": "reverse_stress.target", "tape": "tape.file", "tape_fx": "tape.fx"}
"""Keys with a short spelling on the command line."""

SHORT_OF_TASK = {"task=reproduce": {"run": "reproduce.run"}}
"""Keys with a short spelling where a task is asked for."""

SWEEPS = re.compile(
    r"(choice|range|interval|glob|shuffle|sort|tag|str|int|float|bool|json_str|extend_list)\(.*\)"
)
"""Functions of Hydra's grammar."""

PLAIN = re.compile(r"[A-Za-z0-9_/.\-\\+$%*@?|:,=(){}\[\]'\" \t]*", re.ASCII)
"""Letters that Hydra's grammar has outside quotes."""

MOST = 500
"""Overrides of one command."""

LONGEST = 4_096
"""Letters of an override; a longer one is a mistake."""

LONGEST_KEY = 200
"""Letters of its key."""


def short_keys(arguments: Sequence[str]) -> dict[str, str]:
    """Whole keys by their short spelling, for a command with these overrides.

    >>> short_keys(["task=reproduce", "run=a"])["run"]
    'reproduce.run'
    """
    return SHORT | {key: whole for task in arguments for key, whole in SHORT_OF_TASK.get(task, {}).items()}


def spelled_out(argument: str, several: bool = False, short: Mapping[str, str] = SHORT) -> str:
    """An override as Hydra reads it: the whole key, and a text in quotes. `several` is a sweep."""
    key, equals, value = argument.partition("=")
    key = short.get(key, key)
    if not equals or key.lstrip("+") not in text_keys():
        return key + equals + value
    if value in ("", "null") or "${" in value or value[0] in "'\"":
        return key + equals + value
    if not several:
        return key + equals + quoted(value)
    if SWEEPS.fullmatch(value) or any(mark in value for mark in "'\""):
        return key + equals + value
    return key + equals + ",".join(quoted(each) for each in value.split(","))


def quoted(text: str) -> str:
    r"""A text in the quotes of Hydra's grammar, which takes backslashes before a quote in pairs.

    >>> print(quoted("it's"), quoted("p\\x"), quoted("end\\"))
    'it\'s' 'p\x' 'end\\'
    """
    doubled = re.sub(r"(\\+)('|$)", r"\1\1\2", text)
    return "'" + doubled.replace("'", "\\'") + "'"


def text_keys() -> set[str]:
    """Keys that hold a text or a path of any letters, or none: `str | None` in the schema, and these."""
    keys = {"runs.root", "scenario.story", "validate.oracles", "validate.document"}
    for group, kind in group_types().items():
        for name, hint in typing.get_type_hints(kind).items():
            if isinstance(hint, types.UnionType) and str in typing.get_args(hint):
                keys.add(f"{group}.{name}")
    return keys


def at_home(path: str | None) -> str | None:
    """A path with ~ as the user's folder, which a shell leaves as it is behind an equals sign."""
    return os.path.expanduser(path) if path else path


def foreign_letter(value: str) -> str:
    """The first letter that needs quotes; empty where there is none."""
    length = PLAIN.match(value).end()  # type: ignore[union-attr]  # matches nothing at least
    return value[length : length + 1]


def size_problems(arguments: Sequence[str]) -> list[str]:
    """More overrides, or longer ones, than a person types."""
    if len(arguments) > MOST:
        return [f"command line: got {len(arguments):,} arguments, expected at most {MOST:,}"]
    problems = []
    for argument in arguments:
        most = LONGEST if len(argument.partition("=")[0]) <= LONGEST_KEY else LONGEST_KEY
        if len(argument) > most:
            got = f"{argument[:40]!r}... of {len(argument):,} letters"
            problems.append(f"command line: got {got}, expected at most {most:,}")
    return problems
