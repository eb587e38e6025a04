"""Who pays whom: cash paid under every contract of chosen paths, year by year."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.simulate import every_year
from engine.run.chunks import chunks_of, over_chunks, paths_last


def yearly_payments(
    system: System, seed: int, ids: Any, sampler: Any = PSEUDO_RANDOM
) -> Float64[np.ndarray, "paths years contracts"]:
    """Cash that buyers pay, USD bn a year; equity that investors put in, for equity commitments.

    The draws are those of the paths in any run with this seed and sampler.
    """
    rounds = over_chunks(chunk_payments, (system, sampler, seed_words(seed)), chunks_of(ids))
    return np.moveaxis(paths_last(list(rounds), len(ids)), -1, 0).astype(np.float64)


def chunk_payments(system: System, sampler, seed, ids) -> Float[Array, "years contracts paths"]:
    """The payments of one chunk of path ids."""

    def paid(system, state, info):
        return info.contracts.paid + info.contracts.invested

    def year_sum(state, paid):
        return jnp.sum(paid, axis=0)

    return every_year(system, sampler, seed, ids, paid, year_sum)[3]
