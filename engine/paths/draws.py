"""From an address (seed, path, month, dimension) to the draws of a path."""

import jax.numpy as jnp
from jaxtyping import Array, Int, UInt32

from engine.month.inputs import PathDraws, Shocks
from engine.paths.random import halves, normal_pair, threefry, uniform

DRAWS = 0x756E6472
"""Third key word: separates path draws from any other use of a seed."""


def words(seed: UInt32[Array, "2"], path: Int[Array, ""], month, count: int) -> UInt32[Array, "count"]:
    """The first `count` random words of a path's month: dimensions 4d ... 4d + 3 have counter (path, month, d)."""
    blocks = -(-count // 4)
    low, high = path.astype(jnp.uint32), (path >> 32).astype(jnp.uint32)
    dimension = jnp.arange(blocks, dtype=jnp.uint32)
    zero = jnp.zeros_like(dimension)
    counter = (zero + low, zero + high, zero + month.astype(jnp.uint32), dimension)
    key = (seed[0], seed[1], jnp.uint32(DRAWS), jnp.uint32(0))
    return jnp.concatenate(threefry(key, counter))[:count]


def seed_words(seed: int) -> UInt32[Array, "2"]:
    """A 64-bit seed as two words. Raises ValueError outside [0, 2^64)."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed: got {seed}, expected an integer from 0 to 2^64 - 1")
    return jnp.asarray([seed & 0xFFFFFFFF, seed >> 32], jnp.uint32)


def normals(first, second):
    """As many normals as words: cosines of all pairs, then sines."""
    return jnp.concatenate(normal_pair(first, second))


def path_draws(system, seed, path) -> PathDraws:
    """Path draws at month 0."""
    firms, obligors = system.firms.cash.shape[0], system.pools.obligor_pool.shape[0]
    gens, pools = system.chips.gain.shape[0], system.pools.hazard.shape[0]
    pairs = -(-(gens + pools) // 2)
    sizes = (firms, obligors, gens, gens, pairs, pairs)
    pieces = split(words(seed, path, jnp.zeros((), jnp.int32), sum(sizes)), sizes)
    normal = normals(pieces[4], pieces[5])
    return PathDraws(
        firms=uniform(pieces[0]),
        obligors=uniform(pieces[1]),
        slip=uniform(pieces[2]),
        slip_length=uniform(pieces[3]),
        release_effect=normal[:gens],
        frailty=normal[gens : gens + pools],
    )


def month_shocks(system, seed, path, month) -> Shocks:
    """Shocks of month `month` (1 ... T)."""
    factors, loans = system.economy.loading.shape[0], system.loans.coupon.shape[0]
    pairs = -(-factors // 2)
    sizes = (pairs, pairs, 1, loans)
    pieces = split(words(seed, path, month, sum(sizes)), sizes)
    waiver, extension = halves(pieces[3])
    return Shocks(
        normals=normals(pieces[0], pieces[1])[:factors],
        regime=uniform(pieces[2])[0],
        waiver=waiver,
        extension=extension,
    )


def split(array, sizes):
    """Consecutive pieces of the given sizes."""
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [array[end - size : end] for end, size in zip(ends, sizes, strict=True)]
