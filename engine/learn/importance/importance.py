"""A sampling law for the tail of one loss, learned from pilot runs; each pilot samples under the latest law.

    pilot of plain paths -> one broad part by cross-entropy at a first level
    pilot -> narrower parts by cross-entropy at the level of interest
    pilot -> the same from all tilted pilots -> least second moment

Each pilot has more paths in the tail than the one before. Pilots have draws of their own, so that the law is
independent of the run that uses it.
"""

import dataclasses
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.cluster.vq import kmeans2

from engine.book.system import System
from engine.draws.tilted import Moments, Nominal, Tilt, Tilted, mixed, untilted
from engine.learn.importance.mixture import RATES, fit_mixture
from engine.learn.importance.pilot import Pilot, nominal_of, pilot
from engine.learn.importance.second_moment import descend, scale_squares
from engine.run.plan import Hooks, Plan

LEARNING = 0x6C6561726E
"""Keeps the seeds of pilots apart from other uses of the run's seed."""
FIRST_LEVEL = 0.99
"""Level of the plain pilot, which has too few paths in a deeper tail."""
DEEPER = 0.3
"""The law is fitted at the level of interest and at one whose tail has this share of its probability."""
BROAD = 0.12
"""Share of the broad part in the mixture: it covers unusual paths."""
NEAR = 0.1
"""Weight of paths just short of the tail, which keeps the law from being too narrow."""
SHORT = 0.95
"""Loss of those paths, at least, as a share of the loss at which the tail begins."""


@dataclasses.dataclass(frozen=True)
class TailTarget:
    """Loss and level that a law is learned for, and the effort. Raises ValueError for impossible values."""

    column: int = 0  # of the losses; 0 is the system
    level: float = 0.999
    parts: int = 4
    defensive: float = 0.1
    paths: tuple[int, ...] = (32_768, 32_768, 65_536)  # of each pilot run
    rates: tuple[float, float] = RATES  # of thresholds, between these

    def __post_init__(self) -> None:
        if not FIRST_LEVEL <= self.level < 1.0:
            raise ValueError(
                f"level: got {self.level}, expected from {FIRST_LEVEL} up to but not including 1"
            )
        if self.parts < 2:
            raise ValueError(f"parts: got {self.parts}, expected at least 2, one of them broad")
        if not 0.0 < self.defensive < 1.0:
            raise ValueError(f"defensive: got {self.defensive}, expected a share between 0 and 1")


PilotHooks = Callable[[int, int], AbstractContextManager[Hooks]]


class Proposal(NamedTuple):
    """A proposal law for importance sampling, and what learning it cost."""

    sampler: Tilted
    hits: tuple[float, ...]  # share of each tilted pilot's paths in the tail
    paths: int
    seconds: float


class Tail(NamedTuple):
    """Paths of one pilot in the tail at a level, and just short of it."""

    moments: Moments
    weight: Float[np.ndarray, "paths"]  # dP/dQ over the number of paths
    beyond: Float[np.ndarray, "levels paths"]  # loss beyond VaR, USD bn; negative short of it


def tail_of(run: Pilot, levels: tuple[float, ...]) -> Tail:
    """Paths in the tail at the first of these levels, or just short of it."""
    loss, weight = run.loss, run.weight / len(run.loss)
    order = np.argsort(-loss, kind="stable")
    mass = np.cumsum(weight[order])
    places = [min(int(np.searchsorted(mass, 1.0 - level)), len(loss) - 1) for level in levels]
    values = loss[order[places]]
    near = np.flatnonzero(loss > SHORT * values[0])
    beyond = loss[near][None, :] - values[:, None]
    return Tail(jax.tree.map(lambda leaf: leaf[near], run.moments), weight[near], beyond)


def pool_tails(tails: list[Tail]) -> Tail:
    """Tails of several pilots as one."""
    moments = jax.tree.map(lambda *leaves: np.concatenate(leaves), *[tail.moments for tail in tails])
    weight = np.concatenate([tail.weight for tail in tails])
    return Tail(moments, weight, np.concatenate([tail.beyond for tail in tails], axis=1))


def integrands(tail: Tail) -> Float[np.ndarray, "integrands paths"]:
    """Probability and excess at every level, each over its mean."""
    hit, excess = (tail.beyond > 0.0).astype(np.float64), np.maximum(tail.beyond, 0.0)
    both = np.concatenate([hit, excess])
    return both / np.maximum(both @ tail.weight, 1e-300)[:, None]


