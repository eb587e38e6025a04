"""Who makes up a portfolio's tail: Euler contributions of obligors to expected shortfall."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float64

from engine.batch.barriers import stored
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.portfolio import losses
from engine.portfolio.portfolio import Portfolio
from engine.portfolio.simulate import PortfolioTail
from engine.run.plan import chunk_size, whole_chunks
from engine.tail import measures
from engine.tail.contributions import bin_shares
from engine.tail.histogram import bin_index
from engine.tail.outcome import path_weight


def euler_contributions(
    book: Portfolio, found: PortfolioTail, level: float
) -> tuple[Float64[np.ndarray, "obligors"], Float64[np.ndarray, "obligors"]]:
    """Contribution of every obligor to ES at a level and its standard error, the exposures' unit.

        C_k = E[L_k | L beyond VaR],   sum_k C_k = ES        (Tasche 1999)

    The paths of `found` are drawn again, which their addresses allow, and those in its tail taken apart: no
    table of obligors by loss need be kept. Raises ValueError unless `found` was sampled pseudo-randomly or by
    importance.

    Example:
        >>> from engine.portfolio.portfolio import portfolio
        >>> from engine.portfolio.simulate import portfolio_tail
        >>> pair = portfolio([0.05, 0.05], exposure=[3.0, 1.0], loadings=0.5)
        >>> found = portfolio_tail(pair, levels=(0.99,), paths=2**13)
        >>> parts, errors = euler_contributions(pair, found, 0.99)
        >>> bool(abs(parts.sum() / found.table.es[0] - 1.0) < 1e-5), bool(parts[0] > parts[1] > 0.0)
        (True, True)
    """
    if found.sampler not in ("pseudo_random", "importance"):
        raise ValueError(f"sampler: got {found.sampler!r}, expected pseudo_random or importance")
    whole = measures.column_losses(found.tally, 0)
    tail = measures.tail(whole, level)
    shares = jnp.asarray(bin_shares(whole, tail), jnp.float32)
    paths = found.plan.paths
    ids = jnp.arange(whole_chunks(paths), dtype=jnp.int64).reshape(-1, chunk_size(losses.CHUNK))
    scale, count = jnp.asarray(found.scale, jnp.float32), jnp.asarray(paths, jnp.int64)
    sums = moments(book, found.tilt, shares, scale, seed_words(found.plan.seed), ids, count)
    first, second = (np.asarray(total).ravel()[: book.pd.shape[0]] / paths for total in sums)
    error = np.sqrt(np.maximum(second - first**2, 0.0) / paths)
    return first / (1.0 - level), error / (1.0 - level)


@jax.jit
def moments(book: Portfolio, tilt, shares, scale, seed, ids, count) -> Float64[Array, "2 4 quarter"]:
    """Sums over paths of (weight x share of the tail x obligor's loss) and of its square."""

    def taken_apart(book, tilt, shares, scale, seed, ids, count):
        law = losses.drawn_law(book, PSEUDO_RANDOM, seed, ids, tilt)
        words = losses.obligor_words(seed, ids, law.p.shape[1], "obligors")
        hit = jnp.stack([losses.below(word, p) for word, p in zip(words, law.p, strict=True)])
        cost = losses.severity(book, law.factors, seed, ids)
        loss, expected = losses.amounts(book, law.p, law.factors, seed, ids)
        weight = path_weight(law.log_weight(expected), ids < count)
        share = weight * shares[bin_index(loss * scale)]
        own = jnp.where(hit, cost * share[None, None, :], 0.0).astype(jnp.float64)
        return jnp.stack([jnp.sum(own, axis=-1), jnp.sum(own**2, axis=-1)])

    def add(sums, ids):
        return sums + stored(taken_apart, book, tilt, shares, scale, seed, ids, count), None

    quarter = -(-book.pd.shape[0] // 4)
    return lax.scan(add, jnp.zeros((2, 4, quarter), jnp.float64), ids)[0]
