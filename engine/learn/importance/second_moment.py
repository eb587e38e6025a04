"""The least second moment: the mixture adjusted until estimates of a tail vary least.

Under q an estimate of E_p[h] has variance E_q[(w h)^2] - E_p[h]^2 a path. From paths x_i drawn under any law
with weights w_i, its first term is

    m(q) = 1/n sum_i w_i h_i^2 (p/q)(x_i)

(Rubinstein and Kroese 2004, section 8.2), convex in the drift of a single part. Gradient steps (Adam)
from the cross-entropy mixture lower the sum of ln m over several integrands. The share of the nominal law
stays.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from engine.draws.tilted import Moments, Nominal, Tilt, probabilities, row_ratios
from engine.learn.importance.mixture import RATES, Rates, densities

RATE, STEPS = 0.003, 15
"""Learning rate and steps of Adam: more of either overfits and raises the second moment on other paths."""


class Unbounded(eqx.Module):
    """Coordinates of a mixture without its nominal part: logarithms of what must be positive."""

    share: Float[Array, "parts"]
    transition: Float[Array, "parts spans regimes regimes"]  # ln q/p, up to a constant a row
    drift: Float[Array, "parts spans factors"]
    common: Float[Array, "parts common"]
    firm_rate: Float[Array, "parts firms"]
    pool_rate: Float[Array, "parts pools"]


def to_unbounded(tilt: Tilt, nominal: Nominal) -> Unbounded:
    """Coordinates of all parts but the last, which is the nominal one."""
    own = jax.tree.map(lambda leaf: leaf[:-1], tilt)
    rates = jnp.log(own.firm_rate), jnp.log(own.pool_rate)
    return Unbounded(jnp.log(own.share), row_ratios(own, nominal), own.drift, own.common, *rates)


def from_unbounded(free: Unbounded, tilt: Tilt, nominal: Nominal, rates: Rates = RATES) -> Tilt:
    """The mixture at these coordinates, with the nominal part of `tilt` at its share."""
    rows = probabilities(nominal.transition)[None, None] * jnp.exp(free.transition)
    own = Tilt(
        share=jax.nn.softmax(free.share) * (1.0 - tilt.share[-1]),
        transition=rows / jnp.sum(rows, axis=-1, keepdims=True),
        drift=free.drift,
        common=free.common,
        firm_rate=jnp.clip(jnp.exp(free.firm_rate), *rates),
        pool_rate=jnp.clip(jnp.exp(free.pool_rate), *rates),
    )
    return jax.tree.map(lambda part, plain: jnp.concatenate([part, plain[-1:]]), own, tilt)


def second_moments(
    tilt: Tilt, nominal: Nominal, moments: Moments, squares: Float[Array, "integrands paths"]
) -> Float[Array, "integrands"]:
    """m(q) of each integrand from `squares` = w h^2, up to the number of paths."""
    log_ratio = jax.nn.logsumexp(densities(tilt, nominal, moments) + jnp.log(tilt.share)[None], axis=1)
    return jnp.sum(squares * jnp.exp(-log_ratio)[None], axis=1)


@jax.jit
def descend(
    tilt: Tilt,
    nominal: Nominal,
    moments: Moments,
    squares: Float[Array, "integrands paths"],
    rates: Rates = RATES,
) -> Tilt:
    """The mixture after `STEPS` steps of descent; `squares` is w h^2 of each integrand and path."""
    optimiser, start = optax.adam(RATE), to_unbounded(tilt, nominal)

    def objective(free):
        return jnp.sum(
            jnp.log(second_moments(from_unbounded(free, tilt, nominal, rates), nominal, moments, squares))
        )

    def step(_, carry):
        free, state = carry
        updates, state = optimiser.update(jax.grad(objective)(free), state)
        return optax.apply_updates(free, updates), state

    with jax.numpy_dtype_promotion("standard"):  # optax raises a decay to an integer power
        free, _ = jax.lax.fori_loop(0, STEPS, step, (start, optimiser.init(start)))
    return from_unbounded(free, tilt, nominal, rates)


def scale_squares(squares: Float[np.ndarray, "integrands paths"]) -> Float[Array, "integrands paths"]:
    """Squares on a scale within float32's range: a constant factor does not change the minimum."""
    return jnp.asarray(squares / squares.sum(axis=1, keepdims=True), jnp.float32)
