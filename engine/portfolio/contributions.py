"""Euler contributions of obligors to a portfolio's expected shortfall and value at risk."""

import dataclasses
import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float32, Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.batch.barriers import stored
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.portfolio import losses
from engine.portfolio.losses import Seed, Twist
from engine.portfolio.portfolio import Portfolio
from engine.portfolio.simulate import PortfolioTail, scale_of
from engine.run.plan import chunk_size, whole_chunks
from engine.tail import intervals, measures
from engine.tail.contributions import bin_shares
from engine.tail.histogram import bin_index

PARTS = ("own", "at_var", "squared", "with_rest", "with_tail", "var_squared", "var_with_all")
"""Fields of `Sums` that `moments` gives by obligor or group, in order."""


def euler_contributions(
    book: Portfolio, result: PortfolioTail, level: float, groups: ArrayLike | None = None
) -> tuple[Float64[np.ndarray, " parts"], Float64[np.ndarray, " parts"]]:
    """Contribution of every obligor to ES at a level and its standard error, the exposures' unit.

        C_k = E[L_k | L beyond VaR],   sum_k C_k = ES        (Tasche 1999)

    Args: book; result of `portfolio_tail` for that book; level in (0, 1); groups [obligors], a label for
    each, for the contributions and errors of groups, in the order of np.unique: what obligors lose together
    makes a group's error more than its obligors' tell. The paths of the result are drawn again, which their
    addresses allow. On each the default of k is not counted but integrated, given the factors and all others,

        E[w L_k 1{tail} | Z, others] = q_k c_k w(k in default) 1{L - L_k + c_k beyond VaR}

    so that an obligor too rare to default on any path has its contribution and error all the same. What the
    sum then misses of the ES of the same paths, R, is shared in proportion to a_k = C_k / sum C. Errors are
    those of the mean influence of a path, L_k + a_k R - E[L_k | L = VaR] in the tail. Raises ValueError for a
    level outside (0, 1), a book that is not the result's, groups of another length, and unless the result's
    sampler was pseudo_random or importance. Warns of obligors that no path shows in the tail.

    Example:
        >>> from engine.portfolio.portfolio import portfolio
        >>> from engine.portfolio.simulate import portfolio_tail
        >>> pair = portfolio([0.05, 0.05], exposure=[3.0, 1.0], loadings=0.5)
        >>> result = portfolio_tail(pair, levels=(0.99,), paths=2**13)
        >>> parts, errors = euler_contributions(pair, result, 0.99)
        >>> bool(abs(parts.sum() / result.table.es[0] - 1.0) < 1e-5), bool(parts[0] > parts[1] > 0.0)
        (True, True)
    """
    sums, whole, tail = sums_of(book, result, level, groups)
    if groups is None:
        warn_of_absent(book, sums.own, tail.level)
    if not sums.own.any():
        return sums.own, sums.own
    each = sums.own / sums.own.sum()
    contribution = each * tail.expected_shortfall
    centre = sums.at_var * (tail.value_at_risk / sums.at_var.sum()) if sums.at_var.any() else sums.at_var
    return contribution, influence_error(each, centre, sums, result.plan.paths) / (1.0 - tail.level)


def euler_var_contributions(
    book: Portfolio, result: PortfolioTail, level: float, groups: ArrayLike | None = None
) -> tuple[Float64[np.ndarray, " parts"], Float64[np.ndarray, " parts"]]:
    """Contribution of every obligor to VaR at a level and its standard error, the exposures' unit.

        C_k = E[L_k | L = VaR],   sum_k C_k = VaR        (Tasche 1999, equation 5.3)

    The condition is met by few paths, so the mean is taken over those from 0.8 to 1.25 times as far into the
    tail, each default integrated as for `euler_contributions`, and scaled to VaR:

        C_k = VaR A_k / sum_j A_j,   A_k = mean over paths of w L_k 1{L in the band}

    It is biased where a part does not grow in proportion to the loss there. Errors are those of the ratio and
    of VaR itself. Args and errors as for `euler_contributions`; it warns alike.

    Example:
        >>> from engine.portfolio.portfolio import portfolio
        >>> from engine.portfolio.simulate import portfolio_tail
        >>> book = portfolio(np.full(50, 0.02), exposure=np.linspace(1, 5, 50), loadings=0.5)
        >>> result = portfolio_tail(book, levels=(0.99,), paths=2**13)
        >>> parts, errors = euler_var_contributions(book, result, 0.99)
        >>> bool(np.isclose(parts.sum(), result.table["var"][0])), bool(parts[-1] > parts[0] + errors[0])
        (True, True)
    """
    sums, whole, tail = sums_of(book, result, level, groups)
    if groups is None:
        warn_of_absent(book, sums.at_var, tail.level)
    total = sums.at_var.sum()
    if not total:
        return sums.at_var, sums.at_var
    each = sums.at_var / total
    # Influence of a path on the ratio: X_k - a_k S, whose mean is zero.
    variance = sums.var_squared - 2.0 * each * sums.var_with_all + each**2 * sums.all_squared
    ratio = tail.value_at_risk / total * np.sqrt(np.maximum(variance, 0.0) / result.plan.paths)
    var = intervals.var_interval(whole, tail)
    own = each * (np.nan_to_num(var.upper, posinf=var.value) - var.lower) / (2.0 * intervals.HALF_WIDTH)
    return each * tail.value_at_risk, np.hypot(ratio, own)


