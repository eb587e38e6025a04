"""Loss of a column when the system is in distress, and of the system when the column is, with errors.

    shortfall    E[L_i | L beyond VaR_a(L)]              marginal expected shortfall (Acharya et al. 2017)
    share        shortfall / ES_a(L)                     Euler contribution as a share (Tasche 1999)
    importance   E[L | L_i beyond VaR_a(L_i)] - E[L]     the same the other way round, above the average

with L the system loss and L_i the column's. Values of the first two are exact to half a loss bin, 0.2%. The
rest is read off the tally's joint histograms, which know L_i to a quarter of an octave only: importance takes
the sum of L over the paths with the largest L_i as a function of their number, known at every edge of those
bins, and interpolates it (monotone cubic, Fritsch and Carlson 1980). Standard errors are those of the mean
influence of a path, for the share (s = share) and for the shortfall (s = 0)

    (L_i - s L - c) 1{tail} / (1 - a),   c = E[L_i - s L | L = VaR]

(compare `intervals.es_error`). Where paths are weighted their squared weights are known by bin of L only and
are taken as alike within it. The error of the share of a column that moves one for one with the system is
overstated by what the bins of L_i leave open, 7% of L_i a path.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import PchipInterpolator

from engine.tail.contributions import bin_shares, marginal_expected_shortfall
from engine.tail.histogram import DISTRESS, JOINT, LOSS, Bins
from engine.tail.measures import Estimate, Losses, Tail, column_losses, locate, tail_at
from engine.tail.tally import WEIGHT_ONE, Tally

NOTHING = Estimate(np.nan, np.nan)


@dataclass(frozen=True)
class Systemic:
    """Measures of one column at one level."""

    shortfall: Estimate  # USD bn
    share: Estimate
    importance: Estimate  # USD bn; NOTHING where the column is not in distress


@dataclass(frozen=True)
class Pair:
    """A column's loss (rows) and the system's (columns), binned together at the last horizon."""

    mass: Float64[np.ndarray, "own system"]
    square: Float64[np.ndarray, "own system"]  # squared weights
    own: Float64[np.ndarray, "own"]  # mean loss of each bin, USD bn
    own_variance: Float64[np.ndarray, "own"]  # within each bin
    system: Float64[np.ndarray, "system"]  # mean loss of each bin, USD bn
    paths: int

    def error(
        self, influence: Float64[np.ndarray, "own system"], inside: float | Float64[np.ndarray, "..."] = 0.0
    ) -> float:
        """Standard error of the mean of `influence`, known by cell; `inside`, its variance within each."""
        mean = float(np.sum(self.mass * influence)) / self.paths
        second = float(np.sum(self.square * (influence**2 + inside))) / self.paths
        return float(np.sqrt(max(second - mean**2, 0.0) / self.paths))


def systemic(tally: Tally, level: float | Tail, columns: Sequence[Losses] | None = None) -> list[Systemic]:
    """Measures of every column with a joint law, at the last horizon.

    `level` is a level, or the system's `Tail` at the last horizon; `columns` are the losses of all columns
    there, where they have been read. Raises ValueError for a level outside (0, 1) and without paths.
    """
    first = tally.weights.shape[1] - tally.joint.shape[0]
    if columns is None:
        columns = [column_losses(tally, -1, column) for column in range(tally.weights.shape[1])]
    beyond = tail_at(columns[0], level)
    shortfalls = marginal_expected_shortfall(tally, -1, beyond)
    pairs = (
        paired(tally, last, beyond.losses, columns[first + last]) for last in range(tally.joint.shape[0])
    )
    return [
        measures_of(pair, beyond, float(shortfall))
        for pair, shortfall in zip(pairs, shortfalls[first:], strict=True)
    ]


def measures_of(pair: Pair, beyond: Tail, shortfall: float) -> Systemic:
    """Measures of one column, given its shortfall beyond the system's VaR."""
    own = Estimate(shortfall, shortfall_error(pair, beyond))
    system = beyond.expected_shortfall
    if not system > 0.0:
        return Systemic(own, NOTHING, NOTHING)
    share = shortfall / system
    return Systemic(
        shortfall=own,
        share=Estimate(share, shortfall_error(pair, beyond, share) / system),
        importance=importance(pair, beyond.level),
    )


