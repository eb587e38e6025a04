"""A path alone, with everything that happened in it."""

import jax
import jax.numpy as jnp
from jax import lax

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.month.step import Info, State
from engine.paths.path import advance, begin


def replay(system: System, seed: int, path: int, sampler=PSEUDO_RANDOM) -> tuple[State, Info]:
    """State and Info of every month of one path; each leaf gains a leading axis [months].

    The draws are those of the path in any run with this seed. The arithmetic is compiled for one path, so
    numbers agree with the run's to float32 rounding.
    """
    return _replay(system, sampler, seed_words(seed), jnp.asarray(path, jnp.int64))


@jax.jit
def _replay(system: System, sampler, seed, path) -> tuple[State, Info]:
    fate, state, drawn = begin(system, sampler, seed, path)

    def month(state, inputs):
        row, normal, regime = inputs
        state, info = advance(system, seed, path, fate, state, row, normal, regime)
        return state, (state, info)

    return lax.scan(month, state, (system.calendar, drawn.normals, drawn.uniforms))[1]
