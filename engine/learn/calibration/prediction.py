"""Does a fit hold? Each observation predicted from earlier ones; histories simulated from it and refitted."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

from engine.learn.calibration import panel as panels
from engine.learn.calibration.identification import LEVEL, Identified, freedom, width
from engine.learn.calibration.observations import Observations
from engine.learn.calibration.panel import Panel

LEAST = 2
"""Degrees of freedom from which a prediction is made."""

PREDICTIONS = ["label", "entity", "end", "value", "p50", "low", "high", "inside", "error"]
RECOVERED = ["name", "truth", "mean", "sd", "covered", "histories"]


def predicted(data: Panel, seen: np.ndarray, target: int) -> tuple[float, float]:
    """(mean, variance) of observation `target` given those `seen` [n], scales estimated from these alone.

    With x the target's row of the design and c its covariance with what was seen (Goldberger 1962),

        mean = x'b + c'V^-1 (y - Xb),   variance = v - c'V^-1 c + q'(X'V^-1 X)^-1 q,   q = x - X'V^-1 c
    """
    known = panels.masked(data, jnp.asarray(seen, jnp.float64))
    found = panels.fit(known)
    whole, v = (np.asarray(panels.covariance_of(part, found.scales)) for part in (data, known))
    b, x, design = (np.asarray(part) for part in (found.coefficients, data.design[target], known.design))
    cross = whole[target] * seen
    weight = np.linalg.solve(v, cross)
    left = x - design.T @ weight
    mean = x @ b + weight @ (np.asarray(known.y) - design @ b)
    return float(mean), float(
        whole[target, target] - weight @ cross + left @ np.asarray(found.covariance) @ left
    )


def predictions(seen: Observations, found: Identified) -> pd.DataFrame:
    """Every observation whose series has been seen before, predicted from all that ended before it.

    Columns: label, entity, end, value, and of the 95% band p50, low, high; `inside`, and the error in sd.
    """
    rows, data = [], found.data
    for target in range(len(seen)):
        before = seen.end < seen.end[target] - 1e-9
        same = before & (np.array(seen.entity) == seen.entity[target])
        degrees = freedom(np.asarray(data.design) * before[:, None])
        if not same.any() or degrees < LEAST:
            continue
        mean, variance = predicted(data, before.astype(np.float64), target)
        if not (np.isfinite(mean) and variance > 0.0):
            continue
        sd, half = variance**0.5, width(degrees, bool(found.scales)) * variance**0.5
        shift = float(np.log(seen.value[target]) - data.y[target])  # what the model takes off the log
        error = (float(data.y[target]) - float(mean)) / sd
        centre = float(mean) + shift
        rows.append((
            seen.label[target], seen.entity[target], seen.end[target], seen.value[target], np.exp(centre),
            np.exp(centre - half), np.exp(centre + half), bool(abs(error) * sd <= half), error,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=PREDICTIONS)


def coverage_doubt(rows: pd.DataFrame) -> float:
    """Probability of as few inside their 95% bands as were, if bands are right; 1 without predictions."""
    return float(stats.binom.cdf(int(rows["inside"].sum()), len(rows), LEVEL)) if len(rows) else 1.0


def recovery(found: Identified, count: int, seed: int) -> pd.DataFrame:
    """Histories of the same dates simulated from the fit and fitted again: are the truths recovered?

    A row for each free number: truth, mean and sd of the estimates, and the share of histories in which its
    95% band holds the truth; for scales, in which the joint 95% likelihood region of all free ones does.
    """
    data, estimate = found.data, found.estimate
    if not (found.scales or found.effects) or count < 1:
        return pd.DataFrame(columns=RECOVERED)
    root = np.linalg.cholesky(np.asarray(panels.covariance_of(data, estimate.scales)))
    normals = np.random.default_rng(seed).standard_normal((count, len(data.y)))
    histories = np.asarray(data.design @ estimate.coefficients) + normals @ root.T
    refit = refitted(data, histories, estimate.scales)
    half, rows = width(freedom(data.design), bool(found.scales)), []
    for name in found.effects:
        place = data.column(name)
        values, truth = refit.coefficients[:, place], float(estimate.coefficients[place])
        error = np.sqrt(refit.covariance[:, place, place])
        rows.append((name, truth, values, np.abs(values - truth) <= half * error))
    drop = 0.5 * stats.chi2.ppf(LEVEL, max(len(found.scales), 1))
    for name in found.scales:
        place = data.scales.index(name)
        rows.append((name, float(estimate.scales[place]), refit.scales[:, place], refit.lost <= drop))
    told = [(name, t, v.mean(), v.std(ddof=1), inside.mean(), count) for name, t, v, inside in rows]
    return pd.DataFrame(told, columns=RECOVERED)


class Refitted(NamedTuple):
    """Of every history: estimates, their covariance, and what the likelihood loses at the true scales."""

    scales: np.ndarray  # [histories scales]
    coefficients: np.ndarray
    covariance: np.ndarray
    slope: np.ndarray
    lost: np.ndarray


def refitted(data: Panel, histories: np.ndarray, truth) -> Refitted:
    """Fit every history [histories n] of the panel's dates."""
    scales, slope, lost = jax.device_get(searched(data, jnp.asarray(histories), jnp.asarray(truth)))
    each = [panels.regression(panels.with_values(data, y), s) for y, s in zip(histories, scales, strict=True)]
    coefficients, covariance = (np.array(part) for part in zip(*each, strict=True))
    return Refitted(scales, coefficients, covariance, slope, lost)


@jax.jit
def searched(data: Panel, histories, truth):
    """(scales, slope, likelihood lost at the true scales) of every history."""

    def one(y):
        own = panels.with_values(data, y)
        scales, slope, value = panels.search(own)
        return scales, slope, value - panels.likelihood(own, truth)

    return jax.vmap(one)(histories)


def rebounds(seen: Observations, found: Identified) -> pd.DataFrame:
    """Pairs of neighbouring observations of a series: did it rise, and how probable was that at the fit?

    P(rise) = Phi(m/s),   m and s: mean and sd of the change of the log
    """
    data, rows = found.data, []
    v = np.asarray(panels.covariance_of(data, found.estimate.scales))
    line = np.asarray(data.design @ found.estimate.coefficients) + np.log(seen.value) - np.asarray(data.y)
    for name in dict.fromkeys(seen.entity):
        own = [row for row, entity in enumerate(seen.entity) if entity == name]
        for a, b in zip(own, own[1:], strict=False):
            mean, sd = line[b] - line[a], np.sqrt(v[a, a] + v[b, b] - 2.0 * v[a, b])
            change = np.log(seen.value[b] / seen.value[a])
            rows.append(
                (seen.label[a], seen.label[b], change, mean, sd, change > 0.0, stats.norm.cdf(mean / sd))
            )
    return pd.DataFrame(rows, columns=["from", "to", "change", "mean", "sd", "rise", "probability"])
