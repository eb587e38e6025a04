"""A correlation matrix: what makes it one, and the nearest one to a matrix that is not."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from engine.book.checks.problems import Problem
from engine.book.frames import Frame

ROUNDING = 5e-7
"""Half a unit in the sixth decimal: how far written entries may be from symmetric and from one."""


EXACT = 1e-13
"""How far an entry or an eigenvalue computed in float64 may be from what it stands for."""


def least_eigenvalue(matrix: np.ndarray) -> float:
    """The least eigenvalue of the symmetric part of a matrix; below zero it is no correlation matrix."""
    return float(np.linalg.eigvalsh((matrix + matrix.T) / 2.0)[0])


def correlation_problems(frame: Frame) -> Iterator[Problem]:
    """Faults of the correlation table: factors, unit diagonal, symmetry, positive semidefiniteness."""
    from engine.vocabulary import FACTORS

    if not len(frame):
        return
    if sorted(frame["factor"]) != sorted(FACTORS):
        given = ", ".join(frame["factor"])
        yield Problem("correlation", None, "factor", given, f"one row for each of {', '.join(FACTORS)}")
        return
    lines = dict(zip(frame["factor"], frame.index, strict=True))
    matrix = frame.set_index("factor").loc[list(FACTORS), list(FACTORS)]
    for row in FACTORS:
        if abs(matrix.loc[row, row] - 1.0) > ROUNDING:
            yield Problem("correlation", lines[row], row, f"{matrix.loc[row, row]:g}", "1 on the diagonal")
        for column in FACTORS[: FACTORS.index(row)]:
            got, mirror = matrix.loc[row, column], matrix.loc[column, row]
            if abs(got - mirror) > ROUNDING:
                where = f"row {lines[column]}, column {row}"
                yield Problem("correlation", lines[row], column, f"{got:g}", f"{mirror:g}, as in {where}")
    least = least_eigenvalue(matrix.to_numpy())
    if least < -ROUNDING * len(FACTORS):
        expected = "a positive semidefinite matrix (least eigenvalue >= 0)"
        yield Problem("correlation", None, "", f"least eigenvalue {least:.4g}", expected)


def is_rounded(matrix: np.ndarray) -> bool:
    """Whether a matrix is a correlation matrix only up to the rounding of its written entries."""
    uneven = np.abs(matrix - matrix.T).max() + np.abs(np.diag(matrix) - 1.0).max()
    return bool(uneven > EXACT or least_eigenvalue(matrix) < -EXACT)


def repair_correlation(
    matrix: ArrayLike, rounds: int = 200, tolerance: float = 1e-12
) -> tuple[np.ndarray, float]:
    """The nearest correlation matrix in the Frobenius norm, and how far the entries moved.

    Alternating projections with Dykstra's correction onto the positive semidefinite and the unit-diagonal
    matrices (Higham 2002, IMA J. Numer. Anal. 22, algorithm 3.3); a last projection, rescaled to a unit
    diagonal, makes the result positive semidefinite to rounding. matrix: [k, k], made symmetric first.
    Returns (correlation [k, k], largest absolute change of an entry). ValueError unless square and finite.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError(f"got an array of shape {matrix.shape}, expected a finite square matrix")
    nearest, correction = (matrix + matrix.T) / 2.0, np.zeros_like(matrix)
    for _ in range(rounds):
        before = nearest
        semidefinite = project(nearest - correction)
        correction = semidefinite - (nearest - correction)
        nearest = semidefinite.copy()
        np.fill_diagonal(nearest, 1.0)
        if np.abs(nearest - before).max() < tolerance:
            break
    nearest = project(nearest)
    scale = 1.0 / np.sqrt(np.diag(nearest))
    nearest = nearest * np.outer(scale, scale)
    return nearest, float(np.abs(nearest - matrix).max())


def project(matrix: np.ndarray) -> np.ndarray:
    """Nearest positive semidefinite matrix: negative eigenvalues set to zero."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    return (vectors * np.maximum(values, 0.0)) @ vectors.T
