"""Rating migration: a generator behind a yearly matrix, joint migration and the value of a bond in a year.

A generator Q has rates q_ij >= 0 off its diagonal and rows that sum to zero; P(t) = expm(t Q). The logarithm
of an observed matrix seldom is one, and each of its rows is moved to the nearest that is:

    min |q - a|^2   subject to   sum_j q_j = 0,   q_j >= 0 for j != i

"quasi-optimisation of the generator", Kreinin and Sidelnikova (2001), "Regularization algorithms for
transition matrices", Algo Research Quarterly 4. Ratings stand in order, default last; the returns that lead
to them are those of CreditMetrics (J.P. Morgan 1997, Technical Document, chapter 8).
"""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.special import ndtri

from engine.portfolio.vasicek import bivariate_normal

Matrix = Float64[np.ndarray, "ratings ratings"]
ROW_SUM = 0.15
"""A row of a published table may miss one by this: rounding, and ratings withdrawn within the year."""
FAR = 38.0
"""Standard deviations beyond which a normal has no mass that float64 could hold."""


def transition_matrix(rows: ArrayLike) -> Matrix:
    """A yearly matrix whose diagonal takes up what rows miss of one, and whose default stays default.

    Raises ValueError where it is not square, has a number outside [0, 1], or a row misses more than 0.15.
    """
    p = np.array(rows, np.float64)
    if p.ndim != 2 or p.shape[0] != p.shape[1]:
        raise ValueError(f"rows: got shape {p.shape}, expected a square matrix")
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise ValueError("rows: got a number outside [0, 1], expected probabilities")
    p[-1] = np.eye(len(p))[-1]
    for i in np.flatnonzero(np.abs(p.sum(axis=1) - 1.0) > ROW_SUM):
        raise ValueError(f"rows[{i}]: got a sum of {p[i].sum():.4f}, expected 1 within {ROW_SUM}")
    np.fill_diagonal(p, 0.0)
    np.fill_diagonal(p, 1.0 - p.sum(axis=1))
    return p


def generator(rows: ArrayLike) -> Matrix:
    """The generator nearest to the logarithm of a yearly transition matrix, row by row.

    Args: rows [ratings ratings], probabilities, default last. Returns rates a year [ratings ratings]. Raises
    ValueError as `transition_matrix`.

    Example: the generator of a matrix that has one.
        >>> rates = np.asarray([[-0.1, 0.08, 0.02], [0.2, -0.3, 0.1], [0.0, 0.0, 0.0]])
        >>> generator(transition(rates, 1.0)).round(12).tolist()
        [[-0.1, 0.08, 0.02], [0.2, -0.3, 0.1], [0.0, 0.0, 0.0]]
    """
    logs = np.real(linalg.logm(transition_matrix(rows)))
    return np.stack([nearest_row(row, i) for i, row in enumerate(logs)])


def nearest_row(row: Float64[np.ndarray, "ratings"], own: int) -> Float64[np.ndarray, "ratings"]:
    """q_i = a_i - t and q_j = max(a_j - t, 0), with t such that they sum to zero.

    The sum falls in t, linearly between the off-diagonal entries, of which the largest m stay positive.
    """
    others = np.sort(np.delete(row, own))[::-1]
    shifts = (row[own] + np.cumsum(others)) / (np.arange(len(others)) + 2.0)
    positive = np.flatnonzero(others > shifts)
    shift = shifts[positive[-1]] if len(positive) else row[own]
    moved = np.maximum(row - shift, 0.0)
    moved[own] = row[own] - shift
    return moved


def transition(rates: ArrayLike, years: float) -> Matrix:
    """Transition probabilities after some years, P(t) = expm(t Q).

    Args: rates, a generator [ratings ratings], a year; years. Returns [ratings ratings], rows that sum to
    one. Raises ValueError where the rates are not a square matrix.

    >>> transition([[-0.1, 0.1], [0.0, 0.0]], 5.0).round(4).tolist()
    [[0.6065, 0.3935], [0.0, 1.0]]
    """
    generator = np.asarray(rates, np.float64)
    if generator.ndim != 2 or generator.shape[0] != generator.shape[1]:
        raise ValueError(f"rates: got shape {generator.shape}, expected a square matrix")
    return linalg.expm(years * generator)


def default_probabilities(rates: ArrayLike, years: ArrayLike) -> Float64[np.ndarray, "years ratings"]:
    """Probability of default within each number of years, for each rating but default.

    Args: rates, a generator [ratings ratings], default last; years [years]. Raises ValueError where the rates
    are not a square matrix.

    >>> default_probabilities([[-0.1, 0.1], [0.0, 0.0]], [1.0, 5.0]).round(4).tolist()
    [[0.0952], [0.3935]]
    """
    return np.stack([transition(rates, float(t))[:-1, -1] for t in np.atleast_1d(years)])


def thresholds(row: ArrayLike) -> Float64[np.ndarray, "edges"]:
    """Asset returns between which each rating lies, from +inf above the best down to -inf below default.

    >>> thresholds([0.5, 0.4, 0.1]).round(3).tolist()
    [inf, 0.0, -1.282, -inf]
    """
    row = np.asarray(row, np.float64)
    worse = np.clip(1.0 - np.concatenate([[0.0], np.cumsum(row)]), 0.0, 1.0)
    worse[-1] = 0.0
    worse[np.isclose(worse, 0.0, atol=1e-13)] = 0.0
    return ndtri(worse)


def joint_migration(first: ArrayLike, second: ArrayLike, correlation: float) -> Matrix:
    """P(first ends in i and second in j) when their asset returns are normal with this correlation.

    Args: first, second [ratings], one-year probabilities of two obligors, default last; correlation of their
    asset returns. Returns [ratings ratings]. Raises ValueError for a correlation outside (-1, 1).

    >>> joint_migration([0.9, 0.1], [0.8, 0.2], 0.3).round(4).tolist()
    [[0.7371, 0.1629], [0.0629, 0.0371]]
    """
    if not -1.0 < correlation < 1.0:
        raise ValueError(f"correlation: got {correlation}, expected a number between -1 and 1")
    a, b = (np.clip(thresholds(row), -FAR, FAR) for row in (first, second))
    below = np.asarray([[bivariate_normal(float(x), float(y), correlation) for y in b] for x in a])
    return np.diff(np.diff(below, axis=0), axis=1)


def bond_value(row: ArrayLike, values: ArrayLike) -> tuple[float, float]:
    """Mean and standard deviation of a bond's value in a year.

    Args: row [ratings], probabilities, which are scaled to sum to one; values [ratings], what the bond is
    worth in each. Raises ValueError where the two differ in length.

    >>> bond_value([0.5, 0.5], [100.0, 90.0])
    (95.0, 5.0)
    """
    p, v = np.asarray(row, np.float64), np.asarray(values, np.float64)
    if p.shape != v.shape or p.ndim != 1:
        raise ValueError(f"row, values: got shapes {p.shape} and {v.shape}, expected vectors of one length")
    p = p / p.sum()
    mean = float(p @ v)
    return mean, float(np.sqrt(p @ (v - mean) ** 2))