@dataclasses.dataclass(frozen=True)
class Sums:
    """Means over paths, by obligor or group: Y, X, Y^2, Y R, Y T, X^2, X S; R, T, R^2, T^2, R T, S^2."""

    own: Float64[np.ndarray, " parts"]
    at_var: Float64[np.ndarray, " parts"]
    squared: Float64[np.ndarray, " parts"]
    with_rest: Float64[np.ndarray, " parts"]
    with_tail: Float64[np.ndarray, " parts"]
    var_squared: Float64[np.ndarray, " parts"]
    var_with_all: Float64[np.ndarray, " parts"]
    common: Float64[np.ndarray, "5"]
    all_squared: float


def sums_of(
    book: Portfolio, result: PortfolioTail, level: float, groups: ArrayLike | None
) -> tuple[Sums, measures.Losses, measures.Tail]:
    """The paths of a result drawn again and summed; raises what `euler_contributions` promises."""
    level = arguments.level("level", level)
    check(book, result)
    whole = result.losses
    tail = measures.tail(whole, level)
    tables = jnp.asarray(np.stack([bin_shares(whole, tail), near(whole, level)]), jnp.float32)
    paths, obligors = result.plan.paths, book.pd.shape[0]
    member, parts = membership(groups, obligors)
    ids = jnp.arange(whole_chunks(paths), dtype=jnp.int64).reshape(-1, chunk_size(losses.CHUNK))
    scale, count = jnp.asarray(result.scale, jnp.float32), jnp.asarray(paths, jnp.int64)
    by_part, over_paths = moments(
        book, result.twist, tables, scale, seed_words(result.plan.seed), ids, count, member
    )
    each = np.asarray(by_part).reshape(len(PARTS), -1)[:, :parts] / paths
    common = np.asarray(over_paths) / paths
    return (
        Sums(**dict(zip(PARTS, each, strict=True)), common=common[:-1], all_squared=float(common[-1])),
        whole,
        tail,
    )


def membership(groups: ArrayLike | None, obligors: int) -> tuple[Float64[Array, "..."] | None, int]:
    """Which obligors [4 quarter] belong to each group, and how many parts; ValueError for other lengths."""
    if groups is None:
        return None, obligors
    labels = np.asarray(groups)
    if labels.shape != (obligors,):
        raise ValueError(
            f"groups: got shape {labels.shape}, expected ({obligors},), a label for each obligor"
        )
    blank = np.flatnonzero(labels != labels)
    if len(blank):
        arguments.refuse(f"groups[{blank[0]}]", labels[blank[0]], "a label")
    names = np.unique(labels)
    return losses.layers(jnp.asarray(labels[:, None] == names, jnp.float64)), len(names)


def near(whole: measures.Losses, level: float) -> Float64[np.ndarray, " bins"]:
    """Share of each bin in a band about VaR: from 0.8 to 1.25 times as much beyond."""
    beyond = 1.0 - level
    far, close = 0.8 * beyond, min(1.25 * beyond, 0.5 + 0.5 * beyond)
    wide, narrow = (bin_shares(whole, measures.tail(whole, 1.0 - each)) for each in (close, far))
    return wide - narrow


def influence_error(
    each: Float64[np.ndarray, " obligors"], centre: Float64[np.ndarray, " obligors"], sums: Sums, paths: int
) -> Float64[np.ndarray, " obligors"]:
    """Standard error of the mean of Y + a R - c T: from the means of products of Y, R and T."""
    rest, tail, rest_squared, tail_squared, both = sums.common
    mean = sums.own + each * rest - centre * tail
    second = sums.squared + each**2 * rest_squared + centre**2 * tail_squared
    second += 2.0 * (each * sums.with_rest - centre * sums.with_tail - each * centre * both)
    return np.sqrt(np.maximum(second - mean**2, 0.0) / paths)


