"""Who pays whom: cash paid under every contract of chosen paths, year by year."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float64

from engine.batch.last import batch_last
from engine.batch.store import stored
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths import path as paths
from engine.tail.blocks import CHUNK

YEAR = 12


def yearly_payments(
    system: System, seed: int, ids, sampler=PSEUDO_RANDOM
) -> Float64[np.ndarray, "paths years contracts"]:
    """Cash that buyers pay, USD bn a year; equity that investors put in, for equity commitments.

    The draws are those of the paths in any run with this seed and sampler.
    """
    ids = np.asarray(ids, np.int64)
    padded = np.resize(ids, -(-len(ids) // CHUNK) * CHUNK).reshape(-1, CHUNK)
    paid = _yearly(system, sampler, seed_words(seed), jnp.asarray(padded))
    chunks, years, contracts = paid.shape[:3]
    by_path = np.asarray(paid, np.float64).transpose(0, 3, 1, 2).reshape(chunks * CHUNK, years, contracts)
    return by_path[: len(ids)]


@jax.jit
def _yearly(system: System, sampler, seed, padded):
    """[chunks years contracts CHUNK]."""

    def one_month(system, seed, row, path, fate, state, normal, regime):
        state, info = paths.advance(system, seed, path, fate, state, row, normal, regime)
        return state, info.contracts.paid + info.contracts.invested

    def chunk(ids):
        fate, state, drawn = batch_last(
            paths.begin, system, sampler, seed, ids, batched=(False, False, False, True)
        )

        def every_month(*arguments):
            return batch_last(one_month, *arguments, batched=(False,) * 3 + (True,) * 5)

        def month(state, inputs):
            row, normal, regime = inputs
            return stored(every_month, row.month > 0, system, seed, row, ids, fate, state, normal, regime)

        def year(state, inputs):
            state, paid = lax.scan(month, state, inputs)
            return state, jnp.sum(paid, axis=0)

        monthly = (system.calendar, drawn.normals, drawn.uniforms)
        years = jax.tree.map(lambda leaf: leaf.reshape(-1, YEAR, *leaf.shape[1:]), monthly)
        return lax.scan(year, state, years)[1]

    return lax.map(chunk, padded)
