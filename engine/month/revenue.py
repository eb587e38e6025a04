"""AI revenue by firm: moving shares, and sales that a lab's own capital pays (docs/model.md, section 1)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.month.economy import Conditions
from engine.month.inputs import Fate
from engine.vocabulary import MONTH


class Revenue(eqx.Module):
    """What the other stages read of this month's revenue and of each firm's own fortune."""

    direct: Float[Array, "firms"]  # AI revenue, USD bn a year
    value: Float[Array, "firms"]  # equity value, USD bn
    spread: Float[Array, "firms"]  # index, one at month 0
    access: Float[Array, "firms"]  # debt-market access


def shares(system: System, fate: Fate, month: Month) -> Float[Array, "firms"]:
    """Share of AI revenue by firm; what one lab wins the others lose: s_i ~ s_i(0) exp(xi_i sqrt(t))."""
    start = system.firms.revenue_share
    years = month.month.astype(jnp.float32) * MONTH
    moved = start * jnp.exp(fate.leadership * jnp.sqrt(years))
    total = jnp.sum(moved)
    return moved * jnp.sum(start) / jnp.where(total > 0.0, total, 1.0)


def own_value(
    system: System, log_value: Float[Array, "firms"], normal: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """Log of a firm's own value after a month, mean one: v' = v + sigma sqrt(dt) z - sigma^2 dt / 2."""
    volatility = system.numbers.mechanisms.own_shocks * system.firms.equity_volatility
    return log_value + volatility * MONTH**0.5 * normal - 0.5 * volatility**2 * MONTH


def equity_value(
    system: System, economy: Conditions, share: Float[Array, "firms"], log_own: Float[Array, "firms"]
) -> Float[Array, "firms"]:
    """Equity value of each firm: book value moved by the complex, by itself, and for labs by their growth."""
    firms, numbers = system.firms, system.numbers
    start = firms.revenue_share * numbers.economy.revenue
    sells = start > 0.0
    growth = jnp.where(sells, share * economy.revenue / jnp.where(sells, start, 1.0), 1.0)
    return firms.equity_value * economy.equity * jnp.exp(log_own) * growth**numbers.contracts.revenue_power


def step(
    system: System,
    fate: Fate,
    log_own: Float[Array, "firms"],
    economy: Conditions,
    month: Month,
    normal: Float[Array, "firms"],
) -> tuple[Float[Array, "firms"], Revenue]:
    """Revenue of the month. Start-ups that labs and their backers fund buy as long as the funding lasts.

    `log_own` is the log of each firm's own value last month, `normal` its shock of this month.
    """
    numbers, credit, firms = system.numbers.contracts, system.numbers.credit, system.firms
    log_own = own_value(system, log_own, normal)
    share = shares(system, fate, month)
    value = equity_value(system, economy, share, log_own)
    valued = firms.equity_value > 0.0
    funded = jnp.minimum(jnp.where(valued, value / jnp.where(valued, firms.equity_value, 1.0), 1.0), 1.0)
    funded = funded * economy.by_regime(numbers.subscription_regime)
    lapsed = system.numbers.mechanisms.subscription_loop * numbers.subscription_share * (1.0 - funded)
    return log_own, Revenue(
        direct=share * economy.revenue * (1.0 - lapsed),
        value=value,
        spread=economy.spread * jnp.exp(-credit.own_spread * log_own),
        access=jnp.minimum(economy.access * jnp.exp(credit.own_access * log_own), credit.capacity_cap),
    )
