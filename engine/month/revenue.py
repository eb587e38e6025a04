"""AI revenue by firm: moving shares, and sales that a lab's own capital pays (docs/model.md, section 1)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.month.economy import Conditions
from engine.month.inputs import Fate
from engine.vocabulary import MONTH


class Revenue(eqx.Module):
    """What the other stages read of this month's revenue."""

    direct: Float[Array, "firms"]  # AI revenue, USD bn a year
    value: Float[Array, "firms"]  # equity value, USD bn


def shares(system: System, fate: Fate, month: Month) -> Float[Array, "firms"]:
    """Share of AI revenue by firm; what one lab wins the others lose: s_i ~ s_i(0) exp(xi_i sqrt(t))."""
    start = system.firms.revenue_share
    years = month.month.astype(jnp.float32) * MONTH
    moved = start * jnp.exp(fate.leadership * jnp.sqrt(years))
    total = jnp.sum(moved)
    return moved * jnp.sum(start) / jnp.where(total > 0.0, total, 1.0)


def equity_value(system: System, economy: Conditions, share: Float[Array, "firms"]) -> Float[Array, "firms"]:
    """Equity value of each firm: book value moved by the complex, and for labs by their own growth."""
    firms, numbers = system.firms, system.numbers
    start = firms.revenue_share * numbers.economy.revenue
    sells = start > 0.0
    growth = jnp.where(sells, share * economy.revenue / jnp.where(sells, start, 1.0), 1.0)
    return firms.equity_value * economy.equity * growth**numbers.contracts.revenue_power


def step(system: System, fate: Fate, economy: Conditions, month: Month) -> Revenue:
    """Revenue of the month. Start-ups that labs and their backers fund buy as long as the funding lasts."""
    numbers, firms = system.numbers.contracts, system.firms
    share = shares(system, fate, month)
    value = equity_value(system, economy, share)
    valued = firms.equity_value > 0.0
    funded = jnp.minimum(jnp.where(valued, value / jnp.where(valued, firms.equity_value, 1.0), 1.0), 1.0)
    funded = funded * economy.by_regime(numbers.subscription_regime)
    lapsed = system.numbers.mechanisms.subscription_loop * numbers.subscription_share * (1.0 - funded)
    return Revenue(direct=share * economy.revenue * (1.0 - lapsed), value=value)
