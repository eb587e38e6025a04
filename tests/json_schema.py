"""A value against a JSON Schema, by the keywords that the project's own schema has; any other is refused."""

import re

REMARKS = {"$schema", "title"}
KEYWORDS = {"type", "const", "required", "properties", "patternProperties", "additionalProperties", "items"}
TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip


def violations(schema, value, place=""):
    """Where a value breaks its schema, `place: what`, in the order of the schema's properties."""
    assert set(schema) <= REMARKS | KEYWORDS, f"{place}: no rule for {set(schema) - REMARKS - KEYWORDS}"
    if "const" in schema and value != schema["const"]:
        return [f"{place}: got {value!r}, expected {schema['const']!r}"]
    kinds = schema.get("type", list(TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(is_of(kind, value) for kind in kinds):
        return [f"{place}: got {value!r}, expected {kinds}"]
    if isinstance(value, list) and "items" in schema:
        return [
            line for number, item in enumerate(value)
            for line in violations(schema["items"], item, f"{place}/{number}".strip("/"))
        ]  # fmt: skip
    return of_object(schema, value, place) if isinstance(value, dict) else []


def is_of(kind, value):
    """Whether a value has a type of JSON; true and false are no numbers."""
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def of_object(schema, value, place):
    """Violations of an object: entries that lack, and entries that are wrong."""
    lines = [
        f"{place}/{name}: missing".strip("/") for name in schema.get("required", []) if name not in value
    ]
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in [*(name for name in known if name in value), *(name for name in value if name not in known)]:
        rules = [known[name]] if name in known else []
        rules += [rule for pattern, rule in patterns.items() if re.search(pattern, name)]
        rules = rules or [schema.get("additionalProperties", {})]
        lines += [
            line for rule in rules for line in violations(rule, value[name], f"{place}/{name}".strip("/"))
        ]
    return lines
