"""Arrays of a System, put on the device uncompiled: `jnp.asarray` would compile a program for each shape."""

import jax
import numpy as np
from numpy.typing import ArrayLike


def floats(values: ArrayLike) -> jax.Array:
    """A float32 array."""
    return jax.device_put(np.asarray(values, np.float64).astype(np.float32))


def integers(values: ArrayLike) -> jax.Array:
    """An int32 array."""
    return jax.device_put(np.asarray(values, np.int64).astype(np.int32))
