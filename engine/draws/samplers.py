"""Samplers: from a path's address to its systematic draws and the log-weight that pays for choosing them.

A sampler is called as `sampler(seed, path, steps, factors) -> Systematic` for one path. Every one of them
is a function of the address alone, so any path can be drawn again. Idiosyncratic draws (of loans, firms,
obligors) stay pseudo-random under the path's own address.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int, UInt32

from engine import arguments
from engine.draws.address import even, normals, seed_words, words
from engine.draws.random import normal_of, uniform

if TYPE_CHECKING:
    from scipy.stats import qmc

SCRAMBLES = 0x736F626F
"""Separates the seeds of scrambles from any other use of a run's seed."""


class Systematic(eqx.Module):
    """Systematic draws of a path: independent normals, one uniform a step, and their ln(dP/dQ)."""

    normals: Float[Array, "steps factors"]
    uniforms: Float[Array, "steps"]
    log_weight: Float[Array, ""]
    economy: Int[Array, ""] | None = None  # the plain path whose draws these are, where it is another one


Sampler = Callable[[UInt32[Array, "2"], Int[Array, ""], int, int], Systematic]


class PseudoRandom(eqx.Module):
    """Every path on its own.

    Example:
        >>> from engine.draws.address import seed_words
        >>> draws = PseudoRandom()(seed_words(7), jnp.int64(3), steps=12, factors=6)
        >>> draws.normals.shape, draws.uniforms.shape, float(draws.log_weight)
        ((12, 6), (12,), 0.0)
    """

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        def step(month: Int[Array, ""]) -> tuple[Float[Array, " factors"], Float[Array, ""]]:
            bits = words(seed, path, month, "systematic", even(factors) + 1)
            return normals(bits[: even(factors)])[:factors], uniform(bits[-1])

        shocks, uniforms = jax.vmap(step)(jnp.arange(1, steps + 1, dtype=jnp.int32))
        return Systematic(shocks, uniforms, jnp.zeros((), jnp.float32))


PSEUDO_RANDOM = PseudoRandom()


def draw(sampler: Sampler, seed: int, path: int, steps: int, factors: int) -> Systematic:
    """Draws of one path: the normals [steps factors], one uniform a step, and its log-weight.

    Args: sampler, `PSEUDO_RANDOM`, `Antithetic()` or one of `sobol(...)`; seed, below 2^64; path, its id from
    0; steps; factors, independent standard normals a step. Raises ValueError for a seed outside [0, 2^64).

    Example: the second path of an antithetic pair mirrors the first.
        >>> first, second = (draw(Antithetic(), 7, path, steps=60, factors=6) for path in (6, 7))
        >>> bool((first.normals == -second.normals).all())
        True
    """
    if not callable(sampler):
        arguments.refuse("sampler", sampler, "PSEUDO_RANDOM, Antithetic() or one of sobol(...)")
    steps, factors = arguments.count("steps", steps), arguments.count("factors", factors)
    path = arguments.count("path", path, 0, 2**63 - 1)
    return sampler(seed_words(arguments.whole("seed", seed)), jnp.asarray(path, jnp.int64), steps, factors)


class Antithetic(eqx.Module):
    """Antithetic pairs: paths 2j and 2j + 1 have the draws of path j of `PseudoRandom`, signs opposite."""

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        draws = PSEUDO_RANDOM(seed, path >> 1, steps, factors)
        second = path & 1
        sign = 1.0 - 2.0 * second.astype(jnp.float32)
        mirrored = jnp.where(second == 1, 1.0 - draws.uniforms, draws.uniforms)
        return Systematic(sign * draws.normals, mirrored, draws.log_weight)


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

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        draws = PSEUDO_RANDOM(seed, path, steps, factors)
        point = self.point(path - self.first)
        components = self.basis.shape[1]
        z = normal_of(point[: components * factors]).reshape(components, factors)
        # Two sums of products rather than matrix products: they stay float32 and fuse for one path.
        inside = jnp.sum(self.basis[:, :, None] * draws.normals[:, None, :], axis=0)
        moved = draws.normals + jnp.sum(self.basis[:, :, None] * (z - inside)[None, :, :], axis=1)
        uniforms = uniform(point[-1:]) if steps == 1 else draws.uniforms
        return Systematic(moved, uniforms, draws.log_weight)

    def point(self, index: Int[Array, ""]) -> UInt32[Array, "dims"]:
        """Point `index` of the sequence in units of 2^-32."""
        gray = index ^ (index >> 1)
        value = self.shift
        for bit in range(self.directions.shape[0]):
            flip = ((gray >> bit) & 1).astype(jnp.uint32)
            value = value ^ (flip * self.directions[bit])
        return value


