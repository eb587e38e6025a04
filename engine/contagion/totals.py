"""Row and column totals of a matrix with some known cells: the totals left to fill, checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import ArrayLike

from engine import arguments
from engine.arguments import within

TOLERANCE = 1e-12
"""Tolerance of totals, and the least amount that counts, as shares of the grand total."""

MATCH = 1e-9
"""Rows and columns that add up to the same within this share of it do."""

Matrix = Float64[np.ndarray, "lenders borrowers"]


@dataclass(frozen=True)
class Blanks:
    """Free cells, and the totals less the known cells."""

    known: Matrix  # zero where free
    free: Bool[np.ndarray, "lenders borrowers"]
    rows: Float64[np.ndarray, " lenders"]
    columns: Float64[np.ndarray, " borrowers"]

    @property
    def total(self) -> float:
        """Sum of the totals left."""
        return float(self.rows.sum())


def check_totals(
    rows: ArrayLike, columns: ArrayLike, known: ArrayLike | None = None, bipartite: bool = False
) -> Blanks:
    """The totals left to fill on the free cells.

    Args: rows [lenders], columns [borrowers], known [lenders borrowers] with NaN where unknown, in one money
    unit; bipartite, whether the diagonal is as free as the rest.

    Raises ValueError for negative totals or cells, shapes that do not fit, rows and columns that add up to
    different sums, a known diagonal that is not zero, and a total that is below its known cells or above what
    its free cells could hold.

        >>> check_totals([3, 2, 2], [2, 3, 2], [[0, 2, np.nan]] + [[np.nan] * 3] * 2).rows.tolist()
        [1.0, 2.0, 2.0]
    """
    arguments.flag("bipartite", bipartite)
    check_names(rows, columns, known, bipartite)
    a, b = arguments.numbers("rows", rows), arguments.numbers("columns", columns)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"rows, columns: got shapes {a.shape} and {b.shape}, expected two vectors")
    within("rows", a, 0.0, np.inf)
    within("columns", b, 0.0, np.inf)
    if not bipartite and len(a) != len(b):
        raise ValueError(f"rows, columns: got {len(a)} and {len(b)}, expected as many, or bipartite=True")
    if abs(a.sum() - b.sum()) > MATCH * max(a.sum(), b.sum()):
        raise ValueError(f"columns: got a sum of {b.sum():.12g}, expected that of rows, {a.sum():.12g}")
    cells, free = check_known(known, (len(a), len(b)), bipartite)
    right = b * (a.sum() / b.sum() if b.sum() else 1.0)
    spare_rows = left_over("rows", a, cells.sum(axis=1))
    spare_columns = left_over("columns", right, cells.sum(axis=0))
    if spare_columns.any():
        spare_columns = spare_columns * (spare_rows.sum() / spare_columns.sum())
    blanks = Blanks(cells, free, spare_rows, spare_columns)
    check_room("rows", blanks.rows, free, blanks.columns)
    check_room("columns", blanks.columns, free.T, blanks.rows)
    return blanks


def check_known(
    known: ArrayLike | None, shape: tuple[int, int], bipartite: bool
) -> tuple[Matrix, Bool[np.ndarray, "lenders borrowers"]]:
    """Known cells, zero where unknown, and which cells are free."""
    cells = np.full(shape, np.nan) if known is None else arguments.numbers("known", known).copy()
    if cells.shape != shape:
        raise ValueError(f"known: got shape {cells.shape}, expected {shape}")
    if not bipartite:
        own = np.diagonal(cells)
        for i in np.flatnonzero(np.nan_to_num(own)):
            raise ValueError(f"known[{i}, {i}]: got {own[i]}, expected 0 or blank: nobody lends to itself")
        np.fill_diagonal(cells, 0.0)
    free = np.isnan(cells)
    cells = np.where(free, 0.0, cells)
    within("known", cells, 0.0, np.inf)
    return cells, free


def check_names(rows: ArrayLike, columns: ArrayLike, known: ArrayLike | None, bipartite: bool) -> None:
    """Raises ValueError where pandas names lenders or borrowers differently in two arguments."""
    lenders: list[tuple[str, Any, int]] = [("rows", rows, 0), ("known", known, 0)]
    borrowers: list[tuple[str, Any, int]] = [("columns", columns, 0), ("columns of known", known, 1)]
    for names in (lenders, borrowers) if bipartite else (lenders + borrowers,):
        arguments.same_names(*names)


def check_room(
    name: str,
    totals: Float64[np.ndarray, " own"],
    free: Bool[np.ndarray, "own others"],
    others: Float64[np.ndarray, " others"],
) -> None:
    """Raises ValueError for the first total above the capacity of its free cells."""
    room = free @ others
    for i in np.flatnonzero(totals > room + MATCH * totals.sum()):
        raise ValueError(
            f"{name}[{i}]: got {totals[i]} besides known cells, expected at most {room[i]}, "
            "the totals of those it may deal with"
        )


def left_over(
    name: str, totals: Float64[np.ndarray, " own"], known: Float64[np.ndarray, " own"]
) -> Float64[np.ndarray, " own"]:
    """Totals less their known cells; ValueError for the first that is below them."""
    spare = totals - known
    for i in np.flatnonzero(spare < -MATCH * totals.sum()):
        raise ValueError(f"{name}[{i}]: got {totals[i]}, expected at least {known[i]}, its known cells")
    return np.where(spare > TOLERANCE * totals.sum(), spare, 0.0)
