"""How defaults come together: their number in a quarter, against borrowers that default independently.

With N_q defaults in quarter q and p_iq the probability that borrower i defaults in it,

    index of dispersion   D_q = Var(N_q) / sum_i p_iq (1 - p_iq)

is one where borrowers are independent, whatever their probabilities, and above one where defaults cluster.
(The index of dispersion of a count is its variance over that of the plain law, there Poisson's: Cox and Lewis
1966, "The Statistical Analysis of Series of Events".)
"""

import numpy as np
from jaxtyping import Float64

from engine.tail.measures import Estimate, counted_paths
from engine.tail.tally import QUARTER, SQUARE_ONE, WEIGHT_ONE, Tally

WORST, ALL = -2, -1
"""Positions of the quarter with the most defaults of a path, and of the whole run, among the spans."""

DRAWS = 100_000
"""Independent histories from which `independent_worst` is counted."""


def count_law(tally: Tally, span: int) -> tuple[Float64[np.ndarray, "counts"], Float64[np.ndarray, "counts"]]:
    """Probability of 0, 1, 2, ... defaults in a span (a quarter, WORST or ALL), and its standard error.

    Raises ValueError without paths.
    """
    paths = counted_paths(tally)
    probability = np.asarray(tally.clusters)[span] / WEIGHT_ONE / paths
    squares = np.asarray(tally.cluster_squares)[span] / SQUARE_ONE / paths
    return probability, np.sqrt(np.maximum(squares - probability**2, 0.0) / paths)


def dispersion(tally: Tally, span: int) -> Estimate:
    """Index of dispersion of the number of defaults in a quarter, or in ALL; NaN where nobody defaults.

        D = V / V0,   V = Var(N),   V0 = sum_i p_i (1 - p_i)

    The standard error is that of the mean influence of a path,

        [(N - EN)^2 - V - D (dV0/dN) (N - EN)] / V0,   dV0/dN = 1 - 2 sum_i p_i^2 / sum_i p_i

    where dV0/dN stands for what each default adds to V0, on average over borrowers.
    """
    own = probabilities(tally, span)
    plain = float(np.sum(own * (1.0 - own)))
    if not plain > 0.0:
        return Estimate(np.nan, np.nan)
    paths, (law, _) = counted_paths(tally), count_law(tally, span)
    count, total = np.arange(law.size), float(law.sum())
    mean = float(law @ count) / total
    variance = float(law @ (count - mean) ** 2) / total
    each = 1.0 - 2.0 * float(np.sum(own**2)) / float(own.sum())
    influence = ((count - mean) ** 2 - variance - variance / plain * each * (count - mean)) / plain
    squares = np.asarray(tally.cluster_squares)[span] / SQUARE_ONE
    return Estimate(variance / plain, float(np.sqrt(squares @ influence**2)) / (paths * total))


def probabilities(tally: Tally, span: int) -> Float64[np.ndarray, "entities"]:
    """Probability that each entity defaults in a quarter, or in ALL."""
    weight = np.asarray(tally.defaults)[:, 1:] / WEIGHT_ONE
    quarters = np.asarray(tally.clusters).shape[0] + WORST
    months = slice(None) if span == ALL else slice(QUARTER * span, QUARTER * (span + 1))
    if span != ALL and not 0 <= span < quarters:
        raise ValueError(f"span: got {span}, expected a quarter from 0 to {quarters - 1}, or ALL")
    return weight[:, months].sum(axis=1) / (int(tally.weight) / WEIGHT_ONE)


def independent_worst(tally: Tally, seed: int = 0) -> Float64[np.ndarray, "counts"]:
    """The law of the number of defaults in the worst quarter if borrowers defaulted independently.

    Each keeps its own probability in each quarter. Counted over DRAWS histories: a probability p is known to
    sqrt(p / DRAWS), and below 1/DRAWS not at all.
    """
    quarters = np.asarray(tally.clusters).shape[0] + WORST
    random = np.random.default_rng(seed)
    counts = np.zeros((quarters + 1, DRAWS), np.int64)  # the last row holds those who do not default
    own = np.stack([probabilities(tally, quarter) for quarter in range(quarters)], axis=1)
    for until in np.cumsum(own, axis=1):
        counts[np.searchsorted(until, random.random(DRAWS), side="right"), np.arange(DRAWS)] += 1
    return np.bincount(counts[:-1].max(axis=0), minlength=len(own) + 1) / DRAWS
