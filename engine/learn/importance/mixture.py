"""Cross-entropy: the mixture under which the paths of a tail are most likely, by expectation-maximisation.

The best law for an integrand h >= 0 is p h / E[h]. The mixture q closest to it in relative entropy maximises

    sum_i v_i ln sum_c share_c q_c(x_i),     v_i = w_i h_i / sum w h,

over weighted paths. A part is an exponential family of a path's `Moments`, so that each maximisation is a
weighted mean of them: transition counts, means of shocks, inverse means of thresholds (Rubinstein and Kroese
2004, "The Cross-Entropy Method"; Dempster, Laird and Rubin 1977). A number that the sample
does not determine stays nominal: a part has some 200 numbers, and noise in each widens the weights.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from engine.draws.tilted import SPAN, Moments, Nominal, Tilt, log_ratios, probabilities

PRIOR = 40.0
"""Pseudo-counts: steps from each regime under the nominal law, added to those of each span."""
CAUTION = 2.0
"""Standard errors by which a mean must differ from the nominal one to be used."""
LEAST_SHARE = 0.02
"""Least share of a part, so that none dies out."""
ROUNDS = 30
RATES = (0.25, 8.0)
"""A threshold's rate stays between these; (1, 1) tilts none."""

Rates = tuple[float | Float[Array, ""], float | Float[Array, ""]]
"""Bounds of the rates, which are arrays inside compiled functions."""


@jax.jit
def densities(tilt: Tilt, nominal: Nominal, moments: Moments) -> Float[Array, "paths parts"]:
    """ln of the density ratio of each part at each path."""
    return jax.vmap(log_ratios, in_axes=(None, None, 0))(tilt, nominal, moments)


def responsibilities(tilt: Tilt, nominal: Nominal, moments: Moments) -> Float[Array, "paths parts"]:
    """E-step: probability that a path came from each part."""
    return jax.nn.softmax(densities(tilt, nominal, moments) + jnp.log(tilt.share)[None], axis=1)


def shrink(mean: Float[Array, "*shape"], error: Float[Array, "..."]) -> Float[Array, "*shape"]:
    """A mean shrunk towards zero by its standard error, and zero unless it is `CAUTION` of them away.

    The positive-part rule of James and Stein (1961), coordinate by coordinate.
    """
    square = jnp.maximum(mean**2, jnp.float32(1e-12))
    return mean * jnp.maximum(1.0 - (CAUTION * error) ** 2 / square, 0.0)


@jax.jit
def maximise(nominal: Nominal, moments: Moments, mass: Float[Array, "paths parts"], rates: Rates) -> Tilt:
    """M-step: the parts under which paths of this mass [paths parts], on any scale, are most likely."""
    total = jnp.sum(mass, axis=0)
    sample_size = total**2 / jnp.sum(mass**2, axis=0)

    def mean(leaf: Float[Array, "paths *shape"]) -> Float[Array, "parts *shape"]:
        flat = jnp.tensordot(mass, leaf, axes=((0,), (0,)))
        return flat / total.reshape(-1, *(1,) * (flat.ndim - 1))

    rows = probabilities(nominal.transition)[None, None]
    counts = sample_size[:, None, None, None] * mean(moments.transitions) + PRIOR * rows
    sizes = jnp.maximum(jnp.sum(nominal.obligor_pool, axis=1), 1.0)[None]
    populated = jnp.sum(nominal.obligor_pool, axis=1)[None] > 0.0
    error = 1.0 / jnp.sqrt(sample_size)[:, None]
    drift = shrink(mean(moments.shocks) / SPAN, error[:, None] / SPAN**0.5)
    firm = 1.0 / (1.0 + shrink(mean(moments.firms) - 1.0, error))
    pool = 1.0 / (
        1.0 + shrink(jnp.where(populated, mean(moments.pools) / sizes - 1.0, 0.0), error / jnp.sqrt(sizes))
    )
    share = jnp.maximum(total / jnp.sum(total), LEAST_SHARE)
    return Tilt(
        share=(share / jnp.sum(share)).astype(jnp.float32),
        transition=counts / jnp.sum(counts, axis=3, keepdims=True),
        drift=drift,
        common=shrink(mean(moments.common), error),
        firm_rate=jnp.clip(firm, *rates),
        pool_rate=jnp.clip(pool, *rates),
    )


def fit_mixture(
    nominal: Nominal,
    moments: Moments,
    value: Float[np.ndarray, "paths"],
    start: Float[np.ndarray, "paths parts"],
    rates: tuple[float, float] = RATES,
) -> Tilt:
    """The mixture closest to the law of weighted paths.

    `value` is w h of each path, on any scale; `start` [paths parts] assigns paths to parts to begin with,
    rows summing to one; rates of thresholds stay between the two `rates`.
    """
    each = jnp.asarray(value / np.sum(value) * len(value), jnp.float32)[:, None]
    moments = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), moments)
    law = maximise(nominal, moments, each * jnp.asarray(start, jnp.float32), rates)
    for _ in range(ROUNDS):
        law = maximise(nominal, moments, each * responsibilities(law, nominal, moments), rates)
    return law
