"""What the economy, chips and revenue of the engine make of a past month: draws and months as in every run.

The stages behind them (contracts, funding, credit, lenders) are left out, and the supply of credit stays
whole: nothing of it failed in the history that there is.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float64

from engine.book.system import Names, System
from engine.draws.samplers import Sampler
from engine.learn.backtest.observed import WHOSE, Quantity
from engine.month.setting import Setting
from engine.month.step import State, meet
from engine.paths import path as paths
from engine.paths.draws import PathId, PathIds, Seed, month_shocks
from engine.paths.parameters import own_system
from engine.run.chunks import by_path
from engine.run.plan import Plan

Place = tuple[str, int]
"""Kind of a quantity, and the row of its firm or generation."""


def place_of(quantity: Quantity, names: Names) -> Place:
    """Where a quantity stands. Raises ValueError for a firm or chip that the book does not have."""
    if quantity.kind not in WHOSE:
        return quantity.kind, 0
    rows = getattr(names, WHOSE[quantity.kind])
    if quantity.whose not in rows:
        raise ValueError(f"got {str(quantity)!r}, expected one of the book's {WHOSE[quantity.kind]}")
    return quantity.kind, rows.index(quantity.whose)


def ratio(system: System, place: Place, setting: Setting) -> Float[Array, ""]:
    """A quantity over its value at month 0; of the rate the difference."""
    kind, row = place
    economy, firms = system.numbers.economy, system.firms
    read: dict[str, Callable[[], Float[Array, ""]]] = {
        "revenue": lambda: setting.economy.revenue / economy.revenue,
        "lab": lambda: setting.revenue.direct[row] / (firms.revenue_share[row] * economy.revenue),
        "rent": lambda: setting.chips.rent[row] / system.chips.rental[row],
        "spread": lambda: setting.revenue.spread[row],
        "equity": lambda: setting.revenue.value[row] / firms.equity_value[row],
        "capex": lambda: setting.chips.capex / system.calendar.capex[0],
        "rate": lambda: setting.economy.rate - economy.rate,
    }
    return read[kind]()


def market_path(
    places: tuple[Place, ...], system: System, sampler: Sampler, seed: Seed, path: PathId
) -> Float[Array, "months quantities"]:
    """Ratios of one path, month by month."""
    fate, start, draws = paths.begin(system, sampler, seed, path)
    system = own_system(system, fate.parameters)

    def month(parts, inputs):
        row, normal, regime = inputs
        shocks = month_shocks(system, seed, path, row.month, normal, regime)
        state = dataclasses.replace(start, **parts)
        economy, chips, own_value, setting = meet(system, fate, state, row, shocks)
        state = dataclasses.replace(state, economy=economy, chips=chips, own_value=own_value)
        return moving(state), jnp.stack([ratio(system, place, setting) for place in places])

    return lax.scan(month, moving(start), (system.calendar, draws.normals, draws.uniforms))[1]


@dataclasses.dataclass(frozen=True)
class MarketChunk:
    """Ratios of a chunk of path ids; equal places share one compiled program.

    A plain `vmap`: barriers between the parts of a month would keep the compiler from leaving out what these
    stages do not read.
    """

    places: tuple[Place, ...]

    def __call__(
        self, system: System, sampler: Sampler, seed: Seed, ids: PathIds
    ) -> Float[Array, "months quantities paths"]:
        """Months 1 ... T."""
        return jax.vmap(partial(market_path, self.places, system, sampler, seed), out_axes=-1)(ids)


def moving(state: State) -> dict[str, Any]:
    """The parts of a path's state that the economy, chips and revenue move."""
    return {"economy": state.economy, "chips": state.chips, "own_value": state.own_value}


class Market:
    """Simulates quantities of a System: `market(system, plan)` [months, quantities, paths], on the host."""

    def __init__(self, quantities: Sequence[Quantity], names: Names) -> None:
        self.quantities = tuple(dict.fromkeys(quantities))
        places = tuple(place_of(each, names) for each in self.quantities)
        self.chunk = MarketChunk(places)

    def __call__(
        self, system: System, plan: Plan, sampler: Sampler
    ) -> dict[Quantity, Float64[np.ndarray, "months paths"]]:
        """Each quantity over its value at month 0, of months 1 ... T."""
        values = np.asarray(by_path(self.chunk, system, plan, sampler), np.float64)
        return {each: values[:, place] for place, each in enumerate(self.quantities)}
