"""Calibration to a book's history: fits, the parameters they imply, and reasons for doubt."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.learn.calibration.identification import Fit
from engine.learn.calibration.prediction import coverage_doubt, predictions, rebounds, recovery
from engine.learn.calibration.rents import RentFit, fit_rents
from engine.learn.calibration.revenue import RevenueFit, fit_revenue

LEAST_PROBABILITY = 0.01
"""A fit is doubtful if so few predictions inside their bands have less probability than this."""

LEAST_COVERED = 0.85
"""Bands are doubtful if those of simulated histories cover less than this."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Inputs of a calibration beside the book."""

    sector: str  # prefix of the sector's series in the history
    labs: tuple[str, ...]  # prefixes of the labs'
    boom_since: str  # the period in which the boom began
    revenue_error: float  # sd of the log of an observation
    rent_error: float
    gains: dict[str, float]  # performance gained by past releases, by generation
    histories: int  # simulated and fitted again
    seed: int


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Fits of both parts with their evidence; `predictions` and `recovered` have a column `part`."""

    revenue: RevenueFit
    rents: RentFit
    predictions: pd.DataFrame
    recovered: pd.DataFrame
    rebounds: pd.DataFrame

    @property
    def parts(self) -> dict[str, RevenueFit | RentFit]:
        """Both parts by name."""
        return {"revenue": self.revenue, "rents": self.rents}

    @property
    def fits(self) -> tuple[Fit, ...]:
        """Every number of the calibration."""
        return (*self.revenue.fits, *self.rents.fits)


def calibrate(book: Book, parameters: Parameters, inputs: Inputs) -> Calibration:
    """Fit revenue and rents of a book's history, predict its last observations, recover simulated ones."""
    economy = parameters.economy
    revenue = fit_revenue(book, economy, inputs.sector, inputs.labs, inputs.boom_since, inputs.revenue_error)
    rents = fit_rents(book, parameters.chips, inputs.gains, inputs.rent_error)
    parts: dict[str, RevenueFit | RentFit] = {"revenue": revenue, "rents": rents}
    return Calibration(
        revenue,
        rents,
        by_part({name: predictions(part.sample, part.identification) for name, part in parts.items()}),
        by_part(
            {
                name: recovery(part.identification, inputs.histories, inputs.seed)
                for name, part in parts.items()
            }
        ),
        rebounds(rents.sample, rents.identification),
    )


def by_part(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables stacked, their names in a column `part`."""
    whole = [table.assign(part=name) for name, table in tables.items() if len(table)]
    return pd.concat(whole, ignore_index=True) if whole else next(iter(tables.values())).assign(part="")


def apply_fits(parameters: Parameters, fits: Iterable[Fit]) -> Parameters:
    """The parameters with every identified number of `economy` and `chips` at its estimate."""
    groups: dict[str, Any] = {
        name: dataclasses.replace(getattr(parameters, name)) for name in ("economy", "chips")
    }
    for fit in fits:
        place = re.fullmatch(r"(economy|chips)\.(\w+)(?:\[(\d)\])?", fit.parameter)
        if not place or not fit.identified:
            continue
        group, name, entry = place.groups()
        value = round_estimate(fit.value)
        if entry is not None:
            whole = list(getattr(groups[group], name))
            whole[int(entry)] = value
            setattr(groups[group], name, whole)
        else:
            setattr(groups[group], name, value)
    return dataclasses.replace(parameters, **groups)


def round_estimate(value: float) -> float:
    """Four significant figures: no estimate here is more precise.

    >>> round_estimate(1.17157)
    1.172
    """
    return float(f"{value:.4g}")


def doubts(calibration: Calibration) -> list[str]:
    """Reasons not to use the estimates; empty where there is none."""
    reasons = []
    if not any(fit.identified for fit in calibration.fits):
        reasons.append("calibration: the book's history identifies no parameter")
    for name, part in calibration.parts.items():
        if not part.identification.converged:
            reasons.append(f"calibration: the likelihood of {name} has no clear maximum")
        rows = calibration.predictions[calibration.predictions["part"] == name]
        if coverage_doubt(rows) < LEAST_PROBABILITY:
            inside = int(rows["inside"].sum())
            reasons.append(
                f"calibration: bad fit of {name}: {inside} of {len(rows)} observations lie inside the 95% "
                "bands predicted from earlier ones"
            )
    few = calibration.recovered[calibration.recovered["covered"] < LEAST_COVERED]
    reasons += [
        f"calibration: 95% bands of {name} hold the truth in {covered:.0%} of simulated histories"
        for name, covered in zip(few["name"], few["covered"], strict=True)
    ]
    return reasons
