"""The regime of a month: a Markov chain moved by one uniform."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.numerics import indicator


def next_regime(
    transition: Float[Array, "regimes regimes"], regime: Float[Array, "regimes"], uniform: Float[Array, ""]
) -> Float[Array, "regimes"]:
    """One-hot regime drawn from the cumulative row of the current one."""
    cumulative = jnp.sum(regime[:, None] * transition, axis=0)
    past_boom = indicator(uniform >= cumulative[0])
    past_plateau = indicator(uniform >= cumulative[1])
    return jnp.stack([1.0 - past_boom, past_boom - past_plateau, past_plateau])
