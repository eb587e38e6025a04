"""Euler contributions of obligors to a portfolio's expected shortfall."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float32, Float64, Int64

from engine.batch.barriers import stored
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.portfolio import losses
from engine.portfolio.losses import Seed, Twist
from engine.portfolio.portfolio import Portfolio
from engine.portfolio.simulate import PortfolioTail
from engine.run.plan import chunk_size, whole_chunks
from engine.tail import measures
from engine.tail.contributions import bin_shares
from engine.tail.histogram import bin_index
from engine.tail.outcome import path_weight


def euler_contributions(
    book: Portfolio, result: PortfolioTail, level: float
) -> tuple[Float64[np.ndarray, " obligors"], Float64[np.ndarray, " obligors"]]:
    """Contribution of every obligor to ES at a level and its standard error, the exposures' unit.

        C_k = E[L_k | L beyond VaR],   sum_k C_k = ES        (Tasche 1999)

    Args: book; result of `portfolio_tail` for that book; level in (0, 1). The paths of the result are drawn
    again, which their addresses allow, and the losses of those in the tail split by obligor. Raises
    ValueError unless the result's sampler was pseudo_random or importance.

    Example:
        >>> from engine.portfolio.portfolio import portfolio
        >>> from engine.portfolio.simulate import portfolio_tail
        >>> pair = portfolio([0.05, 0.05], exposure=[3.0, 1.0], loadings=0.5)
        >>> result = portfolio_tail(pair, levels=(0.99,), paths=2**13)
        >>> parts, errors = euler_contributions(pair, result, 0.99)
        >>> bool(abs(parts.sum() / result.table.es[0] - 1.0) < 1e-5), bool(parts[0] > parts[1] > 0.0)
        (True, True)
    """
    if result.sampler not in ("pseudo_random", "importance"):
        raise ValueError(f"sampler: got {result.sampler!r}, expected pseudo_random or importance")
    whole = measures.column_losses(result.tally, 0)
    tail = measures.tail(whole, level)
    shares = jnp.asarray(bin_shares(whole, tail), jnp.float32)
    paths = result.plan.paths
    ids = jnp.arange(whole_chunks(paths), dtype=jnp.int64).reshape(-1, chunk_size(losses.CHUNK))
    scale, count = jnp.asarray(result.scale, jnp.float32), jnp.asarray(paths, jnp.int64)
    sums = moments(book, result.twist, shares, scale, seed_words(result.plan.seed), ids, count)
    first, second = (np.asarray(total).ravel()[: book.pd.shape[0]] / paths for total in sums)
    error = np.sqrt(np.maximum(second - first**2, 0.0) / paths)
    return first / (1.0 - level), error / (1.0 - level)


@jax.jit
def moments(
    book: Portfolio, twist: Twist | None, shares: Float32[Array, " bins"], scale: Float32[Array, ""],
    seed: Seed, ids: Int64[Array, "chunks chunk"], count: Int64[Array, ""],
) -> Float64[Array, "2 4 quarter"]:  # fmt: skip
    """Sums over paths of (weight x share of the tail x obligor's loss) and of its square."""

    def by_obligor(book, twist, shares, scale, seed, ids, count):
        law = losses.law_of(book, PSEUDO_RANDOM, seed, ids, twist)
        words = losses.obligor_words(seed, ids, law.p.shape[1], "obligors")
        hit = jnp.stack([losses.below(word, p) for word, p in zip(words, law.p, strict=True)])
        cost = losses.severity(book, law.factors, seed, ids)
        loss, expected = losses.amounts(book, law.p, law.factors, seed, ids)
        weight = path_weight(law.log_weight(expected), ids < count)
        share = weight * shares[bin_index(loss * scale)]
        own = jnp.where(hit, cost * share[None, None, :], 0.0).astype(jnp.float64)
        return jnp.stack([jnp.sum(own, axis=-1), jnp.sum(own**2, axis=-1)])

    def add(sums, ids):
        return sums + stored(by_obligor, book, twist, shares, scale, seed, ids, count), None

    quarter = -(-book.pd.shape[0] // 4)
    return lax.scan(add, jnp.zeros((2, 4, quarter), jnp.float64), ids)[0]
