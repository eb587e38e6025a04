"""Trials: losses of one column around systematic scenarios, simulated on common random numbers."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from engine.book.system import System
from engine.draws.samplers import principal_components
from engine.learn.reverse_stress.conditional_paths import Around, observe
from engine.learn.reverse_stress.design_point import Plane, fitted
from engine.learn.reverse_stress.regimes import Regimes, forcing, log_probability, transition_of
from engine.paths.path import column_names
from engine.run.devices import everywhere
from engine.run.plan import CHUNK

SHAPES = 6
"""Leading principal components of each factor's path that a scenario may move; the rest stays at zero."""

SEARCHED, CHECKED, WEIGHED = 1 << 40, 1 << 41, 1 << 42
"""First path ids of the search, of checks on what it found, and of the probabilities: no path serves two."""

FEW = 512
"""Paths around a scenario where many scenarios are compared."""

SPREAD = 0.5
"""Standard deviation of the noise about a point to which a plane is fitted."""


class Scenario(NamedTuple):
    """A systematic path: regimes by month, and normals z [shapes * factors] along the shapes."""

    regimes: Regimes
    z: Float64[np.ndarray, "dims"]


class Trials:
    """Simulates losses of one column at the end of a System's months; tells `progress` how many paths it ran.

    Raises ValueError for a column that the System has not.
    """

    def __init__(
        self,
        system: System,
        seed: int,
        column: str = "system",
        progress: Callable[[int], None] = lambda paths: None,
    ):
        known = column_names(system)
        if column not in known:
            raise ValueError(f"got {column!r}, expected one of {', '.join(known)}")
        self.system, self.seed, self.at = everywhere(system), seed, known.index(column)
        self.progress = progress
        self.transition, self.start = transition_of(system)
        self.months, self.factors = system.calendar.month.shape[0], system.economy.loading.shape[0]
        self.shapes = principal_components(self.months, SHAPES)

    @property
    def dims(self) -> int:
        """Length of a scenario's normals."""
        return SHAPES * self.factors

    def normals(self, z) -> Float64[np.ndarray, "months factors"]:
        """The monthly normals of a scenario."""
        return self.shapes @ np.reshape(z, (SHAPES, self.factors))

    def log_likelihood(self, scenario: Scenario) -> float:
        """ln P(regimes) - |z|^2 / 2."""
        chain = log_probability(self.transition, self.start, scenario.regimes)
        return chain - 0.5 * float(scenario.z @ scenario.z)

    def sampler(self, scenario: Scenario, spread: float) -> Around:
        """The sampler of paths around a scenario."""
        uniforms = forcing(self.transition, self.start, scenario.regimes)
        centre = jnp.asarray(self.normals(scenario.z), jnp.float32)
        return Around(centre, jnp.asarray(uniforms), jnp.asarray(spread, jnp.float32))

    def observe(self, scenarios, spread: float, first: int, each: int, keep):
        """`keep(Observed)` of `each` paths around every scenario, in chunks [scenarios * chunks ... CHUNK].

        Every scenario has the same path ids, from `first` on; `each` is a multiple of CHUNK.
        """
        ids = first + np.arange(each, dtype=np.int64).reshape(-1, CHUNK)
        samplers = [self.sampler(scenario, spread) for scenario in scenarios for _ in ids]
        ids = np.tile(ids, (len(scenarios), 1))
        return observe(self.system, self.seed, samplers, ids, self.shapes, keep, self.progress)

    def losses(
        self, scenarios, spread=0.0, first=SEARCHED, each=FEW
    ) -> Float64[np.ndarray, "scenarios paths"]:
        """Losses (USD bn) of paths around every scenario."""
        found = self.observe(scenarios, spread, first, each, lambda seen: seen.losses[:, self.at])
        return found.reshape(len(scenarios), -1).astype(np.float64)

    def plane(self, scenario: Scenario, each: int = 8 * FEW, spread: float = SPREAD) -> Plane:
        """The plane through the losses about a scenario."""
        loss, along = self.observe(
            [scenario], spread, SEARCHED, each, lambda seen: (seen.losses[:, self.at], seen.along)
        )
        flat = np.moveaxis(along, -1, 1).reshape(loss.size, self.dims)
        return fitted((flat - scenario.z) / spread, loss.ravel(), spread)

    def rays(self, regimes, directions, distances, first=SEARCHED):
        """Mean and standard deviation of losses [rays, distances] along z = distance * direction, by ray."""
        scenarios = [
            Scenario(path, distance * direction)
            for path, direction in zip(regimes, directions, strict=True)
            for distance in distances
        ]
        found = self.losses(scenarios, first=first).reshape(len(regimes), len(distances), -1)
        return found.mean(axis=2), found.std(axis=2)
