"""A rolling-origin backtest: every forecast that the history allows, held against what came."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float64

from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.learn.backtest.observed import Forecast, Observation, forecasts, observed
from engine.learn.backtest.origins import Past
from engine.learn.backtest.simulation import Market
from engine.run.plan import Plan

BAND = (0.05, 0.95)
ERRORS = 0x6572726F
"""Separates errors of observation from any other use of a run's seed."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Inputs of a backtest beside the book."""

    series: dict[str, str]  # series of the history to the quantity of the model that it observes
    first: int  # first and last origin: months
    last: int
    quarters: int  # ahead
    gains: dict[str, float]  # performance gained by past releases, by generation
    spent: float  # sector capex of the year to the book's date, USD bn
    spending: str  # series of yearly spending by which that of earlier years compares
    sales: str  # series of chip sales, by whose size installed units are spread over the months before
    errors: dict[str, float]  # sd of the log of an observation, by kind of quantity; 0 for the others


def months_needed(pairs: list[Forecast]) -> int:
    """Months of the longest forecast, in whole years."""
    longest = max((forecast.months[-1] for forecast in pairs), default=12)
    return 12 * max(-(-longest // 12), 1)


def plan_forecasts(book: Book, inputs: Inputs) -> tuple[list[Observation], list[Forecast]]:
    """The observations, and every forecast that they allow."""
    rows = observed(book, inputs.series)
    return rows, forecasts(rows, inputs.first, inputs.last, inputs.quarters)


def backtest(
    book: Book,
    parameters: Parameters,
    system: System,
    inputs: Inputs,
    plan: Plan,
    sampler: Sampler = PSEUDO_RANDOM,
    drawn: bool = False,
    check: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """One row a forecast: what was known and when, what came, median and 90% band, PIT, hit and origins.

    `system` is the book's, as long as the longest forecast; where `drawn`, paths draw their parameters;
    `check` is called before each origin. Raises ValueError for a series whose firm or chip the book lacks.
    """
    rows, pairs = plan_forecasts(book, inputs)
    past = Past(
        book, parameters, system, rows, inputs.gains, inputs.spent, inputs.spending, inputs.sales, drawn
    )
    market = Market([pair.target.quantity for pair in pairs], system.names)
    table = []
    for month in sorted({pair.known.month for pair in pairs}):
        check()
        ratios = market(past(month), plan, sampler)
        for pair in [pair for pair in pairs if pair.known.month == month]:
            kind = pair.known.quantity.kind
            own = ratios[pair.target.quantity]
            if kind == "capex":  # its value at month 0 is what was spent in the year before
                own = own * (parameters.chips.capex[0] / inputs.spent)
            table.append(scored(pair, predicted(pair, own, inputs.errors.get(kind, 0.0), plan.seed)))
    columns = [field.name for field in dataclasses.fields(Row)]
    return pd.DataFrame(table, columns=columns).sort_values(["kind", "series", "known_month", "months"])


def predicted(
    pair: Forecast, ratios: Float64[np.ndarray, "months paths"], error: float, seed: int
) -> Float64[np.ndarray, " paths"]:
    """The target's distribution: what was known, its mean ratio over the target's months, errors of both.

    Of the rate the mean difference is added.
    """
    mean = ratios[np.maximum(np.asarray(pair.months) - 1, 0)].mean(axis=0)
    if pair.known.quantity.kind == "rate":
        return pair.known.value + mean
    noise = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32, ERRORS]).standard_normal(mean.shape[0])
    return pair.known.value * mean * np.exp(np.sqrt(2.0) * error * noise)


@dataclasses.dataclass(frozen=True)
class Row:
    """A scored forecast."""

    kind: str
    quantity: str
    level: str
    series: str
    known: str
    known_month: int
    target: str
    quarter: int
    months: float
    value: float
    observed: float
    low: float
    median: float
    high: float
    width: float
    pit: float
    hit: bool
    origins: tuple[int, ...]


def scored(pair: Forecast, values: Float64[np.ndarray, " paths"]) -> Row:
    """One forecast against what came; the width of the band is its high end over its low one, in logs."""
    low, median, high = np.quantile(values, (BAND[0], 0.5, BAND[1]))
    known, target = pair.known, pair.target
    width = high - low if known.quantity.kind == "rate" else float(np.log(high / low))
    return Row(
        kind=known.quantity.kind,
        quantity=str(known.quantity),
        level=known.level,
        series=target.series,
        known=known.label,
        known_month=known.month,
        target=target.label,
        quarter=target.quarter,
        months=float(np.mean(pair.months)),
        value=known.value,
        observed=target.value,
        low=float(low),
        median=float(median),
        high=float(high),
        width=float(width),
        pit=float(np.mean(values < target.value)),
        hit=bool(low <= target.value <= high),
        origins=pair.origins,
    )
