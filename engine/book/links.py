"""Sparse shares of one group in another: a matrix stored as its entries."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int
from numpy.typing import ArrayLike

from engine.book.arrays import floats, integers
from engine.numerics import adds_in_order


class Links(eqx.Module):
    """A matrix [rows, columns] with few entries, row by row.

        (m @ x)_r = sum of share_k x_column(k) over the entries k of row r       x [columns]
        (y @ m)_c = sum of share_k y_row(k) over the entries k of column c       y [rows]

    It reads as the matrix that it stands for and costs a product and an addition an entry; `m[:n]` and
    `m[n:]` are its first and its other rows. Build with `links`.
    """

    column: Int[Array, "entries"]
    share: Float[Array, "entries"]
    starts: tuple[int, ...] = eqx.field(static=True)  # first entry of each row, and the number of entries
    columns: int = eqx.field(static=True)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)"""
        return len(self.starts) - 1, self.columns

    @property
    def row(self) -> np.ndarray:
        """Row of each entry [entries]."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.starts))

    def __matmul__(self, x: Float[Array, "columns"]) -> Float[Array, "rows"]:
        each = self.share * x.at[self.column].get(mode="promise_in_bounds", wrap_negative_indices=False)
        if not adds_in_order():
            # A GPU adds into a row in no certain order; a sum over entries side by side has one.
            there, place = self.side_by_side
            return jnp.sum(jnp.where(there, each[place], jnp.zeros((), x.dtype)), axis=1)
        totals = jnp.zeros((self.shape[0],), x.dtype)
        return totals.at[self.row].add(
            each, mode="promise_in_bounds", wrap_negative_indices=False, indices_are_sorted=True
        )

    @property
    def side_by_side(self) -> tuple[np.ndarray, np.ndarray]:
        """Whether a row has a first, second ... entry, and which that is [rows, most entries of a row]."""
        counts = np.diff(self.starts)[:, None]
        number = np.arange(counts.max(initial=0))[None, :]
        there = number < counts
        return there, np.where(there, np.array(self.starts[:-1])[:, None] + number, 0).astype(np.int32)

    def __rmatmul__(self, y: Float[Array, "rows"]) -> Float[Array, "columns"]:
        if not adds_in_order():
            return y @ self.matrix
        each = self.share * y[self.row]
        totals = jnp.zeros((self.columns,), y.dtype)
        return totals.at[self.column].add(each, mode="promise_in_bounds", wrap_negative_indices=False)

    def __getitem__(self, rows: slice) -> "Links":
        first, after, _ = rows.indices(self.shape[0])
        begin, end = self.starts[first], self.starts[after]
        starts = tuple(start - begin for start in self.starts[first : after + 1])
        return Links(self.column[begin:end], self.share[begin:end], starts, self.columns)

    @property
    def matrix(self) -> Float[Array, "rows columns"]:
        """All of it."""
        return jnp.zeros(self.shape, self.share.dtype).at[self.row, self.column].add(self.share)

    def some(self, rows: Sequence[int]) -> Float[Array, "some columns"]:
        """A few of its rows, as a matrix."""
        entries = [np.arange(self.starts[row], self.starts[row + 1], dtype=np.int32) for row in rows]
        own = np.repeat(np.arange(len(rows), dtype=np.int32), [len(each) for each in entries])
        place = np.concatenate([np.zeros(0, np.int32), *entries])
        none = jnp.zeros((len(rows), self.columns), self.share.dtype)
        return none.at[own, self.column[place]].add(self.share[place])


Shares = Float[Array, "rows columns"] | Links
"""Shares of one group in another, stored whole or as entries."""

FILLED = 0.01
"""Filled part of a matrix from which it is stored whole: an entry costs a path some hundred times a cell."""


def shares_of(matrix: Float64[np.ndarray, "rows columns"]) -> Shares:
    """A matrix of shares, as entries where few are filled."""
    few = np.count_nonzero(matrix) < FILLED * matrix.size
    return links(matrix) if few else floats(matrix)


def some_rows(shares: Shares, rows: Sequence[int]) -> Float[Array, "some columns"]:
    """A few rows of a matrix of shares."""
    return shares.some(rows) if isinstance(shares, Links) else shares[np.asarray(rows, np.int32)]


def of_first(shares: Shares, x: Float[Array, "first"]) -> Float[Array, "rows"]:
    """The product of the first columns of a matrix of shares."""
    if isinstance(shares, Links):
        return shares @ jnp.pad(x, (0, shares.columns - x.shape[0]))
    return shares[:, : x.shape[0]] @ x


def whole(shares: Shares) -> Float[Array, "rows columns"]:
    """A matrix of shares, however it is stored."""
    return shares.matrix if isinstance(shares, Links) else shares


def dense(shares: Shares | Float[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    """A matrix of shares on the host."""
    return np.asarray(shares.matrix if isinstance(shares, Links) else shares, np.float64)


def links(matrix: ArrayLike) -> Links:
    """The entries of a matrix that are not zero.

    Example: a bank owns half of the second fund, a pension both's rest.
        >>> owners = links([[0.0, 0.5], [1.0, 0.5]])
        >>> (owners @ jnp.float32([4, 2])).tolist(), (owners[1:] @ jnp.float32([4, 2])).tolist()
        ([1.0, 5.0], [5.0])
    """
    matrix = np.asarray(matrix, np.float64)
    row, column = np.nonzero(matrix)
    starts = np.searchsorted(row, np.arange(len(matrix) + 1))
    return Links(
        integers(column),
        floats(matrix[row, column]),
        tuple(starts.tolist()),
        matrix.shape[1],
    )
