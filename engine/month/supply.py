"""Supply: what each lender lends of its share of new credit, and their sum (docs/model.md, section 9)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.book.system import System
from engine.month.lenders import LenderLosses

NOTHING = 1e-6
"""USD bn; a lender without exposure must not divide by zero."""


def room(system: System, lenders: LenderLosses) -> Float[Array, "lenders"]:
    """Share of its new lending for which a lender has room: all of it up to `taper` of its limit, none at it.

    clip((limit / held - 1) / (1 / taper - 1), 0, 1), limit = appetite means (1 - missing) exposure_start
    """
    start, taper = system.lenders.exposure_start, system.numbers.lenders.taper
    limit = system.lenders.appetite * lenders.capital.means * (1.0 - lenders.missing) * start
    left = (limit / jnp.maximum(lenders.held, NOTHING) - 1.0) * taper / (1.0 - taper)
    return jnp.where(start > 0.0, jnp.clip(left, 0.0, 1.0), 1.0)


def step(system: System, lenders: LenderLosses) -> Float[Array, ""]:
    """Supply of credit next month: s + (1 - unreplaced) (1 - s) s, s = sum_l w_l s_l.

    s_l = room_l clip(1 - loss missing_l, 0, 1) (1 - stopped_l). Those who still lend replace a part of what
    the others do not; when the last one stops there is none.
    """
    numbers, table = system.numbers.lenders, system.lenders
    willing = jnp.clip(1.0 - numbers.supply_loss * lenders.missing, 0.0, 1.0)
    share = room(system, lenders) * willing * (1.0 - lenders.paper.stopped)
    lent = 1.0 - jnp.sum(table.lending_weight * (1.0 - share))
    return lent + (1.0 - numbers.unreplaced) * (1.0 - lent) * lent