def broad_of(tail: Tail, nominal: Nominal, rates: tuple[float, float] = RATES) -> Tilt:
    """One part for a first, nearer tail."""
    value = tail.weight * (tail.beyond[0] > 0.0)
    return fit_mixture(nominal, tail.moments, value, np.ones((len(value), 1)), rates)


def clusters(moments: Moments, parts: int, rng: np.random.Generator) -> Float[np.ndarray, "paths parts"]:
    """First assignment of paths to parts, one-hot: k-means over scaled moments."""
    flat = [np.asarray(leaf, np.float64).reshape(len(leaf), -1) for leaf in jax.tree.leaves(moments)]
    features = np.concatenate(flat, axis=1)
    features = features / np.maximum(features.std(axis=0), 1e-6)
    _, own = kmeans2(features, parts, minit="++", seed=rng)
    return np.eye(parts)[own]


def tail_parts(
    tail: Tail, nominal: Nominal, broad: Tilt, target: TailTarget, rng: np.random.Generator
) -> Tilt:
    """Parts by cross-entropy for a tail, half for its probability and half for its excess."""
    each = integrands(tail)
    own = each[0] + each[len(tail.beyond)]
    value = tail.weight * (own + NEAR * own.max(initial=0.0) * (tail.beyond[0] <= 0.0))
    start = clusters(tail.moments, target.parts - 1, rng)
    narrow = fit_mixture(nominal, tail.moments, value, start, target.rates)
    law = jax.tree.map(lambda own, wide: jnp.concatenate([own, wide]), narrow, broad)
    shares = np.append(np.asarray(narrow.share, np.float64) * (1.0 - BROAD), BROAD)
    return dataclasses.replace(law, share=jnp.asarray(shares, jnp.float32))


def repeat_part(part: Tilt, parts: int) -> Tilt:
    """The same law as a mixture of more parts: with equal shapes all pilots share one compiled program."""
    law = jax.tree.map(lambda leaf: jnp.repeat(leaf, parts, axis=0), part)
    return dataclasses.replace(law, share=law.share / parts)


def plain_of(nominal: Nominal, system: System) -> Tilt:
    """The nominal law of this system's paths, one part."""
    common = system.chips.gain.shape[0] + system.pools.hazard.shape[0]
    months, factors = system.calendar.month.shape[0], system.economy.loading.shape[0]
    return untilted(nominal, months, factors, common, system.firms.cash.shape[0])


def no_hooks(stage: int, paths: int) -> AbstractContextManager[Hooks]:
    """A pilot without callbacks."""
    return nullcontext(Hooks())


def learn(
    system: System, target: TailTarget, seed: int, block: int, hooks_of: PilotHooks = no_hooks
) -> Proposal:
    """Learn a law; `hooks_of(stage, paths)` gives the Hooks of a pilot. If stopped, the law so far."""
    start = time.perf_counter()
    nominal = nominal_of(system)
    plain = plain_of(nominal, system)
    law = repeat_part(plain, target.parts + 1)
    levels = target.level, 1.0 - DEEPER * (1.0 - target.level)
    rng = np.random.default_rng([LEARNING, seed])
    tails: list[Tail] = []
    hits: list[float] = []
    for stage, paths in enumerate(target.paths):
        own = int(np.random.SeedSequence([LEARNING, seed, stage]).generate_state(1, np.uint64)[0])
        with hooks_of(stage, paths) as hooks:
            run = pilot(system, Tilted(law, nominal), Plan(paths, block, own), target.column, hooks)
        if hooks.stopped():
            break
        if stage == 0:
            broad = broad_of(tail_of(run, (FIRST_LEVEL,)), nominal, target.rates)
            law = mixed(repeat_part(broad, target.parts), plain, target.defensive)
            continue
        tails.append(tail_of(run, levels))
        hits.append(float(np.sum(tails[-1].beyond[0] > 0.0) / paths))
        law = mixed(tail_parts(pool_tails(tails), nominal, broad, target, rng), plain, target.defensive)
    if tails:
        last = pool_tails(tails)
        squares = scale_squares(last.weight * integrands(last) ** 2)
        law = descend(law, nominal, jax.tree.map(jnp.asarray, last.moments), squares, target.rates)
    seconds = time.perf_counter() - start
    return Proposal(Tilted(law, nominal), tuple(hits), sum(target.paths), seconds)
