"""Log-spaced bins read from the bits of a float32.

A float32 is 2^e (1 + f). The exponent and the leading bits of f, taken together as one integer, count
equal steps within each octave: no logarithm is computed, so the same number falls into the same bin on every
device and for every batch shape. With `p` bins an octave the midpoint of a bin is within 1/(2p) of any
member, relative to the member: 0.195% for the losses, 1.6% for the fans.
"""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Float64, Int32

MANTISSA_BITS = 23
EXPONENT_BIAS = 127


@dataclass(frozen=True)
class Bins:
    """`per_octave` (a power of two) equal steps in each octave of [2^low, 2^high), and what lies outside.

    Unsigned: bin 0 holds everything below 2^low, zero and negatives included; the last bin everything from
    2^high on. Signed: the positive bins are mirrored about a middle bin |x| < 2^low. NaN, whatever its sign,
    goes to the last bin, where it is seen.

    >>> bins = Bins(per_octave=2, low=0, high=2)
    >>> bins.count, bins.lower.tolist(), bins.representative.tolist()
    (6, [-inf, 1.0, 1.5, 2.0, 3.0, 4.0], [0.0, 1.25, 1.75, 2.5, 3.5, 4.0])
    >>> bins.index(jnp.asarray([0.9, 1.0, 3.9, 4.0, jnp.nan], jnp.float32)).tolist()
    [0, 1, 4, 5, 5]
    """

    per_octave: int
    low: int
    high: int
    signed: bool = False

    def __post_init__(self) -> None:
        if self.per_octave.bit_count() != 1 or self.per_octave > 2**MANTISSA_BITS:
            raise ValueError(f"per_octave must be a power of two up to 2**23, got {self.per_octave}")
        if not -126 <= self.low < self.high <= 127:
            raise ValueError(f"need -126 <= low < high <= 127, got low={self.low}, high={self.high}")

    @property
    def steps(self) -> int:
        """The number of bins inside [2^low, 2^high)."""
        return (self.high - self.low) * self.per_octave

    @property
    def count(self) -> int:
        """The number of bins, the outer ones included."""
        return 2 * self.steps + 3 if self.signed else self.steps + 2

    def index(self, x: Float32[Array, "*shape"]) -> Int32[Array, "*shape"]:
        """The bin of each number."""
        bits = jax.lax.bitcast_convert_type(x, jnp.int32)
        # A negative number has the sign bit set, which reads as a negative integer and lands in bin 0.
        magnitude = bits & jnp.int32(0x7FFFFFFF) if self.signed else bits
        power = self.per_octave.bit_length() - 1
        below = ((EXPONENT_BIAS + self.low) << power) - 1
        step = jnp.right_shift(magnitude, jnp.int32(MANTISSA_BITS - power)) - jnp.int32(below)
        step = jnp.clip(step, jnp.int32(0), jnp.int32(self.steps + 1))
        if self.signed:
            step = jnp.int32(self.steps + 1) + jnp.where(bits < 0, -step, step)
        return jnp.where(jnp.isnan(x), jnp.int32(self.count - 1), step)

    @cached_property
    def edges(self) -> Float64[np.ndarray, "edges"]:
        """The boundaries from 2^low to 2^high."""
        step = np.arange(self.steps + 1)
        mantissa = 1.0 + (step % self.per_octave) / self.per_octave
        return np.ldexp(mantissa, self.low + step // self.per_octave)

    @cached_property
    def lower(self) -> Float64[np.ndarray, "bins"]:
        """The smallest number of each bin (for mirrored bins the one not reached)."""
        if self.signed:
            return np.concatenate([[-np.inf], -self.edges[::-1], self.edges])
        return np.concatenate([[-np.inf], self.edges])

    @cached_property
    def upper(self) -> Float64[np.ndarray, "bins"]:
        """The number each bin stays below (for mirrored bins the one it includes)."""
        return np.concatenate([self.lower[1:], [np.inf]])

    @cached_property
    def representative(self) -> Float64[np.ndarray, "bins"]:
        """The midpoint; zero for the bin about zero, the inner edge for the outer bins."""
        inside = (self.edges[1:] + self.edges[:-1]) / 2.0
        positive = np.concatenate([inside, self.edges[-1:]])
        mirrored = -positive[::-1] if self.signed else np.empty(0)
        return np.concatenate([mirrored, [0.0], positive])


LOSS = Bins(per_octave=256, low=-10, high=13)
"""Losses from 1 USD mn (2^-10 bn) to 8,192 USD bn."""

FAN = Bins(per_octave=32, low=-20, high=14, signed=True)
"""Monthly series of any unit and sign, from 1e-6 to 16,384."""

WEIGHT = Bins(per_octave=64, low=-64, high=64)
"""Likelihood ratios, from 5e-20 to 2e19."""

JOINT = Bins(per_octave=16, low=LOSS.low, high=LOSS.high)
"""The system loss in its joint law with a column's loss."""

DISTRESS = Bins(per_octave=4, low=LOSS.low, high=LOSS.high)
"""The column's loss in that law; it need only tell where the column's own tail begins."""

BINS = LOSS.count
LOWER, UPPER, REPRESENTATIVE = LOSS.lower, LOSS.upper, LOSS.representative


def bin_index(x: Float32[Array, "*shape"]) -> Int32[Array, "*shape"]:
    """The loss bin of each number.

    >>> bin_index(jnp.asarray([-1.0, 0.0, 2.0**-10, 8192.0], jnp.float32)).tolist()
    [0, 0, 1, 5889]
    """
    return LOSS.index(x)
