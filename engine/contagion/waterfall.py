"""A securitisation's waterfall: pool losses by tranche."""

import jax.numpy as jnp


def tranche_loss(pool_loss, attachment, detachment):
    """Loss of each tranche as a share of the pool: clip(loss - attachment, 0, detachment - attachment).

    Args: pool_loss, attachment, detachment as shares of the pool's debt; all broadcast.

    Example: a pool that lost 20%, tranches [0, 15%] and [15%, 100%].
        >>> [round(float(x), 2) for x in tranche_loss(0.2, jnp.array([0.0, 0.15]), jnp.array([0.15, 1.0]))]
        [0.15, 0.05]
    """
    return jnp.clip(pool_loss - attachment, 0.0, detachment - attachment)
