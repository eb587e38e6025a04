"""Does a fit hold? Each observation predicted from earlier ones; histories simulated from it and refitted."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float64
from scipy import stats

from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import LEVEL, Identified, freedom, width
from engine.learn.calibration.observations import Observations
from engine.learn.calibration.panel import ArrayLike, Panel

LEAST = 2
"""Least degrees of freedom of a prediction."""

PREDICTIONS = ["label", "entity", "end", "value", "p50", "low", "high", "inside", "error"]
RECOVERED = ["name", "truth", "mean", "sd", "covered", "histories"]


def predicted(data: Panel, seen: Float64[np.ndarray, "n"], target: int) -> tuple[float, float]:
    """(mean, variance) of observation `target` given those where `seen` is 1, which alone give the scales.

    With x the target's row of the design and c its covariance with them (Goldberger 1962),

        mean = x'b + c'V^-1 (y - Xb),   variance = v - c'V^-1 c + q'(X'V^-1 X)^-1 q,   q = x - X'V^-1 c
    """
    known = panels.masked(data, jnp.asarray(seen, jnp.float64))
    fit = panels.fit(known)
    whole, v = (np.asarray(panels.covariance_of(part, fit.scales)) for part in (data, known))
    b, x, design = (np.asarray(part) for part in (fit.coefficients, data.design[target], known.design))
    cross = whole[target] * seen
    weight = np.linalg.solve(v, cross)
    left = x - design.T @ weight
    mean = x @ b + weight @ (np.asarray(known.y) - design @ b)
    return float(mean), float(
        whole[target, target] - weight @ cross + left @ np.asarray(fit.covariance) @ left
    )


def predictions(seen: Observations, settled: Identified) -> pd.DataFrame:
    """Every observation but the first of a series, predicted from all that ended before it.

    Columns: label, entity, end, value, and of the 95% band p50, low, high; `inside`, and the error in sd.
    """
    rows, data = [], settled.data
    for target in range(len(seen)):
        before = seen.end < seen.end[target] - 1e-9
        same = before & (np.array(seen.entity) == seen.entity[target])
        degrees = freedom(np.asarray(data.design) * before[:, None])
        if not same.any() or degrees < LEAST:
            continue
        mean, variance = predicted(data, before.astype(np.float64), target)
        if not (np.isfinite(mean) and variance > 0.0):
            continue
        sd, half = variance**0.5, width(degrees, bool(settled.scales)) * variance**0.5
        shift = float(np.log(seen.value[target]) - data.y[target])  # a year's average less its log average
        error = (float(data.y[target]) - float(mean)) / sd
        centre = float(mean) + shift
        rows.append((
            seen.label[target], seen.entity[target], seen.end[target], seen.value[target], np.exp(centre),
            np.exp(centre - half), np.exp(centre + half), bool(abs(error) * sd <= half), error,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=PREDICTIONS)


def coverage_doubt(rows: pd.DataFrame) -> float:
    """Probability of no more observations inside their 95% bands if bands are right; 1 without any."""
    return float(stats.binom.cdf(int(rows["inside"].sum()), len(rows), LEVEL)) if len(rows) else 1.0


def recovery(settled: Identified, count: int, seed: int) -> pd.DataFrame:
    """Histories of the same dates simulated from the fit and fitted again: are the truths recovered?

    A row for each free number: truth, mean and sd of the estimates, and the share of histories in which its
    95% band holds the truth; for scales, in which the joint 95% likelihood region of all free ones does.
    """
    data, estimate = settled.data, settled.estimate
    if not (settled.scales or settled.effects) or count < 1:
        return pd.DataFrame(columns=RECOVERED)
    root = np.linalg.cholesky(np.asarray(panels.covariance_of(data, estimate.scales)))
    normals = np.random.default_rng(seed).standard_normal((count, len(data.y)))
    histories = np.asarray(data.design @ estimate.coefficients) + normals @ root.T
    refit = refitted(data, histories, estimate.scales)
    half, rows = width(freedom(data.design), bool(settled.scales)), []
    for name in settled.effects:
        place = data.column(name)
        values, truth = refit.coefficients[:, place], float(estimate.coefficients[place])
        error = np.sqrt(refit.covariance[:, place, place])
        rows.append((name, truth, values, np.abs(values - truth) <= half * error))
    drop = 0.5 * stats.chi2.ppf(LEVEL, max(len(settled.scales), 1))
    for name in settled.scales:
        place = data.scales.index(name)
        rows.append((name, float(estimate.scales[place]), refit.scales[:, place], refit.lost <= drop))
    table = [(name, t, v.mean(), v.std(ddof=1), inside.mean(), count) for name, t, v, inside in rows]
    return pd.DataFrame(table, columns=RECOVERED)


class Refitted(NamedTuple):
    """Of every history: estimates, their covariance, and what the likelihood loses at the true scales."""

    scales: Float64[np.ndarray, "histories scales"]
    coefficients: Float64[np.ndarray, "histories columns"]
    covariance: Float64[np.ndarray, "histories columns columns"]
    slope: Float64[np.ndarray, "histories"]
    lost: Float64[np.ndarray, "histories"]


def refitted(
    data: Panel, histories: Float64[np.ndarray, "histories n"], truth: Float64[ArrayLike, "scales"]
) -> Refitted:
    """Fit every history of the panel's dates."""
    scales, slope, lost = jax.device_get(searched(data, jnp.asarray(histories), jnp.asarray(truth)))
    each = [panels.regression(panels.with_values(data, y), s) for y, s in zip(histories, scales, strict=True)]
    coefficients, covariance = (np.array(part) for part in zip(*each, strict=True))
    return Refitted(scales, coefficients, covariance, slope, lost)


@jax.jit
def searched(
    data: Panel, histories: Float64[Array, "histories n"], truth: Float64[Array, "scales"]
) -> tuple[Float64[Array, "histories scales"], Float64[Array, "histories"], Float64[Array, "histories"]]:
    """(scales, slope, likelihood lost at the true scales) of every history."""

    def one(y):
        own = panels.with_values(data, y)
        scales, slope, value = panels.search(own)
        return scales, slope, value - panels.likelihood(own, truth)

    return jax.vmap(one)(histories)


def rebounds(seen: Observations, settled: Identified) -> pd.DataFrame:
    """Pairs of neighbouring observations of a series: whether it rose, and the probability of a rise.

    P(rise) = Phi(m/s),   m and s: mean and sd of the change of the log
    """
    data, rows = settled.data, []
    v = np.asarray(panels.covariance_of(data, settled.estimate.scales))
    line = np.asarray(data.design @ settled.estimate.coefficients) + np.log(seen.value) - np.asarray(data.y)
    for name in dict.fromkeys(seen.entity):
        own = [row for row, entity in enumerate(seen.entity) if entity == name]
        for a, b in zip(own, own[1:], strict=False):
            mean, sd = line[b] - line[a], np.sqrt(v[a, a] + v[b, b] - 2.0 * v[a, b])
            change = np.log(seen.value[b] / seen.value[a])
            rows.append(
                (seen.label[a], seen.label[b], change, mean, sd, change > 0.0, stats.norm.cdf(mean / sd))
            )
    return pd.DataFrame(rows, columns=["from", "to", "change", "mean", "sd", "rise", "probability"])