def paired(tally: Tally, last: int, whole: Losses, losses: Losses) -> Pair:
    """The joint law of a column and the system from the tally."""
    mass = np.asarray(tally.joint)[last] / WEIGHT_ONE
    weight, square = (coarser(x, JOINT) for x in (whole.weight, whole.square))
    own, own_variance = moments(losses, DISTRESS)
    each = np.divide(square, weight, out=np.zeros_like(square), where=weight > 0.0)
    return Pair(mass, mass * each, own, own_variance, moments(whole, JOINT)[0], whole.paths)


def shortfall_error(pair: Pair, beyond: Tail, share: float = 0.0) -> float:
    """Standard error of E[L_i - share L | L beyond its VaR], USD bn."""
    inside = tail_shares(beyond) / (1.0 - beyond.level)
    place = filled(pair.mass.sum(axis=0), (1.0 - beyond.level) * pair.paths)
    excess = pair.own[:, None] - share * pair.system[None, :]
    at_var = np.average(excess[:, place], weights=pair.mass[:, place])
    return pair.error((excess - at_var) * inside, pair.own_variance[:, None] * inside**2)


def importance(pair: Pair, level: float) -> Estimate:
    """E[L | L_i beyond its VaR] - E[L], USD bn; NOTHING where that VaR is below 1 USD mn."""
    rows, mass = pair.mass.sum(axis=1), (1.0 - level) * pair.paths
    place, fraction = locate(rows, mass)
    if place == 0:
        return NOTHING
    full = np.flatnonzero(rows > 0.0)[::-1]
    number = np.concatenate([[0.0], np.cumsum(rows[full])])
    cumulative = np.concatenate([[0.0], np.cumsum((pair.mass @ pair.system)[full])])
    value = float(PchipInterpolator(number, cumulative)(mass)) / mass - cumulative[-1] / pair.paths
    inside = np.where(np.arange(rows.size) > place, 1.0, 0.0)
    inside[place] = fraction
    at_var = np.average(pair.system, weights=pair.mass[filled(rows, mass)])
    influence = inside[:, None] * (pair.system - at_var) / (1.0 - level) - pair.system
    return Estimate(value, pair.error(influence))


def filled(weight: Float64[np.ndarray, "bins"], mass: float) -> int:
    """The bin in which the upper `mass` begins, or the next filled one below."""
    return int(np.flatnonzero(weight[: locate(weight, mass)[0] + 1])[-1])


def tail_shares(beyond: Tail) -> Float64[np.ndarray, "system"]:
    """Share of each of the JOINT bins in the system's tail."""
    whole = beyond.losses
    inside = coarser(bin_shares(whole, beyond) * whole.weight, JOINT)
    weight = coarser(whole.weight, JOINT)
    return np.divide(inside, weight, out=np.zeros_like(inside), where=weight > 0.0)


def moments(losses: Losses, bins: Bins) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the loss within each of `bins`; the middle of a bin and zero where it is empty."""
    weight = coarser(losses.weight, bins)
    some = np.where(weight > 0.0, weight, 1.0)
    mean = np.where(weight > 0.0, coarser(losses.weight * losses.mean, bins) / some, bins.representative)
    square = coarser(losses.weight * losses.mean**2, bins) / some
    return mean, np.where(weight > 0.0, np.maximum(square - mean**2, 0.0), 0.0)


def coarser(values: Float64[np.ndarray, "loss_bins"], bins: Bins) -> Float64[np.ndarray, "bins"]:
    """Sums over the LOSS bins that make up each of `bins`, which has the same ends."""
    inner = values[1:-1].reshape(-1, LOSS.per_octave // bins.per_octave).sum(axis=1)
    return np.concatenate([values[:1], inner, values[-1:]])
