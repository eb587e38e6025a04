"""The exact loss distribution of a one-factor portfolio, and what each obligor adds to its ES.

Given the factor z obligors are independent, and adding them one at a time to a grid of integer units gives

    P(L = x | z)  <-  (1 - p_k) P(L = x | z) + p_k P(L = x - c_k | z)
    p_k = Phi((a_k z - Phi^-1(1 - PD_k)) / sqrt(1 - a_k^2))

(Andersen, Sidenius and Basu 2003, "All your hedges in one basket", Risk 16(11)); the factor is integrated by
the trapezoid rule, which for such smooth integrands converges faster than any power of the step. Towards a
loading of one p_k becomes a step of width sqrt(1 - a_k^2) / a_k: nodes are doubled until every PD is met.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.portfolio.distribution import LossDistribution
from engine.portfolio.factor import CELLS, MOST_CELLS, integrated
from engine.portfolio.obligors import check_range, in_units, probabilities, vector

NODES = 401
MOST_UNITS = 2**22
"""The longest grid of losses, in units."""
MOST_TERMS = 4000
"""Terms of the series, at most; at p = 1/2 they do not shrink, but there are only as many as fit the grid."""
NEGLIGIBLE = 1e-18
"""A term of the series below this share of the first ends it."""


def exact_distribution(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, unit: float = 1.0, nodes: float | None = None,
) -> LossDistribution:  # fmt: skip
    """P(L = k unit) of a one-factor Gaussian portfolio with fixed LGD.

    Args: pd [obligors]; exposure, lgd and loading [obligors] or one number; unit, of which every exposure x
    lgd is a multiple; nodes of the integration, by default as many as every PD needs to be met to 1e-9.
    Raises ValueError where one is not a multiple, for pd or lgd outside [0, 1], a negative exposure, a
    loading whose square is not below one or that needs more than 200,000 nodes, and a sum of losses above
    2^22 units.

    Example: independent obligors are a binomial.
        >>> from scipy import stats
        >>> pool = exact_distribution(np.full(100, 0.01), 1.0)
        >>> bool(np.allclose(pool.pmf, stats.binom(100, 0.01).pmf(np.arange(101)), atol=1e-13))
        True
    """
    unit = arguments.positive("unit", unit)
    units, p, weights = conditional(pd, exposure, lgd, loading, unit, nodes)
    return added(laws(p, units), weights, unit)


def shortfall_contributions(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, level: float, unit: float = 1.0, nodes: float | None = None,
) -> Float64[np.ndarray, "obligors"]:  # fmt: skip
    """Euler contributions of the obligors to ES at a level; they add up to it (Tasche 1999).

        C_k = c_k [P(k in default, L > VaR) + s P(k in default, L = VaR)] / (1 - level)

    with s the share of the atom at VaR that ES takes. Args as for `exact_distribution`, and level in (0, 1).
    Raises ValueError as `exact_distribution`, and for a level outside (0, 1).

    Example: of two equal loans the riskier one makes up more of the tail.
        >>> parts = shortfall_contributions([0.01, 0.02], 1.0, loading=0.4, level=0.99)
        >>> parts.round(4).tolist()
        [0.3611, 0.6887]
    """
    level, unit = arguments.level("level", level), arguments.positive("unit", unit)
    units, p, weights = conditional(pd, exposure, lgd, loading, unit, nodes)
    few = len(p) * (int(units.sum()) + 1) <= MOST_CELLS
    groups = list(laws(p, units)) if few else None
    whole = added(groups or laws(p, units), weights, unit)
    at = whole.index(level)
    atom = whole.pmf[at]
    share = (1.0 - level - whole.survival[at]) / atom if atom > 0.0 else 0.0
    beyond, from_atom_on = np.zeros(len(units)), np.zeros(len(units))
    for rows, pmf in groups or laws(p, units):
        cdf, survival = np.cumsum(pmf, axis=1), np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1] - pmf
        mass = weights[rows, None] * p[rows]
        beyond += np.sum(mass * others_beyond(cdf, survival, p[rows], units, at), axis=0)
        from_atom_on += np.sum(mass * others_beyond(cdf, survival, p[rows], units, at - 1), axis=0)
    return unit * units * (beyond + share * (from_atom_on - beyond)) / (1.0 - level)


def conditional(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike, loading: ArrayLike, unit: float, nodes: float | None
) -> tuple[
    Int64[np.ndarray, " obligors"], Float64[np.ndarray, "nodes obligors"], Float64[np.ndarray, " nodes"]
]:
    """Losses in units, default probabilities given each node of the factor, and the nodes' weights."""
    pd = probabilities(pd, exposure=exposure, lgd=lgd, loading=loading)
    n = len(pd)
    exposure, lgd = vector("exposure", exposure, n), vector("lgd", lgd, n)
    loading = vector("loading", loading, n)
    check_range("lgd", lgd, 0.0, 1.0)
    check_range("exposure", exposure, 0.0)
    check_range("loading", loading, -1.0 + 1e-9, 1.0 - 1e-9)
    units = in_units(exposure, lgd, unit)
    if units.sum() > MOST_UNITS:
        least = unit * float(units.sum()) / MOST_UNITS
        raise ValueError(
            f"unit: got {unit:g}, expected at least {least:.3g}, for {MOST_UNITS:,} units in all"
        )
    return units, *integrated(pd, loading, NODES, nodes)


