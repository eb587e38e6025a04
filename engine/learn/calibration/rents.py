"""Rents of chips: their decline with age, and at releases of newer generations.

docs/model.md, section 2: ln rent_g falls by `ageing` a year, by `release_effect` x ln(gain) at each release
of a newer generation, and moves with utilisation and technology, which all generations share:

    y = level - ageing t - release_effect z + common + own + error,   z = sum of newer ln(gain) so far

Utilisation was not observed: its moves are in the common noise and, where they drift, in the decline. Own
noise of a generation is not in the engine; it is in the likelihood because quotes of generations move apart.
Ageing and releases both lower rents, so the fit is in terms of their sum at the pace of releases seen,

    decline = ageing + release_effect c,   c = sum of ln(gain) over the span of the data, a year
"""

import dataclasses

import numpy as np
import pandas as pd

from engine.book.load import Book
from engine.book.parameters import Chips
from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import Fit, Identified, identify, renamed, unknown, without_data
from engine.learn.calibration.observations import Observations, brownian, observations

HIDDEN = "utilisation was not observed: its moves cannot be told from technology's"
NO_SALE = "no forced sale of chips is on record"


@dataclasses.dataclass(frozen=True)
class RentFit:
    """Observations, panel and the fits of chips."""

    seen: Observations
    settled: Identified
    fits: tuple[Fit, ...]
    pace: float  # c, ln of gain a year
    correlation: float  # of the errors of ageing and release effect, both free


def released_gain(seen: Observations, chips: pd.DataFrame, gains: dict[str, float]) -> np.ndarray:
    """ln of all that newer generations gained by each observation, averaged over its span [n]."""
    order = chips["generation"].tolist()
    release = chips["release_month"].to_numpy(np.float64) / 12.0
    gain = np.log([gains.get(name, 1.0) for name in order])
    total = np.zeros(len(seen))
    for row, name in enumerate(seen.entity):
        width = seen.end[row] - seen.start[row]
        part = np.clip((seen.end[row] - release) / width, 0.0, 1.0)
        total[row] = np.sum((gain * part)[order.index(name) + 1 :])
    return total


def pace_of(seen: Observations, chips: pd.DataFrame, gains: dict[str, float]) -> float:
    """ln of gain a year, over the releases within the span of the data."""
    if not len(seen):
        return 0.0
    release = chips["release_month"].to_numpy(np.float64) / 12.0
    gain = np.log([gains.get(name, 1.0) for name in chips["generation"]])
    first, last = seen.start.min(), seen.end.max()
    return float(gain[(release > first) & (release <= last)].sum() / (last - first))


def rent_panel(seen: Observations, gained: np.ndarray, pace: float, error: float) -> panels.Panel:
    """Common and own noise, decline and release effect."""
    common = brownian(seen.start, seen.end)
    same = np.equal.outer(np.array(seen.entity), np.array(seen.entity))
    effects = {"decline": -seen.middle, "release_effect": pace * seen.middle - gained}
    kernels = {"technology_volatility": common, "own_volatility": common * same}
    return panels.panel(np.log(seen.value), seen.entity, effects, kernels, error)


def fit_rents(book: Book, chips: Chips, gains: dict[str, float], error: float) -> RentFit:
    """Ageing, release effect and noise of rents. `gains` are those of past releases by generation."""
    table = book["chips"]
    entities = {f"RENT_{name}": name for name in table["generation"]}
    seen = observations(book, entities)
    gained, pace = released_gain(seen, table, gains), pace_of(seen, table, gains)
    data = rent_panel(seen, gained, pace, error)
    priors = {
        "decline": chips.ageing + chips.release_effect * pace, "release_effect": chips.release_effect,
        "technology_volatility": chips.technology_volatility, "own_volatility": 0.0,
    }  # fmt: skip
    settled = identify(data, priors)
    decline, release = settled.fits["decline"], settled.fits["release_effect"]
    correlation = collinearity(data, pace)
    if np.isfinite(correlation):
        why = f"{release.why}; the errors of ageing and of it have a correlation of {correlation:.2f}"
        release = dataclasses.replace(release, why=why)
    fits = [
        renamed(decline, "decline of rents (sum)"), ageing(decline, release, pace, chips),
        renamed(release, "chips.release_effect"),
        renamed(settled.fits["technology_volatility"], "chips.technology_volatility"),
        renamed(settled.fits["own_volatility"], "own volatility of a generation"),
    ]  # fmt: skip
    return RentFit(seen, settled, (*fits, *unseen(chips)), pace, correlation)


def ageing(decline: Fit, release: Fit, pace: float, chips: Chips) -> Fit:
    """Ageing: the decline less the effect of releases."""
    releases = release.value * pace
    if not decline.identified or decline.value <= releases:
        return unknown("chips.ageing", chips.ageing, "the decline of rents does not leave any to ageing")
    why = f"decline of rents less release_effect {release.value:.2g} x {pace:.2f} a year"
    return Fit(
        "chips.ageing", chips.ageing, decline.value - releases, decline.standard_error,
        decline.low - releases, decline.high - releases, True, why, decline.data,
    )  # fmt: skip


def collinearity(data: panels.Panel, pace: float) -> float:
    """Correlation of the errors of ageing (decline - c x release) and release effect; NaN without data."""
    if without_data(data) or bool(data.unused[-2:].any()):
        return float("nan")
    covariance = np.asarray(panels.fit(data).covariance)[-2:, -2:]
    turn = np.array([[1.0, -pace], [0.0, 1.0]])
    both = turn @ covariance @ turn.T
    return float(both[0, 1] / np.sqrt(both[0, 0] * both[1, 1]))


def unseen(chips: Chips) -> list[Fit]:
    """Numbers on which quotes of rents have no information."""
    hidden = ("demand_elasticity", "rent_elasticity", "utilisation")
    fits = [unknown(f"chips.{name}", getattr(chips, name), HIDDEN) for name in hidden]
    few = "a few releases, each seen through quotes of two or three generations"
    fits.append(unknown("chips.release_noise", chips.release_noise, few))
    return fits + [
        unknown(f"chips.{name}", getattr(chips, name), NO_SALE)
        for name in ("impact", "impact_cap", "impact_half_life", "depth")
    ]
