"""Growth, rents and default intercepts from the book's history and markets, and their effect on losses.

The run itself uses its own parameters; the calibrated ones are in results/conf and results/book.
"""

import dataclasses
import math
import re
from typing import Any

from engine.book.checks.problems import expected
from experiments.comparison import ledgers
from experiments.config.bad_input import BadInput
from experiments.config.checks import plain_paths_problems, whole_problems
from experiments.config.read import Experiment
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk

NAME = "calibrated"
"""Name of the configuration groups in results/conf."""

WHOLE = {"paths": (512, 10**9, 1), "histories": (0, 100_000, 1)}
"""Whole-number options: least, most, and the number that divides them."""


@dataclasses.dataclass
class Options:
    """Options of `task=calibrate`, beside the book's history and market tables (docs/calibration.md)."""

    sector: str = "AI"  # series AI_REVENUE and AI_RUN_RATE
    labs: list[str] = dataclasses.field(default_factory=lambda: ["OPENAI", "ANTHROPIC"])  # whose series count
    boom_since: str = "2022-12"  # the first month after ChatGPT's release; grade C
    revenue_error: float = 0.10  # sd of the log of an observation; grade C
    rent_error: float = 0.10  # the same of a quoted rent; grade C
    gains: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"H100": 2.28, "H200": 1.20, "B200": 1.95, "GB200": 1.05, "GB300": 1.0}
    )  # of past releases: root of the ratios of dense BF16 and of memory bandwidth (data sheets; grade B)
    cds_recovery: float = 0.40  # that quotes of CDS assume; the market's convention
    quotes: dict[str, str] = dataclasses.field(
        default_factory=lambda: {
            "BEIG_2049": "HYPERION_SPREAD",
            "VANT_TX_LOAN": "VANTAGE_MARGIN",
            "VANT_WI_LOAN": "VANTAGE_MARGIN",
            "WULF_SN30": "WULF_SPREAD",
            "APLD_SN30": "APLD_SPREAD",
        }
    )  # row of the market table, in bp, that quotes a loan; those of CDS are in the firms table
    accept: list[str] = dataclasses.field(default_factory=lambda: ["CDS"])  # quotes used: "CDS", "loan"
    risk_premium_ig: list[float] = dataclasses.field(
        default_factory=lambda: [3.0, 6.0, 10.0]
    )  # implied over actual default intensity, investment grade: low, used, high
    risk_premium_hy: list[float] = dataclasses.field(
        default_factory=lambda: [2.0, 2.5, 4.0]
    )  # the same of high yield
    paths: Any = 8192  # of each firm's default probability
    histories: Any = 400  # simulated from the fit and fitted again


def problems(config: Config, options: Options) -> list[str]:
    """Errors, gains and premia that are not positive, counts that are not whole; makes counts integers."""
    faults = whole_problems("calibrate", options, WHOLE)
    errors = {key: getattr(options, key) for key in ("revenue_error", "rent_error")}
    for key, value in (errors | {f"gains.{name}": gain for name, gain in options.gains.items()}).items():
        if not 0.0 < value < math.inf:
            faults.append(expected(f"calibrate.{key}", value, "a number above 0"))
    if not 0.0 <= options.cds_recovery < 1.0:
        faults.append(expected("calibrate.cds_recovery", options.cds_recovery, "a share from 0 to below 1"))
    for key in ("risk_premium_ig", "risk_premium_hy"):
        premia = getattr(options, key)
        if len(premia) != 3 or not 0.0 < premia[0] <= premia[1] <= premia[2] < math.inf:
            faults.append(
                expected(f"calibrate.{key}", premia, "three rising numbers above 0: low, used, high")
            )
    if not re.fullmatch(r"(19|20)[0-9]{2}(Q[1-4]|-(0[1-9]|1[0-2]))?", options.boom_since):
        faults.append(expected("calibrate.boom_since", options.boom_since, "a period such as 2022-12"))
    if others := sorted(set(options.accept) - {"CDS", "loan"}):
        faults.append(expected("calibrate.accept", others[0], "CDS or loan"))
    return faults + plain_paths_problems(config)


def model(context: Context) -> Model:
    """The main job's model; raises `BadInput` where the book lacks a quote."""
    quotes_of(context.experiment, context.book)
    return build(context.experiment, context.book)


