"""Supply: losses recognised and lenders past their limits shrink next month's credit (docs/model.md, 9)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.lenders import LenderLosses
from engine.vocabulary import MONTH

NO_CAPITAL = 1e-6
"""USD bn; a lender without capital must not divide by zero."""


def step(system: System, supply: Float[Array, ""], lenders: LenderLosses) -> Float[Array, ""]:
    """S' = clip(S + reversion (goal - S) dt - loss sum_l w_l hit_l, floor, 1).

    hit_l = clip(recognised_l / capital_l, 0, 1). While lenders have stopped, supply recovers only to
    goal = 1 - unreplaced sum_l w_l stopped_l, what the others lend in their place.
    """
    numbers, table = system.numbers.lenders, system.lenders
    hit = jnp.clip(lenders.recognised / jnp.maximum(lenders.capital, NO_CAPITAL), 0.0, 1.0)
    goal = 1.0 - numbers.unreplaced * jnp.sum(table.lending_weight * lenders.paper.stopped)
    change = numbers.supply_reversion * (goal - supply) * MONTH
    moved = supply + change - numbers.supply_loss * jnp.sum(table.lending_weight * hit)
    return jnp.clip(moved, numbers.supply_floor, 1.0)
