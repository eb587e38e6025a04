"""The main job, and forecasts from every past quarter end of the book's history beside what came."""

import dataclasses
import math
import re
from typing import Any

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.checks import plain_paths_problems, whole_problems
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.tasks import tail_risk

DRAWN = True

WHOLE = {"paths": (256, 10**6, 1), "quarters": (1, 12, 1)}
"""Whole-number options: least, most, and the number that divides them."""

UNTESTED = {
    "AI_RUN_RATE": "no run-rate of the sector is on record: the flow of a year stands in",
    "debt raised": "balances of CoreWeave and of loans against chips are on record, but not the contracts, "
    "commitments and cash of those dates, without which the stages behind it cannot run",
    "prices of used chips": "no dated series",
    "equity of the AI complex": "no dated index",
}
"""What one would test and the shipped history does not allow."""


@dataclasses.dataclass
class Options:
    """Options of `task=backtest`, beside the book's history (docs/backtest.md)."""

    series: dict[str, str] = dataclasses.field(
        default_factory=lambda: {
            "AI_REVENUE": "revenue",
            "AI_RUN_RATE": "revenue",
            "OPENAI_REVENUE": "lab OAI",
            "OPENAI_RUN_RATE": "lab OAI",
            "ANTHROPIC_REVENUE": "lab ANTH",
            "ANTHROPIC_RUN_RATE": "lab ANTH",
            "RENT_A100": "rent A100",
            "RENT_H100": "rent H100",
            "RENT_H200": "rent H200",
            "RENT_B200": "rent B200",
            "AWS_H100": "rent H100",
            "COREWEAVE_CDS_5Y": "spread CRWV",
            "COREWEAVE_LOAN_MARGIN": "spread CRWV",
            "ORACLE_CDS_5Y": "spread ORCL",
            "COREWEAVE_SHARE": "equity CRWV",
            "ANTHROPIC_VALUATION": "equity ANTH",
            "TOP4_CAPEX": "capex",
            "TOP5_CAPEX": "capex",
            "NVIDIA_DATACENTRE_REVENUE": "capex",
            "SOFR": "rate",
        }
    )  # series of the history to the quantity of the model that it observes
    first: str = "2023Q4"  # origins: quarter ends
    last: str = "2025Q3"  # the latest origin
    quarters: Any = 4  # ahead
    paths: Any = 4096  # of each origin
    spent: float = 400.0  # sector capex of the year to the book's date, USD bn; grade A
    spending: str = "TOP4_CAPEX"  # series of yearly spending by which that of earlier years compares
    sales: str = "NVIDIA_DATACENTRE_REVENUE"  # series by whose size installed units are spread over the past
    gains: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"H100": 2.28, "H200": 1.20, "B200": 1.95, "GB200": 1.05, "GB300": 1.0}
    )  # of past releases, as in task=calibrate; grade B
    errors: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"revenue": 0.10, "lab": 0.10, "rent": 0.10, "capex": 0.10}
    )  # sd of the log of an observation, by kind; quotes of the market have none; grade C


def problems(config: Config, options: Options) -> list[str]:
    """Quarters that are none or out of order, unknown quantities, numbers out of range."""
    from engine.learn.backtest.observed import KINDS, quantity_of

    faults = whole_problems("backtest", options, WHOLE)
    for key in ("first", "last"):
        if not re.fullmatch(r"(19|20)[0-9]{2}Q[1-4]", getattr(options, key)):
            faults.append(expected(f"backtest.{key}", getattr(options, key), "a quarter such as 2023Q4"))
    if not faults and options.first > options.last:
        faults.append(expected("backtest.first", options.first, f"a quarter up to {options.last}"))
    for name, text in options.series.items():
        try:
            quantity_of(text)
        except ValueError as error:
            faults.append(f"backtest.series.{name}: {error}")
    positive = {"spent": options.spent} | {f"gains.{name}": gain for name, gain in options.gains.items()}
    for key, value in positive.items():
        if not 0.0 < value < math.inf:
            faults.append(expected(f"backtest.{key}", value, "a number above 0"))
    for kind, value in options.errors.items():
        if kind not in KINDS:
            faults.append(expected("backtest.errors", kind, "one of " + ", ".join(KINDS)))
        if not 0.0 <= value < 1.0:
            faults.append(expected(f"backtest.errors.{kind}", value, "a number from 0 to below 1"))
    return faults + plain_paths_problems(config)


def model(context: Context) -> Model:
    """The main job's model; raises `BadInput` for a firm or chip that the book lacks, or no forecast."""
    from engine.learn.backtest.backtest import plan_forecasts
    from engine.learn.backtest.simulation import place_of

    system, plan, samplers = build(context.experiment, context.book)
    rows, pairs = plan_forecasts(context.book, inputs_of(context))
    faults = []
    for row in {row.series: row for row in rows}.values():
        try:
            place_of(row.quantity, system.names)
        except ValueError as error:
            faults.append(f"backtest.series.{row.series}: {error}")
    if not pairs:
        kind = "a history in which an observation follows another within the quarters ahead of an origin"
        faults.append(expected("history", f"{len(rows)} observations", kind))
    if faults:
        raise BadInput(faults)
    return system, plan, samplers


def results(context: Context, model: Model) -> dict[str, Any]:
    """Forecast and score, then the main job's tables and summary; returns the summary."""
    from engine.book.build import build_system
    from engine.learn.backtest.backtest import backtest, months_needed, plan_forecasts
    from engine.results import backtest as tables
    from engine.run.plan import Plan

    experiment, book, inputs = context.experiment, context.book, inputs_of(context)
    observations, pairs = plan_forecasts(book, inputs)
    drawn = experiment.run.parameters == "drawn"
    system = build_system(book, experiment.parameters, months_needed(pairs))
    options, seed = context.options, experiment.run.seed
    plan = Plan(options.paths, experiment.run.block, seed)
    check = context.stop.check
    rows = backtest(book, experiment.parameters, system, inputs, plan, drawn=drawn, check=check)
    present = {row.series for row in observations}
    absent = {name: "no observation" for name in options.series if name not in present}
    alone = {name: "no observation with another before it" for name in present - set(rows["series"])}
    made = tables.tables(rows, absent | alone | untested(context), book.about, seed)
    return tail_risk.results(context, model, made, {"backtest": tables.summary(made)})


show = tail_risk.show


def untested(context: Context) -> dict[str, str]:
    """What no forecast is made of, of the shipped history."""
    book = context.experiment.book
    return UNTESTED if book.path is None and book.name == "ai_credit_2025" else {}


def inputs_of(context: Context) -> Any:
    """The engine's inputs from the configuration's."""
    from engine.learn.backtest.backtest import Inputs

    options, about = context.options, context.book.about
    return Inputs(
        dict(options.series), about.month(options.first), about.month(options.last), options.quarters,
        dict(options.gains), options.spent, options.spending, options.sales, dict(options.errors),
    )  # fmt: skip
