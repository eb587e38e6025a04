"""The design point: the likeliest normals at which an expected loss reaches a target, and FORM's probability.

    minimise |z|^2 / 2   subject to   g(z) >= target                         z independent standard normals

g is known through planes fitted to simulated losses (a response surface, Bucher and Bourgund 1990). The step
is the one of Hasofer and Lind (1974), Rackwitz and Fiessler (1978): the nearest point of the plane.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

FURTHEST = 8.0
"""Greatest distance of a point in standard deviations, exceeded with probability 10^-15."""


class Plane(NamedTuple):
    """A loss near a point: value there, slope, and standard deviation of the residual."""

    value: float
    slope: Float64[np.ndarray, "dims"]
    residual: float


Point = Float64[np.ndarray, "dims"]
Ray = Sequence[float] | Float[np.ndarray, "points"]


def fit_plane(noise: Float[np.ndarray, "n dims"], loss: Float[np.ndarray, "n"], spread: float) -> Plane:
    """Least squares of losses on the noise, in units of `spread`, about the point.

    >>> noise = np.random.default_rng(1).standard_normal((50, 2))
    >>> plane = fit_plane(noise, 3.0 + noise @ [0.5, -1.0], 0.5)
    >>> round(plane.value, 9), plane.slope.round(9).tolist()
    (3.0, [1.0, -2.0])
    """
    rows = np.column_stack([np.ones(len(noise)), spread * np.asarray(noise, np.float64)])
    coefficients, *_ = np.linalg.lstsq(rows, np.asarray(loss, np.float64), rcond=None)
    residuals = loss - rows @ coefficients
    freedom = max(len(rows) - len(coefficients), 1)
    return Plane(float(coefficients[0]), coefficients[1:], float(np.sqrt(residuals @ residuals / freedom)))


def nearest(z: Point, plane: Plane, target: float) -> Point:
    """z' = b (target - value + b.z) / |b|^2, no further than `FURTHEST`: the nearest point of the plane.

    The origin if the plane reaches the target there.
    """
    square = plane.slope @ plane.slope
    rise = target - plane.value + plane.slope @ z
    if rise <= 0.0 or square <= 0.0:
        return np.zeros_like(z)
    return plane.slope * min(rise / square, FURTHEST / np.sqrt(square))


def step_towards(z: Point, plane: Plane, target: float, steps: int) -> Point:
    """The next point after some steps; later steps go only part of the way, to average the planes' noise."""
    return z + (nearest(z, plane, target) - z) * min(1.0, 3.0 / (steps + 1))


def length(z: Point) -> float:
    """|z|."""
    return float(np.linalg.norm(z))


def crossing(distance: Ray, mean: Ray, target: float) -> float:
    """Distance along a ray at which the expected loss reaches the target, linear between the points.

    The start if the target is reached there; infinite if the last segment does not rise towards it or would
    reach it beyond `FURTHEST`.

    >>> crossing([0.0, 2.0, 4.0], [10.0, 20.0, 40.0], 30.0), crossing([0.0, 2.0], [10.0, 20.0], 25.0)
    (3.0, 3.0)
    """
    distance, mean = np.asarray(distance, np.float64), np.asarray(mean, np.float64)
    above = np.flatnonzero(mean >= target)
    if above.size and above[0] == 0:
        return float(distance[0])
    last = above[0] if above.size else len(mean) - 1
    rise = (mean[last] - mean[last - 1]) / (distance[last] - distance[last - 1])
    place = distance[last] + (target - mean[last]) / rise if rise > 0.0 else np.inf
    return float(place) if place <= FURTHEST else np.inf


class Reliability(NamedTuple):
    """FORM's index, and how far along the ray its point lies."""

    beta: float
    distance: float


def reliability(distance: Ray, mean: Ray, deviation: Ray, target: float) -> Reliability:
    """FORM with the idiosyncratic loss of a path as one more normal w: the nearest point of
    mean(c) + deviation(c) w >= target along a ray.

        beta = min over c of sqrt(c^2 + ((target - mean(c)) / deviation(c))^2)

    For mean = m + b c and a constant deviation d it is (target - m) / sqrt(b^2 + d^2). Negative where the
    target is reached at the start.

    >>> ray = np.array([0.0, 2.0, 4.0])
    >>> form = reliability(ray, 10.0 + 3.0 * ray, np.full(3, 4.0), 25.0)
    >>> round(form.beta, 3), round(form.distance, 2)
    (3.0, 1.8)
    """
    distance, mean, deviation = (np.asarray(each, np.float64) for each in (distance, mean, deviation))
    deviation = np.maximum(deviation, 1e-9)
    at = np.linspace(0.0, distance[-1], 401)
    gap = (target - np.interp(at, distance, mean)) / np.interp(at, distance, deviation)
    if gap[0] <= 0.0:  # the nearest point lies on the other side
        slope = (mean[1] - mean[0]) / (distance[1] - distance[0]) / deviation[0]
        return Reliability(float(gap[0] / np.hypot(1.0, slope)), 0.0)
    lengths = np.hypot(at, np.maximum(gap, 0.0))
    return Reliability(float(lengths.min()), float(at[lengths.argmin()]))
