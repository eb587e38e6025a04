"""Steps of the model's numbers for a gradient."""

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from engine.book.parameters import Parameters

EXCLUDED = {
    "economy.start": "a name",
    "contracts.lease_break_month": "a date; zero stands for none",
    "mechanisms": "switches: task=attribution answers for them",
    "policy": "dated levers: task=policy answers for them",
}
"""Numbers that are not moved, by group or full name, with the reason."""

TENTH = 0.1
"""Effects are reported for a rise by this share of a number's size."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One number and its step: from `centre` - `size` to `centre` + `size`, in its own unit."""

    name: str
    group: str
    field: str
    place: int | None  # in a list
    value: float
    centre: float
    size: float
    tenth: float  # a tenth of the value's size, for which effects are reported
    unit: str
    grade: str
    why: str
    low: float | None
    high: float | None


def numbers_of(parameters: Parameters) -> Iterator[tuple[str, dataclasses.Field, int | None, float]]:
    """(group, field, place, value) of every number that is not excluded; the field is a dataclass field."""
    for group in dataclasses.fields(Parameters):
        values = getattr(parameters, group.name)
        for field in dataclasses.fields(values):
            if group.name in EXCLUDED or f"{group.name}.{field.name}" in EXCLUDED:
                continue
            value = getattr(values, field.name)
            for place, number in enumerate(value) if isinstance(value, list) else [(None, value)]:
                yield group.name, field, place, number


def steps_of(
    parameters: Parameters, share: float, limits: Callable[[str, str], tuple[float, float]]
) -> list[Step]:
    """A step for every number that is not excluded: `share` of its size, a month where it counts months.

    A zero in a list has the size of the list's largest number; a zero on its own has no size and no step. The
    centre of a step lies one step inward where it would otherwise cross `limits(name, unit) -> (low, high)`.
    """
    steps = []
    for group, field, place, value in numbers_of(parameters):
        name, unit = f"{group}.{field.name}", field.metadata["unit"]
        whole = getattr(getattr(parameters, group), field.name)
        scale = abs(value) if place is None or value else float(np.max(np.abs(whole)))
        size = 1.0 if unit == "months" else share * scale
        if scale == 0.0:
            continue
        least, most = limits(name, unit)
        centre = value - size if value + size > most else value + size if value - size < least else value
        full = name if place is None else f"{name}[{place}]"
        notes: dict[str, Any] = {key: field.metadata[key] for key in ("grade", "why", "low", "high")}
        steps.append(Step(full, group, field.name, place, value, centre, size, TENTH * scale, unit, **notes))
    return steps


def across(step: Step) -> Step:
    """The step across the range of values that a careful user would defend.

    Raises ValueError for a number without a range.
    """
    if step.low is None or step.high is None:
        raise ValueError(f"{step.name}: got no range, expected low and high")
    low, high = float(step.low), float(step.high)
    return dataclasses.replace(step, centre=(low + high) / 2.0, size=(high - low) / 2.0)


def move(parameters: Parameters, steps: Sequence[Step], signs: Iterable[float]) -> Parameters:
    """The parameters with each number `sign` steps from its centre; a sign of zero leaves it at its value."""
    other = copy.deepcopy(parameters)
    for step, sign in zip(steps, signs, strict=True):
        if sign == 0:
            continue
        group, value = getattr(other, step.group), step.centre + float(sign) * step.size
        if step.place is None:
            setattr(group, step.field, value)
        else:
            getattr(group, step.field)[step.place] = value
    return other
