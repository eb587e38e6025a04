"""A securitisation's waterfall: pool losses by tranche."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Number = float | Float[Array | np.ndarray, "..."]


def tranche_loss(pool_loss: Number, attachment: Number, detachment: Number) -> Float[Array, "..."]:
    """Loss of each tranche as a share of the pool: clip(loss - attachment, 0, detachment - attachment).

    Args: pool_loss, attachment, detachment as shares of the pool's debt, attachment below detachment; all
    broadcast. Nothing is checked: the function runs inside every simulated path.

    Example: a pool that lost 20%, tranches [0, 15%] and [15%, 100%].
        >>> [round(float(x), 2) for x in tranche_loss(0.2, jnp.array([0.0, 0.15]), jnp.array([0.15, 1.0]))]
        [0.15, 0.05]
    """
    return jnp.clip(pool_loss - attachment, 0.0, detachment - attachment)