def laws(
    p: Float64[np.ndarray, "nodes obligors"], units: Int64[np.ndarray, " obligors"]
) -> Iterator[tuple[slice, Float64[np.ndarray, "rows units"]]]:
    """P(L = x | node) for one group of nodes after another, and which nodes they are."""
    size = max(CELLS // (int(units.sum()) + 1), 1)
    for begin in range(0, len(p), size):
        rows = slice(begin, begin + size)
        yield rows, independent(p[rows], units)


def added(
    groups: Iterable[tuple[slice, Float64[np.ndarray, "..."]]],
    weights: Float64[np.ndarray, " nodes"],
    unit: float,
) -> LossDistribution:
    """The distribution over all nodes."""
    return LossDistribution(np.sum([weights[rows] @ pmf for rows, pmf in groups], axis=0), unit)


def independent(
    p: Float64[np.ndarray, "rows obligors"], units: Int64[np.ndarray, " obligors"]
) -> Float64[np.ndarray, "rows units"]:
    """P(L = x) of independent obligors, largest last so that the grid stays short for long."""
    pmf = np.zeros((int(units.sum()) + 1, len(p)))
    pmf[0], reached = 1.0, 0
    for k in np.argsort(units, kind="stable"):
        c = int(units[k])
        defaulted = pmf[: reached + 1] * p[:, k]
        pmf[: reached + 1] -= defaulted
        pmf[c : reached + c + 1] += defaulted
        reached += c
    return np.ascontiguousarray(pmf.T)


def others_beyond(
    cdf: Float64[np.ndarray, "rows units"],
    survival: Float64[np.ndarray, "rows units"],
    p: Float64[np.ndarray, "rows obligors"],
    units: Int64[np.ndarray, " obligors"],
    loss: int,
) -> Float64[np.ndarray, "rows obligors"]:
    """P(sum of all others > loss - c_k) for every obligor k, from the distribution of the sum of all.

    Taking k out of G(y) = P(L > y) = (1 - p) G_k(y) + p G_k(y - c) leaves a geometric series, which is summed
    towards the side where its ratio is below one: in P(L <= y) downwards, or in G upwards.
    """
    beyond = np.empty_like(p)
    for c in np.unique(units):
        own = units == c
        q = p[:, own]
        if c == 0:
            beyond[:, own] = survival[:, [min(loss, survival.shape[1] - 1)]] if loss >= 0 else 1.0
            continue
        seldom = q <= 0.5
        low, high = np.where(seldom, q, 0.0), np.where(seldom, 1.0, q)
        # Where k seldom defaults: 1 - sum_j (-r)^j P(L <= y - j c) / (1 - q), r = q / (1 - q).
        down = np.arange(loss - c, -1, -c)[:MOST_TERMS]
        fewer = series(cdf, down, low / (1.0 - low)) / (1.0 - low)
        beyond[:, own] = 1.0 - fewer
        if not seldom.all():
            up = np.arange(loss, survival.shape[1], c)[:MOST_TERMS]
            # Below a loss of zero lies nothing, so that all is beyond.
            sure = np.where(up[:1] < 0, 1.0, 0.0)
            more = series(survival, np.maximum(up, 0), (1.0 - high) / high, float(sure.sum())) / high
            beyond[:, own] = np.where(seldom, beyond[:, own], more)
    return beyond


def series(
    values: Float64[np.ndarray, "rows units"],
    places: Int64[np.ndarray, " terms"],
    ratio: Float64[np.ndarray, "rows own"],
    first: float | None = None,
) -> Float64[np.ndarray, "rows own"]:
    """sum_j (-ratio)^j values[places_j], the first of the values replaced by `first` if that is above 0."""
    largest = float(ratio.max(initial=0.0))
    if 0.0 < largest < 1.0:
        places = places[: int(np.ceil(np.log(NEGLIGIBLE) / np.log(largest))) + 1]
    total = np.zeros_like(ratio)
    for j in range(len(places) - 1, -1, -1):
        value = first if j == 0 and first else values[:, places[j], None]
        total = value - ratio * total
    return total
