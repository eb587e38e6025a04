"""What a scenario gives of the economy's factors, in the model's own variables."""

import dataclasses
from collections.abc import Mapping

from jaxtyping import Float64
from numpy import ndarray

ENDS = ("rates", "credit", "equity", "power")
"""Factors that are met at the ends of periods; AI revenue (demand) is met in every month."""

GIVEN = (*ENDS, "demand", "regime")
"""All that a scenario may give."""


@dataclasses.dataclass(frozen=True)
class Pins:
    """Values at the ends of periods of `step` months from month 0 on, by name of `GIVEN`.

    rates: the short rate, decimals a year; credit, equity, power, demand: logs of the spread index, the
    equity index, the power cost index and AI revenue (USD bn a year); regime: 0 boom, 1 plateau, 2 bust, in
    all months of its period. A shorter series is free from its end on.
    """

    step: int
    values: Mapping[str, Float64[ndarray, " periods"]]
