"""A securitisation's waterfall: pool losses by tranche."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from engine import arguments
from engine.numerics import traced

Number = float | Float[Array | np.ndarray, "..."]


def tranche_loss(pool_loss: Number, attachment: Number, detachment: Number) -> Float[Array, "..."]:
    """Loss of each tranche as a share of the pool: clip(loss - attachment, 0, detachment - attachment).

    Args: pool_loss, attachment, detachment as shares of the pool's debt, attachment below detachment; all
    broadcast. Raises ValueError for shares outside [0, 1] and tranches without width, unless they are traced.

    Example: a pool that lost 20%, tranches [0, 15%] and [15%, 100%].
        >>> [round(float(x), 2) for x in tranche_loss(0.2, jnp.array([0.0, 0.15]), jnp.array([0.15, 1.0]))]
        [0.15, 0.05]
    """
    if not traced(pool_loss, attachment, detachment):
        pool_loss, attachment, detachment = tranches(pool_loss, attachment, detachment)
    return jnp.clip(pool_loss - attachment, 0.0, detachment - attachment)


def tranches(pool_loss: Any, attachment: Any, detachment: Any) -> list[Any]:
    """All three as shares that broadcast, in the precision they come in; ValueError otherwise."""
    given = {"pool_loss": pool_loss, "attachment": attachment, "detachment": detachment}
    arguments.names_along(0, attachment=attachment, detachment=detachment)
    shares = {name: arguments.within(name, arguments.numbers(name, x), 0.0, 1.0) for name, x in given.items()}
    try:
        np.broadcast_shapes(*(share.shape for share in shares.values()))
    except ValueError:
        shapes = ", ".join(str(share.shape) for share in shares.values())
        raise ValueError(f"{', '.join(given)}: got shapes {shapes}, expected ones that broadcast") from None
    width = shares["detachment"] - shares["attachment"]
    if not (width > 0.0).all():
        raise ValueError(f"detachment: got {detachment}, expected more than the attachment, {attachment}")
    # A Python number stays weakly typed, so that float32 beside it stays float32.
    return [x if isinstance(x, float | int) else jnp.asarray(getattr(x, "values", x)) for x in given.values()]
