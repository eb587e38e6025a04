"""Calibrate: what the book's history and markets say of the parameters, and what it does to the losses.

The run itself has the parameters it was given; the calibrated ones are in results/conf and results/book.
"""

import dataclasses

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.checkpoints import Checkpoints
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk
from experiments.tasks.comparison import ledgers

NAME = "calibrated"
"""Of the configuration groups in results/conf."""


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Calibrate and run into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    return tail_risk.carry_out(experiment, stop, alone, checked, results)


def checked(experiment: Experiment, book):
    """The model of the run, once the quotes are known to be in the book."""
    quotes_of(experiment, book)
    return build(experiment, book)


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Calibrate, compare with the base, then write the base run's tables, summary and page; the summary."""
    from engine.book.writing import write_book
    from engine.learn.calibration.calibration import applied, calibrate, doubts
    from engine.learn.calibration.groups import group_text
    from engine.results import calibration
    from engine.results.folder import write_text

    stop = checkpoints.stop
    found = calibrate(book, experiment.parameters, inputs_of(experiment))
    stop.check()
    moved = dataclasses.replace(experiment, parameters=applied(experiment.parameters, found.fits))
    hazards = hazards_of(moved, book, stop)
    priced = calibration.priced(book, hazards)
    effect = compared(experiment, moved, book, priced, stop)
    tables = calibration.tables(found, book, hazards, effect)
    told = calibration.summary(tables, doubts(found))
    summary = tail_risk.results(experiment, book, model, folder, checkpoints, tables, {"calibration": told})
    made = f"Made by `{' '.join(folder.provenance['command'])}` from the book {book.name}."
    for group in ("economy", "chips"):
        text = group_text(group, experiment.parameters, found.fits, made)
        write_text(folder.path / "results" / "conf" / group / f"{NAME}.yaml", text)
    write_book(priced, folder.path / "results" / "book")
    return summary


def inputs_of(experiment: Experiment):
    """The engine's inputs from the configuration's."""
    from engine.learn.calibration.calibration import Inputs

    wanted = experiment.calibrate
    return Inputs(
        wanted.sector, tuple(wanted.labs), wanted.boom_since, wanted.revenue_error, wanted.rent_error,
        dict(wanted.gains), wanted.histories, experiment.run.seed,
    )  # fmt: skip


def quotes_of(experiment: Experiment, book) -> list:
    """CDS of the firms table and the quoted loans; raises `BadInput` where the book lacks a loan or a row."""
    from engine.learn.calibration.hazards import Quote
    from engine.results.plausibility import INVESTMENT_GRADE, rating_category

    wanted, firms = experiment.calibrate, book["firms"].set_index("firm")
    loans, market = book["loans"].set_index("loan"), book["market"].set_index("name")["value"]

    def quote(firm: str, basis: str, spread_bps: float, recovery: float) -> Quote:
        good = rating_category(firms["rating"][firm]) in INVESTMENT_GRADE
        premium = tuple(wanted.risk_premium_ig if good else wanted.risk_premium_hy)
        return Quote(firm, basis, spread_bps / 1e4, recovery, premium)

    quoted = firms["cds_bps"].dropna()
    found = [quote(firm, "CDS", spread, wanted.cds_recovery) for firm, spread in quoted.items()]
    shipped = experiment.book.path is None and experiment.book.name == "ai_credit_2025"
    for loan, name in wanted.quotes.items():
        if loan in loans.index and name in market.index:
            row = loans.loc[loan]
            found.append(quote(row["borrower"], "loan", market[name], row["base_recovery"]))
        elif shipped or name in market.index:
            wish = "a loan of the book and a row of its market table"
            raise BadInput([expected(f"calibrate.quotes.{loan}", name, wish)])
    return [each for each in found if firms["hazard"][each.firm] > 0.0 and each.spread > 0.0]


def hazards_of(moved: Experiment, book, stop: Stop):
    """Intercepts under the calibrated economy and chips."""
    from engine.learn.calibration.hazards import calibrate_hazards

    system, _, _ = build(moved, book)
    wanted = moved.calibrate
    quotes = quotes_of(moved, book)
    return calibrate_hazards(system, quotes, wanted.accept, wanted.paths, moved.run.seed, stop.check)


def compared(experiment: Experiment, moved: Experiment, book, priced, stop: Stop) -> list[dict]:
    """Rows of losses with each calibrated part and with all, beside the base, on the same draws."""
    from engine.results import calibration

    before, after = experiment.parameters, moved.parameters
    variants = {
        "base": before,
        "economy": dataclasses.replace(before, economy=after.economy),
        "chips": dataclasses.replace(before, chips=after.chips),
        "both": after,
    }
    rows, base = [], None
    for held, changed in ((book, variants), (priced, {"all": after})):
        for name, _, found in ledgers(experiment, held, changed, stop):
            base = found if base is None else base
            rows.append(calibration.effect_row(name, base, found))
    return rows
