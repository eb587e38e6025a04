"""Does the fit hold? Each observation predicted from the earlier ones; histories simulated from it and refitted."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

from engine.learn.calibration import panel as panels
from engine.learn.calibration.observations import Observations
from engine.learn.calibration.panel import Panel
from engine.learn.calibration.settle import LEVEL, Settled, freedom, width

LEAST = 2
"""Degrees of freedom from which a prediction is made."""

PREDICTIONS = ["label", "entity", "end", "value", "p50", "low", "high", "inside", "error"]
RECOVERED = ["name", "truth", "mean", "sd", "covered", "histories"]


@jax.jit
def predicted(data: Panel, seen, target):
    """(mean, variance) of observation `target` given those `seen` [n], scales estimated from these alone.

    With x the target's row of the design and c its covariance with what was seen (Goldberger 1962),

        mean = x'b + c'V^-1 (y - Xb),   variance = v - c'V^-1 c + q'(X'V^-1 X)^-1 q,   q = x - X'V^-1 c
    """
    known = panels.masked(data, seen)
    found = panels.maximise(known)
    cross = panels.covariance_of(data, found.scales)[target] * seen
    own = panels.covariance_of(data, found.scales)[target, target]
    weight = jnp.linalg.solve(panels.covariance_of(known, found.scales), cross)
    mean = data.design[target] @ found.coefficients + weight @ (known.y - known.design @ found.coefficients)
    left = data.design[target] - known.design.T @ weight
    return mean, own - weight @ cross + left @ found.covariance @ left


def predictions(seen: Observations, found: Settled) -> pd.DataFrame:
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
        mean, variance = predicted(data, jnp.asarray(before, jnp.float64), target)
        sd, half = float(variance) ** 0.5, width(degrees, bool(found.scales)) * float(variance) ** 0.5
        shift = float(np.log(seen.value[target]) - data.y[target])  # what the model takes off the log
        error = (float(data.y[target]) - float(mean)) / sd
        centre = float(mean) + shift
        rows.append((
            seen.label[target], seen.entity[target], seen.end[target], seen.value[target], np.exp(centre),
            np.exp(centre - half), np.exp(centre + half), bool(abs(error) * sd <= half), error,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=PREDICTIONS)


def coverage_doubt(rows: pd.DataFrame) -> float:
    """Probability of as few inside their 95% bands as were, if bands are right; 1 where nothing was predicted."""
    return float(stats.binom.cdf(int(rows["inside"].sum()), len(rows), LEVEL)) if len(rows) else 1.0


def recovery(found: Settled, count: int, seed: int) -> pd.DataFrame:
    """Histories of the same dates simulated from the fit and fitted again: are the truths recovered?

    A row for each free number: truth, mean and sd of the estimates, and the share of histories in which its 95%
    band holds the truth; for scales, in which the joint 95% likelihood region of all free ones does.
    """
    data, estimate = found.data, found.estimate
    if not (found.scales or found.effects) or count < 1:
        return pd.DataFrame(columns=RECOVERED)
    root = np.linalg.cholesky(np.asarray(panels.covariance_of(data, estimate.scales)))
    normals = np.random.default_rng(seed).standard_normal((count, len(data.y)))
    histories = np.asarray(data.design @ estimate.coefficients) + normals @ root.T
    refit, at_truth = refitted(data, jnp.asarray(histories), estimate.scales)
    half, rows = width(freedom(data.design), bool(found.scales)), []
    for name in found.effects:
        values, truth = (
            np.asarray(refit.coefficients[:, data.column(name)]),
            estimate.coefficients[data.column(name)],
        )
        error = np.sqrt(np.asarray(refit.covariance[:, data.column(name), data.column(name)]))
        rows.append((name, float(truth), values, np.abs(values - float(truth)) <= half * error))
    drop = 0.5 * stats.chi2.ppf(LEVEL, max(len(found.scales), 1))
    for name in found.scales:
        place = data.scales.index(name)
        inside = np.asarray(refit.likelihood) - np.asarray(at_truth) <= drop
        rows.append((name, float(estimate.scales[place]), np.asarray(refit.scales[:, place]), inside))
    told = [(name, t, v.mean(), v.std(ddof=1), inside.mean(), count) for name, t, v, inside in rows]
    return pd.DataFrame(told, columns=RECOVERED)


@jax.jit
def refitted(data: Panel, histories, truth):
    """Estimates of every history [count n], and the likelihood of each at the true scales [count]."""

    def one(y):
        own = panels.with_values(data, y)
        return panels.maximise(own), panels.likelihood(own, truth)

    return jax.vmap(one)(histories)


def rebounds(seen: Observations, found: Settled) -> pd.DataFrame:
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
