"""The exact loss distribution of a portfolio with few factors, and what each obligor adds to its ES and VaR.

Given the common normals z obligors are independent, and adding them one at a time to a grid of integer units
gives

    P(L = x | z)  <-  (1 - p_k(z)) P(L = x | z) + p_k(z) P(L = x - c_k | z)

(Andersen, Sidenius and Basu 2003, "All your hedges in one basket", Risk 16(11)) with p_k(z) of a copula
(`copulas`); the normals are integrated by the trapezoid rule (`factor`).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.portfolio.copulas import GAUSSIAN, Copula
from engine.portfolio.distribution import LossDistribution
from engine.portfolio.factor import CELLS, MOST_CELLS, Conditional, integrated
from engine.portfolio.obligors import check_range, in_units, matrix, probabilities, vector

MOST_UNITS = 2**22
"""The longest grid of losses, in units."""
MOST_TERMS = 4000
"""Terms of the series, at most; at p = 1/2 they do not shrink, but there are only as many as fit the grid."""
ROWS = 32
"""Nodes that are worked on together at least: fewer would wait for Python more than for numbers."""
TRIM = 16
"""Obligors between two looks at which losses are possible."""
NEVER = 1e-30
"""A loss of lower probability on every node is not followed further."""
NEGLIGIBLE = 1e-18
"""A term of the series below this share of the first ends it."""


def exact_distribution(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, copula: Copula = GAUSSIAN, unit: float = 1.0, nodes: float | None = None,
) -> LossDistribution:  # fmt: skip
    """P(L = k unit) of a portfolio with fixed LGD, few factors and any copula of `copulas`.

    Args: pd [obligors]; exposure and lgd [obligors] or one number; loading [obligors] or one number for one
    factor, [obligors factors] for more; copula, Gaussian by default; unit, of which every exposure x lgd is a
    multiple; nodes of each normal that is integrated, by default 401 for one, 101, 41 and 21 for two, three
    and four, or as many more as every PD needs to be met to 1e-9. The result's `accuracy` says how far the
    distribution function of a rule with half the nodes is from this one, which is further than this one is
    from the exact. Raises ValueError where a loss is not a multiple, for pd or lgd outside [0, 1], a negative
    exposure, loadings whose squares do not add up to less than one, vary in more directions than four (three
    for the t copula, one for the double t) or need more than 200,000 nodes, and losses above 2^22 units.

    Example: independent obligors are a binomial.
        >>> from scipy import stats
        >>> pool = exact_distribution(np.full(100, 0.01), 1.0)
        >>> bool(np.allclose(pool.pmf, stats.binom(100, 0.01).pmf(np.arange(101)), atol=1e-13))
        True
    """
    unit = arguments.positive("unit", unit)
    units, given = conditional(pd, exposure, lgd, loading, unit, nodes, copula)
    return added(laws(given.p, units), given, unit)


def shortfall_contributions(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, level: float, copula: Copula = GAUSSIAN, unit: float = 1.0, nodes: float | None = None,
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
    units, whole, at, beyond, from_atom_on = at_var(pd, exposure, lgd, loading, level, unit, nodes, copula)
    atom = whole.pmf[at]
    share = (1.0 - level - whole.survival[at]) / atom if atom > 0.0 else 0.0
    return unit * units * (beyond + share * (from_atom_on - beyond)) / (1.0 - level)


def var_contributions(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, level: float, copula: Copula = GAUSSIAN, unit: float = 1.0, nodes: float | None = None,
) -> Float64[np.ndarray, "obligors"]:  # fmt: skip
    """Euler contributions of the obligors to VaR at a level; they add up to it.

        C_k = E[L_k | L = VaR] = c_k P(k in default | L = VaR)

    (Tasche 1999, "Risk contributions and performance measurement", equation 5.3; on a grid the condition is
    an event). Args as for `exact_distribution`, and level in (0, 1). Raises ValueError as
    `exact_distribution`, and for a level outside (0, 1).

    Example: three equal loans, of which two are in default at VaR, the riskiest among them most often.
        >>> var_contributions([0.01, 0.02, 0.04], 1.0, loading=0.4, level=0.999).round(2).tolist()
        [0.44, 0.71, 0.85]
    """
    level, unit = arguments.level("level", level), arguments.positive("unit", unit)
    units, whole, at, beyond, from_atom_on = at_var(pd, exposure, lgd, loading, level, unit, nodes, copula)
    if at == 0:
        return np.zeros(len(units))
    parts = units * (from_atom_on - beyond) / whole.pmf[at]
    # What is lost in the difference of two tails is shared out: the parts of an event add up to it.
    return unit * parts * (at / parts.sum())


def at_var(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike, loading: ArrayLike,
    level: float, unit: float, nodes: float | None, copula: Copula,
) -> tuple[
    Int64[np.ndarray, " obligors"], LossDistribution, int,
    Float64[np.ndarray, " obligors"], Float64[np.ndarray, " obligors"],
]:  # fmt: skip
    """Losses in units, their law, VaR's unit, and P(k in default, L > VaR), P(k in default, L >= VaR)."""
    units, given = conditional(pd, exposure, lgd, loading, unit, nodes, copula)
    p, weights = given.p, given.weights
    few = len(p) * (int(units.sum()) + 1) <= MOST_CELLS
    groups = list(laws(p, units)) if few else None
    whole = added(groups or laws(p, units), given, unit)
    at = whole.index(level)

    def in_default(rows, pmf):
        cdf, survival = np.cumsum(pmf, axis=1), np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1] - pmf
        mass = weights[rows, None] * p[rows]
        others = (others_beyond(cdf, survival, p[rows], units, loss) for loss in (at, at - 1))
        return np.stack([np.sum(mass * each, axis=0) for each in others])

    parts: Iterable[Any]
    if groups:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            parts = list(threads.map(lambda group: in_default(*group), groups))
    else:
        parts = laws(p, units, in_default)
    beyond, from_atom_on = sum(parts)
    return units, whole, at, beyond, from_atom_on