def results(context: Context, model: Model) -> dict[str, Any]:
    """Calibrate, compare with the base, then write the base run's tables and summary; returns the summary."""
    from engine.book.writing import write_book
    from engine.learn.calibration.calibration import apply_fits, calibrate, doubts
    from engine.learn.calibration.groups import group_text
    from engine.results import calibration
    from engine.results.folder import write_text

    experiment, book, path = context.experiment, context.book, context.path
    fit = calibrate(book, experiment.parameters, inputs_of(experiment))
    context.stop.check()
    variant = dataclasses.replace(experiment, parameters=apply_fits(experiment.parameters, fit.fits))
    hazards = hazards_of(variant, book, context.stop)
    priced = calibration.priced(book, hazards)
    tables = calibration.tables(fit, book, hazards, effect_rows(context, variant, priced))
    entry = calibration.summary(tables, doubts(fit))
    summary = tail_risk.results(context, model, tables, {"calibration": entry})
    source = f"Made by `{' '.join(context.folder.provenance['command'])}` from the book {book.name}."
    for group in ("economy", "chips"):
        text = group_text(group, experiment.parameters, fit.fits, source)
        write_text(path / "results" / "conf" / group / f"{NAME}.yaml", text)
    write_book(priced, path / "results" / "book")
    return summary


show = tail_risk.show


def inputs_of(experiment: Experiment) -> Any:
    """The engine's inputs from the configuration's."""
    from engine.learn.calibration.calibration import Inputs

    options = experiment.options
    return Inputs(
        options.sector, tuple(options.labs), options.boom_since, options.revenue_error, options.rent_error,
        dict(options.gains), options.histories, experiment.run.seed,
    )  # fmt: skip


def quotes_of(experiment: Experiment, book: Any) -> list:
    """CDS of the firms table and quoted loans; raises `BadInput` where the book lacks a loan or a row."""
    from engine.learn.calibration.hazards import Quote
    from engine.results.plausibility import INVESTMENT_GRADE, rating_category

    options, firms = experiment.options, book["firms"].set_index("firm")
    loans, market = book["loans"].set_index("loan"), book["market"].set_index("name")["value"]

    def quote(firm: str, basis: str, spread_bps: float, recovery: float) -> Quote:
        good = rating_category(firms["rating"][firm]) in INVESTMENT_GRADE
        premium = tuple(options.risk_premium_ig if good else options.risk_premium_hy)
        return Quote(firm, basis, spread_bps / 1e4, recovery, premium)

    spreads = firms["cds_bps"].dropna()
    quotes = [quote(firm, "CDS", spread, options.cds_recovery) for firm, spread in spreads.items()]
    shipped = experiment.book.path is None and experiment.book.name == "ai_credit_2025"
    for loan, name in options.quotes.items():
        if loan in loans.index and name in market.index:
            row = loans.loc[loan]
            quotes.append(quote(row["borrower"], "loan", market[name], row["base_recovery"]))
        elif shipped or name in market.index:
            kind = "a loan of the book and a row of its market table"
            raise BadInput([expected(f"calibrate.quotes.{loan}", name, kind)])
    return [each for each in quotes if firms["hazard"][each.firm] > 0.0 and each.spread > 0.0]


def hazards_of(variant: Experiment, book: Any, stop: Stop) -> Any:
    """Intercepts under the calibrated economy and chips."""
    from engine.learn.calibration.hazards import calibrate_hazards

    system, _, _ = build(variant, book)
    options = variant.options
    quotes = quotes_of(variant, book)
    return calibrate_hazards(system, quotes, options.accept, options.paths, variant.run.seed, stop.check)


def effect_rows(context: Context, variant: Experiment, priced: Any) -> list[dict]:
    """Rows of losses with each calibrated part and with all, beside the base, on the same draws."""
    from engine.results import calibration

    before, after = context.experiment.parameters, variant.parameters
    variants = {
        "base": before,
        "economy": dataclasses.replace(before, economy=after.economy),
        "chips": dataclasses.replace(before, chips=after.chips),
        "both": after,
    }
    rows, base = [], None
    for book, changes in ((context.book, variants), (priced, {"all": after})):
        for name, _, ledger in ledgers(context, changes, book):
            base = ledger if base is None else base
            rows.append(calibration.effect_row(name, base, ledger))
    return rows
