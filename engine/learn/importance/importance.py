"""Importance sampling for the tail of one loss, learned from a pilot run of plain paths.

    pilot of plain paths -> surrogate of the loss, from three quarters of them
                         -> preference by its estimate, from the rest
                         -> sampler that chooses one of several economies by preference

The pilot has draws of its own, so that the sampler is independent of the run that uses it.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.choice import Choice, Surrogate
from engine.draws.samplers import PSEUDO_RANDOM
from engine.learn.importance.pilot import Pilot, nominal_of, pilot
from engine.learn.importance.preference import nothing, preference
from engine.learn.importance.surrogate import empty, fit, standard
from engine.paths.draws import systematic_draws
from engine.run.plan import Hooks, Plan

LEARNING = 0x6C6561726E
"""Keeps the seeds of pilots apart from other uses of the run's seed."""
NEARER = 0.99
"""The sampler serves the tail beyond this level as well as that beyond the target's."""
FITTED = 0.75
"""Share of the pilot that the surrogate is fitted to."""


@dataclasses.dataclass(frozen=True)
class TailTarget:
    """What a sampler is learned for, and with what effort. Raises ValueError for impossible values."""

    column: int = 0  # of the losses; 0 is the system
    level: float = 0.999
    candidates: int = 32  # economies of which one is simulated
    defensive: float = 0.3  # how much all paths are preferred alike
    paths: int = 131_072  # of the pilot

    def __post_init__(self) -> None:
        if not NEARER <= self.level < 1.0:
            raise ValueError(f"level: got {self.level}, expected from {NEARER} up to but not including 1")
        if self.candidates < 2:
            raise ValueError(f"candidates: got {self.candidates}, expected at least 2")
        if not 0.0 < self.defensive < 1.0:
            raise ValueError(f"defensive: got {self.defensive}, expected a share between 0 and 1")


class Proposal(NamedTuple):
    """A sampler, and what learning it took."""

    sampler: Choice
    r_squared: float  # of the surrogate, on paths that it was not fitted to
    paths: int
    seconds: float


def sampler_of(system: System, run: Pilot, target: TailTarget, seed: int) -> tuple[Choice, float]:
    """The sampler of a pilot's paths, and the share of variance that its surrogate explains."""
    y, split = standard(run.loss), int(FITTED * len(run.loss))
    surrogate = fit(run.features[:split], y[:split], seed)
    estimate, loss = estimates(surrogate, run.features[split:]), y[split:]
    own = preference(estimate, loss, tuple(sorted({NEARER, target.level})), target.defensive)
    r_squared = 1.0 - float(np.var(loss - estimate)) / max(float(np.var(loss)), 1e-12)
    return Choice(nominal_of(system), surrogate, own, target.candidates), r_squared


def blank(system: System, candidates: int) -> Choice:
    """A sampler of this system that has learned nothing: shapes of what is learned."""
    nominal = nominal_of(system)
    seed, path = seed_words(0), jnp.zeros((), jnp.int64)
    features = jax.eval_shape(
        lambda: nominal.features(seed, path, systematic_draws(system, PSEUDO_RANDOM, seed, path))
    )
    return Choice(nominal, empty(features.shape[0]), nothing(), candidates)


def estimates(surrogate: Surrogate, features: np.ndarray) -> np.ndarray:
    """Estimates of many paths [paths], float64."""
    return np.asarray(jax.jit(jax.vmap(surrogate))(features), np.float64)


def learn(
    system: System,
    target: TailTarget,
    seed: int,
    block: int,
    hooks: Hooks | None = None,
    check: Callable[[], None] = lambda: None,
    kernel: str = "xla",
) -> Proposal:
    """Run a pilot and learn a sampler from it, or from the part of it that was run until it was stopped.

    `check` is called between the two: what it raises ends the learning. `kernel` evaluates the pilot's paths
    (`engine.run.plan.Plan`). Raises NoKernel where it cannot be had.
    """
    start = time.perf_counter()
    own = int(np.random.SeedSequence([LEARNING, seed]).generate_state(1, np.uint64)[0])
    run = pilot(system, Plan(target.paths, block, own, kernel), target.column, hooks)
    check()
    sampler, r_squared = sampler_of(system, run, target, seed)
    return Proposal(sampler, r_squared, len(run.loss), time.perf_counter() - start)
