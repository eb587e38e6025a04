"""A path on which nothing happens: what must hold of a month without shocks."""

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from engine.book.system import System
from engine.draws.address import seed_words
from engine.month.inputs import PathDraws, Shocks, fate_of
from engine.month.step import Info, State, init, step
from engine.paths.draws import path_draws

RARE = 1e-30
"""A uniform whose exponential threshold no hazard reaches."""


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
