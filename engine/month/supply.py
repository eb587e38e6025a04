"""Supply: recognised losses shrink the credit that is offered next month (docs/model.md, section 9)."""

import jax.numpy as jnp

from engine.book.system import System
from engine.month.lenders import Lenders
from engine.vocabulary import MONTH


def step(system: System, supply, lenders: Lenders):
    """S' = clip(S + reversion (1 - S) dt - loss sum_l w_l clip(recognised / capital, 0, 1), floor, 1)."""
    numbers, table = system.numbers.lenders, system.lenders
    hit = jnp.clip(lenders.recognised / jnp.maximum(lenders.capital, 1e-6), 0.0, 1.0)
    change = numbers.supply_reversion * (1.0 - supply) * MONTH
    return jnp.clip(
        supply + change - numbers.supply_loss * jnp.sum(table.lending_weight * hit), numbers.supply_floor, 1.0
    )
