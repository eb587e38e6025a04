"""What a modelling number may be at all: finite, of the right length, and within the limits of its unit.

These are limits of sense (a probability is at most one), not the range a careful user would defend, which
stands beside each number in `engine/book/parameters.py`.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.book.checks.problems import expected
from engine.book.parameters import Parameters


class Limits(NamedTuple):
    """Closed limits; `open_low` excludes the lower one."""

    low: float
    high: float
    open_low: bool = False

    def hold(self, value: float) -> bool:
        """Whether the value lies inside."""
        above = value > self.low if self.open_low else value >= self.low
        return above and value <= self.high

    def words(self) -> str:
        """The limits as a message says them."""
        low = f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        return f"{low} and at most {self.high:g}"


REGIMES = ("boom", "plateau", "bust")
"""Those of `engine.vocabulary`, which would import JAX before its devices are prepared."""

SHARE = Limits(0, 1)
BY_UNIT = {
    "1": Limits(0, 100),
    "USD bn/yr": Limits(0, 1e5),
    "1/yr": Limits(0, 100),
    "1/sqrt(yr)": Limits(0, 5),
    "1/yr^1.5": Limits(0, 1),
    "log": Limits(-5, 5),
    "log sd": Limits(0, 5),
    "per ln gain": Limits(0, 5),
    "months": Limits(0, 240),
    "yr": Limits(0, 50, open_low=True),
    "million units": Limits(0, 100, open_low=True),
    "of quarterly units": Limits(0, 10, open_low=True),
    "of value/yr": Limits(0, 10),
    "of market cap/yr": Limits(0, 10),
    "USD/USD": Limits(0, 10),
    "LTV": Limits(0, 1, open_low=True),
}
"""By unit; every unit that is not here is a share of something, between zero and one."""

BY_NAME = {
    "economy.revenue": Limits(0, 1e5, open_low=True),
    "economy.ceiling": Limits(0, 1e5, open_low=True),
    "economy.growth": Limits(-5, 5),
    "economy.plan": Limits(0, 1e5, open_low=True),
    "economy.rate": Limits(-0.1, 1),
    "economy.equity_drift": Limits(-5, 5),
    "economy.equity_beta": Limits(-10, 10),
    "economy.correlation_demand_equity": Limits(-1, 1),
    "economy.correlation_demand_credit": Limits(-1, 1),
    "economy.correlation_equity_credit": Limits(-1, 1),
    "chips.utilisation": Limits(0, 1, open_low=True),
    "chips.hours_bounds": SHARE,
    "chips.gap_cap": Limits(0, 5),
    "chips.other_buyers": Limits(0, 1, open_low=True),
    "chips.impact": Limits(0, 10),
    "chips.impact_cap": Limits(0, 10, open_low=True),
    "chips.capex_chip_share": SHARE,
    "chips.capex_newest_share": SHARE,
    "contracts.equity_floor": SHARE,
    "contracts.fixed_cost_growth": Limits(-1, 5),
    "contracts.renegotiation_months": Limits(1, 240),
    "contracts.equity_months": Limits(0, 240, open_low=True),
    "chips.installation_months": Limits(1, 240),
    "chips.order_months": Limits(1, 240),
    "chips.appraisal_months": Limits(1, 240),
    "credit.standstill_months": Limits(1, 240),
    "credit.margin_ceiling": Limits(0, 100, open_low=True),
    "credit.abs_cap_rate": Limits(-10, 10),
    "credit.contract_advance": SHARE,
    "credit.trailing_weight": SHARE,
    "credit.hazard_leverage": Limits(0, 10),
    "credit.hazard_leverage_bounds": Limits(-10, 10),
    "credit.sponsor_regime": SHARE,
    "policy.disclosure": SHARE,
}
"""Where the unit alone does not say it."""

ORDERED = [
    ("chips.hours_bounds[0]", "chips.hours_bounds[1]"),
    ("chips.rent_bounds[0]", "chips.rent_bounds[1]"),
    ("chips.stress_bounds[0]", "chips.stress_bounds[1]"),
    ("chips.capex_bounds[0]", "chips.capex_bounds[1]"),
    ("chips.slip_months[0]", "chips.slip_months[1]"),
    ("chips.slip_months[1]", "chips.slip_months[2]"),
    ("credit.ltv_cure", "credit.ltv_covenant"),
    ("credit.dscr_default", "credit.dscr_trap"),
    ("credit.dscr_trap", "credit.dscr_cap"),
    ("credit.hazard_leverage_bounds[0]", "credit.hazard_leverage_bounds[1]"),
]
"""Pairs of which the first may not exceed the second."""


def problems_of(parameters: Parameters) -> list[str]:
    """Every number outside its limits, list of wrong length, pair out of order; empty when all is well."""
    problems: list[str] = []
    values: dict[str, float] = {}
    for group in dataclasses.fields(Parameters):
        numbers, default = getattr(parameters, group.name), getattr(Parameters(), group.name)
        for field in dataclasses.fields(numbers):
            name, value = f"{group.name}.{field.name}", getattr(numbers, field.name)
            if isinstance(value, str):
                continue
            unit = field.metadata.get("unit", "share")
            problems += _entry_problems(name, value, getattr(default, field.name), unit, values)
    if parameters.economy.start not in REGIMES:
        problems.append(expected("economy.start", parameters.economy.start, "one of " + ", ".join(REGIMES)))
    if problems:
        return problems
    problems += [
        expected(first, values[first], f"at most {second} = {values[second]:g}")
        for first, second in ORDERED
        if values[first] > values[second]
    ]
    return problems + _correlation_problems(parameters)


def warnings_of(parameters: Parameters) -> list[str]:
    """Every number outside the range that stands beside it in `engine/book/parameters.py`."""
    warnings = []
    for group in dataclasses.fields(Parameters):
        numbers = getattr(parameters, group.name)
        for field in dataclasses.fields(numbers):
            value, data = getattr(numbers, field.name), field.metadata
            low, high = data.get("low"), data.get("high")
            if low is None or isinstance(value, str | list) or low <= value <= high:
                continue
            usual = f"outside the usual {low:g} to {high:g} ({data['unit']})"
            warnings.append(f"{group.name}.{field.name}: {value:g} is {usual}")
    return warnings


def limits_of(name: str, unit: str) -> Limits:
    """The limits of a number by its name, else by its unit."""
    return BY_NAME.get(name, BY_UNIT.get(unit, SHARE))


def _entry_problems(
    name: str,
    value: object,
    default: float | list[float],
    unit: str,
    values: dict[str, float],
) -> list[str]:
    """Problems of one number or list; the numbers seen are added to `values` under their full names."""
    entries: list[Any] = list(value) if isinstance(value, Sequence) else [value]
    if any(isinstance(entry, bool) or not isinstance(entry, int | float) for entry in entries):
        return [expected(name, value, "numbers" if isinstance(default, list) else "a number")]
    if isinstance(default, list) and len(entries) != len(default):
        return [expected(name, value, f"a list of {len(default)} numbers")]
    limits = limits_of(name, unit)
    problems = []
    for place, number in enumerate(entries):
        full = f"{name}[{place}]" if isinstance(default, list) else name
        values[full] = number
        if not (math.isfinite(number) and limits.hold(number)):
            problems.append(expected(full, number, f"a number {limits.words()} ({unit})"))
    return problems


def _correlation_problems(parameters: Parameters) -> list[str]:
    """The three correlations must be possible together: det = 1 + 2abc - a^2 - b^2 - c^2 >= 0."""
    keys = ("demand_equity", "demand_credit", "equity_credit")
    a, b, c = (getattr(parameters.economy, f"correlation_{key}") for key in keys)
    determinant = 1.0 + 2.0 * a * b * c - a * a - b * b - c * c
    if determinant >= 0.0:
        return []
    possible = f"three correlations that are possible together (determinant {determinant:.3g} is negative)"
    return [expected("economy.correlation_*", [a, b, c], possible)]
