"""Bad input in one clear message: what, where, what was expected; never a traceback."""

import dataclasses
import difflib
import re
import time
import types
import typing

import hydra
import yaml  # type: ignore[import-untyped]
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException, ValidationError

from engine.book.checks.problems import complaint, expected
from experiments.config.overrides import foreign_letter
from experiments.config.schema import group_types

PATIENCE = 2.0
"""Seconds of processor time in which problems of a command's further arguments are looked for."""
FEW = 10
"""Arguments that are looked at on the slowest machine."""


class BadInput(Exception):
    """One or more problems with what the user gave; nothing was started and nothing written."""

    def __init__(self, problems: typing.Iterable[str]):
        self.problems = list(dict.fromkeys(problems))
        super().__init__(complaint(self.problems))


def explain(error: Exception, override: str = "") -> str:
    """One sentence for an error of Hydra or OmegaConf, naming the key as the user typed it."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if not override and (quoted := re.search(r"override '?([^'\s]+)", str(error))):
        override = quoted.group(1).rstrip(".")
    name, _, value = override.lstrip("+~").partition("=")
    # OmegaConf chains its own errors under a debugger, and the inner one may not know its key.
    name = getattr(cause, "full_key", None) or getattr(error, "full_key", None) or name
    if isinstance(error, OverrideParseException):
        letter = foreign_letter(value)
        if letter:
            kind = f"{letter!r} in quotes, as in '{name}=\"{value}\"'"
            return expected(name, value, kind)
        return expected("command line", short(error.override), "key=value, group=option or a flag such as -m")
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, option = (error.missing_cfg_file or name).rpartition("/")
        return expected(group, option, "one of " + ", ".join(error.options))
    if isinstance(cause, ValidationError):
        return expected(name, value or str(cause.msg), kind_of(name))
    if isinstance(cause, ConfigKeyError | ConfigAttributeError):
        return unknown(name)
    if isinstance(error, ConfigCompositionException) and "Could not override" in str(error):
        return unknown(name)
    if "Multiple values for" in str(error):
        return f"{name}: already in the defaults, write {name}={value} without +"
    if "Config group override must be" in str(error):
        return expected(name, value, "the name of an option of this group")
    if isinstance(error, UnicodeDecodeError):
        return expected("a file of the configuration", error.object[error.start : error.end], "UTF-8 text")
    reason = " ".join(str(cause).split("\n")[:2] if "composing" in str(cause) else str(cause).split("\n")[:1])
    return ": ".join(part for part in (name, reason.strip()) if part)


def reread(error: Exception, arguments: list[str]) -> BadInput:
    """Hydra stops at the first bad override; compose with each alone and name them all."""
    problems = []
    several = {"-m", "--multirun"} & set(arguments)
    if not any(argument.startswith(("--config", "-c")) for argument in arguments):
        end = time.process_time() + PATIENCE
        with hydra.initialize_config_module("conf", version_base="1.3"):
            for number, argument in enumerate(arguments):
                if number >= FEW and time.process_time() > end:
                    rest = len(arguments) - number
                    more = f"{rest} more argument{'s' if rest > 1 else ''}"
                    problems.append(f"... and {more}, at which this command did not look")
                    break
                problems += filter(None, [problem_of(argument, bool(several))])
    return BadInput(problems or [explain(error)])


def problem_of(argument: str, several: bool) -> str | None:
    """What is wrong with one override by itself; in a sweep a swept one is the sweeper's to check."""
    if argument.startswith("-") or argument.startswith("hydra"):
        return None
    try:
        [override] = OverridesParser.create().parse_overrides([argument])
        if not override.is_sweep_override():
            hydra.compose("config", overrides=[argument])
        elif not several:
            value = override.get_value_string()
            return expected(override.key_or_group, value, "one value; -m sweeps over several")
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        return explain(error, argument)
    return None


def torn(error: yaml.YAMLError) -> BadInput:
    """The complaint about a configuration file that is no YAML."""
    mark = getattr(error, "problem_mark", None)
    place = f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}" if mark else "configuration"
    reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return BadInput([f"{place}: {reason}, expected YAML"])


def short(text: str, most: int = 200) -> str:
    """A text as a message shows it."""
    return text if len(text) <= most else f"{text[:most]}..."


def unknown(name: str) -> str:
    """The sentence for a key that the schema does not have."""
    group, _, key = name.rpartition(".")
    known = names()
    near = [other for other in known if group and other.rpartition(".")[2] == key]
    siblings = [other for other in known if other.rpartition(".")[0] == group]
    near += [f"{group}.{other}" if group else other for other in close(key, siblings)]
    hint = f"; did you mean {near[0]}?" if near else "; undertow --cfg job lists all keys"
    return f"{name}: unknown key{hint}"


def close(key: str, names: list[str]) -> list[str]:
    """The names whose last part is nearly the key."""
    return difflib.get_close_matches(key, [name.rpartition(".")[2] for name in names], n=1, cutoff=0.6)


def names() -> list[str]:
    """Every dotted key of the schema."""
    groups = group_types()
    return [
        f"{group}.{field.name}" for group, kind in groups.items() for field in dataclasses.fields(kind)
    ] + list(groups)


def kind_of(name: str) -> str:
    """What the schema wants at a key, in words."""
    group, _, key = name.partition(".")
    holder = group_types().get(group)
    kind = typing.get_type_hints(holder).get(key.partition("[")[0]) if holder else None
    if isinstance(kind, types.UnionType):
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) is list:
        return "a number" if "[" in key else "a list of numbers"
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    return words[kind] if kind in words else "a group of keys"
