"""Fits with bands; numbers that the data do not identify stay at their prior values.

A number is identified if its 95% band excludes zero. The least certain of the others is fixed at its prior
value and the rest is fitted again, until every free number is identified; scales first, since the bands of
effects depend on them.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Array, Float64
from scipy import stats

from engine.learn.calibration import panel as panels
from engine.learn.calibration.panel import HIGH, LOW, MaximumLikelihood, Panel

LEVEL = 0.95
DROP = 0.5 * stats.chi2.ppf(LEVEL, 1)
"""Fall of the log likelihood at the ends of a profile band."""

EDGE = 1.2
"""A band is open at LOW or HIGH if it comes this near, as a ratio."""

FLAT = 1e-3
"""Greatest derivative of the log likelihood at which a search counts as converged."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """The fit of one number; `value` is the prior where the data do not identify it."""

    parameter: str
    prior: float
    value: float
    standard_error: float  # NaN where there is none
    low: float  # 95% band
    high: float
    identified: bool
    why: str  # the method, or why it is not identified
    data: int  # observations


@dataclasses.dataclass(frozen=True)
class Identification:
    """A panel whose free numbers are all identified, its estimate, and a Fit for every number."""

    data: Panel
    estimate: MaximumLikelihood
    fits: dict[str, Fit]

    @property
    def scales(self) -> tuple[str, ...]:
        """Scales that are free."""
        return tuple(name for name in self.data.scales if self.fits[name].identified)

    @property
    def effects(self) -> tuple[str, ...]:
        """Effects that are free."""
        return tuple(name for name in self.data.effects if self.fits[name].identified)

    @property
    def converged(self) -> bool:
        """Whether the search for the scales converged."""
        return bool(self.estimate.slope < FLAT) and bool(np.isfinite(self.estimate.likelihood))


def freedom(design: Float64[Array | np.ndarray, "n columns"]) -> int:
    """Degrees of freedom: observations less the rank of the design; rows of zeros do not count."""
    rows = np.asarray(design)
    return int(np.any(rows != 0.0, axis=1).sum() - np.linalg.matrix_rank(rows)) if rows.size else 0


def width(degrees: int, free_scale: bool) -> float:
    """Half width of a 95% band in standard errors: Student's t if a scale is free, else normal."""
    upper = 0.5 + LEVEL / 2.0
    return float(stats.t.ppf(upper, max(degrees, 1)) if free_scale else stats.norm.ppf(upper))


def scale_fit(data: Panel, estimate: MaximumLikelihood, name: str, prior: float) -> Fit:
    """A scale with its profile band; its standard error is the band's half width over 1.96."""
    values, likelihood = panels.profile(data, name)
    inside = values[likelihood >= float(estimate.likelihood) - DROP]
    low, high = (float(inside.min()), float(inside.max())) if inside.size else (LOW, HIGH)
    value, count = float(estimate.scales[data.scales.index(name)]), len(data.y)
    if low > EDGE * LOW and high < HIGH / EDGE:
        error = (high - low) / (2.0 * width(0, free_scale=False))
        return Fit(name, prior, value, error, low, high, True, "restricted likelihood, profile band", count)
    low = 0.0 if low <= EDGE * LOW else low
    high = math.inf if high >= HIGH / EDGE else high
    most = f"at most {high:.2g}" if high < math.inf else "and it has no upper bound"
    likely = value if value > EDGE * LOW else 0.0
    why = f"the likelihood cannot tell it from 0: {likely:.2g} is most likely, {most}"
    return Fit(name, prior, prior, math.nan, low, high, False, why, count)


def effect_fit(data: Panel, estimate: MaximumLikelihood, name: str, prior: float, free_scale: bool) -> Fit:
    """An effect with its band."""
    place, count = data.column(name), len(data.y)
    value, error = float(estimate.coefficients[place]), float(np.sqrt(estimate.covariance[place, place]))
    half = width(freedom(data.design), free_scale) * error
    low, high = value - half, value + half
    if low > 0.0 or high < 0.0:
        return Fit(name, prior, value, error, low, high, True, "generalised least squares", count)
    why = f"{value:.2g} ± {error:.2g}: the band holds 0"
    return Fit(name, prior, prior, error, low, high, False, why, count)


def collinear_effect(data: Panel) -> str | None:
    """The first effect that is collinear with levels and other effects, or None."""
    design = np.asarray(data.design)
    for name in data.effects:
        column, others = design[:, data.column(name)], np.delete(design, data.column(name), axis=1)
        rest = column - others @ np.linalg.lstsq(others, column, rcond=None)[0] if len(column) else column
        if column.any() and float(rest @ rest) <= 1e-12 * float(column @ column):
            return name
    return None


def identify(data: Panel, priors: dict[str, float]) -> Identification:
    """Fix numbers that are not identified at their priors, one by one, and fit the rest; `priors` by name."""
    constant = [name for name in data.effects if not np.asarray(data.design)[:, data.column(name)].any()]
    fits = {name: prior_fit(name, priors[name], "no observation moves it") for name in constant}
    while name := collinear_effect(data):
        fits[name] = prior_fit(name, priors[name], "no observation tells it from other effects")
        data = panels.fix_effect(data, name, priors[name])
    if not len(data.y):
        fits |= {name: prior_fit(name, priors[name], "the history has no observation") for name in priors}
        return Identification(data, panels.empty_fit(data), fits)
    while True:
        estimate = panels.fit(data)
        scales = [name for name in data.scales if name not in fits]
        effects = [name for name in data.effects if name not in fits]
        tries = {name: scale_fit(data, estimate, name, priors[name]) for name in scales}
        tries |= {name: effect_fit(data, estimate, name, priors[name], bool(scales)) for name in effects}
        weak = [name for name in scales if not tries[name].identified]
        if weak:
            worst = min(weak, key=lambda name: float(estimate.scales[data.scales.index(name)]))
            data = panels.fix_scale(data, worst, priors[worst])
        else:
            weak = [name for name in effects if not tries[name].identified]
            if not weak:
                return Identification(data, estimate, fits | tries)
            worst = min(weak, key=lambda name: certainty(data, estimate, name))
            data = panels.fix_effect(data, worst, priors[worst])
        fits[worst] = tries[worst]


def certainty(data: Panel, estimate: MaximumLikelihood, name: str) -> float:
    """|estimate| over standard error of an effect."""
    place = data.column(name)
    return float(abs(estimate.coefficients[place]) / np.sqrt(estimate.covariance[place, place]))


def prior_fit(name: str, prior: float, why: str) -> Fit:
    """The fit of a number on which the data have no information: its prior."""
    return Fit(name, prior, prior, math.nan, -math.inf, math.inf, False, why, 0)


def rename(fit: Fit, name: str) -> Fit:
    """The same fit under the parameter's full name."""
    return dataclasses.replace(fit, parameter=name)
