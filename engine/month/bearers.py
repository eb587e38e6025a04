"""Bearers: on whom lenders' losses fall in the end (docs/model.md, section 8)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System


def retained(system: System, gross: Float[Array, "lenders"]) -> Float[Array, "lenders"]:
    """What lenders do not pass on (USD bn): all of it, but for vehicles what the network leaves them."""
    passing = system.numbers.mechanisms.lender_network
    return gross * (1.0 - system.lenders.vehicle * passing)


def borne(
    system: System, gross: Float[Array, "lenders"], scale: Float[Array, "lenders"]
) -> Float[Array, "bearers"]:
    """Loss by group of final bearers [bearers], USD bn: owners first, whoever stands behind them after."""
    table = system.lenders
    loss = retained(system, gross)
    first = jnp.minimum(loss, table.equity * scale)
    return table.first_bearer @ first + table.last_bearer @ (loss - first)