def sobol(
    replications: int, points: int, steps: int, factors: int, components: int, seed: int
) -> tuple[Sobol, ...]:
    """Independent scrambles of one Sobol sequence, one sampler each; path ids run on from one to the next.

    Args: replications, their number; points, paths of each, a power of two; steps and factors of the normals;
    components, principal components of each factor's path that the sequence covers, from 1 to the steps;
    seed, below 2^64. The sequence and its scrambles (linear matrix scramble and digital shift) are SciPy's; a
    digital net is known from its first point and those at 2^k - 1, so only these are computed.
    Raises ValueError unless points is a power of two and components lie between 1 and the steps.

    Example:
        >>> first, second = sobol(2, points=256, steps=12, factors=3, components=2, seed=7)
        >>> draw(second, 7, path=256, steps=12, factors=3).normals.shape
        (12, 3)
    """
    replications, steps = arguments.count("replications", replications), arguments.count("steps", steps)
    factors, components = arguments.count("factors", factors), arguments.whole("components", components)
    points, seed = arguments.whole("points", points), arguments.count("seed", seed, 0, arguments.SEEDS)
    if points < 1 or points & (points - 1):
        raise ValueError(f"points: got {points} a replication, expected a power of two")
    if not 1 <= components <= steps:
        raise ValueError(f"components: got {components}, expected from 1 to the {steps} steps")
    from scipy.stats import qmc  # takes a quarter of a second

    dims = components * factors + (1 if steps == 1 else 0)
    basis = principal_components(steps, components)
    samplers = []
    for replication in range(replications):
        rng = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32, SCRAMBLES, replication])
        shift, directions = digital_net(qmc.Sobol(dims, scramble=True, bits=32, rng=rng), points)
        samplers.append(
            Sobol(
                jnp.asarray(directions),
                jnp.asarray(shift),
                jnp.asarray(basis, jnp.float32),
                jnp.asarray(replication * points, jnp.int64),
            )
        )
    return tuple(samplers)


def digital_net(
    sequence: "qmc.Sobol", points: int
) -> tuple[UInt32[np.ndarray, " dims"], UInt32[np.ndarray, "bits dims"]]:
    """The shift [dims] and the directions [bits, dims] of SciPy's Sobol sequence, uint32.

    The Gray code of 2^(k+1) - 1 has bit k alone, so that point differs from the first by direction k.
    """
    indices = [0] + [2 ** (k + 1) - 1 for k in range(points.bit_length() - 1)]
    rows = []
    for index in indices:
        if index > sequence.num_generated:
            sequence.fast_forward(index - sequence.num_generated)
        rows.append((sequence.random(1)[0] * 2.0**32).astype(np.uint32))
    if points == 1:
        return rows[0], np.zeros((1, rows[0].size), np.uint32)
    return rows[0], np.stack(rows[1:]) ^ rows[0]


def principal_components(steps: int, components: int) -> Float64[np.ndarray, "steps components"]:
    """Leading right singular vectors of the cumulative sum of `steps` increments."""
    _, _, rows = np.linalg.svd(np.tril(np.ones((steps, steps))))
    return rows[:components].T * np.sign(rows[:components].sum(axis=1))
