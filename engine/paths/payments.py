"""Who pays whom: cash paid under every contract of chosen paths, year by year."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float64

from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.simulate import every_year
from engine.run.plan import CHUNK


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

    def paid(system, state, info):
        return info.contracts.paid + info.contracts.invested

    def year_sum(state, paid):
        return jnp.sum(paid, axis=0)

    return lax.map(lambda ids: every_year(system, sampler, seed, ids, paid, year_sum)[3], padded)
