"""The gradient of ES with respect to all parameters, from one budget of paths.

A row s of a two-level design moves every parameter at once, up or down by its step h, and runs with its
mirror image on the same paths:

    C_r = ( ES(theta + h s_r) - ES(theta - h s_r) ) / 2,      h_j dES/dtheta_j ~ mean over rows of s_rj C_r

The columns of the design are orthogonal, so that the effect of one parameter cancels from the estimate of
another (Plackett and Burman 1946); the mirror image cancels interactions of even order (Box and Wilson
1951). The result is the gradient of ES smoothed over the corners of a box (Nesterov and Spokoiny 2017), so
losses may jump at defaults. Spare columns, which belong to no parameter, should estimate zero; their excess
over noise is interaction of odd order, and is added to the error.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import scipy.linalg
from jaxtyping import Float, Float64, Int64
from scipy.special import fdtrc, stdtr

from engine.learn.greeks.sections import Sections, section_means, shortfall

SPARE = 16
"""Least number of columns without a parameter."""

Signs = Float64[np.ndarray, "rows numbers"]
Jobs = Iterator[tuple[Float64[np.ndarray, "numbers"], Int64[np.ndarray, "paths"]]]


@dataclasses.dataclass(frozen=True)
class Slopes:
    """Estimates per step of each number, with standard errors over independent sections."""

    value: Float64[np.ndarray, "numbers"]
    standard_error: Float64[np.ndarray, "numbers"]
    sections: Float64[np.ndarray, "numbers sections"]
    misfit: float  # mean square of the estimates of spare columns over that of noise alone; 1: none
    freedom: int  # degrees of freedom of the errors


def design(
    count: int, rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "rows count"], Float64[np.ndarray, "rows spare"]]:
    """Signs [rows, count] and spare columns [rows, spare] of a Hadamard matrix, columns in random order.

    >>> signs, spare = design(5, np.random.default_rng(1))
    >>> signs.shape, spare.shape, float(abs(signs.T @ spare).max())
    ((32, 5), (32, 26), 0.0)
    """
    rows = 1 << (count + SPARE).bit_length()
    columns = rng.permutation(np.arange(1, rows))
    matrix = scipy.linalg.hadamard(rows, np.float64)[:, columns]
    return matrix[:, :count], matrix[:, count:]


def changes(
    run: Callable[[Jobs], Iterable[Float[np.ndarray, "paths"]]],
    signs: Signs,
    sections: Sections,
    ids: Int64[np.ndarray, "rows paths"],
) -> Float64[np.ndarray, "2 rows sections"]:
    """Half the difference of ES, and of the mean, between each row and its mirror image.

    `run(jobs)` yields the losses of each job in order. A job is a row of signs and the ids of its paths, from
    `sections.sample_ids`; a row and its mirror image have the same ids.
    """
    losses = iter(
        run((side * row, row_ids) for row, row_ids in zip(signs, ids, strict=True) for side in (1.0, -1.0))
    )
    halves = []
    for above, below in zip(losses, losses, strict=True):
        tail = shortfall(sections, above) - shortfall(sections, below)
        mean = np.asarray(above, np.float64) - np.asarray(below, np.float64)
        halves.append([section_means(sections, each) / 2.0 for each in (tail, mean)])
    return np.swapaxes(np.array(halves), 0, 1)


def mean_and_error(sections: Float64[np.ndarray, "*shape sections"]) -> tuple[Any, Any]:
    """Mean over sections, the last axis, and its standard error: arrays [shape], or scalars of one row."""
    count = sections.shape[-1]
    return sections.mean(axis=-1), sections.std(axis=-1, ddof=1) / np.sqrt(count)


def slopes(
    signs: Signs, spare: Float64[np.ndarray, "rows spare"], changes: Float64[np.ndarray, "rows sections"]
) -> Slopes:
    """Slopes per step from half the difference of each row and its mirror image, section by section."""
    rows, count = changes.shape
    estimates = signs.T @ changes / rows
    value, error = mean_and_error(estimates)
    idle, noise = mean_and_error(spare.T @ changes / rows)
    expected = float(np.mean(noise**2))
    square = float(np.mean(idle**2))
    interaction = max(square - expected, 0.0)
    misfit = square / expected if expected > 0.0 else 1.0
    return Slopes(value, np.sqrt(error**2 + interaction), estimates, misfit, count - 1)


def significance(
    value: Float64[np.ndarray, "numbers"], standard_error: Float64[np.ndarray, "numbers"], freedom: int
) -> tuple[Float64[np.ndarray, "numbers"], Float64[np.ndarray, "numbers"]]:
    """t, and the p-value adjusted for the false discovery rate (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control  # takes a quarter of a second

    noisy = standard_error > 0.0
    t = np.divide(value, standard_error, out=np.zeros_like(value), where=noisy)
    return t, false_discovery_control(2.0 * stdtr(freedom, -np.abs(t)))


def agreement(differences: Float64[np.ndarray, "tests sections"]) -> tuple[float, float]:
    """The greatest |t| of differences that should be zero, and the p-value that they all are.

    Twice the smaller p-value of two tests: of the greatest t (Bonferroni), against one large difference, and
    of all together (Hotelling), against many small ones,

        n d' S^-1 d (n - p) / (p (n - 1)) ~ F(p, n - p)

    Differences that are equal in all sections do not count. Raises ValueError unless there are fewer others
    than sections.
    """
    varying = differences[differences.std(axis=1) > 0.0]
    tests, count = varying.shape
    if tests >= count:
        raise ValueError(f"differences: got {tests}, expected fewer than {count} sections")
    if tests == 0:
        return 0.0, 1.0
    mean, error = mean_and_error(varying)
    greatest = float(np.max(np.abs(mean / error)))
    single = tests * 2.0 * float(stdtr(count - 1, -greatest))
    square = count * mean @ np.linalg.solve(np.atleast_2d(np.cov(varying)), mean)
    joint = fdtrc(tests, count - tests, square * (count - tests) / (tests * (count - 1)))
    return greatest, float(min(1.0, 2.0 * min(single, joint)))
