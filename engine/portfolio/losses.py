"""Losses of a portfolio, many paths at once: obligors down, paths across.

Given the factors, obligor k defaults with probability p_k(Z) = Phi((a_k . Z - s x_k) / residual_k),
s = 1 or sqrt(W / dof). A twist by theta >= 0 raises that to

    q_k = p_k exp(theta c_k) / (1 + p_k (exp(theta c_k) - 1)),     c_k = exposure_k lgd_k
    ln(dP/dQ) = -theta sum_k c_k 1{default} + psi(theta),   psi = sum_k ln(1 + p_k (exp(theta c_k) - 1))

with theta such that the expected loss given the factors is the target, zero where it already is (Glasserman
and Li 2005, section 3.1).
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Float32, Int, UInt32

from engine.batch.barriers import stored
from engine.batch.path_last import batch_last
from engine.draws.address import DRAWS, STREAM_BITS, STREAMS
from engine.draws.random import normal_of, threefry, uniform
from engine.draws.samplers import Sampler
from engine.numerics import indicator
from engine.portfolio.portfolio import Portfolio
from engine.tail.outcome import Outcome, path_weight

CHUNK = 64
"""Paths that a CPU evaluates together: a number for each of a thousand obligors, a quarter of a megabyte."""
MOST_STEPS = 40
"""Newton steps for a twist; any theta is unbiased, so short of convergence a path only weighs less well."""
MOST_TWIST = 60.0
"""Largest theta times largest exposure: exp(60) is still a float32."""
CLOSE = 1e-3
"""How near the goal, relative to it, a twist need be."""


Seed = UInt32[Array, "2"]
Ids = Int[Array, " paths"]
Paths = Float32[Array, " paths"]
Factors = Float32[Array, "factors paths"]
Probabilities = Float32[Array, "4 quarter paths"]
Words = tuple[UInt32[Array, "blocks paths"], ...]


class Twist(eqx.Module):
    """Where importance sampling sends the paths; all zero is plain sampling."""

    mean: Float32[Array, "factors"]  # of the factors
    target: Float32[Array, ""]  # loss to twist defaults towards, the exposures' unit
    defensive: Float32[Array, ""]  # share of paths drawn plainly; no weight exceeds 1 / share


def sample(
    book: Portfolio, sampler: Sampler, seed: Seed, ids: Ids, twist: Twist | None = None
) -> tuple[Paths, Paths]:
    """Losses, in the exposures' unit, and log-weights of the given paths.

    With a twist a share d of the paths is plain and the rest has shifted factors and twisted defaults; all
    are weighted by the mixture of both laws, 1 / (d + (1 - d) dQ/dP). Pure: jit and devices are the caller's.
    """

    def losses(book, sampler, seed, ids, twist):
        law = law_of(book, sampler, seed, ids, twist)
        loss, expected = amounts(book, law.p, law.factors, seed, ids)
        return loss, law.log_weight(expected)

    return stored(losses, book, sampler, seed, ids, twist)


class Law(eqx.Module):
    """Factors of a chunk of paths, the default probabilities they are drawn with, and what that weighs."""

    factors: Float32[Array, "normals paths"]
    p: Probabilities
    theta: Float32[Array, "paths"]  # of the exposures' unit
    constant: Float32[Array, "paths"]  # ln dQ/dP less theta times the loss at mean LGD
    sampled: Float32[Array, "paths"]  # the sampler's own log-weight
    defensive: Float32[Array, ""]

    def log_weight(self, expected: Float32[Array, "*shape paths"]) -> Float32[Array, "*shape paths"]:
        """ln of the weight of paths whose defaults cost `expected` at mean LGD.

        The log of a share of zero is minus infinity, which drops out of the mixture's density as it should.
        """
        theta, constant, sampled = (
            jnp.broadcast_to(each, expected.shape) for each in (self.theta, self.constant, self.sampled)
        )
        mixed = jnp.logaddexp(
            jnp.log(self.defensive), jnp.log1p(-self.defensive) + theta * expected + constant
        )
        return sampled - mixed


def law_of(book: Portfolio, sampler: Sampler, seed: Seed, ids: Ids, twist: Twist | None) -> Law:
    """Factors and default probabilities of a chunk of paths, twisted or plain."""

    def systematic(sampler, seed, path):
        return sampler(seed, path, 1, book.factors)

    draws = batch_last(systematic, sampler, seed, ids, batched=(False, False, True))
    factors, zero = draws.normals[0], jnp.zeros(ids.shape[0], jnp.float32)
    if twist is None:
        none = jnp.zeros((), jnp.float32)
        return Law(factors, default_pd(book, factors), zero, zero, draws.log_weight, none)
    twisted = indicator(coins(seed, ids) >= twist.defensive)
    factors = factors + twist.mean[:, None] * twisted[None, :]
    p = default_pd(book, factors)
    size = layers(book.exposure * book.lgd)[..., None]
    largest = jnp.max(size)
    theta = twist_to(p, size / largest, twist.target / largest) / largest
    raised = jnp.expm1(theta[None, None, :] * size)
    psi = jnp.sum(jnp.log1p(p * raised), axis=(0, 1))
    q = jnp.where(twisted[None, None, :] > 0.0, p * (1.0 + raised) / (1.0 + p * raised), p)
    shifted = jnp.sum(twist.mean[:, None] * factors, axis=0) - 0.5 * jnp.sum(twist.mean**2)
    return Law(factors, q, theta, shifted - psi, draws.log_weight, twist.defensive)


def default_pd(book: Portfolio, factors: Float32[Array, "normals paths"]) -> Probabilities:
    """Default probabilities given the normals [factors paths] of `Portfolio.factors`."""
    if book.student:
        return conditional_pd(book, factors[:-1], book.mixing(factors[-1]))
    return conditional_pd(book, factors, jnp.ones_like(factors[0]))


def amounts(
    book: Portfolio, p: Probabilities, factors: Float32[Array, "normals paths"], seed: Seed, ids: Ids
) -> tuple[Paths, Paths]:
    """Loss when obligors default with p, and the same at mean LGD, in the exposures' unit."""
    words = obligor_words(seed, ids, p.shape[1], "obligors")
    expected = total(layers(book.exposure * book.lgd)[..., None], words, p)
    if not book.random_lgd:
        return expected, expected
    return total(severity(book, factors, seed, ids), words, p), expected