def conditional(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike, loading: ArrayLike,
    unit: float, nodes: float | None, copula: Copula = GAUSSIAN,
) -> tuple[Int64[np.ndarray, " obligors"], Conditional]:  # fmt: skip
    """Losses in units, and default probabilities given each node."""
    pd = probabilities(pd, exposure=exposure, lgd=lgd, loading=loading)
    n = len(pd)
    exposure, lgd = vector("exposure", exposure, n), vector("lgd", lgd, n)
    check_range("lgd", lgd, 0.0, 1.0)
    check_range("exposure", exposure, 0.0)
    units = on_grid(exposure, lgd, unit)
    return units, integrated(pd, loadings(loading, n, copula), nodes=nodes, copula=copula)


def on_grid(
    exposure: Float64[np.ndarray, " obligors"], lgd: Float64[np.ndarray, " obligors"], unit: float
) -> Int64[np.ndarray, " obligors"]:
    """Losses in units; ValueError where one is no multiple, or the grid of all would be too long."""
    units = in_units(exposure, lgd, unit)
    if units.sum() > MOST_UNITS:
        least = f"at least {unit * float(units.sum()) / MOST_UNITS:.3g}, for {MOST_UNITS:,} units in all"
        arguments.refuse("unit", unit, least)
    return units


def loadings(loading: ArrayLike, obligors: int, copula: Copula) -> Float64[np.ndarray, "obligors factors"]:
    """Rows of loadings, their squares adding up to less than one; ValueError otherwise, or for a copula that
    is none or has no law for that many factors."""
    if not hasattr(copula, "given"):
        arguments.refuse("copula", copula, "GaussianCopula(), StudentCopula(dof) or DoubleT(factor, own)")
    rows = matrix("loading", loading, obligors)
    for column in rows.T:
        check_range("loading", column, -1.0 + 1e-9, 1.0 - 1e-9)
    if rows.shape[1] > 1:
        check_range("norm of loading", np.linalg.norm(rows, axis=1), 0.0, 1.0 - 1e-9)
    most = copula.most_factors()
    if most is not None and rows.shape[1] > most:
        arguments.refuse("loading", f"{rows.shape[1]} factors", f"{most} for {type(copula).__name__}")
    return rows