def check(book: Portfolio, result: PortfolioTail) -> None:
    """Raises the ValueErrors that `euler_contributions` promises for both."""
    if not isinstance(book, Portfolio):
        arguments.refuse("book", book, "a Portfolio, as portfolio makes it")
    if not isinstance(result, PortfolioTail):
        arguments.refuse("result", result, "a PortfolioTail, as portfolio_tail gives it")
    if result.sampler not in ("pseudo_random", "importance"):
        raise ValueError(f"sampler: got {result.sampler!r}, expected pseudo_random or importance")
    if scale_of(book) != result.scale:
        raise ValueError(f"book: got a largest loss of {book.total:g}, expected the portfolio of the result")


def warn_of_absent(book: Portfolio, first: Float64[np.ndarray, " obligors"], level: float) -> None:
    """Warn of obligors with something to lose that no path shows beyond the level."""
    cost = np.asarray(book.exposure) * np.asarray(book.lgd) * np.asarray(book.pd)
    absent = np.flatnonzero((cost > 0.0) & ~(first > 0.0))
    if len(absent):
        warnings.warn(
            f"{len(absent)} of {len(first)} obligors, the first of them {absent[0]}, have a contribution of "
            f"0 +- 0: no path shows their default beyond the {100 * level:.10g}% level. Run more paths, or "
            "sample the tail by importance.",
            stacklevel=3,
        )


@jax.jit
def moments(
    book: Portfolio, twist: Twist | None, tables: Float32[Array, "2 bins"], scale: Float32[Array, ""],
    seed: Seed, ids: Int64[Array, "chunks chunk"], count: Int64[Array, ""],
    member: Float64[Array, "4 quarter groups"] | None = None,
) -> tuple[Float64[Array, "7 *parts"], Float64[Array, "6"]]:  # fmt: skip
    """Sums over paths: by obligor or group of Y, X, Y^2, Y R, Y T, X^2, X S; R, T, R^2, T^2, R T, S^2.

    Y is weight x share of the tail x loss with the obligor's own default integrated, T weight x share of the
    tail, R what all Y of a path miss of T x loss; X is Y near VaR, S its sum over all; `tables` are the bins'
    shares of the tail and of VaR.
    """

    def by_part(book, twist, tables, scale, seed, ids, count, member):
        law = losses.law_of(book, PSEUDO_RANDOM, seed, ids, twist)
        words = losses.obligor_words(seed, ids, law.p.shape[1], "obligors")
        hit = jnp.stack([losses.below(word, p) for word, p in zip(words, law.p, strict=True)])
        cost = jnp.broadcast_to(losses.severity(book, law.factors, seed, ids), hit.shape)
        size = jnp.broadcast_to(losses.layers(book.exposure * book.lgd)[..., None], hit.shape)
        loss, expected = losses.amounts(book, law.p, law.factors, seed, ids)
        real = ids < count

        def parts(loss, expected):
            weight = jnp.where(jnp.broadcast_to(real, loss.shape), jnp.exp(law.log_weight(expected)), 0.0)
            place = bin_index(loss * scale)
            return [(weight * table[place]).astype(jnp.float64) for table in tables]

        def if_default(total, own):
            return jnp.broadcast_to(total, hit.shape) + jnp.where(hit, 0.0, own)

        price = (law.p * cost).astype(jnp.float64)
        own, at_var = (price * part for part in parts(if_default(loss, cost), if_default(expected, size)))
        tail, _ = parts(loss, expected)
        rest = tail * loss.astype(jnp.float64) - jnp.sum(own, axis=(0, 1))
        near_var = jnp.sum(at_var, axis=(0, 1))
        if member is not None:
            own, at_var = (jnp.einsum("ijp,ijg->gp", each, member) for each in (own, at_var))
        across = [jnp.broadcast_to(each, own.shape) for each in (rest, tail, near_var)]
        sums = [own, at_var, own**2, own * across[0], own * across[1], at_var**2, at_var * across[2]]
        common = [rest, tail, rest**2, tail**2, rest * tail, near_var**2]
        return jnp.stack([jnp.sum(each, axis=-1) for each in sums]), jnp.stack(
            [jnp.sum(each) for each in common]
        )

    def add(sums, ids):
        more = stored(by_part, book, twist, tables, scale, seed, ids, count, member)
        return jax.tree.map(jnp.add, sums, more), None

    shape = (4, -(-book.pd.shape[0] // 4)) if member is None else (member.shape[-1],)
    start = jnp.zeros((7, *shape), jnp.float64), jnp.zeros(6, jnp.float64)
    return lax.scan(add, start, ids)[0]
