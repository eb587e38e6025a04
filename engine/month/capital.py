"""Capital of lenders: how it grows, what the bust takes elsewhere, what is missing (docs/model.md, 8)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.economy import Conditions
from engine.month.setting import Setting
from engine.vocabulary import MONTH, REGIMES


class CapitalState(eqx.Module):
    """What next month needs; shares are of capital before losses."""

    growth: Float[Array, "lenders"]  # largest exposure so far over that of month 0
    bust: Float[Array, ""]  # years of bust so far
    eroded: Float[Array, "lenders"]  # share lost elsewhere
    missing: Float[Array, "lenders"]  # share lost and not yet restored


class Capital(eqx.Module):
    """Of this month; every scale is one at month 0."""

    growth: Float[Array, "lenders"]  # of exposure, never falling
    means: Float[Array, "lenders"]  # of capital by earnings retained or money raised
    scale: Float[Array, "lenders"]  # of capital in place, before losses
    eroded: Float[Array, "lenders"]  # share of it lost elsewhere

    def left(self, capital: Float[Array, "lenders"]) -> Float[Array, "lenders"]:
        """What losses of this book meet (USD bn), of `capital` at month 0."""
        return capital * self.scale * jnp.maximum(1.0 - self.eroded, 0.0)


def init(system: System) -> CapitalState:
    """Nothing lost, nothing grown."""
    none = jnp.zeros_like(system.lenders.capital)
    return CapitalState(none + 1.0, jnp.zeros((), jnp.float32), none, none)


def erosion(system: System, bust: Float[Array, ""], economy: Conditions) -> Float[Array, "lenders"]:
    """Share of capital lost on other assets: prices as they are marked, credit losses to date.

    severity (bust_equity (-ln E)+ + bust_spread (X - 1)+ + bust_credit Z), Z the years of bust so far
    """
    table = system.lenders
    depth = system.numbers.mechanisms.other_assets * system.numbers.lenders.bust_severity
    fall = jnp.maximum(-jnp.log(economy.equity), 0.0)
    wider = jnp.maximum(economy.spread - 1.0, 0.0)
    return depth * (table.bust_equity * fall + table.bust_spread * wider + table.bust_credit * bust)


def step(
    system: System, state: CapitalState, setting: Setting, held: Float[Array, "lenders"]
) -> tuple[Float[Array, ""], Capital]:
    """Years of bust so far, and this month's capital. `held` is each lender's exposure, USD bn.

    A vehicle calls capital as it lends; what it may call, and what others earn, grows at `capital_growth`.
    """
    table, economy = system.lenders, setting.economy
    bust = state.bust + economy.regime[REGIMES.index("bust")] * MONTH
    start = table.exposure_start
    growth = jnp.maximum(state.growth, held / jnp.where(start > 0.0, start, 1.0))
    means = jnp.exp(table.capital_growth * setting.month.month.astype(jnp.float32) * MONTH)
    scale = jnp.where(table.vehicle > 0.0, growth, means)
    return bust, Capital(growth, means, scale, erosion(system, bust, economy))


def missing(
    system: System, state: CapitalState, capital: Capital, recognised: Float[Array, "lenders"]
) -> Float[Array, "lenders"]:
    """Share of capital that is missing: what has been lost and is not restored.

    m' = clip(m (1 - rebuilding dt) + recognised / capital + change of what is lost elsewhere, 0, 1)
    """
    lost = recognised / (system.lenders.capital * capital.scale) + capital.eroded - state.eroded
    return jnp.clip(state.missing * (1.0 - system.numbers.lenders.rebuilding * MONTH) + lost, 0.0, 1.0)
