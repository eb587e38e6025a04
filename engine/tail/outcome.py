"""What a batch of paths hands to the tally."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int32, Int64, UInt32


class Outcome(eqx.Module):
    """The losses, defaults and monthly series of `n` paths; the path axis is last everywhere.

    Losses are cumulative, positive, USD bn; column 0 is the system loss. `components` is a finer split of the
    system loss that is only ever read given the system loss. A weight is a likelihood ratio: 1 for plain
    paths, 0 for padding that must count nowhere. `path_weight` makes them.
    """

    path: Int64[Array, "n"]
    weight: Float32[Array, "n"]
    losses: Float32[Array, "horizons columns n"]  # USD bn
    components: Float32[Array, "horizons components n"]  # USD bn
    default_month: Int32[Array, "entities n"]  # 0 = never within the run
    cause: Int32[Array, "entities n"]  # a position in vocabulary.CAUSES
    failure_month: Int32[Array, "failing n"]  # of a holder of losses, 0 = never within the run
    trace: Float32[Array, "months series n"]  # vocabulary.series_of
    group: Int32[Array, "n"]  # a position in Layout.groups
    flags: UInt32[Array, "n"]  # bit i is vocabulary.FLAGS[i]


LEAST_WEIGHT = np.finfo(np.float32).tiny


def path_weight(log_weight: Float32[Array, "n"], real: Bool[Array, "n"]) -> Float32[Array, "n"]:
    """exp(log_weight) for paths that are real and 0 for padding.

    A likelihood ratio too small for a float32 is raised to the smallest there is: at 0 the path would not be
    counted, and the mean of the weights over the paths that are would be too large.

    >>> path_weight(jnp.asarray([0.0, -500.0, 0.0], jnp.float32), jnp.asarray([True, True, False])) > 0.0
    Array([ True,  True, False], dtype=bool)
    """
    return jnp.where(real, jnp.maximum(jnp.exp(log_weight), LEAST_WEIGHT), jnp.float32(0.0))
