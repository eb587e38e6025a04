"""Rents of chips: their decline with age, and at releases of newer generations.

docs/model.md, section 2: ln rent_g falls by `ageing` a year, by `release_effect` x ln(gain) at each release
of a newer generation, and moves with utilisation and technology, which all generations share:

    y = level - ageing t - release_effect z + common + own + error,   z = sum of newer ln(gain) so far

Utilisation was not observed: its moves are in the common noise and, where they drift, in the decline. Own
noise of a generation is not in the engine; the likelihood has it because quotes of generations drift apart.
Ageing and releases both lower rents, so the fit is in terms of their sum at the pace of releases seen,

    decline = ageing + release_effect c,   c = sum of ln(gain) over the span of the data, a year
"""

import dataclasses

import numpy as np
import pandas as pd

from engine.book.load import Book
from engine.book.parameters import Chips
from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import (
    Fit,
    Identification,
    collinear_effect,
    identify,
    prior_fit,
    rename,
)
from engine.learn.calibration.observations import Observations, brownian, observations

UNOBSERVED = "utilisation was not observed: its moves cannot be told from technology's"
NO_SALE = "no forced sale of chips is on record"


@dataclasses.dataclass(frozen=True)
class RentFit:
    """Observations, panel and the fits of chips."""

    sample: Observations
    identification: Identification
    fits: tuple[Fit, ...]
    pace: float  # c, ln of gain a year
    correlation: float  # of the errors of ageing and release effect, both free


def newer_gain(sample: Observations, chips: pd.DataFrame, gains: dict[str, float]) -> np.ndarray:
    """ln of the gains of all newer generations by each observation, averaged over its span [n]."""
    order = chips["generation"].tolist()
    release = chips["release_month"].to_numpy(np.float64) / 12.0
    gain = np.log([gains.get(name, 1.0) for name in order])
    total = np.zeros(len(sample))
    for row, name in enumerate(sample.entity):
        width = sample.end[row] - sample.start[row]
        part = np.clip((sample.end[row] - release) / width, 0.0, 1.0)
        total[row] = np.sum((gain * part)[order.index(name) + 1 :])
    return total


def pace_of(sample: Observations, chips: pd.DataFrame, gains: dict[str, float]) -> float:
    """ln of gain a year, over the releases within the span of the data."""
    if not len(sample):
        return 0.0
    release = chips["release_month"].to_numpy(np.float64) / 12.0
    gain = np.log([gains.get(name, 1.0) for name in chips["generation"]])
    first, last = sample.start.min(), sample.end.max()
    return float(gain[(release > first) & (release <= last)].sum() / (last - first))


def rent_panel(sample: Observations, gain: np.ndarray, pace: float, error: float) -> panels.Panel:
    """Common and own noise, decline and release effect."""
    common = brownian(sample.start, sample.end)
    same = np.equal.outer(np.array(sample.entity), np.array(sample.entity))
    effects = {"decline": -sample.middle, "release_effect": pace * sample.middle - gain}
    kernels = {"technology_volatility": common, "own_volatility": common * same}
    return panels.panel(np.log(sample.value), sample.entity, effects, kernels, error)


def fit_rents(book: Book, chips: Chips, gains: dict[str, float], error: float) -> RentFit:
    """Ageing, release effect and noise of rents. `gains` are those of past releases by generation."""
    table = book["chips"]
    entities = {f"RENT_{name}": name for name in table["generation"]}
    sample = observations(book, entities)
    gain, pace = newer_gain(sample, table, gains), pace_of(sample, table, gains)
    data = rent_panel(sample, gain, pace, error)
    priors = {
        "decline": chips.ageing + chips.release_effect * pace, "release_effect": chips.release_effect,
        "technology_volatility": chips.technology_volatility, "own_volatility": 0.0,
    }  # fmt: skip
    result = identify(data, priors)
    decline, release = result.fits["decline"], result.fits["release_effect"]
    correlation = collinearity(data, pace)
    if np.isfinite(correlation):
        why = f"{release.why}; the errors of ageing and of it have a correlation of {correlation:.2f}"
        release = dataclasses.replace(release, why=why)
    fits = [
        rename(decline, "decline of rents (sum)"), ageing(decline, release, pace, chips),
        rename(release, "chips.release_effect"),
        rename(result.fits["technology_volatility"], "chips.technology_volatility"),
        rename(result.fits["own_volatility"], "own volatility of a generation"),
    ]  # fmt: skip
    return RentFit(sample, result, (*fits, *unidentified(chips)), pace, correlation)


def ageing(decline: Fit, release: Fit, pace: float, chips: Chips) -> Fit:
    """Ageing: the decline less the effect of releases."""
    releases = release.value * pace
    if not decline.identified or decline.value <= releases:
        return prior_fit("chips.ageing", chips.ageing, "releases alone explain the decline of rents")
    why = f"decline of rents less release_effect {release.value:.2g} x {pace:.2f} a year"
    return Fit(
        "chips.ageing", chips.ageing, decline.value - releases, decline.standard_error,
        decline.low - releases, decline.high - releases, True, why, decline.data,
    )  # fmt: skip


def collinearity(data: panels.Panel, pace: float) -> float:
    """Correlation of the errors of ageing (decline - c x release) and release effect; NaN without data."""
    if collinear_effect(data) or bool(data.unused[-2:].any()):
        return float("nan")
    covariance = np.asarray(panels.fit(data).covariance)[-2:, -2:]
    turn = np.array([[1.0, -pace], [0.0, 1.0]])
    both = turn @ covariance @ turn.T
    return float(both[0, 1] / np.sqrt(both[0, 0] * both[1, 1]))


def unidentified(chips: Chips) -> list[Fit]:
    """Numbers that quotes of rents do not inform."""
    names = ("demand_elasticity", "rent_elasticity", "utilisation")
    fits = [prior_fit(f"chips.{name}", getattr(chips, name), UNOBSERVED) for name in names]
    few = "a few releases, each seen through quotes of two or three generations"
    fits.append(prior_fit("chips.release_noise", chips.release_noise, few))
    return fits + [
        prior_fit(f"chips.{name}", getattr(chips, name), NO_SALE)
        for name in ("impact", "impact_cap", "impact_half_life", "depth")
    ]
