"""Variance of a loss between the members of an ensemble, and variance that comes from the economy.

K members drawn from their law (networks of holders, sets of parameters) each lose X_kn on the same N paths
(common random numbers), cut into R blocks of N / R. For a statistic theta of a member's loss (its mean, its
ES) the blocks give pseudo-values by leaving one out at a time, y_kr = R theta_k - (R - 1) theta_k(without r),
whose mean over r is theta_k freed of its first-order bias; for the mean they are the block means. They cross
members with blocks,

    y_kr = theta + a_k + b_r + c_kr:     a the member, b of the block of paths, c the rest

    between   V = S^2 - M / R,   S^2 = sum_k (y_k. - y..)^2 / (K - 1)
    noise     M = sum_kr (y_kr - y_k. - y_.r + y..)^2 / ((K - 1)(R - 1))
    error     of y..: sqrt( var_r(y_.r) / R + V^+ / K )

V is unbiased for the variance of theta_k between members (two-way random effects: Searle, Casella and
McCulloch 1992, chapter 4; exactly for the mean, to first order for ES); where it is truly nothing it is
negative half of the time. Against it stands the variance within a member, the economy's:

    of the loss       Var X = Var_k E(X | k) + E_k Var(X | k)
    of its own tail   the same of X given that X is in the worst 1 - a of its member, whose mean is ES

The sd sqrt(V^+), shares and bands have standard errors from a bootstrap over members. Bands are quantiles of
y.. + (y_k. - y..) sqrt(V^+ / S^2), so that Monte Carlo noise does not widen them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from engine.tail import measures
from engine.tail.measures import Losses

BAND = (0.05, 0.95)
RESAMPLES = 400

Table = Float64[np.ndarray, "members blocks columns"]
Own = Float64[np.ndarray, "members columns"]
Columns = Float64[np.ndarray, " columns"]


@dataclass(frozen=True)
class Between:
    """A statistic across members, by column, in the unit of the losses (variances squared)."""

    mean: Columns
    error: Columns  # standard error of the mean
    variance: Columns  # between members, unbiased, so negative by chance where it is small
    sd: Columns  # its root, 0 where it is negative
    sd_error: Columns
    noise: Columns  # Monte Carlo variance in one member's distance from the mean
    share: Columns  # of the variance between members in that between and within
    share_error: Columns
    low: Columns  # band over members
    low_error: Columns
    high: Columns
    high_error: Columns


def pseudo_values(losses: list[Losses], level: float | None) -> Float64[np.ndarray, " blocks"]:
    """Pseudo-values of a member's mean loss, or of its ES at a level, from the losses of its blocks.

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
    """Variance of the loss over the paths of one member."""
    mean = float(losses.loss.sum()) / losses.total
    return max(losses.squared_loss / losses.total - mean**2, 0.0) * losses.paths / max(losses.paths - 1, 1)


def variance_beyond(losses: Losses, level: float) -> float:
    """Variance of the loss over the worst 1 - level of the paths of one member, to the width of a bin."""
    worst = measures.tail(losses, level)
    distance = (losses.mean - worst.expected_shortfall) ** 2
    beyond = float(np.sum((losses.weight * distance)[worst.bin + 1 :]))
    edge = worst.fraction * float(losses.weight[worst.bin])
    return (beyond + edge * (worst.inside - worst.expected_shortfall) ** 2) / worst.mass


def between(table: Table, within: Own, seed: int = 0) -> Between:
    """The split of a statistic's pseudo-values [members, blocks, columns] and of the variances within.

    Raises ValueError for fewer than two members or blocks.

    Example: two members apart by 2 on every path.
        >>> paths = np.array([1.0, 4.0, 2.0, 5.0])
        >>> split = between(np.stack([paths, paths + 2.0])[:, :, None], np.full((2, 1), 3.0))
        >>> split.mean.tolist(), split.variance.tolist(), split.noise.tolist()
        ([4.0], [2.0], [0.0])
    """
    own, noise = crossed(table)
    members, blocks = table.shape[:2]
    mean, variance, noise_mean, sd, share, low, high = summary(own, noise, within)
    replicates = [summary(own[i], noise[i], within[i])[3:] for i in resamples(members, seed)]
    sd_error, share_error, low_error, high_error = np.std(replicates, axis=0, ddof=1)
    common = table.mean(axis=0).var(axis=0, ddof=1) / blocks
    error = np.sqrt(common + sd**2 / members)
    return Between(
        mean, error, variance, sd, sd_error, noise_mean, share, share_error, low, low_error, high, high_error
    )


def interaction(whole: Table, parts: Sequence[Table], seed: int = 0) -> tuple[Columns, Columns]:
    """V of the members of `whole` less the sum of V of the parts, and its standard error.

    Member k of the whole has what member k of every part has drawn, so that the bootstrap takes the same
    members of all. Without interaction the difference is zero on average.

    Example: effects of -1 and 1 that are drawn alike in both parts, so that they do not add up by squares.
        >>> part = np.array([-1.0, 1.0])[:, None, None] * np.ones((2, 3, 1))
        >>> interaction(2.0 * part, [part, part])[0].tolist()
        [4.0]
    """
    pieces = [crossed(table) for table in (whole, *parts)]

    def difference(i: np.ndarray | slice) -> Columns:
        first, *others = [variance_between(own[i], noise[i]) for own, noise in pieces]
        return first - np.sum(others, axis=0)

    replicates = [difference(i) for i in resamples(len(whole), seed)]
    return difference(slice(None)), np.std(replicates, axis=0, ddof=1)


def crossed(table: Table) -> tuple[Own, Own]:
    """A member's mean over blocks, and its part of the noise, whose mean over members is M / R.

    Raises ValueError for fewer than two members or blocks.
    """
    members, blocks = table.shape[:2]
    if min(members, blocks) < 2:
        raise ValueError(f"members, blocks: got {members} and {blocks}, expected at least 2 of each")
    own = table.mean(axis=1)
    rest = table - own[:, None] - table.mean(axis=0)[None] + own.mean(axis=0)
    return own, np.sum(rest**2, axis=1) * (members / ((members - 1) * (blocks - 1) * blocks))


def resamples(members: int, seed: int) -> list[np.ndarray]:
    """Members of every bootstrap sample."""
    rng = np.random.default_rng(seed)
    return [rng.integers(members, size=members) for _ in range(RESAMPLES)]


def variance_between(own: Own, noise: Own) -> Columns:
    """V = S^2 - M / R."""
    return own.var(axis=0, ddof=1) - noise.mean(axis=0)


def summary(own: Own, noise: Own, within: Own) -> Float64[np.ndarray, "7 columns"]:
    """Mean, variance between, noise, sd, share and the two ends of the band over some members."""
    mean, variance = own.mean(axis=0), variance_between(own, noise)
    sd = np.sqrt(np.maximum(variance, 0.0))
    shrinkage = ratio(sd, own.std(axis=0, ddof=1))
    low, high = mean + shrinkage * (np.quantile(own, BAND, axis=0) - mean)
    share = ratio(sd**2, sd**2 + within.mean(axis=0))
    return np.stack([mean, variance, noise.mean(axis=0), sd, share, low, high])


def ratio(part: Columns, whole: Columns) -> Columns:
    """part / whole, zero where the whole is."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)
