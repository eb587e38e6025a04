"""Amounts of money as float64 arrays, checked before a solver sees them.

Shapes are always checked. Values are checked unless an argument is being traced by jit or vmap, whose numbers
are not known yet: check a batch once, outside.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float64
from numpy.typing import ArrayLike

from engine.contagion.ranges import check_range
from engine.numerics import double_precision


@double_precision()
def amounts(
    name: str,
    value: ArrayLike,
    shape: tuple[int, ...] | None = None,
    lowest: float = 0.0,
    highest: float = np.inf,
) -> Float64[Array, "..."]:
    """`value` as a float64 array of `shape`, one number standing for all; of its own shape if None.

    Raises ValueError naming the first entry that is not a number, infinite or outside [lowest, highest], and
    where the shape differs.

        >>> amounts("recovery", 0.4, (2,), highest=1.0).tolist()
        [0.4, 0.4]
    """
    array = to_array(value)
    shape = array.shape if shape is None else shape
    if array.shape not in ((), shape):
        raise ValueError(f"{name}: got shape {array.shape}, expected {shape}")
    if not isinstance(array, jax.core.Tracer):
        check_range(name, np.asarray(array), lowest, highest)
    return jnp.broadcast_to(array, shape)


def network(name: str, value: ArrayLike) -> Float64[Array, "firms firms"]:
    """`value` as a square float64 matrix of amounts, not negative and zero on the diagonal.

    Raises ValueError where it is not.
    """
    array = to_array(value)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"{name}: got shape {array.shape}, expected a square matrix")
    array = amounts(name, array)
    if not isinstance(array, jax.core.Tracer):
        own = np.diagonal(np.asarray(array))
        if own.any():
            at = int(np.flatnonzero(own)[0])
            raise ValueError(f"{name}[{at}, {at}]: got {own[at]}, expected 0: nobody owes itself")
    return array


def to_array(value: ArrayLike) -> Float64[Array, "..."]:
    """`value` in float64, on the device."""
    return jnp.asarray(value).astype(jnp.float64)
