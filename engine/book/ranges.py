"""Ranges of the parameters that history does not identify; a path may draw them from there.

A parameter is here if `task=calibrate` finds it not identified, or no closer than its range, and if it has a
range. Left out, though not identified: `chips.utilisation`, a scale that the book's month 0 is built on, and
`technology_volatility`, `release_noise`, `impact_cap` and `impact_half_life`, which have no range.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.book.arrays import floats
from engine.book.calibration import gain_pace
from engine.book.frames import Frame
from engine.book.parameters import Parameters
from engine.book.system import Ranges, System

Name = tuple[str, str, int]
"""Group, field, and entry of a list; WHOLE for a number."""

WHOLE = -1

NUMBERS = {
    "economy": ("volatility", "ceiling"),
    "chips": ("life", "release_effect", "demand_elasticity", "rent_elasticity", "impact", "depth"),
}
"""Numbers by group; their ranges stand beside them in `engine/book/parameters.py`."""

ENTRIES: dict[tuple[str, str], tuple[tuple[int, float, float], ...]] = {
    ("economy", "growth"): ((1, 0.0, 0.10), (2, -0.50, -0.10)),
    ("economy", "leave_boom"): ((0, 0.15, 0.45), (1, 0.03, 0.12)),
    ("economy", "leave_plateau"): ((0, 0.10, 0.30), (1, 0.08, 0.20)),
    ("economy", "leave_bust"): ((0, 0.04, 0.20), (1, 0.20, 0.60)),
}
"""Entries of lists with their ranges: what was tried, or would be defended (grade C)."""


def ranges_of(parameters: Parameters) -> dict[Name, tuple[float, float]]:
    """Least and greatest value of every parameter that is drawn; without those set beyond their range."""
    ranges = {}
    for group, names in NUMBERS.items():
        fields = {field.name: field.metadata for field in dataclasses.fields(getattr(parameters, group))}
        for name in names:
            ranges[group, name, WHOLE] = (float(fields[name]["low"]), float(fields[name]["high"]))
    for (group, name), entries in ENTRIES.items():
        ranges |= {(group, name, entry): (low, high) for entry, low, high in entries}
    return {name: ends for name, ends in ranges.items() if ends[0] <= value_of(parameters, name) <= ends[1]}


def value_of(parameters: Parameters, name: Name) -> float:
    """The value of a parameter, or of an entry of one."""
    group, field, entry = name
    value = getattr(getattr(parameters, group), field)
    return float(value if entry == WHOLE else value[entry])


def with_values(parameters: Parameters, values: Mapping[Name, float]) -> Parameters:
    """The parameters with other values of some, or of entries of some."""
    groups = {}
    for group in {group for group, _, _ in values}:
        numbers = getattr(parameters, group)
        fields: dict[str, Any] = {}
        for (own, field, entry), value in values.items():
            if own != group:
                continue
            if entry == WHOLE:
                fields[field] = value
            else:
                whole = fields.setdefault(field, [*getattr(numbers, field)])
                whole[entry] = value
        groups[group] = dataclasses.replace(numbers, **fields)
    return dataclasses.replace(parameters, **groups)


def with_ranges(system: System, chips: Frame, parameters: Parameters) -> System:
    """The System of these parameters and table of chips, whose paths draw theirs, each from its range."""
    ranges = ranges_of(parameters)
    existing = (chips["release_month"] <= 0).to_numpy(np.float64)
    low, high = zip(*ranges.values(), strict=True)
    drawn = Ranges(
        tuple(ranges), floats(np.array(low)), floats(np.array(high)), floats(gain_pace(chips, existing))
    )
    return dataclasses.replace(system, ranges=drawn)
