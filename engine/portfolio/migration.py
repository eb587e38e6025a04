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

from engine import arguments
from engine.portfolio.vasicek import bivariate_normal

Matrix = Float64[np.ndarray, "ratings ratings"]
ROW_SUM = 0.15
"""A row of a published table may miss one by this: rounding, and ratings withdrawn within the year."""
FAR = 38.0
"""Standard deviations beyond which a normal has no mass that float64 could hold."""
MOST_YEARS, MOST_RATE = 1000.0, 1000.0
ROUNDING = 1e-6
"""By how much a row of rates may miss zero, as a share of its largest, or one of probabilities miss one."""


def transition_matrix(rows: ArrayLike) -> Matrix:
    """A yearly matrix whose diagonal takes up what rows miss of one, and whose default stays default.

    Raises ValueError where it is not square, has a number outside [0, 1], or a row misses more than 0.15.
    """
    p = arguments.numbers("rows", rows).copy()
    if p.ndim != 2 or p.shape[0] != p.shape[1] or len(p) < 2:
        raise ValueError(f"rows: got shape {p.shape}, expected a square matrix of two ratings or more")
    arguments.same_names(("rows", rows, 0), ("columns of rows", rows, 1))
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
    one. Raises ValueError where the rates are not a generator (see the module) and for years below 0.

    >>> transition([[-0.1, 0.1], [0.0, 0.0]], 5.0).round(4).tolist()
    [[0.6065, 0.3935], [0.0, 1.0]]
    """
    rates, years = checked_rates(rates), arguments.number("years", years, 0.0, MOST_YEARS)
    return linalg.expm(years * rates)


def checked_rates(rates: ArrayLike) -> Matrix:
    """Rates as a square matrix, none negative off the diagonal, rows that sum to zero; else ValueError."""
    q = arguments.square("rates", rates)
    small = ROUNDING * np.abs(q).max(axis=1)
    for i, j in np.argwhere((q < -small[:, None]) & ~np.eye(len(q), dtype=bool)):
        arguments.refuse(f"rates[{i}, {j}]", q[i, j], "a rate of at least 0 off the diagonal")
    for i in np.flatnonzero(np.abs(q.sum(axis=1)) > small):
        raise ValueError(f"rates[{i}]: got a sum of {q[i].sum():.6g}, expected 0")
    if np.abs(q).max() > MOST_RATE:
        raise ValueError(f"rates: got a rate of {np.abs(q).max():g} a year, expected at most {MOST_RATE:g}")
    return q


def default_probabilities(rates: ArrayLike, years: ArrayLike) -> Float64[np.ndarray, "years ratings"]:
    """Probability of default within each number of years, for each rating but default.

    Args: rates, a generator [ratings ratings], default last; years [years]. Raises ValueError where the rates
    are not a generator, and for years below 0.

    >>> default_probabilities([[-0.1, 0.1], [0.0, 0.0]], [1.0, 5.0]).round(4).tolist()
    [[0.0952], [0.3935]]
    """
    times = arguments.vector("years", np.atleast_1d(arguments.numbers("years", years)), 0.0, MOST_YEARS)
    return np.stack([transition(rates, float(t))[:-1, -1] for t in times])


def thresholds(row: ArrayLike) -> Float64[np.ndarray, "edges"]:
    """Asset returns between which each rating lies, from +inf above the best down to -inf below default.

    >>> thresholds([0.5, 0.4, 0.1]).round(3).tolist()
    [inf, 0.0, -1.282, -inf]
    """
    row = checked_row("row", row, ROW_SUM)
    worse = np.clip(1.0 - np.concatenate([[0.0], np.cumsum(row)]), 0.0, 1.0)
    worse[-1] = 0.0
    worse[np.isclose(worse, 0.0, atol=1e-13)] = 0.0
    return ndtri(worse)


def joint_migration(first: ArrayLike, second: ArrayLike, correlation: float) -> Matrix:
    """P(first ends in i and second in j) when their asset returns are normal with this correlation.

    Args: first, second [ratings], one-year probabilities of two obligors, default last; correlation of their
    asset returns. Returns [ratings ratings]. Raises ValueError for a correlation outside (-1, 1) and rows
    that are no probabilities or do not sum to one within 0.15, what they miss being default.

    >>> joint_migration([0.9, 0.1], [0.8, 0.2], 0.3).round(4).tolist()
    [[0.7371, 0.1629], [0.0629, 0.0371]]
    """
    correlation = arguments.between("correlation", correlation, -1.0, 1.0)
    rows = [checked_row(name, row, ROW_SUM) for name, row in (("first", first), ("second", second))]
    a, b = (np.clip(thresholds(row), -FAR, FAR) for row in rows)
    below = np.asarray([[bivariate_normal(float(x), float(y), correlation) for y in b] for x in a])
    return np.diff(np.diff(below, axis=0), axis=1)


def checked_row(name: str, row: ArrayLike, miss: float) -> Float64[np.ndarray, " ratings"]:
    """Probabilities of a row that sum to one but for what published ones miss; ValueError otherwise."""
    p = arguments.vector(name, row, 0.0, 1.0)
    if abs(p.sum() - 1.0) > miss:
        raise ValueError(f"{name}: got a sum of {p.sum():.4f}, expected 1 within {miss:g}")
    return p


def bond_value(row: ArrayLike, values: ArrayLike) -> tuple[float, float]:
    """Mean and standard deviation of a bond's value in a year.

    Args: row [ratings], probabilities, which are scaled to sum to one; values [ratings], what the bond is
    worth in each. Raises ValueError where the two differ in length, and for probabilities that are negative
    or all zero.

    >>> bond_value([0.5, 0.5], [100.0, 90.0])
    (95.0, 5.0)
    """
    p, v = arguments.vector("row", row, 0.0), arguments.vector("values", values)
    if p.shape != v.shape:
        raise ValueError(f"row, values: got shapes {p.shape} and {v.shape}, expected vectors of one length")
    arguments.names_along(0, row=row, values=values)
    if not p.any():
        arguments.refuse("row", p.tolist(), "a probability above 0")
    p = p / p.max()
    p = p / p.sum()
    mean = float(p @ v)
    return mean, float(np.sqrt(p @ (v - mean) ** 2))
