"""A sampler whose paths follow a scenario: given factors are met, all others are drawn given these.

A scenario gives some of the economy's factors at the end of periods of n months (docs/model.md, section 0).
Period by period, with e the independent normals of its months, o what is given at its end and in it, and s
the regimes from its beginning on,

    s        from its law given all that the scenario says, by forward sampling on backward messages
    o        = a(s) + A e                   a(s): what the model expects, A: how it answers to the normals
    e'       = e + G (o - a(s) - A e),      G = A' (A A')^-1

so that e' are exactly the normals given o, and e where nothing is given. `engine.paths.conditioning` has the
tables.
"""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, UInt32

from engine.draws.samplers import PSEUDO_RANDOM, Sampler, Systematic
from engine.numerics import indicator


class Pinned(eqx.Module):
    """The sampler. Tables lead with [periods]; a sequence is the regimes before and in the months of one."""

    start: Float[Array, "regimes"]  # one-hot
    nominal: Float[Array, "regimes regimes"]  # the model's own law, cumulative rows, a month
    bounds: Float[Array, "periods step prefixes 2"]  # cumulative law of a month's regime given those before
    centre: Float[Array, "periods sequences given"]  # o - a(s)
    response: Float[Array, "periods given normals"]  # A, zero where nothing is given
    gain: Float[Array, "periods normals given"]  # G
    base: Sampler = PSEUDO_RANDOM

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        draws = self.base(seed, path, steps, factors)
        periods, step = self.bounds.shape[:2]

        def period(regime, inputs):
            bounds, centre, response, gain, normals, uniforms = inputs
            regime, sequence, placed = self.regimes(bounds, regime, uniforms)
            # Sums of products rather than matrix products: they stay float32 and fuse for one path.
            surprise = jnp.sum(sequence[:, None] * centre, axis=0)
            surprise = surprise - jnp.sum(response * normals[None, :], axis=1)
            return regime, (normals + jnp.sum(gain * surprise[None, :], axis=1), placed)

        tables = (self.bounds, self.centre, self.response, self.gain)
        own = (draws.normals.reshape(periods, step * factors), draws.uniforms.reshape(periods, step))
        _, (normals, uniforms) = lax.scan(period, self.start, (*tables, *own))
        return Systematic(normals.reshape(steps, factors), uniforms.reshape(steps), draws.log_weight)

    def released(self) -> "Pinned":
        """The sampler of the same shapes under which every path is free: one compiled program serves both."""
        prefixes = self.bounds.shape[2]
        rows = jnp.tile(self.nominal[:, :2], (prefixes // self.nominal.shape[0], 1))
        free = (jnp.broadcast_to(rows, self.bounds.shape), jnp.zeros_like(self.gain))
        return eqx.tree_at(lambda own: (own.bounds, own.gain), self, free)

    def regimes(
        self,
        bounds: Float[Array, "step prefixes 2"],
        regime: Float[Array, "regimes"],
        uniforms: Float[Array, " step"],
    ) -> tuple[Float[Array, "regimes"], Float[Array, " sequences"], Float[Array, " step"]]:
        """Last regime of a period, its one-hot sequence, and uniforms that take the model's chain along it.

        The model only asks between which of its own two bounds a uniform lies: a path's own uniform stays
        where it says the same, elsewhere the middle stands for all.
        """
        sequence, placed = regime, []
        for month in range(bounds.shape[0]):
            ours = jnp.sum(sequence[:, None] * bounds[month, : sequence.shape[0]], axis=0)
            theirs = jnp.sum(regime[:, None] * self.nominal, axis=0)
            past, would = indicator(uniforms[month] >= ours), indicator(uniforms[month] >= theirs[:2])
            chosen = jnp.stack([1.0 - past[0], past[0] - past[1], past[1]])
            edges = jnp.concatenate([jnp.zeros(1, jnp.float32), theirs])
            middle = jnp.sum(chosen * 0.5 * (edges[1:] + edges[:-1]))
            same = jnp.all(past == would)
            placed.append(jnp.where(same, uniforms[month], middle))
            sequence = (sequence[:, None] * chosen[None, :]).reshape(-1)
            regime = chosen
        return regime, sequence, jnp.stack(placed)