def laws(
    p: Float64[np.ndarray, "nodes obligors"],
    units: Int64[np.ndarray, " obligors"],
    work: Callable[[slice, Float64[np.ndarray, "rows units"]], Any] = lambda rows, pmf: (rows, pmf),
) -> Iterator[Any]:
    """What `work` makes of P(L = x | node) for one group of nodes after another, groups on all cores."""
    size = max(CELLS // (int(units.sum()) + 1), ROWS)
    groups = [slice(begin, begin + size) for begin in range(0, len(p), size)]
    many = max(MOST_CELLS // (size * (int(units.sum()) + 1)), 1)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        # No more at once than fit, should nobody take them.
        for begin in range(0, len(groups), many):
            rows = groups[begin : begin + many]
            yield from threads.map(lambda own: work(own, independent(p[own], units)), rows)


def added(
    groups: Iterable[tuple[slice, Float64[np.ndarray, "..."]]], given: Conditional, unit: float
) -> LossDistribution:
    """The distribution over all nodes."""
    both = np.stack([given.weights, given.coarse])
    pmf, coarse = sum(both[:, rows] @ pmf for rows, pmf in groups)
    return LossDistribution(pmf, unit, float(np.abs(np.cumsum(pmf - coarse)).max()))


def independent(
    p: Float64[np.ndarray, "rows obligors"], units: Int64[np.ndarray, " obligors"]
) -> Float64[np.ndarray, "rows units"]:
    """P(L = x) of independent obligors, largest last so that the grid stays short for long.

    Only the losses between the lowest and the highest that any row can nearly have are worked on.
    """
    pmf, chance = np.zeros((int(units.sum()) + 1, len(p))), np.ascontiguousarray(p.T)
    pmf[0], low, high = 1.0, 0, 0
    for place, k in enumerate(np.argsort(units, kind="stable")):
        c = int(units[k])
        inside = pmf[low : high + 1]
        defaulted = inside * chance[k]
        inside -= defaulted
        pmf[low + c : high + c + 1] += defaulted
        high += c
        if place % TRIM == TRIM - 1:
            possible = pmf[low : high + 1].max(axis=1) > NEVER
            high -= int(np.argmax(possible[::-1]))
            low += int(np.argmax(possible))
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
    if loss < 0:
        return np.ones_like(p)
    # Below and above these losses there is nothing on any node, nor in the terms of the series.
    lowest = int(np.argmax(cdf.max(axis=0) > NEVER))
    highest = cdf.shape[1] - 1 - int(np.argmax(survival.max(axis=0)[::-1] > NEVER))
    seldom, some = p <= 0.5, np.maximum(units, 1)
    # Where k seldom defaults: 1 - sum_j (-r)^j P(L <= y - j c) / (1 - q), r = q / (1 - q).
    low = np.where(seldom, p, 0.0)
    terms = np.minimum((loss - lowest) // some, MOST_TERMS)
    beyond = 1.0 - series(cdf, loss - some, -some, low / (1.0 - low), terms) / (1.0 - low)
    if not seldom.all():
        high = np.where(seldom, 1.0, p)
        terms = np.minimum((highest - loss) // some + 1, MOST_TERMS)
        more = series(survival, np.full_like(units, loss), some, (1.0 - high) / high, terms) / high
        beyond = np.where(seldom, beyond, more)
    beyond[:, units == 0] = survival[:, [min(loss, survival.shape[1] - 1)]]
    return beyond


def series(
    values: Float64[np.ndarray, "rows units"],
    begin: Int64[np.ndarray, " own"],
    step: Int64[np.ndarray, " own"],
    ratio: Float64[np.ndarray, "rows own"],
    terms: Int64[np.ndarray, " own"],
) -> Float64[np.ndarray, "rows own"]:
    """sum_j (-ratio)^j values[begin + j step], j below `terms`, or until a term is negligible."""
    largest = ratio.max(axis=0, initial=0.0)
    steady = largest >= 1.0
    shrinking = np.where(steady, 0.5, np.maximum(largest, np.finfo(np.float64).tiny))
    enough = np.ceil(np.log(NEGLIGIBLE) / np.log(shrinking)) + 1.0
    terms = np.where(steady, terms, np.minimum(terms, enough)).astype(np.int64)
    # The longest series first: those that are still open at a term are then the first so many columns.
    order = np.argsort(-terms, kind="stable")
    ratio, begin, step, terms = ratio[:, order], begin[order], step[order], terms[order]
    total = np.zeros_like(ratio)
    for j in range(int(terms.max(initial=0)) - 1, -1, -1):
        own = slice(0, int(np.searchsorted(-terms, -j)))
        total[:, own] = values[:, begin[own] + j * step[own]] - ratio[:, own] * total[:, own]
    return total[:, np.argsort(order)]
