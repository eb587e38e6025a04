"""Importance sampling of whole paths: a mixture of laws that make the paths of a tail likelier.

A part of the mixture moves, by spans of `SPAN` months,

    the regime         a Markov chain with transition probabilities q_ij in place of p_ij
    systematic shocks  independent normals with means m_f in place of zero

and, once a path,

    common normals     release effects and pool frailties, with means m_k in place of zero
    thresholds         exponential ones of single firms, and of all obligors of a pool together, with rates r

so that its density over the nominal one is a linear function of a path's `Moments`:

    ln q/p = sum n_ij ln(q_ij / p_ij) + sum (m S - months m^2 / 2) + sum (m c - m^2 / 2)
             + sum (k ln r - (r - 1) E)

All parts weigh a path together, whichever drew it (the balance heuristic, Veach and Guibas 1995), and one
part is the nominal law itself, so that no weight exceeds one over its share (Hesterberg 1995).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, UInt32

from engine.draws.address import even, normals, words
from engine.draws.random import uniform
from engine.draws.samplers import PSEUDO_RANDOM, Once, Systematic

SPAN = 6
"""Months that share one tilt."""


class Nominal(eqx.Module):
    """The model's own law, as far as a tilt depends on it."""

    transition: Float[Array, "regimes regimes"]  # cumulative rows, a month
    start: Float[Array, "regimes"]  # one-hot
    obligor_pool: Float[Array, "pools obligors"]  # 1 where an obligor is one of the pool's


class Tilt(eqx.Module):
    """Laws of a mixture; each leaf leads with its parts, the nominal law among them."""

    share: Float[Array, "parts"]
    transition: Float[Array, "parts spans regimes regimes"]  # probabilities, not cumulative
    drift: Float[Array, "parts spans factors"]
    common: Float[Array, "parts common"]
    firm_rate: Float[Array, "parts firms"]
    pool_rate: Float[Array, "parts pools"]


class Moments(eqx.Module):
    """Sufficient statistics of a path's density; any leading axes."""

    transitions: Float[Array, "... spans regimes regimes"]  # counts
    shocks: Float[Array, "... spans factors"]  # sums over the months of a span
    common: Float[Array, "... common"]
    firms: Float[Array, "... firms"]  # thresholds
    pools: Float[Array, "... pools"]  # sums of thresholds


def probabilities(cumulative: Float[Array, "*rows regimes"]) -> Float[Array, "*rows regimes"]:
    """Rows of probabilities from cumulative ones."""
    return jnp.diff(cumulative, axis=-1, prepend=jnp.zeros_like(cumulative[..., :1]))


def log_ratios(tilt: Tilt, nominal: Nominal, moments: Moments) -> Float[Array, "parts"]:
    """ln q/p of each part at the moments of one path."""
    steps, shocks, common, firms, pools = (leaf[None] for leaf in jax.tree.leaves(moments))
    sizes = jnp.sum(nominal.obligor_pool, axis=1)[None]
    return (
        jnp.sum(row_ratios(tilt, nominal) * steps, axis=(1, 2, 3))
        + jnp.sum(tilt.drift * shocks - 0.5 * SPAN * tilt.drift**2, axis=(1, 2))
        + jnp.sum(tilt.common * common - 0.5 * tilt.common**2, axis=1)
        + jnp.sum(jnp.log(tilt.firm_rate) - (tilt.firm_rate - 1.0) * firms, axis=1)
        + jnp.sum(sizes * jnp.log(tilt.pool_rate) - (tilt.pool_rate - 1.0) * pools, axis=1)
    )


def row_ratios(tilt: Tilt, nominal: Nominal) -> Float[Array, "parts spans regimes regimes"]:
    """ln(q_ij / p_ij), zero where a step cannot happen."""
    p = jnp.broadcast_to(probabilities(nominal.transition), tilt.transition.shape)
    possible = (p > 0.0) & (tilt.transition > 0.0)
    return jnp.log(jnp.where(possible, tilt.transition, 1.0) / jnp.where(possible, p, 1.0))


