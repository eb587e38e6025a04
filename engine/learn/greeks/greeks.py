"""What the tail hangs on: the gradient of ES in all parameters from one budget of paths.

Every parameter is moved at once, up or down by its step h as a row s of a two-level design says, and each row
is run with its mirror image on the same paths:

    C_r = ( ES(theta + h s_r) - ES(theta - h s_r) ) / 2,      h_j dES/dtheta_j ~ mean over rows of s_rj C_r

The columns of the design are orthogonal, so that what one parameter does cancels from the estimate of
another (Plackett and Burman 1946); the mirror image cancels interactions of even order (Box and Wilson
1951). It is the gradient of ES smoothed over the corners of a box (Nesterov and Spokoiny 2017): losses that
jump with a default need no derivative of their own. Columns that no parameter took should find nothing; what
they find is interaction of odd order, and is added to the error.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.stats
from jaxtyping import Float64

from engine.learn.greeks.sections import Sections, section_means, shortfall

SPARE = 16
"""Columns at least that no parameter takes."""


@dataclasses.dataclass(frozen=True)
class Slopes:
    """Estimates per step of each number, with standard errors over independent sections."""

    value: Float64[np.ndarray, "numbers"]
    standard_error: Float64[np.ndarray, "numbers"]
    sections: Float64[np.ndarray, "numbers sections"]
    misfit: float  # mean square of what spare columns find, over that expected of noise; 1 = none
    freedom: int  # degrees of freedom of the errors


def design(count: int, rng: np.random.Generator):
    """Signs [rows, count] and spare columns [rows, spare] of a Hadamard matrix, columns in random order.

    >>> signs, spare = design(5, np.random.default_rng(1))
    >>> signs.shape, spare.shape, float(abs(signs.T @ spare).max())
    ((32, 5), (32, 26), 0.0)
    """
    rows = 1 << (count + SPARE).bit_length()
    columns = rng.permutation(np.arange(1, rows))
    matrix = scipy.linalg.hadamard(rows, np.float64)[:, columns]
    return matrix[:, :count], matrix[:, count:]


def changes(run: Callable, signs, sections: Sections, ids) -> np.ndarray:
    """Half the difference of ES, and of the mean, between each row and its mirror image [2 rows sections].

    `run(jobs)` gives the losses of each job in order, a row of signs and the ids of its paths, as they are
    drawn by `sections.drawn`; a row and its image run the same ones.
    """
    losses = run((side * row, chosen) for row, chosen in zip(signs, ids, strict=True) for side in (1.0, -1.0))
    found = []
    for above, below in zip(losses, losses, strict=True):
        tail = shortfall(sections, above) - shortfall(sections, below)
        mean = np.asarray(above, np.float64) - np.asarray(below, np.float64)
        found.append([section_means(sections, each) / 2.0 for each in (tail, mean)])
    return np.swapaxes(np.array(found), 0, 1)


def mean_and_error(sections):
    """Mean over sections, the last axis, and its standard error."""
    count = sections.shape[-1]
    return sections.mean(axis=-1), sections.std(axis=-1, ddof=1) / np.sqrt(count)


def slopes(signs, spare, changes: Float64[np.ndarray, "rows sections"]) -> Slopes:
    """Slopes per step from half the difference of each row and its mirror image, section by section."""
    rows, count = changes.shape
    found = signs.T @ changes / rows
    value, error = mean_and_error(found)
    idle, noise = mean_and_error(spare.T @ changes / rows)
    expected = float(np.mean(noise**2))
    square = float(np.mean(idle**2))
    more = max(square - expected, 0.0)
    misfit = square / expected if expected > 0.0 else 1.0
    return Slopes(value, np.sqrt(error**2 + more), found, misfit, count - 1)


def adjusted(value, standard_error, freedom: int):
    """t and the p-value that holds the share of false discoveries (Benjamini and Hochberg 1995)."""
    known = standard_error > 0.0
    t = np.divide(value, standard_error, out=np.zeros_like(value), where=known)
    return t, scipy.stats.false_discovery_control(2.0 * scipy.stats.t.sf(np.abs(t), freedom))


def agreement(differences: Float64[np.ndarray, "checked sections"]) -> tuple[float, float]:
    """The greatest |t| of differences that should be zero, and the p-value that they all are.

    Twice the smaller p-value of two tests: of the greatest t (Bonferroni), which finds one that is wrong, and
    of all together (Hotelling), which finds many that are wrong by a little,

        n d' S^-1 d (n - p) / (p (n - 1)) ~ F(p, n - p)

    Differences that vary in no section are left out. Raises ValueError unless fewer than the sections.
    """
    kept = differences[differences.std(axis=1) > 0.0]
    checked, count = kept.shape
    if checked >= count:
        raise ValueError(f"checked: got {checked}, expected fewer than {count} sections")
    if checked == 0:
        return 0.0, 1.0
    mean, error = mean_and_error(kept)
    greatest = float(np.max(np.abs(mean / error)))
    single = checked * 2.0 * scipy.stats.t.sf(greatest, count - 1)
    square = count * mean @ np.linalg.solve(np.atleast_2d(np.cov(kept)), mean)
    joint = scipy.stats.f.sf(square * (count - checked) / (checked * (count - 1)), checked, count - checked)
    return greatest, float(min(1.0, 2.0 * min(single, joint)))
