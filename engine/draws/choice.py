"""Importance sampling by choice: of several economies that a path might have, one is simulated and weighed.

Path i has R candidates, the economies of the plain paths iR ... iR + R - 1. Their draws are made, a surrogate
estimates what each would lose, and with q > 0 a function of that estimate

    P(j) = q_j / sum_k q_k,      weight = 1/R sum_k q_k / q_j,      E[weight f] = E[f]     for every f and q

(resampled importance sampling, Talbot, Cline and Egbert 2005, section 3; as a survey in two phases, Neyman
1938). Candidates pass one by one and each takes the place of the one before with probability
q_j / sum_{k <= j} q_k (Chao 1982). What months draw of their own (own shocks and rounds of firms, waivers,
extensions) stays at the path's own address.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, UInt32

from engine.draws.address import normals, start_words, words
from engine.draws.random import uniform
from engine.draws.regimes import next_regime
from engine.draws.samplers import PSEUDO_RANDOM, Systematic

SPAN = 6
"""Months between the points at which an economy is described."""
SMALL = (0.001, 0.003, 0.01, 0.03)
"""Sizes of thresholds that firms of little hazard cross."""
LEAST = 1e-3
"""Added to a threshold before its logarithm is taken."""


class Nominal(eqx.Module):
    """The law of a path's economy, and how many draws a path makes once."""

    transition: Float[Array, "regimes regimes"]  # cumulative rows, a month
    start: Float[Array, "regimes"]  # one-hot
    loading: Float[Array, "factors factors"]  # of the independent normals
    obligor_pool: Float[Array, "pools obligors"]  # 1 where an obligor is one of the pool's
    labs: Int[Array, "labs"]  # places of the firms whose leadership is drawn
    generations: int = eqx.field(static=True)
    firms: int = eqx.field(static=True)

    def features(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], draws: Systematic
    ) -> Float[Array, "features"]:
        """Description of a plain path by its draws: factors and regimes by spans, what it draws once."""
        months = draws.uniforms.shape[0]
        regimes = self.regimes(draws.uniforms)
        levels = up_to(by_span(draws.normals @ self.loading.T)) / months**0.5
        outside = up_to(by_span(regimes[:, 1:])) / months
        boom = jnp.sum(jnp.cumprod(regimes[:, 0])) / months
        normal, firms, pools, releases = self.once(seed, path)
        each = (
            levels.reshape(-1), outside.reshape(-1), jnp.stack([boom, jnp.floor(boom)]), normal, releases,
            jnp.log(firms + LEAST), jnp.log(pools + LEAST), *(jnp.exp(-firms / size) for size in SMALL),
        )  # fmt: skip
        return jnp.concatenate(each)

    def regimes(self, uniforms: Float[Array, " months"]) -> Float[Array, "months regimes"]:
        """One-hot regimes of every month."""

        def month(regime, u):
            new = next_regime(self.transition, regime, u)
            return new, new

        return lax.scan(month, self.start, uniforms)[1]

    def once(self, seed: UInt32[Array, "2"], path: Int[Array, ""]) -> tuple[Float[Array, "..."], ...]:
        """Normals, thresholds of firms, sums of those of each pool's obligors, uniforms of releases."""
        pools, obligors = self.obligor_pool.shape
        common = self.generations + pools
        sizes = {"generations": self.generations, "pools": pools, "firms": self.firms, "obligors": obligors}
        bits = start_words(seed, path, **sizes)
        leadership = normals(bits["leadership"])[self.labs]
        return (
            jnp.concatenate([normals(bits["normals"])[:common], leadership]),
            -jnp.log(uniform(bits["firms"])),
            self.obligor_pool @ -jnp.log(uniform(bits["obligors"])),
            uniform(bits["releases"]),
        )


class Surrogate(eqx.Module):
    """A path's loss as estimated from some of its features, in standard deviations: a net of two layers."""

    places: Int[Array, "inputs"]  # of the features that are read
    centre: Float[Array, "inputs"]
    scale: Float[Array, "inputs"]
    weights: tuple[Float[Array, "_ _"], ...]  # of the layers
    biases: tuple[Float[Array, "_"], ...]

    def __call__(self, features: Float[Array, "features"]) -> Float[Array, ""]:
        """The estimate."""
        return network(self.weights, self.biases, (features[self.places] - self.centre) / self.scale)


def network(
    weights: tuple[Float[Array, "_ _"], ...],
    biases: tuple[Float[Array, "_"], ...],
    values: Float[Array, "inputs"],
) -> Float[Array, ""]:
    """Values through the layers of a net with one output."""
    *hidden, last = zip(weights, biases, strict=True)
    for weight, bias in hidden:
        values = jax.nn.silu(values @ weight + bias)
    return (values @ last[0] + last[1])[0]


class Preference(eqx.Module):
    """ln q of an estimate: piecewise linear, zero up to the first knot and constant from the last."""

    knots: Float[Array, "knots"]  # ascending
    bends: Float[Array, "knots"]  # by how much the slope grows at a knot

    def __call__(self, estimate: Float[Array, ""]) -> Float[Array, ""]:
        """ln q."""
        return jnp.sum(self.bends * jnp.maximum(jnp.minimum(estimate, self.knots[-1]) - self.knots, 0.0))


class Chosen(eqx.Module):
    """The draws of a given economy, whatever the path."""

    economy: Int[Array, ""]

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        return dataclasses.replace(PSEUDO_RANDOM(seed, self.economy, steps, factors), economy=self.economy)


class Choice(eqx.Module):
    """The sampler: one of `candidates` economies, and the weight that pays for the choice."""

    nominal: Nominal
    surrogate: Surrogate
    preference: Preference
    candidates: int = eqx.field(static=True)

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        economy, log_weight = self.choose(seed, path, steps, factors)
        return dataclasses.replace(Chosen(economy)(seed, path, steps, factors), log_weight=log_weight)

    def choose(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """The economy of a path, and the ln of its weight."""

        def candidate(carry, place):
            economy, own, total = carry
            other = path * self.candidates + place
            draws = PSEUDO_RANDOM(seed, other, steps, factors)
            features = self.nominal.features(seed, other, draws)
            q = jnp.exp(self.preference(self.surrogate(features)))
            total = total + q
            pick = uniform(words(seed, other, jnp.zeros((), jnp.int32), "sampler", 1)[0])
            swap = pick * total < q  # the first time always: a uniform is less than one
            return (jnp.where(swap, other, economy), jnp.where(swap, q, own), total), ()

        zero = jnp.zeros((), jnp.float32)
        places = jnp.arange(self.candidates, dtype=jnp.int64)
        (economy, own, total), _ = lax.scan(candidate, (path, zero, zero), places)
        return economy, jnp.log(total / (self.candidates * own))


def by_span(values: Float[Array, "months columns"]) -> Float[Array, "spans columns"]:
    """Sums over the months of a span."""
    return jnp.sum(values.reshape(-1, SPAN, values.shape[1]), axis=1)


def up_to(values: Float[Array, "spans columns"]) -> Float[Array, "spans columns"]:
    """Sums over all spans so far."""
    return jnp.tri(values.shape[0], dtype=jnp.float32) @ values
