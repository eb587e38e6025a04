"""Importance sampling by shifted normals: a mixture of mean paths, the plain law one of its parts.

    z = e + m_c with probability share_c,   e standard normal [steps factors]
    dQ/dP = sum_c share_c exp(m_c . z - |m_c|^2 / 2)

All parts weigh a path together, whichever drew it (the balance heuristic, Veach and Guibas 1995), and one of
them has no shift, so that no weight exceeds one over its share (Hesterberg 1995).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt32

from engine.draws.address import words
from engine.draws.random import uniform
from engine.draws.samplers import PSEUDO_RANDOM, Systematic


class Shifted(eqx.Module):
    """The sampler: one part draws the path, and all of them weigh it.

    >>> from engine.draws.address import seed_words
    >>> plain = Shifted(jnp.ones(1, jnp.float32), jnp.zeros((1, 12, 3), jnp.float32))
    >>> draws = plain(seed_words(7), jnp.int64(3), steps=12, factors=3)
    >>> bool((draws.normals == PSEUDO_RANDOM(seed_words(7), jnp.int64(3), 12, 3).normals).all())
    True
    """

    share: Float[Array, "parts"]
    mean: Float[Array, "parts steps factors"]

    def __call__(
        self, seed: UInt32[Array, "2"], path: Int[Array, ""], steps: int, factors: int
    ) -> Systematic:
        draws = PSEUDO_RANDOM(seed, path, steps, factors)
        pick = uniform(words(seed, path, jnp.zeros((), jnp.int32), "sampler", 1)[0])
        part = jnp.minimum(jnp.sum(pick >= jnp.cumsum(self.share), dtype=jnp.int32), len(self.share) - 1)
        normals = draws.normals + self.mean[part]
        along = jnp.sum(self.mean * (normals[None] - 0.5 * self.mean), axis=(1, 2)) + jnp.log(self.share)
        return Systematic(normals, draws.uniforms, draws.log_weight - jax.nn.logsumexp(along))
