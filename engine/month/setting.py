"""Setting: what every borrower meets in a month before contracts are paid."""

import equinox as eqx
from jaxtyping import Array, Float

from engine.book.system import Month
from engine.month.chips import ChipMarket
from engine.month.economy import Conditions
from engine.month.revenue import Revenue


class Standing(eqx.Module):
    """Who lives and who is in business, 1 or 0."""

    alive: Float[Array, "firms"]  # never defaulted
    operating: Float[Array, "firms"]  # alive, or reorganised by a distressed exchange


class Setting(eqx.Module):
    """The month, the firms that stand at its start, the economy, the chip market and revenue."""

    month: Month
    standing: Standing
    economy: Conditions
    chips: ChipMarket
    revenue: Revenue
