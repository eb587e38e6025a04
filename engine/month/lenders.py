"""Lenders: who holds the loss, what vehicles pass on, when it is recognised (docs/model.md, section 8)."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.contagion.clearing import clear_vehicles
from engine.month.economy import Economy
from engine.vocabulary import MONTH, indicator

ROUNDS = 4
SETTLED = 1e-3


class LenderState(eqx.Module):
    """Cumulative losses (USD bn)."""

    loss: Float[Array, "instruments"]
    gross: Float[Array, "lenders"]
    pending: Float[Array, "lenders"]  # not yet recognised
    other_excess: Float[Array, ""]  # excess loss share on vehicles' other assets
    growth: Float[Array, ""]  # largest exposure so far over that of month 0


class Lenders(eqx.Module):
    """What the other stages read."""

    recognised: Float[Array, "lenders"]  # this month, USD bn
    capital: Float[Array, "lenders"]  # grown with the book, before losses
    unsettled: Float[Array, ""]


def init(system: System) -> LenderState:
    """Nothing lost."""
    table = system.lenders
    zero = jnp.zeros((), jnp.float32)
    return LenderState(
        jnp.zeros_like(table.holdings[0]),
        jnp.zeros_like(table.capital),
        jnp.zeros_like(table.capital),
        zero,
        zero + 1.0,
    )


def step(system: System, state: LenderState, economy: Economy, loss, exposure) -> tuple[LenderState, Lenders]:
    """Book this month's loss [instruments], clear the vehicles, recognise with a lag."""
    numbers, table = system.numbers.lenders, system.lenders
    cumulative = state.loss + loss
    direct = table.holdings @ cumulative
    excess = (
        state.other_excess
        + numbers.other_loss * (economy.hazard_multiplier**numbers.other_power - 1.0) * MONTH
    )
    growth = jnp.maximum(state.growth, exposure / system.exposure_start)

    own = direct + table.other_assets * excess
    capital, debt = table.capital * growth, table.debt * growth
    vehicles = table.debt_share.shape[1]
    passed, _, move = clear_vehicles(
        own[:vehicles], capital[:vehicles], debt[:vehicles], table.debt_share, table.equity_share,
        system.numbers.mechanisms.lender_network, numbers.bankruptcy_cost, ROUNDS,
    )  # fmt: skip
    gross = own + passed
    waiting = state.pending + gross - state.gross
    recognised = waiting / table.recognition_months
    return LenderState(cumulative, gross, waiting - recognised, excess, growth), Lenders(
        recognised=recognised, capital=capital, unsettled=indicator(move > SETTLED)
    )


def borne(system: System, gross):
    """Loss finally borne: gross for all but vehicles, which keep what the network does not pass on."""
    passing = system.numbers.mechanisms.lender_network
    return gross * (1.0 - system.lenders.vehicle * passing)
