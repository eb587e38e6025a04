"""Networks between the bounds, sampled: all have the totals and the known cells, each other links.

`sample_fitness` draws links that grow with the totals of both ends and fits amounts to them; `sample_gibbs`
draws from a prior on links and amounts, given the totals. Rows lend, columns borrow, as in `reconstruct`. Any
one money unit; NumPy float64 on the host, from a Generator seeded by an integer.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import ArrayLike
from scipy import optimize, sparse, special
from scipy.sparse import csgraph

from engine import arguments
from engine.arguments import TINY, within
from engine.contagion.reconstruct import fit, possible, scale, transport
from engine.contagion.totals import TOLERANCE, Blanks, Matrix, check_totals

Networks = Float64[np.ndarray, "networks lenders borrowers"]
Cells = list[tuple[int, int]]


def sample_fitness(
    rows: ArrayLike,
    columns: ArrayLike,
    density: float,
    known: ArrayLike | None = None,
    *,
    count: float = 1,
    bipartite: bool = False,
    seed: float = 0,
) -> Networks:
    """Networks whose links come from the fitness model and whose amounts are fitted to the totals.

        P(link ij) = z a_i l_j / (1 + z a_i l_j),   z so that the mean density of the free cells is as given
        start x_ij = a_i l_j / P(link ij) on links, then proportional fitting

    Where no amounts on the drawn links have the totals, the links on which the least must be placed to have
    them are added, and links that no solution fills are dropped: at low densities and with few firms the
    networks are denser than asked.

    Args: rows [lenders], columns [borrowers] in one money unit; density, share of the free cells linked, in
    (0, 1]; known [lenders borrowers], NaN where unknown; count of networks; bipartite, whether the two sides
    are different; seed. Returns [networks lenders borrowers], totals met to 1e-12 of their sum.

    Raises ValueError as `reconstruct.maximum_entropy`, for a density outside (0, 1] or above what the cells
    between positive totals can have, and for a count below 1.

    Cimini, Squartini, Garlaschelli and Gabrielli (2015), "Systemic risk analysis on reconstructed economic
    and financial networks".

    Example:
        >>> matrices = sample_fitness([3, 2, 2, 1], [1, 2, 2, 3], 0.6, count=50, seed=1)
        >>> matrices.shape, bool(np.allclose(matrices.sum(axis=2), [3, 2, 2, 1]))
        ((50, 4, 4), True)
    """
    count, density = arguments.count("count", count), arguments.number("density", density)
    seed = arguments.count("seed", seed, 0, arguments.SEEDS)
    blanks = check_totals(rows, columns, known, bipartite)
    rng = np.random.default_rng(seed)
    chance = link_chance(blanks, density)
    return np.stack([blanks.known + fitted(blanks, chance, rng) for _ in range(count)])


def link_chance(blanks: Blanks, density: float) -> Matrix:
    """P(link) of every free cell, calibrated to the density."""
    fitness = np.outer(blanks.rows, blanks.columns) * blanks.free
    cells, most = int(blanks.free.sum()), int(np.count_nonzero(fitness))
    if not 0.0 < density <= 1.0 or density * cells > most * (1 + TOLERANCE):
        highest = most / cells if cells else 0.0
        raise ValueError(f"density: got {density}, expected more than 0 and at most {highest:g}")
    if density * cells >= most * (1 - TOLERANCE):
        return (fitness > 0.0).astype(np.float64)
    logs = np.log(np.where(fitness > 0.0, fitness / fitness.max(), 1.0))

    def chances(log_z):
        return np.where(fitness > 0.0, special.expit(logs + log_z), 0.0)

    return chances(optimize.brentq(lambda z: chances(z).sum() - density * cells, -700.0, 700.0))


def fitted(blanks: Blanks, chance: Matrix, rng: np.random.Generator) -> Matrix:
    """Amounts on one draw of links."""
    links = rng.random(chance.shape) < chance
    start = np.outer(blanks.rows, blanks.columns) / np.where(chance > 0.0, chance, 1.0)
    matrix, gap = scale(blanks, start * links, 200)
    if gap <= TOLERANCE * blanks.total:
        return matrix
    # Amounts off the drawn links cost something, at random so that no link is preferred.
    cost = np.where(links, 0.0, 1.0 + rng.random(links.shape))
    needed = transport(blanks, blanks.free, cost)
    return fit(blanks, start * possible(links | (needed > 0.0), needed))


def sample_gibbs(
    rows: ArrayLike,
    columns: ArrayLike,
    probability: ArrayLike,
    known: ArrayLike | None = None,
    *,
    rate: ArrayLike | None = None,
    count: float = 1,
    thin: float | None = None,
    bipartite: bool = False,
    seed: float = 0,
) -> Networks:
    """Networks from a prior on links and amounts, given the totals, by a Gibbs sampler.

        prior: P(x_ij > 0) = p_ij,   x_ij | x_ij > 0 ~ exponential of rate lambda_ij,   independent

    A step draws a cycle of 2k free cells, row to column to row, and shifts an amount D round it, added to and
    taken from the cells in turn, which keeps all totals. Given all else D has the density

        prod p_c lambda_c exp(-lambda_c x_c(D))   between the ends, where a cell c reaches zero,

    and at an end a mass, with 1 - p_c in place of p_c lambda_c exp(-lambda_c x_c); it is drawn exactly.
    Cycles are drawn without regard to the amounts, short ones more often. Consecutive networks are dependent:
    raise `thin` until results do not move.

    Args: rows [lenders], columns [borrowers] in one money unit; probability of a link and rate (1 / money),
    one number or [lenders borrowers]; rate None makes the prior's mean the total; known [lenders borrowers],
    NaN where unknown; count of networks, `thin` steps apart, by default two for each free cell, after
    ten times as many from the maximum-entropy network; bipartite, whether the two sides are different; seed.
    Returns [networks lenders borrowers], totals met to 1e-12 of their sum.

    Raises ValueError as `reconstruct.maximum_entropy`, for a probability outside (0, 1], a rate that is not
    positive, and a count or thin below 1.

    Gandy and Veraart (2017), "A Bayesian methodology for systemic risk assessment in financial networks",
    Management Science 63(12). Where some rows and columns have exactly the same sum, several cells reach zero
    at once; the mass is then the product over them, with amounts in the unit of the totals.

    Example: three banks leave one free amount; a third of the networks lack a link.
        >>> matrices = sample_gibbs([1, 2.5, 3], [0.7, 2.7, 3.1], 0.5, rate=0.25, count=500, thin=5)
        >>> bool(np.allclose(matrices.sum(axis=1), [0.7, 2.7, 3.1]))
        True
    """
    count, seed = arguments.count("count", count), arguments.count("seed", seed, 0, arguments.SEEDS)
    blanks = check_totals(rows, columns, known, bipartite)
    cells = int(blanks.free.sum())
    chance = per_cell("probability", probability, blanks, 1.0)
    if rate is None:
        rate = np.sum(chance * blanks.free) / blanks.total if blanks.total and cells else 1.0
    rates = per_cell("rate", rate, blanks, np.inf)
    thin = max(2 * cells, 1) if thin is None else arguments.count("thin", thin)
    graph, chain, rng = Graph.of(blanks), Chain(blanks, chance, rates), np.random.default_rng(seed)
    matrices = np.empty((count, *chance.shape))
    for i in range(count):
        for _ in range(thin * (11 if i == 0 else 1) if graph.rank else 0):
            chain.shift(graph.cycle(rng), rng)
        chain.state = scale(blanks, chain.state, 3)[0]  # takes off what rounding has added up to
        matrices[i] = blanks.known + chain.state
    return matrices


@dataclass(frozen=True)
class Graph:
    """The free cells as a graph: columns open to each row and rows open to each column."""

    columns: list[list[int]]
    rows: list[list[int]]
    rank: int  # independent cycles: the free amounts that the totals leave

    @classmethod
    def of(cls, blanks: Blanks) -> "Graph":
        """The graph of the free cells."""
        open_cells = blanks.free & (blanks.rows[:, None] > 0.0) & (blanks.columns > 0.0)
        size = sum(open_cells.shape)
        joined = sparse.block_array([[None, open_cells], [open_cells.T, None]]) if open_cells.size else None
        parts = csgraph.connected_components(joined)[0] if joined is not None else size
        return cls(
            [np.flatnonzero(row).tolist() for row in open_cells],
            [np.flatnonzero(column).tolist() for column in open_cells.T],
            int(open_cells.sum()) - size + parts,
        )

    def cycle(self, rng: np.random.Generator) -> Cells:
        """Cells of a random cycle in order: row to column to row, never straight back."""
        while True:
            cycle = self.walk(rng)
            if cycle:
                return cycle

    def walk(self, rng: np.random.Generator) -> Cells:
        """One walk until it meets itself, or with even odds as soon as it can return; empty at a dead end."""
        rows = [int(rng.random() * len(self.columns))]
        columns: list[int] = []
        while True:
            onward = [c for c in self.columns[rows[-1]] if not columns or c != columns[-1]]
            if not onward:
                return []
            column = onward[int(rng.random() * len(onward))]
            if column in columns:
                at = columns.index(column) + 1
                return corners(rows[at:], columns[at:] + [column])
            columns.append(column)
            if len(rows) > 1 and column in self.columns[rows[0]] and rng.random() < 0.5:
                return corners(rows, columns)
            onward = [r for r in self.rows[column] if r != rows[-1]]
            if not onward:
                return []
            row = onward[int(rng.random() * len(onward))]
            if row in rows:
                at = rows.index(row)
                return corners(rows[at:], columns[at:])
            rows.append(row)


def corners(rows: list[int], columns: list[int]) -> Cells:
    """Cells of the cycle r1 c1 r2 c2 ... rk ck r1: each row with the column before it and the one after."""
    before = columns[-1:] + columns[:-1]
    return [cell for r, c, b in zip(rows, columns, before, strict=True) for cell in ((r, b), (r, c))]


class Chain:
    """The state of the Gibbs sampler, and its steps."""

    def __init__(self, blanks: Blanks, chance: Matrix, rates: Matrix):
        self.state = fit(blanks, np.outer(blanks.rows, blanks.columns) * blanks.free)
        self.odds = (1.0 - chance) / (chance * rates)
        self.rates = rates
        self.small = TOLERANCE * blanks.total  # counts as zero
        self.least_parts = parts(self.state > 0.0)
        self.joined = True  # the links are in the fewest parts possible

    def shift(self, cycle: Cells, rng: np.random.Generator) -> None:
        """Draw the amount shifted round a cycle, and shift it."""
        up, down = cycle[0::2], cycle[1::2]
        slope = sum(self.rates[c] for c in up) - sum(self.rates[c] for c in down)
        if slope < 0.0:  # so that the density falls from the low end on
            up, down, slope = down, up, -slope
        low, high = -min(self.state[c] for c in up), min(self.state[c] for c in down)
        length, fall = high - low, slope * (high - low)
        if length <= self.small:
            return
        at_low = [c for c in up if self.state[c] + low <= self.small]
        at_high = [c for c in down if self.state[c] - high <= self.small]
        inside = length if fall < TOLERANCE else -np.expm1(-fall) / slope
        mass_low, mass_high, inside = self.masses(at_low, at_high, inside, np.exp(-fall), cycle, (low, high))
        draw = rng.random() * (mass_low + mass_high + inside)
        if draw < mass_low:
            self.move(up, down, low, at_low)
        elif draw < mass_low + mass_high:
            self.move(up, down, high, at_high)
        else:
            share = (draw - mass_low - mass_high) / inside
            far = share * length if fall < TOLERANCE else -np.log1p(share * np.expm1(-fall)) / slope
            self.move(up, down, low + far, [])

    def masses(
        self,
        at_low: Cells,
        at_high: Cells,
        inside: float,
        fallen: float,
        cycle: Cells,
        ends: tuple[float, float],
    ) -> tuple[float, float, float]:  # fmt: skip
        """Masses of the two ends and of the inside.

        Where two cells are zero at an end it is a corner: networks there have a mass, and of those inside,
        next to it on this one line, there is none. Only the ends with the most dimensions lost count then.
        """
        weights = [np.prod([self.odds[c] for c in cells]) for cells in (at_low, at_high)]
        weights[1] *= fallen
        drops = [
            self.dimensions_lost(cells, end, cycle)
            for cells, end in zip((at_low, at_high), ends, strict=True)
        ]
        most = max(drops)
        low, high = (w if n == most else 0.0 for w, n in zip(weights, drops, strict=True))
        return low, high, inside if most == 1 else 0.0

    def dimensions_lost(self, zeros: Cells, end: float, cycle: Cells) -> int:
        """Free dimensions at an end fewer than inside: zeros less the parts they separate.

        Parts separate only where some rows and some columns have exactly the same sum.
        """
        if len(zeros) == 1:
            return 1
        if end == 0.0 and self.joined:
            return len(zeros)
        inside = self.state > 0.0
        inside[tuple(zip(*cycle, strict=True))] = True
        outside = inside.copy()
        outside[tuple(zip(*zeros, strict=True))] = False
        return len(zeros) - (parts(outside) - parts(inside))

    def move(self, up: Cells, down: Cells, amount: float, zeros: Cells) -> None:
        """Shift an amount, with exact zeros at `zeros`."""
        if amount == 0.0:
            return
        for cells, sign in ((up, amount), (down, -amount)):
            for c in cells:
                self.state[c] = max(self.state[c] + sign, 0.0)
        for c in zeros:
            self.state[c] = 0.0
        self.joined = parts(self.state > 0.0) == self.least_parts


def parts(links: Bool[np.ndarray, "lenders borrowers"]) -> int:
    """Number of connected parts of rows and columns; a row or column without links is a part of its own."""
    joined = sparse.block_array([[None, sparse.csr_array(links)], [sparse.csr_array(links.T), None]])
    return csgraph.connected_components(joined, directed=False)[0]


def per_cell(name: str, value: ArrayLike, blanks: Blanks, highest: float) -> Matrix:
    """A positive number, or one for each cell, as a matrix; ValueError where it is not."""
    array = arguments.numbers(name, value)
    if array.shape not in ((), blanks.free.shape):
        raise ValueError(f"{name}: got shape {array.shape}, expected {blanks.free.shape} or one number")
    array = np.where(blanks.free, array, 1.0) if array.ndim else array
    within(name, array, TINY, highest)
    return np.broadcast_to(array, blanks.free.shape)
