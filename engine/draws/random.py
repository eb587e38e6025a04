"""Counter-based random words: Threefry-4x32-20, so that every draw of every path has an address.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 4; the
known answers of Random123 are reproduced bit for bit (tests/draws/test_random.py).
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Float32, UInt32

PARITY = 0x1BD11BDA
ROTATIONS = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))
ROUNDS = 20

Word = UInt32[Array, "*shape"]
Number = Float32[Array, "*shape"]


def rotate(word: Word, bits: int) -> Word:
    """Rotate a 32-bit word to the left."""
    return (word << jnp.uint32(bits)) | (word >> jnp.uint32(32 - bits))


def threefry(
    key: Sequence[UInt32[Array, ""]], counter: Sequence[UInt32[Array, "..."]]
) -> tuple[UInt32[Array, "..."], ...]:
    """Four random words of a counter (four 32-bit words, broadcast) under a key (four 32-bit words).

    Example:
        >>> zero = (jnp.uint32(0),) * 4
        >>> [f"{int(word):08x}" for word in threefry(zero, zero)]
        ['9c6ca96a', 'e17eae66', 'fc10ecd4', '5256a7d8']
    """
    extended = (*key, key[0] ^ key[1] ^ key[2] ^ key[3] ^ jnp.uint32(PARITY))
    words = [counter[i] + extended[i] for i in range(4)]
    for block in range(ROUNDS):
        first, second = (1, 3) if block % 2 == 0 else (3, 1)
        left, right = ROTATIONS[block % 8]
        words[0] = words[0] + words[first]
        words[first] = rotate(words[first], left) ^ words[0]
        words[2] = words[2] + words[second]
        words[second] = rotate(words[second], right) ^ words[2]
        if block % 4 == 3:
            round_key = block // 4 + 1
            for i in range(4):
                words[i] = words[i] + extended[(round_key + i) % 5]
            words[3] = words[3] + jnp.uint32(round_key)
    return tuple(words)


def uniform(word: Word) -> Number:
    """Uniform in (0, 1): (floor(word / 256) + 1/2) / 2^24 as float32 has it, and never one.

    Above a half float32 has no room for the half step, and rounds it to its even neighbour.
    """
    value = ((word >> jnp.uint32(8)).astype(jnp.float32) + 0.5) * jnp.float32(2.0**-24)
    return jnp.minimum(value, jnp.float32(1.0 - 2.0**-24))


def halves(word: Word) -> tuple[Number, Number]:
    """Two uniforms in (0, 1) of 16 bits each from one word."""
    scale = jnp.float32(2.0**-16)
    high = ((word >> jnp.uint32(16)).astype(jnp.float32) + 0.5) * scale
    low = ((word & jnp.uint32(0xFFFF)).astype(jnp.float32) + 0.5) * scale
    return high, low


def normal_pair(word: Word, other: Word) -> tuple[Number, Number]:
    """Two independent standard normals by Box-Muller; the radius uses all 32 bits and reaches 6.7 sigma."""
    radius = jnp.sqrt(-2.0 * jnp.log((word.astype(jnp.float32) + 0.5) * jnp.float32(2.0**-32)))
    cosine, sine = cos_sin(other)
    return radius * cosine, radius * sine


def cos_sin(word: Word) -> tuple[Number, Number]:
    """Cosine and sine of word / 2^32 of a full turn, to 1e-7: Cephes' polynomials within 45 degrees.

    The nearest quarter turn is the word's leading bits, so nothing is lost in reducing the angle, and there
    is no call of a library, which would go number by number.
    """
    quarter = (word + jnp.uint32(1 << 29)) >> jnp.uint32(30)
    rest = (word - (quarter << jnp.uint32(30))).astype(jnp.int32).astype(jnp.float32)
    x = rest * jnp.float32(2.0**-32 * 6.283185307179586)
    z = x * x
    sine = x + x * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4))
    cosine = 1.0 - 0.5 * z + z * z * (4.166664568e-2 + z * (-1.388731625e-3 + z * 2.443315711e-5))
    odd = (quarter & jnp.uint32(1)) == jnp.uint32(1)
    across, up = jnp.where(odd, sine, cosine), jnp.where(odd, cosine, sine)
    left = ((quarter + jnp.uint32(1)) & jnp.uint32(2)) == jnp.uint32(2)
    down = (quarter & jnp.uint32(2)) == jnp.uint32(2)
    return jnp.where(left, -across, across), jnp.where(down, -up, up)


def normal_of(word: Word) -> Number:
    """Standard normal by inversion, Phi^-1((word + 1/2) / 2^32), odd about the middle and to 6.3 sigma.

    The upper half is mirrored: near one a float32 uniform could not tell its neighbours apart.
    """
    upper = word >= jnp.uint32(1 << 31)
    small = jnp.where(upper, ~word, word).astype(jnp.float32)
    lower = ndtri((small + 0.5) * jnp.float32(2.0**-32))
    return jnp.where(upper, -lower, lower)
