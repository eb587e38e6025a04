"""Probability of a loss by FORM, regime path by regime path, and by simulation about the same points.

    P(loss >= target) = sum over regime paths of P(regimes) P(loss >= target | regimes)

The sum is over a sample of regime paths, worse ones with higher probability. Given one, FORM puts
Phi(-beta) for the second factor, and importance sampling draws normals about FORM's own point.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr

from engine.learn.reverse_stress import design_point
from engine.learn.reverse_stress.design_point import Point, length
from engine.learn.reverse_stress.regimes import Regimes, simulate_chain, switches_of
from engine.learn.reverse_stress.reverse_stress import Answer
from engine.learn.reverse_stress.trials import PROBABILITY_IDS, Scenario, Trials
from engine.tail.measures import Estimate

RAY = 4
"""Points along the ray of each regime path."""

POOL = 20_000
"""Regime paths sampled from the chain, from which those of the sum are chosen."""


class Probabilities(NamedTuple):
    """P(loss >= target) by FORM and by importance sampling, and the year of the first switch."""

    form: Estimate
    importance: Estimate
    breaks: Float64[np.ndarray, "years+1"]  # share of those paths by year of the first switch; 0: none


def sample_regimes(
    trials: Trials, count: int, pool: int = POOL
) -> tuple[list[Regimes], Float64[np.ndarray, "count"]]:
    """Regime paths and weights that make sum(weight * f) the mean of f over the chain, without bias.

    Systematic sampling of a pool of paths, ordered by their months in the worst regime, with probability
    proportional to one plus those months.
    """
    rng = np.random.default_rng([trials.seed & 0xFFFFFFFF, trials.seed >> 32, PROBABILITY_IDS & 0xFFFF])
    paths = simulate_chain(trials.transition, trials.start, trials.months, pool, rng)
    paths.sort(key=lambda path: (path.count(2), path.count(1), switches_of(trials.start, path)))
    size = np.array([1.0 + path.count(2) for path in paths])
    above = np.cumsum(size) / size.sum()
    at = np.searchsorted(above, (np.arange(count) + rng.random()) / count)
    return [paths[place] for place in at], size.sum() / (pool * count * size[at])


def directions(trials: Trials, regimes: Sequence[Regimes], answers: Sequence[Answer]) -> list[Point]:
    """For each regime path the unit direction of the answer whose regimes agree in most months.

    If no answer needs normals away from zero: the direction in which the loss grows about the first answer.
    """
    references = [(np.array(each.scenario.regimes), each.scenario.z) for each in answers if each.beta > 0.0]
    if not references:
        first = answers[0].scenario
        references = [(np.array(first.regimes), trials.plane(first).slope)]
    units = []
    for path in regimes:
        _, z = max(references, key=lambda each: int((each[0] == path).sum()))
        units.append(z / length(z))
    return units


def probabilities(trials: Trials, answers: Sequence[Answer], target: float) -> Probabilities:
    """P(loss >= target) by FORM and by importance sampling about FORM's points."""
    regimes, weight = sample_regimes(trials, trials.effort.regimes)
    along = directions(trials, regimes, answers)
    furthest = max(4.0, max(answer.beta for answer in answers))
    distance = np.linspace(0.0, furthest, RAY)
    rays = zip(*trials.rays(regimes, along, distance, first=PROBABILITY_IDS), strict=True)
    points = [design_point.reliability(distance, mean, spread, target) for mean, spread in rays]
    form = ndtr([-each.beta for each in points])
    centres = [each.distance * direction for each, direction in zip(points, along, strict=True)]
    beyond = conditional_probabilities(trials, regimes, centres, target)
    year = [((switches_of(trials.start, path) or ((0, 0),))[0][0] + 11) // 12 for path in regimes]
    breaks = np.bincount(year, weight * beyond, minlength=trials.months // 12 + 1)
    form_sum, simulated_sum = weighted_sum(weight, form), weighted_sum(weight, beyond)
    return Probabilities(form_sum, simulated_sum, breaks / max(breaks.sum(), 1e-300))


def conditional_probabilities(
    trials: Trials, regimes: Sequence[Regimes], centres: Sequence[Point], target: float
) -> Float64[np.ndarray, "paths"]:
    """P(loss >= target | regimes) of each regime path, from normals about its centre.

    Weight of a path with normals x about the centre m: exp(|m|^2 / 2 - m.x).
    """
    scenarios = [Scenario(path, centre) for path, centre in zip(regimes, centres, strict=True)]
    loss, along = trials.observe(
        scenarios,
        1.0,
        PROBABILITY_IDS + trials.effort.few,
        trials.effort.few,
        lambda paths: (paths.losses[:, trials.at], paths.along),
    )
    loss = loss.reshape(len(scenarios), -1)
    x = along.reshape(len(scenarios), -1, trials.dims, along.shape[-1]).astype(np.float64)
    x = x.swapaxes(1, 2).reshape(len(scenarios), trials.dims, -1)
    m = np.stack(centres)
    ratio = np.exp(0.5 * (m**2).sum(axis=1)[:, None] - np.einsum("nd,ndp->np", m, x))
    return (ratio * (loss >= target)).mean(axis=1)


def weighted_sum(weight: Float64[np.ndarray, "paths"], value: Float64[np.ndarray, "paths"]) -> Estimate:
    """sum(weight * value) and its standard error, as if the regime paths were drawn independently."""
    parts = len(weight) * weight * value
    return Estimate(float(parts.mean()), float(parts.std(ddof=1) / np.sqrt(len(parts))))
