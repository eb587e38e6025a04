"""One path on its own: State and Info of every month."""

import jax
import jax.numpy as jnp
from jax import lax

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.step import Info, State
from engine.paths.draws import PathId, Seed
from engine.paths.path import advance, begin


def replay(system: System, seed: int, path: int, sampler: Sampler = PSEUDO_RANDOM) -> tuple[State, Info]:
    """State and Info of every month of one path; each leaf gains a leading axis [months].

    The draws are those of the path in any run with this seed. The arithmetic is compiled for one path, so
    numbers agree with the run's to float32 rounding.
    """
    return replay_months(system, sampler, seed_words(seed), jnp.asarray(path, jnp.int64))


@jax.jit
def replay_months(system: System, sampler: Sampler, seed: Seed, path: PathId) -> tuple[State, Info]:
    """`replay` in JAX's terms."""
    fate, state, draws = begin(system, sampler, seed, path)

    def month(state, inputs):
        row, normal, regime = inputs
        state, info = advance(system, seed, path, fate, state, row, normal, regime)
        return state, (state, info)

    return lax.scan(month, state, (system.calendar, draws.normals, draws.uniforms))[1]
