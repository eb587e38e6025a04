"""Cash paid under every contract of chosen paths, year by year."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import every_year
from engine.run.chunks import chunks_of, over_chunks, paths_last
from engine.run.devices import mesh_of


def yearly_payments(
    system: System, seed: int, ids: Sequence[int] | Int[np.ndarray, "paths"], sampler: Sampler = PSEUDO_RANDOM
) -> Float64[np.ndarray, "paths years contracts"]:
    """Cash that buyers pay, USD bn a year; equity that investors put in, for equity commitments.

    The draws are those of the paths in any run with this seed and sampler.
    """
    chunks = chunks_of(ids)
    share = -(-len(chunks) // mesh_of().size)  # of each device, so that one call runs all
    rounds = over_chunks(chunk_payments, (system, sampler, seed_words(seed)), chunks, share)
    return np.moveaxis(paths_last(list(rounds), len(ids)), -1, 0).astype(np.float64)


def chunk_payments(
    system: System, sampler: Sampler, seed: Seed, ids: PathIds
) -> Float[Array, "years contracts paths"]:
    """The payments of one chunk of path ids."""

    def payments(system, state, info):
        return info.contracts.paid + info.contracts.invested

    def year_sum(state, months):
        return jnp.sum(months, axis=0)

    return every_year(system, sampler, seed, ids, payments, year_sum)[3]
