"""From an address (seed, path, month, stream, dimension) to random words."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int, UInt32

from engine.draws.random import normal_pair, threefry

DRAWS = 0x756E6472
"""Third key word: separates path draws from any other use of a seed."""

STREAMS = (
    "systematic", "loans", "firms", "obligors", "releases", "normals", "sampler", "leadership", "own",
    "rounds", "parameters",
)  # fmt: skip
"""Kinds of draws. Each has its own dimensions, so that one more loan moves no shock of the economy."""
STREAM_BITS = 24


def words(
    seed: UInt32[Array, "2"], path: Int[Array, ""], month: Int[Array, ""], stream: str, count: int
) -> UInt32[Array, "count"]:
    """Random words of one stream of a path's month.

    Block d of four words has counter (path, month, stream and d); the words come lane by lane: the first of
    every block, then the second, and so on.
    """
    return words_of(seed, path, month, {stream: count})[stream]


def words_of(
    seed: UInt32[Array, "2"], path: Int[Array, ""], month: Int[Array, ""], counts: Mapping[str, int]
) -> dict[str, UInt32[Array, "_"]]:
    """The `words` of several streams, so many of each: the cipher's rounds run once for all blocks."""
    blocks = [-(-count // 4) for count in counts.values()]
    places = [
        np.arange(size, dtype=np.uint32) + np.uint32(STREAMS.index(stream) << STREAM_BITS)
        for stream, size in zip(counts, blocks, strict=True)
    ]
    low, high = path.astype(jnp.uint32), (path >> 32).astype(jnp.uint32)
    dimension = jnp.asarray(np.concatenate(places))
    zero = jnp.zeros_like(dimension)
    counter = (zero + low, zero + high, zero + month.astype(jnp.uint32), dimension)
    key = (seed[0], seed[1], jnp.uint32(DRAWS), jnp.uint32(0))
    lanes, streams, first = threefry(key, counter), {}, 0
    for (stream, count), size in zip(counts.items(), blocks, strict=True):
        streams[stream] = jnp.concatenate([lane[first : first + size] for lane in lanes])[:count]
        first += size
    return streams


def start_words(
    seed: UInt32[Array, "2"], path: Int[Array, ""], *, generations: int, pools: int, firms: int, obligors: int
) -> dict[str, UInt32[Array, "_"]]:
    """The words of all that a path draws once, by stream."""
    counts = {
        "releases": 2 * generations,
        "normals": even(generations + pools),
        "firms": firms,
        "obligors": obligors,
        "leadership": even(firms),
    }
    return words_of(seed, path, jnp.zeros((), jnp.int32), counts)


def seed_words(seed: int) -> UInt32[Array, "2"]:
    """A 64-bit seed as two words. Raises ValueError outside [0, 2^64)."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed: got {seed}, expected an integer from 0 to 2^64 - 1")
    return jnp.asarray(np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint32))


def normals(pairs: UInt32[Array, " count"]) -> Float32[Array, " count"]:
    """As many normals as words, an even number: cosines of all pairs, then sines."""
    half = pairs.shape[0] // 2
    return jnp.concatenate(normal_pair(pairs[:half], pairs[half:]))


def even(count: int) -> int:
    """The next even number."""
    return count + count % 2
