"""Tests of a fit: observations predicted from earlier ones, and refits of histories simulated from it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float64
from scipy import stats

from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import LEVEL, Identification, freedom, width
from engine.learn.calibration.observations import Observations
from engine.learn.calibration.panel import ArrayLike, Panel

LEAST = 2
"""Least degrees of freedom of a prediction."""

PREDICTIONS = ["label", "entity", "end", "value", "p50", "low", "high", "inside", "error"]
RECOVERED = ["name", "truth", "mean", "sd", "covered", "histories"]


def predict(data: Panel, mask: Float64[np.ndarray, "n"], target: int) -> tuple[float, float]:
    """(mean, variance) of observation `target` given those where `mask` is 1; the scales are fitted to those.

    With x the target's row of the design and c its covariance with them (Goldberger 1962),

        mean = x'b + c'V^-1 (y - Xb),   variance = v - c'V^-1 c + q'(X'V^-1 X)^-1 q,   q = x - X'V^-1 c
    """
    past = panels.mask_rows(data, jnp.asarray(mask, jnp.float64))
    fit = panels.fit(past)
    whole, v = (np.asarray(panels.covariance_of(part, fit.scales)) for part in (data, past))
    b, x, design = (np.asarray(part) for part in (fit.coefficients, data.design[target], past.design))
    cross = whole[target] * mask
    weight = np.linalg.solve(v, cross)
    remainder = x - design.T @ weight
    mean = x @ b + weight @ (np.asarray(past.y) - design @ b)
    return float(mean), float(
        whole[target, target] - weight @ cross + remainder @ np.asarray(fit.covariance) @ remainder
    )


def predictions(sample: Observations, fit: Identification) -> pd.DataFrame:
    """Every observation but the first of a series, predicted from all whose span ended before its own.

    Columns: label, entity, end, value, and of the 95% band p50, low, high; `inside`, and the error in sd.
    """
    rows, data = [], fit.data
    for target in range(len(sample)):
        before = sample.end < sample.end[target] - 1e-9
        same = before & (np.array(sample.entity) == sample.entity[target])
        degrees = freedom(np.asarray(data.design) * before[:, None])
        if not same.any() or degrees < LEAST:
            continue
        mean, variance = predict(data, before.astype(np.float64), target)
        if not (np.isfinite(mean) and variance > 0.0):
            continue
        sd, half = variance**0.5, width(degrees, bool(fit.scales)) * variance**0.5
        shift = float(np.log(sample.value[target]) - data.y[target])  # a year's average less its log average
        error = (float(data.y[target]) - float(mean)) / sd
        centre = float(mean) + shift
        rows.append((
            sample.label[target], sample.entity[target], sample.end[target], sample.value[target],
            np.exp(centre), np.exp(centre - half), np.exp(centre + half), bool(abs(error) * sd <= half),
            error,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=PREDICTIONS)


def coverage_doubt(rows: pd.DataFrame) -> float:
    """Probability of so few observations inside their 95% bands if the bands are right; 1 without any."""
    return float(stats.binom.cdf(int(rows["inside"].sum()), len(rows), LEVEL)) if len(rows) else 1.0


def recovery(fit: Identification, count: int, seed: int) -> pd.DataFrame:
    """Histories of the same dates, simulated from the fit and fitted again: recovery of the true values.

    A row for each free number: truth, mean and sd of the estimates, and the share of histories in which its
    95% band holds the truth; for scales, in which the joint 95% likelihood region of all free ones does.
    """
    data, estimate = fit.data, fit.estimate
    if not (fit.scales or fit.effects) or count < 1:
        return pd.DataFrame(columns=RECOVERED)
    root = np.linalg.cholesky(np.asarray(panels.covariance_of(data, estimate.scales)))
    normals = np.random.default_rng(seed).standard_normal((count, len(data.y)))
    histories = np.asarray(data.design @ estimate.coefficients) + normals @ root.T
    refits = refit(data, histories, estimate.scales)
    half, rows = width(freedom(data.design), bool(fit.scales)), []
    for name in fit.effects:
        place = data.column(name)
        values, truth = refits.coefficients[:, place], float(estimate.coefficients[place])
        error = np.sqrt(refits.covariance[:, place, place])
        rows.append((name, truth, values, np.abs(values - truth) <= half * error))
    bound = 0.5 * stats.chi2.ppf(LEVEL, max(len(fit.scales), 1))
    for name in fit.scales:
        place = data.scales.index(name)
        rows.append((name, float(estimate.scales[place]), refits.scales[:, place], refits.drop <= bound))
    table = [(name, t, v.mean(), v.std(ddof=1), inside.mean(), count) for name, t, v, inside in rows]
    return pd.DataFrame(table, columns=RECOVERED)


class Refits(NamedTuple):
    """Fits of all histories, their covariance, and the fall of the likelihood at the true scales."""

    scales: Float64[np.ndarray, "histories scales"]
    coefficients: Float64[np.ndarray, "histories columns"]
    covariance: Float64[np.ndarray, "histories columns columns"]
    slope: Float64[np.ndarray, "histories"]
    drop: Float64[np.ndarray, "histories"]


def refit(
    data: Panel, histories: Float64[np.ndarray, "histories n"], truth: Float64[ArrayLike, "scales"]
) -> Refits:
    """Fits of histories on the panel's dates."""
    scales, slope, drop = jax.device_get(search_all(data, jnp.asarray(histories), jnp.asarray(truth)))
    each = [panels.regression(panels.with_values(data, y), s) for y, s in zip(histories, scales, strict=True)]
    coefficients, covariance = (np.array(part) for part in zip(*each, strict=True))
    return Refits(scales, coefficients, covariance, slope, drop)


@jax.jit
def search_all(
    data: Panel, histories: Float64[Array, "histories n"], truth: Float64[Array, "scales"]
) -> tuple[Float64[Array, "histories scales"], Float64[Array, "histories"], Float64[Array, "histories"]]:
    """(scales, slope, fall of the log likelihood at the true scales) of every history."""

    def one(y):
        own = panels.with_values(data, y)
        scales, slope, value = panels.search(own)
        return scales, slope, value - panels.likelihood(own, truth)

    return jax.vmap(one)(histories)


def rebounds(sample: Observations, fit: Identification) -> pd.DataFrame:
    """Consecutive observations of a series: whether it rose, and the probability of a rise.

    P(rise) = Phi(m/s),   m and s: mean and sd of the change of the log
    """
    data, rows = fit.data, []
    v = np.asarray(panels.covariance_of(data, fit.estimate.scales))
    line = np.asarray(data.design @ fit.estimate.coefficients) + np.log(sample.value) - np.asarray(data.y)
    for name in dict.fromkeys(sample.entity):
        own = [row for row, entity in enumerate(sample.entity) if entity == name]
        for a, b in zip(own, own[1:], strict=False):
            mean, sd = line[b] - line[a], np.sqrt(v[a, a] + v[b, b] - 2.0 * v[a, b])
            change = np.log(sample.value[b] / sample.value[a])
            rows.append(
                (sample.label[a], sample.label[b], change, mean, sd, change > 0.0, stats.norm.cdf(mean / sd))
            )
    return pd.DataFrame(rows, columns=["from", "to", "change", "mean", "sd", "rise", "probability"])
