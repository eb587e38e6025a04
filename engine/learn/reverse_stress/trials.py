"""Trials: losses of one column around systematic scenarios, simulated on common random numbers."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from engine.book.system import System
from engine.draws.samplers import principal_components
from engine.learn.reverse_stress.conditional_paths import ConditionalSampler, PathResults, observe
from engine.learn.reverse_stress.design_point import Plane, Point, Ray, fit_plane
from engine.learn.reverse_stress.regimes import Regimes, forcing, log_probability, transition_of
from engine.paths.path import column_names
from engine.run.devices import everywhere
from engine.run.plan import CHUNK

SHAPES = 6
"""Principal components of each factor's path that a scenario may move; the others stay at zero."""

SEARCH_IDS, CHECK_IDS, PROBABILITY_IDS = 1 << 40, 1 << 41, 1 << 42
"""First path ids of the search, of the checks of its answers, and of the probabilities."""

FEW = 512
"""Paths around each scenario where many are compared."""


@dataclasses.dataclass(frozen=True)
class Effort:
    """Paths of a search, in multiples of CHUNK, and how many steps and regime paths it takes.

    `start` and `scenario` are what it costs, roughly: before the first scenario with the probabilities, and
    for each scenario.
    """

    few: int  # paths around each of many scenarios
    many: int  # paths around one: its plane, its checks
    story: int  # paths from which it is told
    steps: int  # of a climb, at most
    regimes: int  # regime paths of the sum of probabilities
    start: int
    scenario: int


FULL = Effort(FEW, 8 * FEW, 4 * FEW, 7, 64, 200_000, 90_000)
QUICK = Effort(FEW // 2, 4 * FEW, FEW, 4, 16, 70_000, 45_000)
"""A search in a fraction of the time, whose answers are rough."""

SPREAD = 0.5
"""Standard deviation of the noise about a point to which a plane is fitted."""


class Scenario(NamedTuple):
    """A systematic path: regimes by month, and normals z [shapes * factors] along the shapes."""

    regimes: Regimes
    z: Float64[np.ndarray, "dims"]


class Trials:
    """Losses of one column at the end of a System's months; `progress` gets the paths of every call.

    Raises ValueError for an unknown column.
    """

    def __init__(
        self,
        system: System,
        seed: int,
        column: str = "system",
        progress: Callable[[int], None] = lambda paths: None,
        effort: Effort = FULL,
    ):
        columns = column_names(system)
        if column not in columns:
            raise ValueError(f"got {column!r}, expected one of {', '.join(columns)}")
        self.system, self.seed, self.at = everywhere(system), seed, columns.index(column)
        self.progress, self.effort = progress, effort
        self.transition, self.start = transition_of(system)
        self.months, self.factors = system.calendar.month.shape[0], system.economy.loading.shape[0]
        self.shapes = principal_components(self.months, SHAPES)

    @property
    def dims(self) -> int:
        """Length of a scenario's normals."""
        return SHAPES * self.factors

    def normals(self, z: Point) -> Float64[np.ndarray, "months factors"]:
        """The monthly normals of a scenario."""
        return self.shapes @ np.reshape(z, (SHAPES, self.factors))

    def log_likelihood(self, scenario: Scenario) -> float:
        """ln P(regimes) - |z|^2 / 2."""
        chain = log_probability(self.transition, self.start, scenario.regimes)
        return chain - 0.5 * float(scenario.z @ scenario.z)

    def sampler(self, scenario: Scenario, spread: float) -> ConditionalSampler:
        """The sampler of paths around a scenario."""
        uniforms = forcing(self.transition, self.start, scenario.regimes)
        centre = jnp.asarray(self.normals(scenario.z), jnp.float32)
        return ConditionalSampler(centre, jnp.asarray(uniforms), jnp.asarray(spread, jnp.float32))

    def observe(
        self,
        scenarios: Sequence[Scenario],
        spread: float,
        first: int,
        each: int,
        select: Callable[[PathResults], Any],
    ) -> Any:
        """`select(PathResults)` of `each` paths around every scenario [scenarios * chunks ... CHUNK].

        Every scenario has the same path ids, from `first` on; `each` is a multiple of CHUNK.
        """
        ids = first + np.arange(each, dtype=np.int64).reshape(-1, CHUNK)
        samplers = [self.sampler(scenario, spread) for scenario in scenarios for _ in ids]
        ids = np.tile(ids, (len(scenarios), 1))
        return observe(self.system, self.seed, samplers, ids, self.shapes, select, self.progress)

    def losses(
        self,
        scenarios: Sequence[Scenario],
        spread: float = 0.0,
        first: int = SEARCH_IDS,
        each: int | None = None,
    ) -> Float64[np.ndarray, "scenarios paths"]:
        """Losses (USD bn) of `each` paths around every scenario, by default of few."""
        each = self.effort.few if each is None else each
        losses = self.observe(scenarios, spread, first, each, lambda paths: paths.losses[:, self.at])
        return losses.reshape(len(scenarios), -1).astype(np.float64)

    def plane(self, scenario: Scenario, each: int | None = None, spread: float = SPREAD) -> Plane:
        """The plane through the losses of `each` paths about a scenario, by default of many."""
        each = self.effort.many if each is None else each
        loss, along = self.observe(
            [scenario], spread, SEARCH_IDS, each, lambda paths: (paths.losses[:, self.at], paths.along)
        )
        flat = np.moveaxis(along, -1, 1).reshape(loss.size, self.dims)
        return fit_plane((flat - scenario.z) / spread, loss.ravel(), spread)

    def rays(
        self, regimes: Sequence[Regimes], directions: Sequence[Point], distances: Ray, first: int = SEARCH_IDS
    ) -> tuple[Float64[np.ndarray, "rays points"], Float64[np.ndarray, "rays points"]]:
        """Mean and standard deviation of losses along z = distance * direction, by ray."""
        scenarios = [
            Scenario(path, distance * direction)
            for path, direction in zip(regimes, directions, strict=True)
            for distance in distances
        ]
        losses = self.losses(scenarios, first=first).reshape(len(regimes), len(distances), -1)
        return losses.mean(axis=2), losses.std(axis=2)
