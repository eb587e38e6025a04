"""Integration over the common factors of a portfolio, given which its obligors are independent.

    E[f] = int f(z) phi(z) dz,   z the normals of a copula (`copulas`): one for each factor, one for mixing

The trapezoid rule converges faster than any power of the step while the integrand is smooth. Towards a
loading of one it becomes a step of width b / a, and nodes are doubled until the integral of each default
probability is PD_k again. Several normals are integrated by the product of the rules, over the directions in
which the loadings vary at all.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from engine import arguments
from engine.portfolio.copulas import GAUSSIAN, Copula
from engine.portfolio.obligors import Obligors

SPAN = 9.5
"""Standard deviations of a normal that are integrated; beyond lies 2e-21."""
START = {1: 401, 2: 101, 3: 41, 4: 21}
"""Nodes of each factor to begin with, by the number of normals; more normals are not integrated."""
MOST_NODES = 200_000
MOST_CELLS = 2**25
"""Numbers of nodes x obligors, or x units, that are kept at most: a quarter of a gigabyte."""
CELLS = 2**17
"""Numbers of nodes x units that are worked on together, a megabyte."""
MET = 1e-9
"""How near to its PD, relative to it, each obligor's probability must be integrated."""
BEYOND = 1e-18
"""Probability that may be missed all the same: it lies beyond the span."""
CORNER = 1e-15
"""Weights below this share of the largest are left out where there are several normals."""
BEYOND_CORNERS = 1e-14
"""Probability that may be missed then."""
MIXING = 41
"""Nodes of a mixing normal at least: its sides are steeper than a few nodes show."""
RANK = 1e-12
"""Directions in which loadings vary less than this share of the largest are none."""


@dataclass(frozen=True)
class Conditional:
    """Default probabilities given each node, and the nodes' weights."""

    p: Float64[np.ndarray, "nodes obligors"]
    weights: Float64[np.ndarray, " nodes"]
    coarse: Float64[np.ndarray, " nodes"]  # weights of the rule with twice the step


def integrated(
    pd: Obligors,
    loading: Float64[np.ndarray, "obligors factors"],
    start: int | None = None,
    nodes: float | None = None,
    copula: Copula = GAUSSIAN,
) -> Conditional:
    """Default probabilities given each node of the trapezoid rule.

    The rule has `nodes` for each factor; a mixing normal has half as many beside one factor, of which all is
    smoother, and at least `MIXING`. Without `nodes` it has `start`, or as many more as every PD needs to be
    met: twice as many, and at last as many as there may be.
    Raises ValueError for loadings in more directions than are integrated, for too many nodes, and for an
    obligor whose default no number of nodes allowed resolves.
    """
    given, loading = loading, principal(loading)
    normals = loading.shape[1] + copula.mixing
    if normals not in START:
        arguments.refuse("loading", f"{loading.shape[1]} factors", f"at most {max(START) - copula.mixing}")

    def numbers(number: int) -> tuple[int, ...]:
        mixing = max(number if loading.shape[1] > 1 else number // 2 + 1, MIXING)
        return (number,) * loading.shape[1] + (mixing,) * copula.mixing

    number, most = start or START[normals], min(MOST_NODES, MOST_CELLS // len(pd))
    most = max(most, inside(numbers(number)))
    if nodes is not None:
        number = arguments.count("nodes", nodes, 3)
        if inside(numbers(number)) > most:
            arguments.refuse("nodes", nodes, f"so few for each factor that there are at most {most:,} in all")
    threshold = copula.thresholds(pd, loading)
    beyond = BEYOND if normals == 1 else BEYOND_CORNERS
    while True:
        z, weights, coarse = grid(numbers(number))
        p = copula.given(z, threshold, loading)
        missed = np.abs(weights @ p - pd) > MET * pd + beyond
        if nodes is not None or not missed.any():
            return Conditional(p, weights, coarse)
        finer = next((n for n in range(2 * number - 1, number, -4) if inside(numbers(n)) <= most), number)
        if finer == number:
            k = int(np.argmax(missed))
            shown = ", ".join(f"{each:.10g}" for each in given[k])
            raise ValueError(
                f"loading: got obligor {k}: {shown}, expected one further from 1 and -1: "
                f"{len(weights):,} nodes do not resolve the factor at which it defaults"
            )
        number = finer


def inside(numbers: tuple[int, ...]) -> int:
    """About how many nodes the product rule has, those in the corners left out.

    >>> inside((41, 41, 41)), len(grid((41, 41, 41))[1])
    (24164, 22575)
    """
    normals, nodes = len(numbers), math.prod(numbers)
    if normals == 1:
        return nodes
    radius = math.sqrt(-2.0 * math.log(CORNER)) / (2.0 * SPAN)
    ball = (math.sqrt(math.pi) * radius) ** normals / math.gamma(0.5 * normals + 1.0)
    return int(nodes * ball)


def grid(
    numbers: tuple[int, ...],
) -> tuple[
    Float64[np.ndarray, "nodes normals"], Float64[np.ndarray, " nodes"], Float64[np.ndarray, " nodes"]
]:
    """Nodes of the product rule, their weights, and the weights of the rule with twice the step."""
    places = np.indices(numbers).reshape(len(numbers), -1).T
    z = SPAN * (2.0 * places / (np.asarray(numbers) - 1.0) - 1.0)
    weights = np.exp(-0.5 * np.sum(z**2, axis=1))
    if len(numbers) > 1:
        central = weights > CORNER
        places, z, weights = places[central], z[central], weights[central]
    coarse = np.where((places % 2 == 0).all(axis=1), weights, 0.0)
    return z, weights / weights.sum(), coarse / coarse.sum()


def principal(
    loading: Float64[np.ndarray, "obligors factors"],
) -> Float64[np.ndarray, "obligors directions"]:
    """The same loadings on as few independent factors as there can be; one column at least.

    >>> principal(np.asarray([[0.3, 0.4], [0.3, 0.4]])).round(9).shape
    (2, 1)
    """
    if loading.shape[1] == 1:
        return loading
    left, size, _ = np.linalg.svd(loading, full_matrices=False)
    rank = max(int(np.sum(size > RANK * max(float(size[0]), RANK))), 1)
    return left[:, :rank] * size[:rank]
