"""Networks of holders that are consistent with what a book says: known cells fixed, the rest drawn.

Each network takes one draw of the totals (`marginals`) and, instrument class by instrument class, one matrix
of amounts x [lenders, instruments] that has them:

    sum_i x_li = a_l,   sum_l x_li = free amount of i,   x >= 0

by the methods of `contagion`: `maximum_entropy` spreads every lender over all instruments of the class,
`minimum_density` gives it few, `fitness` and `gibbs` draw networks in between. A share is x over the
instrument's commitment. A cell above what a large exposure may be is set to that and the rest drawn again.
Instruments without commitments (new money) are held as their class is.
"""

import dataclasses
import functools
import types
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from engine.book.load import Book
from engine.book.marginals import Marginals, Prior, Totals, draw_totals, marginals_of
from engine.contagion.ensembles import sample_fitness, sample_gibbs
from engine.contagion.reconstruct import maximum_entropy, minimum_density
from engine.vocabulary import METHODS

DRAWS = 20
"""Draws of a matrix before the smooth one is taken to keep the limits of large exposures."""

TRIES = 4
"""Random allocations of which `minimum_density` keeps the one with the fewest links."""

Draw = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""A matrix from totals of rows and columns and known cells."""

Networks = Float64[np.ndarray, "networks lenders instruments"]


def sample_holdings(book: Book, method: str, count: int, density: float, seed: int) -> Networks:
    """Shares of `count` networks; lenders and instruments in the order of `marginals_of(book)`.

    Network k is the same whatever the count; for one seed all methods share the totals. `density` is the
    share of an instrument class's free cells that are linked (`fitness`) or the prior chance of a link
    (`gibbs`). Columns sum to one.

    Raises ValueError for an unknown method, a density outside (0, 1], a count below 1, and totals that the
    lenders' assets cannot carry.
    """
    if method not in METHODS:
        raise ValueError(f"network.method: got {method!r}, expected one of {', '.join(METHODS)}")
    if not 0.0 < density <= 1.0:
        raise ValueError(f"network.density: got {density}, expected more than 0 and at most 1")
    if count < 1:
        raise ValueError(f"network.networks: got {count}, expected at least 1")
    marginals = marginals_of(book)
    return np.stack([one_network(marginals, method, density, (seed, place)) for place in range(count)])


def one_network(m: Marginals, method: str, density: float, address: tuple[int, int]) -> np.ndarray:
    """Shares of the network with the address (seed, place) [lenders, instruments]."""
    totals = draw_totals(m, np.random.default_rng([*address, 0]))
    rng = np.random.default_rng([*address, 1])
    shares = np.zeros(m.filled.shape)
    for prior, free, split in zip(m.priors, totals.free, totals.split, strict=True):
        shares[:, prior.members] = class_shares(m, prior, totals, free, split, method, density, rng)
    return shares / shares.sum(axis=0)


def class_shares(
    m: Marginals,
    prior: Prior,
    totals: Totals,
    free: np.ndarray,
    split: np.ndarray,
    method: str,
    density: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Shares of the instruments of one class: known cells, drawn amounts, and new money as the class."""
    known, size = totals.known[:, prior.members], m.size[prior.members]
    left = np.maximum(1.0 - np.nansum(known, axis=0), 0.0)
    as_class = np.where(np.isnan(known), split[:, None], 0.0)
    as_class = left * as_class / np.maximum(as_class.sum(axis=0), 1e-300)
    drawn = np.zeros_like(known)

    def draw(rows: np.ndarray, columns: np.ndarray, known: np.ndarray) -> np.ndarray:
        return fill(rows, columns, known, method, density, seed(rng))

    rows, columns = np.flatnonzero(free > 0.0), np.flatnonzero(left * size > 1e-9 * size.sum())
    if len(rows):
        amounts = (left * size)[columns]
        cells = np.ix_(rows, columns)
        drawn[cells] = within_limits(
            free[rows] * (amounts.sum() / free[rows].sum()), amounts,
            np.where(np.isnan(known[cells]), np.nan, 0.0), m.largest[rows],
            draw,
        )  # fmt: skip
    lent = drawn / np.where(size > 0.0, size, 1.0)
    return np.nan_to_num(known) + np.where(size > 0.0, lent, as_class)


def seed(rng: np.random.Generator) -> int:
    """A seed for the next matrix."""
    return int(rng.integers(2**31))


def within_limits(
    rows: np.ndarray,
    columns: np.ndarray,
    known: np.ndarray,
    largest: np.ndarray,
    draw: Draw,
) -> np.ndarray:
    """`draw(rows, columns, known)` with no cell of a row above its largest: such cells are fixed there.

    Where a draw leaves no way to keep the limits another is tried, then the smooth matrix.
    """
    smooth: Draw = functools.partial(maximum_entropy, bipartite=True)
    methods: list[Draw] = [draw] * DRAWS + [smooth]
    for method in methods:
        try:
            return limited(rows, columns, known, largest, method)
        except ValueError as error:
            problem = error
    raise ValueError(f"holdings: no network keeps large exposures within their limits ({problem})")


def limited(
    rows: np.ndarray,
    columns: np.ndarray,
    known: np.ndarray,
    largest: np.ndarray,
    draw: Draw,
) -> np.ndarray:
    """One such matrix. Raises ValueError where fixing cells at their limit leaves no matrix."""
    fixed = known.copy()
    while True:
        matrix = draw(rows, columns, fixed)
        over = np.isnan(fixed) & (matrix > largest[:, None] * (1.0 + 1e-9))
        if not over.any():
            return matrix
        fixed = np.where(over, largest[:, None], fixed)


def fill(
    rows: np.ndarray, columns: np.ndarray, known: np.ndarray, method: str, density: float, seed: int
) -> np.ndarray:
    """One matrix with these totals by one of the METHODS."""
    if method == "maximum_entropy":
        return maximum_entropy(rows, columns, known, bipartite=True)
    if method == "minimum_density":
        return minimum_density(rows, columns, known, bipartite=True, seed=seed, tries=TRIES)
    if method == "fitness":
        return sample_fitness(rows, columns, density, known, bipartite=True, seed=seed)[0]
    return sample_gibbs(rows, columns, density, known, bipartite=True, seed=seed)[0]


def with_holdings(book: Book, shares: np.ndarray) -> Book:
    """The book with these holdings [lenders, instruments], in the order of `marginals_of(book)`.

    A vehicle's total assets stay what they are: its other assets take up the difference.
    """
    import pandas as pd

    m = marginals_of(book)
    row, column = np.nonzero(shares)
    holdings = pd.DataFrame({
        "instrument": np.array(m.instruments, object)[column], "lender": np.array(m.lenders, object)[row],
        "share": shares[row, column], "known": 0, "source": "drawn", "grade": "C",
    })  # fmt: skip
    lenders = book.tables["lenders"]
    moved = (shares - m.filled) @ m.size
    other = np.maximum(lenders["other_assets"] - moved, 0.0).where(
        lenders["vehicle"] == 1, lenders["other_assets"]
    )
    tables = {**book.tables, "holdings": holdings, "lenders": lenders.assign(other_assets=other)}
    return dataclasses.replace(book, tables=types.MappingProxyType(tables))
