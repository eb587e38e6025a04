"""`undertow explain KEY`: what a key means, in what unit, what it is now, and which task reads it.

The meaning of a modelling number is the reason that stands beside it in `engine/book/parameters.py`; that of
any other key is the comment behind it in its dataclass.
"""

import ast
import dataclasses
import difflib
import functools
import inspect
import io
import shlex
import textwrap
import tokenize
import typing
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from engine.book import limits
from engine.book.parameters import Mechanisms, Parameters
from experiments.config.bad_input import BadInput, kind_of
from experiments.config.help import options
from experiments.config.overrides import SHORT
from experiments.config.readers import own_groups, readers
from experiments.config.schema import complete, group_types

GRADES = {
    "A": "found in a cited source",
    "B": "public figure of a named publication",
    "C": "modelling assumption; no source",
}

NEAR = 12
"""Close matches of an unknown key that are listed."""


@functools.cache
def comments(kind: type) -> dict[str, str]:
    """The comment behind every field of a dataclass."""
    source = textwrap.dedent(inspect.getsource(kind))
    by_line = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    [definition] = ast.parse(source).body
    fields = [node for node in ast.walk(definition) if isinstance(node, ast.AnnAssign)]
    return {
        node.target.id: " ".join(by_line[line] for line in lines_of(node) if line in by_line)
        for node in fields
        if isinstance(node.target, ast.Name)
    }


def lines_of(node: ast.AnnAssign) -> range:
    """Lines of a field's definition."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def keys() -> list[str]:
    """Every key of the composed configuration, as `group.field`."""
    return [
        f"{group}.{field.name}" for group, kind in group_types().items() for field in dataclasses.fields(kind)
    ]


def field_of(key: str) -> tuple[type, dataclasses.Field]:
    """The dataclass of a key's group, and its field."""
    group, _, name = key.partition(".")
    kind = group_types()[group]
    return kind, next(field for field in dataclasses.fields(kind) if field.name == name)


def meaning(key: str) -> str:
    """What a key means; empty where nobody has written it down."""
    kind, field = field_of(key)
    if kind is Mechanisms:
        from engine.report.words import MECHANISM_NAMES

        name = MECHANISM_NAMES.get(field.name)
        return f"switch of the mechanism “{name}”, from 0 (off) to 1 (on)" if name else ""
    why = field.metadata.get("why") or comments(kind).get(field.name, "")
    return f"{field.name.replace('_', ' ')}: {why}" if why else ""


def explanation(
    key: str, config: Mapping[str, Any], tasks: Mapping[str, ModuleType]
) -> list[tuple[str, str]]:
    """The rows of a key's explanation, (what, text); `config` holds the values now."""
    holder, field = field_of(key)
    group, data = key.partition(".")[0], field.metadata
    value, default = config[group][field.name], default_of(group, field.name)
    rows = [("meaning", meaning(key)), ("value", shown(value, default))]
    rows.append(("unit", data["unit"]) if "unit" in data else ("kind", kind(key, default)))
    if data.get("low") is not None:
        rows.append(("range", f"{data['low']:g} to {data['high']:g} is what one would defend"))
    if isinstance(getattr(Parameters(), group, None), holder) and not isinstance(default, str):
        may = limits.limits_of(key, data.get("unit", "share")).words()
        rows.append(("limits", f"{may}; anything else is refused"))
    if "grade" in data:
        rows.append(("grade", f"{data['grade']}, {GRADES[data['grade']]}"))
        rows.append(
            ("source", "the reason above, from engine/book/parameters.py; equations in docs/model.md")
        )
    return [
        *rows,
        ("read by", read_by(key, tasks)),
        ("set it", f"undertow {shlex.quote(f'{key}={example(value)}')}"),
    ]


def kind(key: str, default: Any) -> str:
    """What may stand at a key, in words; the schema leaves open what may be written as `1e6`."""
    return (
        "a whole number" if type(default) is int else "a number or text" if default is None else kind_of(key)
    )


def default_of(group: str, name: str) -> Any:
    """The value of a key where nothing sets it."""
    return getattr(getattr(complete()(), group), name)


def shown(value: Any, default: Any) -> str:
    """A value, and the default where it is another."""
    return f"{value}" if value == default else f"{value}, where the default is {default}"


