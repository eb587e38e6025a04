"""The JSON Schema of summary.json, read off the types that its writer and reader share.

python -m engine.results.schema > docs/summary.schema.json
"""

import json
import types
import typing
from typing import Annotated, Any, NotRequired, Required

from engine.results.summary import SCHEMA, Summary

DRAFT = "https://json-schema.org/draft/2020-12/schema"

SIMPLE: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": ["number", "null"]},  # JSON has no word for what is not finite
    type(None): {"type": "null"},
}


def summary_schema() -> dict[str, Any]:
    """The schema of `Summary`, draft 2020-12. A task may add the entry of its name.

    >>> schema = summary_schema()
    >>> schema["properties"]["paths"], schema["properties"]["commit"]
    ({'type': 'integer'}, {'type': ['string', 'null']})
    """
    entries = schema_of(Summary)
    entries["properties"]["schema"] = {"const": SCHEMA}
    entries["properties"]["status"] = {"const": "done"}
    title = "summary.json of a run of Undertow: losses positive, USD bn; shares and probabilities decimals"
    return {"$schema": DRAFT, "title": title} | entries


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of a type: a TypedDict, a list, a dict by name, a union with None, or a simple one.

    Raises TypeError for any other.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {}
    if origin is Annotated:
        return dict(arguments[1])
    if origin in (NotRequired, Required):
        return schema_of(arguments[0])
    if typing.is_typeddict(kind):
        return of_entries(kind)
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if origin in (types.UnionType, typing.Union):
        names = [SIMPLE[each]["type"] for each in arguments]
        flat = [name for each in names for name in (each if isinstance(each, list) else [each])]
        return {"type": list(dict.fromkeys(flat))}
    if kind not in SIMPLE:
        raise TypeError(f"got {kind}, expected a type that JSON can say")
    return dict(SIMPLE[kind])


def of_entries(kind: Any) -> dict[str, Any]:
    """The schema of a TypedDict: its entries, and those that must be there."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {
        "type": "object",
        "required": sorted(kind.__required_keys__),
        "properties": {name: schema_of(hint) for name, hint in sorted(hints.items())},
    }


if __name__ == "__main__":
    print(json.dumps(summary_schema(), indent=1))
