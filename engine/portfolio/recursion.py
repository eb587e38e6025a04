"""The exact loss distribution of a one-factor portfolio, and what each obligor adds to its ES.

Given the factor z obligors are independent, and adding them one at a time to a grid of integer units gives

    P(L = x | z)  <-  (1 - p_k) P(L = x | z) + p_k P(L = x - c_k | z)
    p_k = Phi((a_k z - Phi^-1(1 - PD_k)) / sqrt(1 - a_k^2))

(Andersen, Sidenius and Basu 2003, "All your hedges in one basket", Risk 16(11)); the factor is integrated by
the trapezoid rule, which for such smooth integrands converges faster than any power of the step.
"""

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike
from scipy import stats

from engine.portfolio.distribution import LossDistribution
from engine.portfolio.obligors import Obligors, check_range, in_units, probabilities, vector

SPAN = 9.5
"""Standard deviations of the factor that are integrated; beyond lies 2e-21."""
NODES = 401
TERMS = 4000
"""Terms of the series, at most; at p = 1/2 they do not shrink, but there are only as many as fit the grid."""


def exact_distribution(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, unit: float = 1.0, nodes: int = NODES,
) -> LossDistribution:  # fmt: skip
    """P(L = k unit) of a one-factor Gaussian portfolio with fixed LGD.

    Args: pd [obligors]; exposure, lgd and loading [obligors] or one number; unit, of which every exposure x
    lgd is a multiple; nodes of the integration. Raises ValueError where one is not a multiple, for pd or lgd
    outside [0, 1], a negative exposure and a loading whose square is not below one.

    Example: independent obligors are a binomial.
        >>> pool = exact_distribution(np.full(100, 0.01), 1.0)
        >>> bool(np.allclose(pool.pmf, stats.binom(100, 0.01).pmf(np.arange(101)), atol=1e-13))
        True
    """
    units, p, weights = conditional(pd, exposure, lgd, loading, unit, nodes)
    total = np.zeros(int(units.sum()) + 1)
    for row, weight in zip(p, weights, strict=True):
        total += weight * independent(row, units)
    return LossDistribution(total, unit)


def shortfall_contributions(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike = 1.0, loading: ArrayLike = 0.0,
    *, level: float, unit: float = 1.0, nodes: int = NODES,
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
    whole = exact_distribution(pd, exposure, lgd, loading, unit=unit, nodes=nodes)
    units, p, weights = conditional(pd, exposure, lgd, loading, unit, nodes)
    at = whole.index(level)
    atom = whole.pmf[at]
    share = (1.0 - level - whole.survival[at]) / atom if atom > 0.0 else 0.0
    joint = np.zeros((2, len(units)))
    for row, weight in zip(p, weights, strict=True):
        pmf = independent(row, units)
        for place, loss in enumerate((at, at - 1)):
            joint[place] += weight * row * others_beyond(pmf, row, units, loss - units)
    beyond, from_atom_on = joint
    return unit * units * (beyond + share * (from_atom_on - beyond)) / (1.0 - level)


def conditional(
    pd: ArrayLike, exposure: ArrayLike, lgd: ArrayLike, loading: ArrayLike, unit: float, nodes: int
) -> tuple[
    Int64[np.ndarray, " obligors"], Float64[np.ndarray, "nodes obligors"], Float64[np.ndarray, " nodes"]
]:
    """Losses in units, default probabilities given each node of the factor, and the nodes' weights."""
    pd = probabilities(pd)
    n = len(pd)
    exposure, lgd = vector("exposure", exposure, n), vector("lgd", lgd, n)
    loading = vector("loading", loading, n)
    check_range("lgd", lgd, 0.0, 1.0)
    check_range("exposure", exposure, 0.0, np.inf)
    check_range("loading", loading, -1.0 + 1e-9, 1.0 - 1e-9)
    units = in_units(exposure, lgd, unit)
    z = np.linspace(-SPAN, SPAN, nodes)
    weights = stats.norm.pdf(z)
    weights /= weights.sum()
    p = stats.norm.cdf((loading * z[:, None] - stats.norm.isf(pd)) / np.sqrt(1.0 - loading**2))
    return units, p, weights


def independent(
    p: Float64[np.ndarray, "obligors"], units: Int64[np.ndarray, "obligors"]
) -> Float64[np.ndarray, "units"]:
    """P(L = x) of independent obligors, largest last so that the grid stays short for long."""
    pmf = np.zeros(int(units.sum()) + 1)
    pmf[0], reached = 1.0, 0
    for k in np.argsort(units, kind="stable"):
        c = int(units[k])
        defaulted = pmf[: reached + 1] * p[k]
        pmf[: reached + 1] -= defaulted
        pmf[c : reached + c + 1] += defaulted
        reached += c
    return pmf


def others_beyond(
    pmf: Float64[np.ndarray, " units"],
    p: Obligors,
    units: Int64[np.ndarray, " obligors"],
    losses: Int64[np.ndarray, " obligors"],
) -> Obligors:
    """P(sum of all others > losses_k) for every obligor k, from the distribution of the sum of all.

    Taking k out of G(y) = P(L > y) = (1 - p) G_k(y) + p G_k(y - c) leaves a geometric series, which is summed
    towards the side where its ratio is below one: in P(L <= y) downwards, or in G upwards.
    """
    cdf, survival = np.cumsum(pmf), np.cumsum(pmf[::-1])[::-1] - pmf
    beyond = np.empty(len(p))
    for k, (q, c, y) in enumerate(zip(p, units, losses, strict=True)):
        if c == 0:
            beyond[k] = survival[min(y, len(pmf) - 1)] if y >= 0 else 1.0
        elif q <= 0.5:
            places = np.arange(y, -1, -c)[:TERMS]
            beyond[k] = 1.0 - cdf[places] @ (-q / (1.0 - q)) ** np.arange(len(places)) / (1.0 - q)
        else:
            places = np.arange(y + c, len(pmf), c)[:TERMS]
            series = np.where(places >= 0, survival[np.maximum(places, 0)], 1.0)
            beyond[k] = series @ (-(1.0 - q) / q) ** np.arange(len(places)) / q
    return beyond