def example(value: Any) -> str:
    """A value as one types it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"


def read_by(key: str, tasks: Mapping[str, ModuleType]) -> str:
    """Which tasks read a key, and which one moves it."""
    names = readers(tasks, key)
    text = "every task" if len(names) == len(tasks) else f"task={', '.join(names)}"
    return f"{text}; {mover}" if (mover := moved_by(key)) else text


def moved_by(key: str) -> str:
    """The task that measures what a modelling number does; empty for other keys."""
    group = key.partition(".")[0]
    if group == "mechanisms":
        return "task=attribution measures what it adds"
    if group == "policy":
        return "task=policy measures what it does"
    if group not in {field.name for field in dataclasses.fields(Parameters)}:
        return ""
    from engine.learn.greeks.steps import EXCLUDED

    return (
        f"task=greeks leaves it out ({EXCLUDED[key]})" if key in EXCLUDED else "task=greeks ranks its effect"
    )


def group_lines(group: str, config: Mapping[str, Any], tasks: Mapping[str, ModuleType]) -> list[str]:
    """A group of keys: what it is, its options, and a line a key."""
    lines = (
        [f"{group}: {(group_types()[group].__doc__ or '').strip()}"] if group in group_types() else [group]
    )
    if group in options():
        lines.append(f"  options: {', '.join(f'{group}={name}' for name in options()[group])}")
    own = [name for name, each in own_groups(tasks).items() if each == group]
    lines += [f"  read by: task={name}" for name in own]
    fields = dataclasses.fields(group_types()[group]) if group in group_types() else ()
    for field in fields:
        lines += textwrap.wrap(
            f"{group}.{field.name} = {config[group][field.name]}  {meaning(f'{group}.{field.name}')}",
            width=100, initial_indent="  ", subsequent_indent="      ",
        )  # fmt: skip
    return lines


def matches(text: str) -> list[str]:
    """The key that a text names, whole, short or by its last part; else close ones, closest first.

    >>> matches("waiver")[:1], matches("credit.waiver")
    (['credit.waiver'], ['credit.waiver'])
    """
    text = SHORT.get(text, text)
    every, last = keys(), text.rpartition(".")[2].lower()
    if text in every:
        return [text]
    exact = [key for key in every if key.partition(".")[2] == last]
    within = [key for key in every if last in key.partition(".")[2] and key not in exact]
    near = difflib.get_close_matches(last, [key.partition(".")[2] for key in every], n=NEAR, cutoff=0.7)
    alike = [key for key in every if key.partition(".")[2] in near]
    explained = [key for key in every if last in meaning(key).lower()]
    return list(dict.fromkeys([*exact, *within, *alike, *explained]))[:NEAR]


def explain(text: str, config: Mapping[str, Any], tasks: Mapping[str, ModuleType]) -> list[str]:
    """The lines that explain a key or a group; raises `BadInput` with close matches for any other text."""
    if text in group_types() or text in options():
        return group_lines(text, config, tasks)
    near = matches(text)
    if not near or (near[0] != SHORT.get(text, text) and not is_last_part(text, near)):
        hint = "; close are" + "".join(f"\n{key}  ({meaning(key)})" for key in near) if near else ""
        raise BadInput([f"{text}: no key of this name{hint or '; undertow --cfg job lists all keys'}"])
    rows = explanation(near[0], config, tasks)
    body = [
        line
        for what, words in rows
        for line in textwrap.wrap(words, 88, initial_indent=f"  {what:<9}", subsequent_indent=" " * 11)
    ]
    others = [key for key in near[1:] if is_last_part(text, [key])]
    return [near[0], *body, *(f"  see also {key}" for key in others)]


def is_last_part(text: str, keys: Sequence[str]) -> bool:
    """Whether a text without a group is the name of the first key."""
    return "." not in text and keys[0].partition(".")[2] == text


def composed(overrides: Sequence[str]) -> dict[str, Any]:
    """The configuration of some overrides, as plain values."""
    import hydra
    from omegaconf import OmegaConf

    with hydra.initialize_config_module("conf", version_base="1.3"):
        return typing.cast(
            dict[str, Any], OmegaConf.to_container(hydra.compose("config", overrides=list(overrides)))
        )