def severity(
    book: Portfolio, factors: Float32[Array, "normals paths"], seed: Seed, ids: Ids
) -> Float32[Array, "4 quarter #paths"]:
    """Loss given default of each obligor in money; its paths axis has length one where LGD is fixed."""
    if not book.random_lgd:
        return layers(book.exposure * book.lgd)[..., None]
    lgd = loss_given_default(book, factors[: book.loadings.shape[1]], seed, ids)
    return layers(book.exposure)[..., None] * lgd


def coins(seed: Seed, ids: Ids) -> Paths:
    """One uniform a path, from the stream that decides how a path is sampled."""
    return uniform(obligor_words(seed, ids, 1, "sampler")[0][0])


def layers(values: Float[Array, "obligors ..."]) -> Float[Array, "4 quarter ..."]:
    """Obligors in four layers, one for each word of a block of random words; padded with zeros."""
    n = values.shape[0]
    padding = jnp.zeros((-n % 4, *values.shape[1:]), values.dtype)
    return jnp.concatenate([values, padding]).reshape(4, -(-n // 4), *values.shape[1:])


def combined(loadings: Float32[Array, "obligors factors"], z: Factors) -> Probabilities:
    """Systematic part of every obligor, loadings . Z.

    A lone factor gets a second one of zeros: a product that ends in no sum is fused into what reads it, and
    computed anew for each of the four layers, which takes four times as long.
    """
    if loadings.shape[1] == 1:
        loadings, z = jnp.pad(loadings, ((0, 0), (0, 1))), jnp.pad(z, ((0, 1), (0, 0)))
    return jnp.matmul(layers(loadings), z, precision=lax.Precision.HIGHEST)


def conditional_pd(book: Portfolio, z: Factors, scale: Paths) -> Probabilities:
    """Default probabilities given the factors and s."""
    threshold, own = layers(book.threshold)[..., None], layers(book.residual)[..., None]
    own = jnp.where(own > 0.0, own, 1.0)
    return normal_cdf((combined(book.loadings, z) - threshold * scale[None, None, :]) / own)


def normal_cdf(x: Float32[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """Phi(x) = erfc(-x / sqrt 2) / 2.

    As exact as jax.scipy's ndtr, which chooses among three branches, and a sixth of the whole kernel cheaper.
    """
    return 0.5 * lax.erfc(-x * jnp.float32(math.sqrt(0.5)))


def loss_given_default(book: Portfolio, z: Factors, seed: Seed, ids: Ids) -> Probabilities:
    """Random LGD of every obligor and path, a share."""
    common = combined(book.lgd_loadings, z)
    middle, volatility, own = (
        layers(x)[..., None] for x in (book.lgd_mean, book.lgd_volatility, book.lgd_residual)
    )
    noise = jnp.stack([normal_of(word) for word in obligor_words(seed, ids, common.shape[1], "normals")])
    return normal_cdf(middle + volatility * (common + own * noise))


def total(severity: Float32[Array, "4 quarter #paths"], words: Words, p: Probabilities) -> Paths:
    """Sum of severities over the obligors in default, those whose uniform lies below p.

    The four words of a random block serve the four layers, so that words, comparison and sum are one loop
    without an array in between.
    """
    return jnp.sum(sum(jnp.where(below(words[i], p[i]), severity[i], 0.0) for i in range(4)), axis=0)


def below(
    word: UInt32[Array, "quarter paths"], p: Float32[Array, "quarter paths"]
) -> Bool[Array, "quarter paths"]:
    """Whether a word's uniform lies below p.

    The uniform has all 32 bits: near zero, where rare defaults are decided, it moves in steps of 2^-32.
    """
    return (word.astype(jnp.float32) + 0.5) * jnp.float32(2.0**-32) < p


def twist_to(p: Probabilities, size: Float32[Array, "4 quarter 1"], goal: Float32[Array, ""]) -> Paths:
    """Theta at which the expected loss sum_k size_k q_k(theta) is the goal; 0 where it is at least that.

    Newton's method on an increasing function, inside the bracket that its own values set. Sizes are relative
    to the largest. Where no theta up to MOST_TWIST reaches the goal, that one is taken.
    """

    def moments(theta):
        lifted = p * jnp.exp(theta[None, None, :] * size)
        q = lifted / (1.0 - p + lifted)
        return jnp.sum(size * q, axis=(0, 1)), jnp.sum(size**2 * q * (1.0 - q), axis=(0, 1))

    def going(state):
        step, _, low, high, gap = state
        open_paths = (jnp.abs(gap) > CLOSE * goal) & (high - low > CLOSE)
        return (step < MOST_STEPS) & jnp.any(open_paths)

    def newton(state):
        step, theta, low, high, _ = state
        mean, variance = moments(theta)
        gap = goal - mean
        low, high = jnp.where(gap > 0.0, theta, low), jnp.where(gap > 0.0, high, theta)
        moved = theta + gap / jnp.maximum(variance, 1e-12)
        moved = jnp.where((moved > low) & (moved < high), moved, 0.5 * (low + high))
        return step + 1, jnp.where(jnp.abs(gap) <= CLOSE * goal, theta, moved), low, high, gap

    zero = jnp.zeros_like(p[0, 0])
    start = (jnp.int32(0), zero, zero, jnp.full_like(zero, MOST_TWIST), jnp.full_like(zero, goal))
    return jnp.maximum(lax.while_loop(going, newton, start)[1], 0.0)


def obligor_words(seed: Seed, ids: Ids, blocks: int, stream: str) -> Words:
    """Four arrays of random words, addressed by path and block."""
    dimension = jnp.arange(blocks, dtype=jnp.uint32)[:, None] + jnp.uint32(
        STREAMS.index(stream) << STREAM_BITS
    )
    low, high = ids.astype(jnp.uint32)[None, :], (ids >> 32).astype(jnp.uint32)[None, :]
    zero = jnp.zeros((blocks, ids.shape[0]), jnp.uint32)
    key = (seed[0], seed[1], jnp.uint32(DRAWS), jnp.uint32(0))
    return threefry(key, (zero + low, zero + high, zero, zero + dimension))


def outcome(
    model: tuple[Portfolio, Float32[Array, ""], Twist | None], sampler: Sampler, seed: Seed, ids: Ids,
    count: Int[Array, ""],
) -> Outcome:  # fmt: skip
    """A chunk of paths for the tally; the model is (portfolio, scale of the losses, twist)."""
    book, scale, twist = model
    loss, log_weight = sample(book, sampler, seed, ids, twist)
    n = ids.shape[0]

    def none(*shape: int, dtype: DTypeLike) -> Array:
        return jnp.zeros((*shape, n), dtype)

    return Outcome(
        path=ids,
        weight=path_weight(log_weight, ids < count),
        losses=(loss * scale)[None, None, :],
        components=none(1, 0, dtype=jnp.float32),
        default_month=none(0, dtype=jnp.int32),
        cause=none(0, dtype=jnp.int32),
        failure_month=none(0, dtype=jnp.int32),
        trace=none(1, 0, dtype=jnp.float32),
        group=none(dtype=jnp.int32),
        flags=jnp.zeros(n, jnp.uint32),
    )
