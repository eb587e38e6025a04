"""Composition of the tail: Euler contributions, bands, default probabilities, causes, fans.

All from one pass: for every bin of the system loss the tally holds the sums of every other loss on the same
paths. The condition is therefore always on the system loss; measures conditioned on a column's own
distress (CoVaR, DeltaCoVaR of the system) cannot be had from these sums.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from engine import arguments
from engine.tail.histogram import FAN
from engine.tail.measures import Losses, Tail, column_losses, counted_paths, locate, tail
from engine.tail.tally import LOSS_ONE, SQUARE_ONE, WEIGHT_ONE, AnyArray, Tally


def es_contributions(
    tally: Tally, horizon: int, level: float | Tail, *, self_normalised: bool = False
) -> Float64[np.ndarray, "parts"]:
    """Euler contributions to the system's ES: E[L_j | system loss beyond its VaR], USD bn.

    ES = sum_j C_j over any columns that add up to the system loss path by path, because the same shares of
    the same bins are read for every column (Tasche 1999; McNeil, Frey and Embrechts 2015, 8.5). C_0 is ES
    itself. `level` is a level, or the system's `Tail` where it has been read. For standard errors see
    `intervals.sectioned`.
    """
    if isinstance(level, Tail):
        beyond = level
    else:
        beyond = tail(column_losses(tally, horizon, self_normalised=self_normalised), level)
    return bin_shares(beyond.losses, beyond) @ _conditional(tally, horizon) / beyond.mass


def expected_losses(tally: Tally, horizon: int) -> Float64[np.ndarray, "parts"]:
    """Mean loss of every column and component over all paths, USD bn: the expected losses of columns."""
    return _conditional(tally, horizon).sum(axis=0) / counted_paths(tally)


def marginal_expected_shortfall(
    tally: Tally, horizon: int, level: float | Tail = 0.95, *, self_normalised: bool = False
) -> Float64[np.ndarray, "columns"]:
    """Expected loss of each column in the system's tail, USD bn (Acharya et al. 2017, RFS 30(1)).

    The same number as the column's Euler contribution to ES, at the level usual for it.
    """
    columns = tally.weights.shape[1]
    return es_contributions(tally, horizon, level, self_normalised=self_normalised)[:columns]


def composition(
    tally: Tally, horizon: int, levels: Sequence[float] | Sequence[Tail], *, self_normalised: bool = False
) -> Float64[np.ndarray, "bands parts"]:
    """Mean losses within bands of the system loss, USD bn.

    Band i lies between the system's VaR at levels[i] and levels[i + 1]; the last lies beyond the last level.
    `levels` are levels, or the system's `Tail`s where they have been read. Raises ValueError unless they
    increase.
    """
    tails = [level for level in levels if isinstance(level, Tail)]
    numbers = arguments.levels("levels", [worst.level for worst in tails] or levels)
    if list(numbers) != sorted(set(numbers)):
        raise ValueError(f"levels: got {numbers}, expected them to increase")
    if not tails:
        losses = column_losses(tally, horizon, self_normalised=self_normalised)
        tails = [tail(losses, level) for level in numbers]
    losses = tails[0].losses
    shares = np.stack([bin_shares(losses, worst) for worst in tails] + [np.zeros_like(losses.weight)])
    masses = np.asarray([worst.mass for worst in tails] + [0.0])
    return -np.diff(shares, axis=0) @ _conditional(tally, horizon) / -np.diff(masses)[:, None]


def default_probabilities(
    tally: Tally, months: Sequence[int]
) -> tuple[Float64[np.ndarray, "entities horizons"], Float64[np.ndarray, "entities horizons"]]:
    """Probability of default within the given months for each entity, and its standard error.

    p = sum w 1{default} / n with variance [sum w^2 1{default} / n - p^2] / n, which is p (1 - p) / n for
    plain paths. Raises ValueError for a month outside the run.
    """
    return _within(tally, tally.defaults, tally.default_squares, months)


def failure_probabilities(
    tally: Tally, months: Sequence[int]
) -> tuple[Float64[np.ndarray, "failing horizons"], Float64[np.ndarray, "failing horizons"]]:
    """Probability of failure within the given months of each holder of losses, and its standard error.

    See `default_probabilities`. Raises ValueError for a month outside the run.
    """
    return _within(tally, tally.failures, tally.failure_squares, months)


def _within(
    tally: Tally, weights: AnyArray, squares: AnyArray, months: Sequence[int]
) -> tuple[Float64[np.ndarray, "names horizons"], Float64[np.ndarray, "names horizons"]]:
    last, paths = weights.shape[1] - 1, counted_paths(tally)
    if any(not 1 <= month <= last for month in months):
        raise ValueError(f"months: got {tuple(months)}, expected each from 1 to {last}")
    column = np.asarray(months, np.int64) - 1
    sums = np.cumsum(np.asarray(weights)[:, 1:], axis=1)[:, column] / WEIGHT_ONE
    squared = np.cumsum(np.asarray(squares)[:, 1:], axis=1)[:, column] / SQUARE_ONE
    probability = sums / paths
    return probability, np.sqrt(np.maximum(squared / paths - probability**2, 0.0) / paths)


def cause_shares(tally: Tally) -> Float64[np.ndarray, "entities causes"]:
    """Of each entity's defaults the share by cause; NaN where there is none. Column 0, alive, is 0."""
    weight = np.asarray(tally.causes) / WEIGHT_ONE
    weight[:, 0] = 0.0
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, total, out=np.full_like(weight, np.nan), where=total > 0)


def fans(tally: Tally, levels: Sequence[float]) -> Float64[np.ndarray, "levels months series"]:
    """Quantiles of every monthly series, in its own unit, within one fan bin: 3.1% of the value.

    Raises ValueError unless every level lies between 0 and 1.
    """
    counted_paths(tally)
    levels = arguments.levels("levels", levels)
    weight = np.asarray(tally.fans) / WEIGHT_ONE
    months, series = weight.shape[:2]
    out = np.empty((len(levels), months, series))
    for m, s in np.ndindex(months, series):
        total = weight[m, s].sum()
        for i, level in enumerate(levels):
            out[i, m, s] = _fan_quantile(weight[m, s], (1.0 - level) * total)
    return out


def _fan_quantile(weight: Float64[np.ndarray, "fan_bins"], mass: float) -> float:
    """The value the upper `mass` lies above, mass being evenly spread within a bin; no width, no spread."""
    index, fraction = locate(weight, mass)
    lower, upper = FAN.lower[index], FAN.upper[index]
    if lower < 0.0 < upper or not np.isfinite(upper - lower):
        return float(FAN.representative[index])
    return float(upper - fraction * (upper - lower))


def bin_shares(losses: Losses, worst: Tail) -> Float64[np.ndarray, "bins"]:
    """Share of each bin's sums in the tail: 0 below the VaR bin, 1 above it.

    In the VaR bin it is the part of the bin's system loss that ES takes, so that contributions add up to ES.
    """
    shares = (np.arange(losses.weight.size) > worst.bin).astype(np.float64)
    mean = losses.mean[worst.bin]
    shares[worst.bin] = worst.fraction * (worst.inside / mean if mean > 0.0 else 1.0)
    return shares


def _conditional(tally: Tally, horizon: int) -> Float64[np.ndarray, "bins parts"]:
    return np.asarray(tally.conditional)[horizon] / LOSS_ONE
