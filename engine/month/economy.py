"""Economy: regime, AI revenue, rates, credit appetite, equity and power cost (docs/model.md, section 1)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import Month, System
from engine.draws.regimes import next_regime
from engine.month.inputs import Shocks
from engine.numerics import indicator
from engine.vocabulary import FACTORS, MONTH, REGIMES


class EconomyState(eqx.Module):
    """Logs of what moves; the regime is one-hot."""

    regime: Float[Array, "regimes"]
    log_revenue: Float[Array, ""]
    rate: Float[Array, ""]  # a year
    log_spread: Float[Array, ""]
    log_equity: Float[Array, ""]
    log_power: Float[Array, ""]


class Conditions(eqx.Module):
    """What the other stages read of this month's economy."""

    regime: Float[Array, "regimes"]
    revenue: Float[Array, ""]  # USD bn a year
    rate: Float[Array, ""]
    spread: Float[Array, ""]  # index, one at month 0
    equity: Float[Array, ""]  # index, one at month 0
    power: Float[Array, ""]  # cost index, one at month 0
    supply: Float[Array, ""]  # credit supply as felt: one where the funding loop is off
    access: Float[Array, ""]  # debt-market access
    technology: Float[Array, ""]  # correlated normal
    hazard_multiplier: Float[Array, ""]

    def by_regime(self, values: Float[Array, "regimes"]) -> Float[Array, ""]:
        """The entry of a (boom, plateau, bust) vector that holds this month."""
        return jnp.sum(self.regime * values)


def init(system: System) -> EconomyState:
    """The economy at month 0."""
    economy = system.numbers.economy
    zero = jnp.zeros((), jnp.float32)
    regime = indicator(jnp.arange(len(REGIMES), dtype=jnp.int32) == economy.start)
    return EconomyState(regime, jnp.log(economy.revenue), economy.rate, zero, zero, zero)


def mean_reverting(
    value: Float[Array, ""],
    mean: Float[Array, ""] | float,
    speed: Float[Array, ""],
    volatility: Float[Array, ""],
    normal: Float[Array, ""],
) -> Float[Array, ""]:
    """Exact monthly step of an Ornstein-Uhlenbeck process.

    x' = mean + (x - mean) e^(-speed dt) + volatility sqrt((1 - e^(-2 speed dt)) / (2 speed)) z
    """
    decay = jnp.exp(-speed * MONTH)
    scale = volatility * jnp.sqrt((1.0 - decay**2) / (2.0 * speed))
    return mean + (value - mean) * decay + scale * normal


def step(
    system: System, state: EconomyState, supply: Float[Array, ""], month: Month, shocks: Shocks
) -> tuple[EconomyState, Conditions]:
    """One month of the economy. `supply` is last month's credit supply, of private lenders alone."""
    economy, credit = system.numbers.economy, system.numbers.credit
    supply = jnp.maximum(supply, month.supply_floor)
    loaded = system.economy.loading @ shocks.normals
    normals = {factor: loaded[place] for place, factor in enumerate(FACTORS)}
    felt = 1.0 - system.numbers.mechanisms.funding_loop * (1.0 - supply)
    root = MONTH**0.5

    regime = next_regime(system.economy.transition, state.regime, shocks.regime)
    headroom = jnp.maximum(1.0 - jnp.exp(state.log_revenue) / economy.ceiling, 0.0)
    growth = jnp.sum(regime * economy.growth) - regime[0] * economy.growth[0] * (1.0 - headroom)
    growth = growth - system.numbers.mechanisms.recession * economy.recession_drag * (1.0 - supply)
    surprise = economy.volatility * root * normals["demand"]
    log_revenue = state.log_revenue + (growth - 0.5 * economy.volatility**2) * MONTH + surprise

    rate = mean_reverting(
        state.rate, economy.rate, economy.rate_reversion, economy.rate_volatility, normals["rates"]
    )
    log_spread = mean_reverting(
        state.log_spread, 0.0, economy.spread_reversion, economy.spread_volatility, normals["credit"]
    )
    log_power = mean_reverting(
        state.log_power, 0.0, economy.power_reversion, economy.power_volatility, normals["power"]
    )
    own, common = economy.equity_volatility, economy.equity_beta * economy.volatility
    variance = own**2 + common**2 + 2.0 * own * common * economy.correlation_demand_equity
    jump = jnp.sum(state.regime[:, None] * regime[None, :] * system.economy.jump)
    log_equity = (
        state.log_equity
        + (economy.equity_drift - 0.5 * variance) * MONTH
        + economy.equity_beta * surprise
        + own * root * normals["equity"]
        + jump
    )
    spread = jnp.exp(log_spread) * (1.0 + economy.spread_feedback * (1.0 - felt))
    access = jnp.clip(credit.capacity_scale * felt / jnp.sqrt(spread), 0.0, credit.capacity_cap)
    return (
        EconomyState(regime, log_revenue, rate, log_spread, log_equity, log_power),
        Conditions(
            regime=regime,
            revenue=jnp.exp(log_revenue),
            rate=rate,
            spread=spread,
            equity=jnp.exp(log_equity),
            power=jnp.exp(log_power),
            supply=felt,
            access=access,
            technology=normals["technology"],
            hazard_multiplier=jnp.sum(regime * credit.hazard_regime),
        ),
    )
