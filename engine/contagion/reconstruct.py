"""One network from what each firm lends and borrows in all: the smooth bound and the concentrated one.

x[i, j] is what lender i (row) holds of borrower j (column); with row totals a and column totals l given,

    sum_j x_ij = a_i,   sum_i x_ij = l_j,   x >= 0,   x_ij = known_ij where known

`maximum_entropy` spreads every total as evenly as the known cells allow; `minimum_density` uses as few links
as it finds. What lies in between is sampled in `ensembles`. Firms do not lend to themselves unless the two
sides are different people (`bipartite`, as lenders and loans). Any one money unit; NumPy float64 on the host.
`networks.clear` takes the transpose.
"""

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import ArrayLike
from scipy import optimize, sparse
from scipy.sparse import csgraph

from engine import arguments
from engine.contagion.totals import MATCH, TOLERANCE, Blanks, Matrix, check_totals

Free = Bool[np.ndarray, "lenders borrowers"]


def maximum_entropy(
    rows: ArrayLike, columns: ArrayLike, known: ArrayLike | None = None, *, bipartite: bool = False
) -> Matrix:
    """The matrix closest to independence, x_ij = u_i v_j on free cells, by iterative proportional fitting.

        min sum x_ij ln(x_ij / (a_i l_j))   given the totals and the known cells     (RAS)

    Args: rows [lenders], columns [borrowers], totals in one money unit; known [lenders borrowers], NaN where
    unknown (a blank is not a zero); bipartite, whether the two sides are different, so that nothing is said
    of the diagonal. Returns [lenders borrowers], totals met to 1e-12 of their sum.

    Raises ValueError for negative totals or cells, shapes that do not fit, row and column totals that add up
    to different sums, a known diagonal that is not zero, and totals that no matrix can have.

    Upper (2011), "Simulation methods to assess the danger of contagion in interbank markets".

    Example: four banks; what the first lends the second is known to be 2.
        >>> known = np.full((4, 4), np.nan)
        >>> known[0, 1] = 2.0
        >>> print(maximum_entropy([4, 2, 2, 2], [2, 4, 2, 2], known).round(2))
        [[0.   2.   1.   1.  ]
         [0.83 0.   0.59 0.59]
         [0.59 1.   0.   0.41]
         [0.59 1.   0.41 0.  ]]
    """
    blanks = check_totals(rows, columns, known, bipartite)
    return blanks.known + fit(blanks, np.outer(blanks.rows, blanks.columns) * blanks.free)


def minimum_density(
    rows: ArrayLike,
    columns: ArrayLike,
    known: ArrayLike | None = None,
    *,
    bipartite: bool = False,
    seed: float = 0,
    tries: float = 32,
) -> Matrix:
    """A matrix with few links: the best of `tries` random allocations, each link as large as it can be.

        draw (i, j) with odds max(a_i / l_j, l_j / a_i) of what is left;   x_ij <- min(a_i, l_j)

    Each link ends a row or a column, so there are at most lenders + borrowers - 1 of them. What is left in
    the end on cells that are not free is exchanged along a link: (i, b) and (a, j) up, (a, b) down. That no
    matrix has fewer is not guaranteed: to find the fewest is a hard combinatorial problem.

    Args and result as for `maximum_entropy`; seed of the NumPy Generator; tries. Raises ValueError as
    `maximum_entropy`, and for fewer than one try.

    The heuristic of Anand, Craig and von Peter (2015), "Filling in the blanks", Quantitative Finance 15(4),
    with restarts instead of random removals.

    Example:
        >>> x = minimum_density([3, 2, 2], [2, 3, 2])
        >>> int((x > 0).sum()), x.sum(axis=1).tolist(), x.sum(axis=0).tolist()
        (3, [3.0, 2.0, 2.0], [2.0, 3.0, 2.0])
    """
    tries, seed = arguments.count("tries", tries), arguments.count("seed", seed, 0, arguments.SEEDS)
    blanks = check_totals(rows, columns, known, bipartite)
    rng = np.random.default_rng(seed)
    matrices = [allocate(blanks, rng) for _ in range(tries)]
    return blanks.known + min(matrices, key=np.count_nonzero)


def fit(blanks: Blanks, weights: Matrix, rounds: int = 1000) -> Matrix:
    """`weights` scaled by rows and columns until both totals are met.

    Where that stalls, cells which no solution fills are set to zero first: fitting empties them only in the
    limit. Raises ValueError where there is no solution on the cells of `weights` that are positive.
    """
    matrix, gap = scale(blanks, weights, rounds)
    if gap > TOLERANCE * blanks.total:
        support = weights > 0.0
        support = possible(support, transport(blanks, support))
        matrix, gap = scale(blanks, weights * support, 100 * rounds)
    if gap > MATCH * blanks.total:
        raise ValueError(f"totals: got a gap of {gap:.3g} after proportional fitting, expected none")
    return matrix


