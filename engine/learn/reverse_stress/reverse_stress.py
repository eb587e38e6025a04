"""Reverse stress: the likeliest systematic paths on which the expected loss reaches a target.

    maximise  ln P(regimes) - |z|^2 / 2   subject to   E[loss | regimes, z] >= target

The regimes are searched by moving their switches, the normals by the step of `design_point`. The
answer is one scenario of each kind: the year of the first switch, and the worst regime after it.
"""

from typing import NamedTuple

import numpy as np

from engine.learn.reverse_stress import design_point
from engine.learn.reverse_stress.design_point import FURTHEST, Point, length, nearest, step_towards
from engine.learn.reverse_stress.regimes import (
    Regimes,
    log_probability,
    neighbours,
    regimes_of,
    starts,
    switches_of,
)
from engine.learn.reverse_stress.trials import CHECK_IDS, Scenario, Trials

DISTANCES = (0.0, 2.5, 5.0)
"""Standard deviations from the middle at which every start is simulated."""

LEAST_STEPS = 3
TOLERANCE = 0.03
"""Share of its length by which a point may still move once its search has converged."""

GAIN = 0.1
"""Least gain in log-likelihood for which a switch moves: less is noise."""


class Unreachable(ValueError):
    """No systematic path reaches the target, USD bn.

    `most` is the greatest expected loss of any within `furthest` standard deviations; `furthest` is 0 where
    losses do not depend on the economy.
    """

    def __init__(self, target: float, most: float, furthest: float) -> None:
        super().__init__(f"no systematic path has an expected loss of {target:,.10g} bn: {most:,.4g} at most")
        self.most, self.furthest = most, furthest


class Answer(NamedTuple):
    """A scenario that reaches the target, and the losses simulated around it."""

    scenario: Scenario
    log_likelihood: float  # ln P(regimes) - |z|^2 / 2
    mean: float  # loss on paths with exactly these systematic draws, USD bn
    mean_se: float
    deviation: float
    share: float  # of those paths that lose the target or more
    around: float  # the same share where the normals have noise of `NEAR`

    @property
    def beta(self) -> float:
        """|z|: standard deviations that the normals are away from the middle."""
        return length(self.scenario.z)


NEAR = 0.25


def kind_of(start: int, regimes: Regimes) -> tuple[int, int]:
    """Year of the first switch (0 for none) and the worst regime."""
    switches = switches_of(start, regimes)
    return ((switches[0][0] - 1) // 12 + 1, max(regimes)) if switches else (0, start)


def search(trials: Trials, target: float, count: int) -> list[Answer]:
    """The likeliest scenario of each of the `count` likeliest kinds, likeliest first.

    Raises `Unreachable` where no start reaches the target.
    """
    direction = steepest(trials, target)
    scenarios = [climb(trials, start, target) for start in likeliest(trials, direction, target)[:count]]
    checks = [verify(trials, scenario, target) for scenario in scenarios]
    answers = [answer for answer in checks if answer is not None]
    if not answers:
        raise Unreachable(target, greatest(trials, direction), FURTHEST)
    return sorted(answers, key=lambda answer: -answer.log_likelihood)


def steepest(trials: Trials, target: float) -> Point:
    """Unit direction of the normals in which the loss grows, where the regime switches midway."""
    regimes = regimes_of(trials.start, ((trials.months // 2 + 1, 2),), trials.months)
    z = np.zeros(trials.dims)
    for _ in range(2):
        plane = trials.plane(Scenario(regimes, z))
        if not plane.slope.any():
            raise Unreachable(target, plane.value, 0.0)
        z = nearest(z, plane, max(target, plane.value + length(plane.slope)))
        z = z * min(1.0, DISTANCES[1] / length(z))
    return plane.slope / length(plane.slope)


def likeliest(trials: Trials, direction: Point, target: float) -> list[Scenario]:
    """The likeliest start of each kind that reaches the target along a direction, likeliest first."""
    regimes = starts(trials.start, trials.months)
    means, _ = trials.rays(regimes, [direction] * len(regimes), DISTANCES)
    distances = [design_point.crossing(DISTANCES, mean, target) for mean in means]
    scenarios = [
        Scenario(path, distance * direction)
        for path, distance in zip(regimes, distances, strict=True)
        if np.isfinite(distance)
    ]
    best: dict[tuple[int, int], Scenario] = {}
    for scenario in sorted(scenarios, key=trials.log_likelihood, reverse=True):
        best.setdefault(kind_of(trials.start, scenario.regimes), scenario)
    return list(best.values())


def climb(trials: Trials, scenario: Scenario, target: float) -> Scenario:
    """The likeliest scenario of its kind, by steps of the normals and moves of the switches in turn."""
    for steps in range(trials.effort.steps):
        regimes, z = scenario
        plane = trials.plane(scenario)
        point = step_towards(z, plane, target, steps)
        neighbour = best_neighbour(trials, Scenario(regimes, point), length(plane.slope))
        converged = length(point - z) <= TOLERANCE * max(length(point), 1.0) and neighbour == regimes
        scenario = Scenario(neighbour, point)
        if converged and steps + 1 >= LEAST_STEPS:
            break
    return scenario


def best_neighbour(trials: Trials, scenario: Scenario, slope: float) -> Regimes:
    """The likeliest neighbour of the same kind once the normals make up for the change in loss, or itself."""
    kind = kind_of(trials.start, scenario.regimes)
    others = [
        path for path in neighbours(trials.start, scenario.regimes) if kind_of(trials.start, path) == kind
    ]
    if not others or slope <= 0.0:
        return scenario.regimes
    paths = [scenario.regimes, *others]
    means = trials.losses([Scenario(path, scenario.z) for path in paths]).mean(axis=1)
    beta = np.maximum(length(scenario.z) + (means[0] - means) / slope, 0.0)
    chain = np.array([log_probability(trials.transition, trials.start, path) for path in paths])
    value = chain - 0.5 * beta**2
    value[0] += GAIN
    return paths[int(value.argmax())]


def verify(trials: Trials, scenario: Scenario, target: float) -> Answer | None:
    """The scenario rescaled until fresh paths lose the target on average; None if no scale does it."""
    regimes, z = scenario
    size = length(z)
    if size > 0.0:
        scale = np.array([0.85, 1.0, 1.15])
        ray = [Scenario(regimes, each * z) for each in scale]
        losses = trials.losses(ray, first=CHECK_IDS, each=trials.effort.many)
        distance = design_point.crossing(scale * size, losses.mean(axis=1), target)
        if not np.isfinite(distance):
            return None
        scenario = Scenario(regimes, z * (distance / size))
    fresh = CHECK_IDS + trials.effort.many
    exact = trials.losses([scenario], first=fresh, each=trials.effort.many)[0]
    near = trials.losses([scenario], NEAR, first=fresh, each=trials.effort.many)[0]
    return Answer(
        scenario, trials.log_likelihood(scenario), float(exact.mean()),
        float(exact.std() / np.sqrt(exact.size)), float(exact.std()), float((exact >= target).mean()),
        float((near >= target).mean()),
    )  # fmt: skip


def greatest(trials: Trials, direction: Point) -> float:
    """The greatest expected loss of any start at `FURTHEST` along a direction."""
    regimes = starts(trials.start, trials.months)
    means, _ = trials.rays(regimes, [direction] * len(regimes), (FURTHEST,))
    return float(means.max())
