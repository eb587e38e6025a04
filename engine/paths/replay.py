"""One path on its own: State and Info of every month."""

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.inputs import PathDraws, Shocks, fate_of
from engine.month.step import Info, State, init, step
from engine.paths.draws import PathId, Seed, path_draws
from engine.paths.path import advance, begin

RARE = 1e-30
"""A uniform whose exponential threshold no hazard reaches."""


def replay(system: System, seed: int, path: int, sampler: Sampler = PSEUDO_RANDOM) -> tuple[State, Info]:
    """State and Info of every month of one path; each leaf gains a leading axis [months].

    The draws are those of the path in any run with this seed. The arithmetic is compiled for one path, so
    numbers agree with the run's to float32 rounding.
    """
    return replay_months(system, sampler, seed_words(seed), jnp.asarray(path, jnp.int64))


def calm_draws(system: System) -> PathDraws:
    """Path draws without slips, frailty or leadership, and thresholds that no hazard reaches."""
    shapes = jax.eval_shape(path_draws, system, seed_words(0), jnp.zeros((), jnp.int64))
    still = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return dataclasses.replace(
        still, firms=still.firms + RARE, obligors=still.obligors + RARE, slip=still.slip + 1.0,
        slip_length=still.slip_length + 0.5,
    )  # fmt: skip


@jax.jit
def calm(system: System) -> tuple[State, Info]:
    """State and Info of every month of a path without shocks.

    All normals are zero, every month is a boom, no release slips, no hazard reaches its threshold, no test is
    waived, no loan extended, every round closes. Each leaf has a leading axis [months].
    """
    fate, loans = fate_of(system, calm_draws(system)), system.loans.coupon.shape[0]
    high, nobody = jnp.full(loans, 0.999, jnp.float32), jnp.zeros_like(system.firms.cash)
    zero = jnp.zeros(system.economy.loading.shape[0], jnp.float32)
    calm_month = jnp.zeros((), jnp.float32)
    shocks = Shocks(zero, calm_month, waiver=high, extension=high, own=nobody, round=nobody)

    def month(state, row):
        state, info = step(system, fate, state, row, shocks)
        return state, (state, info)

    return lax.scan(month, init(system), system.calendar)[1]


@jax.jit
def replay_months(system: System, sampler: Sampler, seed: Seed, path: PathId) -> tuple[State, Info]:
    """`replay` in JAX's terms."""
    fate, state, draws = begin(system, sampler, seed, path)

    def month(state, inputs):
        row, normal, regime = inputs
        state, info = advance(system, seed, path, fate, state, row, normal, regime)
        return state, (state, info)

    return lax.scan(month, state, (system.calendar, draws.normals, draws.uniforms))[1]