def scale(blanks: Blanks, weights: Matrix, rounds: int) -> tuple[Matrix, float]:
    """At most `rounds` of proportional fitting, ended on the columns; (matrix, largest miss of a row)."""
    matrix, gap = weights, np.inf
    for _ in range(rounds):
        matrix = matrix * ratio(blanks.rows, matrix.sum(axis=1))[:, None]
        matrix = matrix * ratio(blanks.columns, matrix.sum(axis=0))
        missed = np.abs(matrix.sum(axis=1) - blanks.rows).max(initial=0.0)
        gap = max(missed, np.abs(matrix.sum(axis=0) - blanks.columns).max(initial=0.0))
        if gap <= TOLERANCE * blanks.total:
            break
    return matrix, float(gap)


def ratio(target: Float64[np.ndarray, " n"], total: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """target / total, zero where the total is."""
    return np.where(total > 0.0, target / np.where(total > 0.0, total, 1.0), 0.0)


def transport(blanks: Blanks, free: Free, cost: Matrix | None = None) -> Matrix:
    """A cheapest matrix with the totals, on the free cells: a transportation problem.

    Raises ValueError where there is none.
    """
    place = np.flatnonzero(free)
    row, column = np.divmod(place, free.shape[1])
    ones, cells = np.ones(len(place)), np.arange(len(place))
    conditions = sparse.vstack(
        [
            sparse.csr_array((ones, (side, cells)), shape=(size, len(place)))
            for side, size in ((row, free.shape[0]), (column, free.shape[1]))
        ]
    )
    totals = np.concatenate([blanks.rows, blanks.columns]) * (len(place) / max(blanks.total, TOLERANCE))
    plan = None
    if len(place):
        price = np.zeros(len(place)) if cost is None else cost.ravel()[place]
        plan = optimize.linprog(price, A_eq=conditions, b_eq=totals, method="highs")
    if plan is None or plan.status != 0:
        raise ValueError(
            f"rows, columns: got totals that no matrix has on {len(place)} free cells of {free.size}, "
            "expected totals that they can hold"
        )
    matrix = np.zeros(free.shape)
    matrix[row, column] = np.where(plan.x > MATCH * len(place), plan.x, 0.0) * (blanks.total / len(place))
    return matrix


def possible(free: Free, solution: Matrix) -> Free:
    """Free cells that are positive in some solution, given one: those on a cycle of its residual graph.

    Any free cell can be raised and a filled one lowered; a change round a cycle preserves all totals.
    """
    lenders, borrowers = free.shape
    edges = np.zeros((lenders + borrowers, lenders + borrowers), dtype=bool)
    edges[:lenders, lenders:] = free
    edges[lenders:, :lenders] = solution.T > 0.0
    _, group = csgraph.connected_components(sparse.csr_array(edges), connection="strong")
    return free & ((solution > 0.0) | (group[:lenders, None] == group[None, lenders:]))


def allocate(blanks: Blanks, rng: np.random.Generator) -> Matrix:
    """One random allocation, each link as large as what is left of its row and column."""
    matrix, rows, columns = np.zeros(blanks.free.shape), blanks.rows.copy(), blanks.columns.copy()

    def load(i, j, amount):
        matrix[i, j] += amount
        rows[i] -= amount
        columns[j] -= amount
        rows[rows <= TOLERANCE * blanks.total] = 0.0
        columns[columns <= TOLERANCE * blanks.total] = 0.0

    while (open_cells := blanks.free & (rows[:, None] > 0.0) & (columns > 0.0)).any():
        row, column = np.nonzero(open_cells)
        odds = np.maximum(rows[row] / columns[column], columns[column] / rows[row])
        at = np.searchsorted(np.cumsum(odds), rng.random() * odds.sum())
        i, j = row[min(at, len(row) - 1)], column[min(at, len(row) - 1)]
        load(i, j, min(rows[i], columns[j]))
    while rows.any() and columns.any():
        i, j = int(rows.argmax()), int(columns.argmax())
        links = np.argwhere((matrix > 0.0) & blanks.free[:, [j]] & blanks.free[[i], :])
        if not len(links):
            return scale(blanks, transport(blanks, blanks.free, rng.random(blanks.free.shape)), 1000)[0]
        a, b = links[rng.integers(len(links))]
        amount = min(rows[i], columns[j], matrix[a, b])
        load(a, b, -amount)
        load(a, j, amount)
        load(i, b, amount)
        matrix[a, b] = matrix[a, b] if matrix[a, b] > TOLERANCE * blanks.total else 0.0
    return matrix