class Tilted(eqx.Module):
    """The sampler: one part draws the path, and all of them weigh it."""

    tilt: Tilt
    nominal: Nominal

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        draws = PSEUDO_RANDOM(seed, path, steps, factors)
        own = self.part(seed, path)
        regimes, uniforms = self.regimes(own.transition, draws.uniforms)
        shocks = draws.normals + by_month(own.drift)
        once = Once(own.common, 1.0 / own.firm_rate, (1.0 / own.pool_rate) @ self.nominal.obligor_pool)
        moments = self.moments(shocks, regimes, self.raw(seed, path), once)
        along = log_ratios(self.tilt, self.nominal, moments) + jnp.log(self.tilt.share)
        return Systematic(shocks, uniforms, -jax.nn.logsumexp(along), once, moments)

    def part(self, seed: UInt32[Array, "2"], path: Int[Array, ""]) -> Tilt:
        """The part that draws this path, without its axis."""
        pick = uniform(words(seed, path, jnp.zeros((), jnp.int32), "sampler", 1)[0])
        above = jnp.cumsum(self.tilt.share)
        own = (pick < above) & (pick >= above - self.tilt.share)
        # The last part takes what rounding of the cumulative shares leaves.
        own = own.at[-1].set(pick >= above[-1] - self.tilt.share[-1]).astype(jnp.float32)
        return jax.tree.map(
            lambda leaf: jnp.sum(own.reshape(-1, *(1,) * (leaf.ndim - 1)) * leaf, axis=0), self.tilt
        )

    def regimes(
        self, transition: Float[Array, "spans regimes regimes"], uniforms: Float[Array, " months"]
    ) -> tuple[Float[Array, "months+1 regimes"], Float[Array, " months"]]:
        """One-hot regimes under the tilted chain, and uniforms that take the nominal chain along the same.

        The model only asks between which two nominal bounds a uniform lies: the middle stands for all.
        """
        bounds = jnp.concatenate([jnp.zeros((3, 1), jnp.float32), self.nominal.transition], axis=1)
        middle = 0.5 * (bounds[:, 1:] + bounds[:, :-1])

        def step(regime, inputs):
            rows, u = inputs
            above = jnp.cumsum(jnp.sum(regime[:, None] * rows, axis=0))
            past = (u >= above[:-1]).astype(jnp.float32)
            new = jnp.concatenate([1.0 - past[:1], past[:-1] - past[1:], past[-1:]])
            return new, (new, jnp.sum(regime[:, None] * middle * new[None, :]))

        _, (regimes, placed) = lax.scan(step, self.nominal.start, (by_month(transition), uniforms))
        return jnp.concatenate([self.nominal.start[None], regimes]), placed

    def raw(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""]
    ) -> tuple[Float[Array, " common"], Float[Array, " firms"], Float[Array, " obligors"]]:
        """Common normals, thresholds of firms and of obligors, as drawn at the path's own address."""
        zero = jnp.zeros((), jnp.int32)
        common, firms = self.tilt.common.shape[1], self.tilt.firm_rate.shape[1]
        obligors = self.nominal.obligor_pool.shape[1]
        return (
            normals(words(seed, path, zero, "normals", even(common)))[:common],
            -jnp.log(uniform(words(seed, path, zero, "firms", firms))),
            -jnp.log(uniform(words(seed, path, zero, "obligors", obligors))),
        )

    def moments(
        self,
        shocks: Float[Array, "months factors"],
        regimes: Float[Array, "months+1 regimes"],
        raw: tuple[Float[Array, " common"], Float[Array, " firms"], Float[Array, " obligors"]],
        once: Once,
    ) -> Moments:
        """Moments of the path with these draws."""
        common, firms, obligors = raw
        steps = regimes[:-1, :, None] * regimes[1:, None, :]
        return Moments(
            transitions=by_span(steps),
            shocks=by_span(shocks),
            common=common + once.shift,
            firms=firms * once.firms,
            pools=self.nominal.obligor_pool @ (obligors * once.obligors),
        )


def by_month(values: Float[Array, "spans *rest"]) -> Float[Array, "months *rest"]:
    """Each span's values for every month of it."""
    spans, *rest = values.shape
    return jnp.broadcast_to(values[:, None], (spans, SPAN, *rest)).reshape(spans * SPAN, *rest)


def by_span(values: Float[Array, "months *rest"]) -> Float[Array, "spans *rest"]:
    """Sums over the months of a span."""
    return jnp.sum(values.reshape(-1, SPAN, *values.shape[1:]), axis=1)


def untilted(nominal: Nominal, months: int, factors: int, common: int, firms: int) -> Tilt:
    """The nominal law as a mixture of one part."""
    spans, pools = months // SPAN, nominal.obligor_pool.shape[0]
    rows = probabilities(nominal.transition)
    return Tilt(
        share=jnp.ones(1, jnp.float32),
        transition=jnp.broadcast_to(rows, (1, spans, *rows.shape)),
        drift=jnp.zeros((1, spans, factors), jnp.float32),
        common=jnp.zeros((1, common), jnp.float32),
        firm_rate=jnp.ones((1, firms), jnp.float32),
        pool_rate=jnp.ones((1, pools), jnp.float32),
    )


def mixed(parts: Tilt, nominal_part: Tilt, defensive: float) -> Tilt:
    """Parts beside a share of the nominal law. Raises ValueError unless 0 < defensive < 1."""
    if not 0.0 < defensive < 1.0:
        raise ValueError(f"defensive: got {defensive}, expected a share between 0 and 1")
    joined = jax.tree.map(lambda own, plain: jnp.concatenate([own, plain]), parts, nominal_part)
    share = np.append(np.asarray(parts.share, np.float64) * (1.0 - defensive), defensive)
    return eqx.tree_at(lambda tilt: tilt.share, joined, jnp.asarray(share / share.sum(), jnp.float32))
