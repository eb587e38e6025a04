"""Random inputs of a path: its Fate, drawn once, and the Shocks of a month."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.numerics import indicator


class PathDraws(eqx.Module):
    """Raw path draws: uniforms in (0, 1) and standard normals."""

    firms: Float[Array, "firms"]  # uniforms
    obligors: Float[Array, "obligors"]  # uniforms
    slip: Float[Array, "gens"]  # uniforms
    slip_length: Float[Array, "gens"]  # uniforms
    release_effect: Float[Array, "gens"]  # normals
    frailty: Float[Array, "pools"]  # normals
    leadership: Float[Array, "firms"]  # normals


class Shocks(eqx.Module):
    """Raw month draws: independent normals and uniforms in (0, 1)."""

    normals: Float[Array, "factors"]
    regime: Float[Array, ""]
    waiver: Float[Array, "loans"]
    extension: Float[Array, "loans"]
    own: Float[Array, "firms"]  # normals
    round: Float[Array, "firms"]  # uniforms


class Fate(eqx.Module):
    """What is drawn for a path before it starts."""

    threshold_firms: Float[Array, "firms"]  # exponential
    threshold_obligors: Float[Array, "obligors"]  # exponential
    release: Float[Array, "gens"]  # month of release
    release_effect: Float[Array, "gens"]  # log obsolescence a release adds to older generations
    frailty: Float[Array, "pools"]  # hazard multiplier, mean one
    leadership: Float[Array, "firms"]  # log share of AI revenue won in a first year
    parameters: Float[Array, "drawn"] | None = None  # of this path alone


Number = Float[Array, "..."] | float


def triangular(
    uniform: Float[Array, "*shape"], least: Number, mode: Number, most: Number
) -> Float[Array, "*shape"]:
    """Inverse of the triangular distribution function, with a, b, c = least, mode, most.

    a + sqrt(u (c - a)(b - a)) if u < (b - a)/(c - a), else c - sqrt((1 - u)(c - a)(c - b))

    Example:
        >>> float(triangular(jnp.float32(1.0), 2.0, 4.0, 9.0))
        9.0
    """
    width = most - least
    rising = least + jnp.sqrt(uniform * width * (mode - least))
    falling = most - jnp.sqrt((1.0 - uniform) * width * (most - mode))
    return jnp.where(uniform < (mode - least) / width, rising, falling)


def fate_of(system: System, draws: PathDraws) -> Fate:
    """Turn raw path draws into thresholds, release months and frailties (docs/model.md, section 0)."""
    chips = system.numbers.chips
    table = system.chips
    late = table.slips * indicator(draws.slip < chips.slip_probability)
    slip = late * jnp.round(triangular(draws.slip_length, *chips.slip_months))
    release = [table.release_month[0].astype(jnp.float32) + slip[0]]
    for g in range(1, table.gain.shape[0]):
        planned = table.release_month[g].astype(jnp.float32) + slip[g]
        in_order = jnp.maximum(planned, release[-1] + 1.0)
        release.append(jnp.where(table.existing[g] > 0.0, planned, in_order))
    noise = chips.release_noise
    effect = jnp.exp(noise * draws.release_effect - 0.5 * noise**2)
    frailty = system.pools.frailty
    return Fate(
        threshold_firms=-jnp.log(draws.firms),
        threshold_obligors=-jnp.log(draws.obligors),
        release=jnp.stack(release),
        release_effect=chips.release_effect * jnp.log(table.gain) * effect,
        frailty=jnp.exp(frailty * draws.frailty - 0.5 * frailty**2),
        leadership=system.numbers.economy.share_volatility * draws.leadership,
    )
