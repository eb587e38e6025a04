"""Variance of a loss that comes from the unknown network, and variance that comes from the economy.

K networks drawn from their law each lose X_kn on the same N paths (common random numbers), cut into R blocks
of N / R. For a statistic theta of a network's loss (its mean, its ES) the blocks give pseudo-values by
leaving one out at a time, y_kr = R theta_k - (R - 1) theta_k(without r), whose mean over r is theta_k freed
of its first-order bias; for the mean they are the block means. They cross networks with blocks,

    y_kr = theta + a_k + b_r + c_kr:     a the network, b of the block of paths, c the rest

    between   V = S^2 - M / R,   S^2 = sum_k (y_k. - y..)^2 / (K - 1)
    noise     M = sum_kr (y_kr - y_k. - y_.r + y..)^2 / ((K - 1)(R - 1))
    error     of y..: sqrt( var_r(y_.r) / R + V^+ / K )

V is unbiased for the variance of theta_k between networks (two-way random effects: Searle, Casella and
McCulloch 1992, chapter 4; exactly for the mean, to first order for ES); where it is truly nothing it is
negative half of the time. Against it stands the variance within a network, the economy's:

    of the loss       Var X = Var_k E(X | k) + E_k Var(X | k)
    of its own tail   the same of X given that X is in the worst 1 - a of its network, whose mean is ES

Shares and bands have standard errors from a bootstrap over networks. Bands are quantiles of
y.. + (y_k. - y..) sqrt(V^+ / S^2), so that Monte Carlo noise does not widen them.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from engine.tail import measures
from engine.tail.measures import Losses

BAND = (0.05, 0.95)
RESAMPLES = 400

Table = Float64[np.ndarray, "networks blocks columns"]
Columns = Float64[np.ndarray, " columns"]


@dataclass(frozen=True)
class Between:
    """A statistic across networks, by column, in the unit of the losses (variances squared)."""

    mean: Columns
    error: Columns  # standard error of the mean
    variance: Columns  # between networks, unbiased, so negative by chance where it is small
    noise: Columns  # Monte Carlo variance in one network's distance from the mean
    share: Columns  # of the variance between networks in that between and within
    share_error: Columns
    low: Columns  # band over networks
    low_error: Columns
    high: Columns
    high_error: Columns


def pseudo_values(losses: list[Losses], level: float | None) -> Float64[np.ndarray, " blocks"]:
    """Pseudo-values of a network's mean loss, or of its ES at a level, from the losses of its blocks.

    Raises ValueError for fewer than two blocks.
    """
    if len(losses) < 2:
        raise ValueError(f"blocks: got {len(losses)}, expected at least 2")
    if level is None:
        return np.array([block.loss.sum() / block.total for block in losses])
    count = len(losses)
    whole = added(losses)
    shortfall = measures.expected_shortfall(whole, level)
    return np.array([
        count * shortfall - (count - 1) * measures.expected_shortfall(without(whole, block), level)
        for block in losses
    ])  # fmt: skip


def added(losses: list[Losses]) -> Losses:
    """The losses of several blocks together."""
    return replace(
        losses[0],
        weight=np.sum([block.weight for block in losses], axis=0),
        square=np.sum([block.square for block in losses], axis=0),
        loss=np.sum([block.loss for block in losses], axis=0),
        squared_loss=sum(block.squared_loss for block in losses),
        paths=sum(block.paths for block in losses),
    )


def without(whole: Losses, block: Losses) -> Losses:
    """The losses without one block."""
    return replace(
        whole,
        weight=whole.weight - block.weight,
        square=whole.square - block.square,
        loss=whole.loss - block.loss,
        squared_loss=whole.squared_loss - block.squared_loss,
        paths=whole.paths - block.paths,
    )


def variance_within(losses: Losses) -> float:
    """Variance of the loss over the paths of one network."""
    mean = float(losses.loss.sum()) / losses.total
    return max(losses.squared_loss / losses.total - mean**2, 0.0) * losses.paths / max(losses.paths - 1, 1)


def variance_beyond(losses: Losses, level: float) -> float:
    """Variance of the loss over the worst 1 - level of the paths of one network, to the width of a bin."""
    worst = measures.tail(losses, level)
    distance = (losses.mean - worst.expected_shortfall) ** 2
    beyond = float(np.sum((losses.weight * distance)[worst.bin + 1 :]))
    edge = worst.fraction * float(losses.weight[worst.bin])
    return (beyond + edge * (worst.inside - worst.expected_shortfall) ** 2) / worst.mass


def between(table: Table, within: Float64[np.ndarray, "networks columns"], seed: int = 0) -> Between:
    """The split of a statistic's pseudo-values [networks, blocks, columns] and of the variances within.

    Raises ValueError for fewer than two networks or blocks.

    Example: two networks apart by 2 on every path.
        >>> paths = np.array([1.0, 4.0, 2.0, 5.0])
        >>> split = between(np.stack([paths, paths + 2.0])[:, :, None], np.full((2, 1), 3.0))
        >>> split.mean.tolist(), split.variance.tolist(), split.noise.tolist()
        ([4.0], [2.0], [0.0])
    """
    networks, blocks = table.shape[:2]
    if min(networks, blocks) < 2:
        raise ValueError(f"networks, blocks: got {networks} and {blocks}, expected at least 2 of each")
    own, common = table.mean(axis=1), table.mean(axis=0)
    rest = table - own[:, None] - common[None] + own.mean(axis=0)
    noise = np.sum(rest**2, axis=1) * (networks / ((networks - 1) * (blocks - 1) * blocks))
    rng = np.random.default_rng(seed)
    resamples = [rng.integers(networks, size=networks) for _ in range(RESAMPLES)]
    mean, variance, noise_mean, share, low, high = summary(own, noise, within)
    share_error, low_error, high_error = np.std(
        [summary(own[i], noise[i], within[i])[3:] for i in resamples], axis=0, ddof=1
    )
    error = np.sqrt(common.var(axis=0, ddof=1) / blocks + np.maximum(variance, 0.0) / networks)
    return Between(mean, error, variance, noise_mean, share, share_error, low, low_error, high, high_error)


def summary(
    own: Float64[np.ndarray, "networks columns"],
    noise: Float64[np.ndarray, "networks columns"],
    within: Float64[np.ndarray, "networks columns"],
) -> Float64[np.ndarray, "6 columns"]:
    """Mean, variance between, noise, share and the two ends of the band over some networks."""
    mean, total, mean_noise = own.mean(axis=0), own.var(axis=0, ddof=1), noise.mean(axis=0)
    variance = total - mean_noise
    shrinkage = np.sqrt(ratio(np.maximum(variance, 0.0), total))
    low, high = mean + shrinkage * (np.quantile(own, BAND, axis=0) - mean)
    share = ratio(np.maximum(variance, 0.0), np.maximum(variance, 0.0) + within.mean(axis=0))
    return np.stack([mean, variance, mean_noise, share, low, high])


def ratio(part: Columns, whole: Columns) -> Columns:
    """part / whole, zero where the whole is."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)
