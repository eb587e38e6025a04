"""Arrays of a System, put on the device as they are: `jnp.asarray` would compile a program for each shape."""

import jax
import numpy as np


def floats(values):
    """A float32 array."""
    return jax.device_put(np.asarray(values, np.float64).astype(np.float32))


def integers(values):
    """An int32 array."""
    return jax.device_put(np.asarray(values, np.int64).astype(np.int32))
