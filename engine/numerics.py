"""Small pieces of arithmetic that every floor writes the same way."""

import jax.numpy as jnp


def indicator(condition):
    """1 where a condition holds and 0 elsewhere, in float32."""
    return condition.astype(jnp.float32)
