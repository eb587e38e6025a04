"""Value of a chip: the income approach, and its price in a fire sale."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Number = float | Float[Array | np.ndarray, "..."]
Numbers = Float[Array, "..."]


def income_value(
    rental: Number, cost: Number, rate: Number, decline: Number, life: Number = float("inf")
) -> Numbers:
    """Present value of a chip's rent net of running cost, switched off when rent meets cost.

        T = clip(ln(rental / cost) / decline, 0, life)
        V = rental (1 - exp(-(rate + decline) T)) / (rate + decline) - cost (1 - exp(-rate T)) / rate

    Args: rental and cost now (USD a year, any money unit), rate and decline (a year), life (years);
    all broadcast. Rent falls at `decline`, cost stays. Returns the value in the same money unit, at least 0.

    Example: a chip earning 18 a year at a cost of 5 for at most 6 years.
        >>> round(float(income_value(18.0, 5.0, 0.127, 0.24, 6.0)), 2)
        22.75
    """
    years = jnp.clip(jnp.log(rental / cost) / decline, 0.0, life)
    discount = rate + decline
    gross = rental * (1.0 - jnp.exp(-discount * years)) / discount
    running = cost * (1.0 - jnp.exp(-rate * years)) / rate
    return jnp.maximum(gross - running, 0.0)


def market_price(value: Number, discount: Number, scrap: Number) -> Numbers:
    """Price under a fire-sale discount, which scrap value escapes: value exp(-discount) + scrap."""
    return jnp.asarray(value * jnp.exp(-discount) + scrap)


def saturating_impact(discount: Number, sold: Number, depth: Number, impact: Number, cap: Number) -> Numbers:
    """Discount after a sale: F + impact sold / depth (1 - F / cap), at most cap."""
    return jnp.minimum(discount + impact * sold / depth * (1.0 - discount / cap), cap)
