"""Samplers: from a path's address to its systematic draws and the log-weight that pays for choosing them.

A sampler is called as `sampler(seed, path, steps, factors) -> Systematic` for one path. Every one of them
is a function of the address alone, so any path can be drawn again. Draws that are no sampler's business
(of loans, firms, obligors) stay pseudo-random under the path's own address.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt32

from engine.draws.address import even, normals, words
from engine.draws.random import normal_of, uniform

SCRAMBLES = 0x736F626F
"""Separates the seeds of scrambles from any other use of a run's seed."""


class Once(eqx.Module):
    """How a sampler moves what a path draws but once: normals shifted, exponential thresholds scaled."""

    shift: Float[Array, "common"]
    firms: Float[Array, "firms"]
    obligors: Float[Array, "obligors"]


class Systematic(eqx.Module):
    """What all of a path shares: independent normals, one uniform a step, and ln(dP/dQ) of having them."""

    normals: Float[Array, "steps factors"]
    uniforms: Float[Array, "steps"]
    log_weight: Float[Array, ""]
    once: Once | None = None
    moments: eqx.Module | None = None  # all that the density of a tilted path depends on


class PseudoRandom(eqx.Module):
    """Every path on its own.

    Example:
        >>> from engine.draws.address import seed_words
        >>> drawn = PseudoRandom()(seed_words(7), jnp.int64(3), steps=12, factors=6)
        >>> drawn.normals.shape, drawn.uniforms.shape, float(drawn.log_weight)
        ((12, 6), (12,), 0.0)
    """

    def __call__(self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int):
        def step(month):
            drawn = words(seed, path, month, "systematic", even(factors) + 1)
            return normals(drawn[: even(factors)])[:factors], uniform(drawn[-1])

        values = jax.vmap(step)(jnp.arange(1, steps + 1, dtype=jnp.int32))
        return Systematic(*values, jnp.zeros((), jnp.float32))


PSEUDO_RANDOM = PseudoRandom()


class Antithetic(eqx.Module):
    """Paths 2j and 2j + 1 share what path j of `PseudoRandom` draws, the second with every sign turned."""

    def __call__(self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int):
        drawn = PSEUDO_RANDOM(seed, path >> 1, steps, factors)
        turned = path & 1
        sign = 1.0 - 2.0 * turned.astype(jnp.float32)
        mirrored = jnp.where(turned == 1, 1.0 - drawn.uniforms, drawn.uniforms)
        return Systematic(sign * drawn.normals, mirrored, drawn.log_weight)


class Sobol(eqx.Module):
    """One scrambled Sobol sequence on the leading principal components of the paths, the rest pseudo-random.

        normals = e + V (z - V' e),   e pseudo-random, z = Phi^-1 of point (path - first)

    with the columns of V [steps, components] the leading right singular vectors of the cumulative sum, so
    that z moves a Brownian path along its principal components (Glasserman 2003, 5.5.2). With one step V = 1
    and the uniform is a coordinate too. Point i is the digital net's: the exclusive or of the shift and of
    the directions at the bits of i's Gray code. Build with `sobol`.
    """

    directions: UInt32[Array, "bits dims"]
    shift: UInt32[Array, "dims"]
    basis: Float[Array, "steps components"]
    first: Int[Array, ""]

    def __call__(self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int):
        drawn = PSEUDO_RANDOM(seed, path, steps, factors)
        point = self.point(path - self.first)
        components = self.basis.shape[1]
        z = normal_of(point[: components * factors]).reshape(components, factors)
        # Two sums of products rather than matrix products: they stay float32 and fuse for one path.
        inside = jnp.sum(self.basis[:, :, None] * drawn.normals[:, None, :], axis=0)
        moved = drawn.normals + jnp.sum(self.basis[:, :, None] * (z - inside)[None, :, :], axis=1)
        uniforms = uniform(point[-1:]) if steps == 1 else drawn.uniforms
        return Systematic(moved, uniforms, drawn.log_weight)

    def point(self, index: Int[Array, ""]) -> UInt32[Array, "dims"]:
        """Point `index` of the sequence in units of 2^-32."""
        gray = index ^ (index >> 1)
        value = self.shift
        for bit in range(self.directions.shape[0]):
            chosen = ((gray >> bit) & 1).astype(jnp.uint32)
            value = value ^ (chosen * self.directions[bit])
        return value


def sobol(
    replications: int, points: int, steps: int, factors: int, components: int, seed: int
) -> tuple[Sobol, ...]:
    """Independent scrambles of one Sobol sequence, each of `points` paths, the ids running on.

    The sequence and its scrambles (linear matrix scramble and digital shift) are SciPy's; a digital net is
    known from its first point and those at 2^k - 1, so only these are asked for.
    Raises ValueError unless `points` is a power of two and components are at least 1 and at most the steps.
    """
    if points < 1 or points & (points - 1):
        raise ValueError(f"points: got {points} a replication, expected a power of two")
    if not 1 <= components <= steps:
        raise ValueError(f"components: got {components}, expected from 1 to the {steps} steps")
    from scipy.stats import qmc  # a quarter of a second that other samplers need not wait

    dims = components * factors + (1 if steps == 1 else 0)
    basis = principal_components(steps, components)
    built = []
    for replication in range(replications):
        rng = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32, SCRAMBLES, replication])
        shift, directions = digital_net(qmc.Sobol(dims, scramble=True, bits=32, rng=rng), points)
        built.append(
            Sobol(
                jnp.asarray(directions),
                jnp.asarray(shift),
                jnp.asarray(basis, jnp.float32),
                jnp.asarray(replication * points, jnp.int64),
            )
        )
    return tuple(built)


def digital_net(sequence, points: int) -> tuple[np.ndarray, np.ndarray]:
    """The shift [dims] and the directions [bits, dims] of SciPy's Sobol sequence, uint32.

    The Gray code of 2^(k+1) - 1 has bit k alone, so that point differs from the first by direction k.
    """
    asked = [0] + [2 ** (k + 1) - 1 for k in range(points.bit_length() - 1)]
    rows = []
    for index in asked:
        if index > sequence.num_generated:
            sequence.fast_forward(index - sequence.num_generated)
        rows.append((sequence.random(1)[0] * 2.0**32).astype(np.uint32))
    if points == 1:
        return rows[0], np.zeros((1, rows[0].size), np.uint32)
    return rows[0], np.stack(rows[1:]) ^ rows[0]


def principal_components(steps: int, components: int) -> np.ndarray:
    """Leading right singular vectors [steps, components] of the cumulative sum of `steps` increments."""
    _, _, rows = np.linalg.svd(np.tril(np.ones((steps, steps))))
    return rows[:components].T * np.sign(rows[:components].sum(axis=1))
