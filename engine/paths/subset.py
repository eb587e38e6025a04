"""Subsets of paths under several Systems: the loss of each path, and the moves of its regime.

A job is a System and the ids of some paths. Systems of equal shapes share one compiled program, and a path
has the same draws under each of them.
"""

from collections.abc import Iterable, Iterator

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int64

from engine.batch.path_last import batch_last
from engine.book.system import System
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month import step as months
from engine.paths.draws import PathIds, Seed
from engine.paths.simulate import every_year
from engine.run.chunks import over_jobs


class PathSubset(eqx.Module):
    """Each path at the end of the run; the path axis is last."""

    loss: Float[Array, "*paths"]  # system, USD bn
    moves: Float[Array, "regimes regimes *paths"]  # months that went from the row's regime to the column's


def chunk_results(system: System, sampler: Sampler, seed: Seed, ids: PathIds) -> PathSubset:
    """Loss and regime moves of one chunk of path ids."""

    def monthly(system, state, info):
        return info.economy.regime

    def year_end(state, regimes):
        return regimes

    def loss(system, state):
        return state.legacy_loss + state.new_money_loss

    _, _, state, regimes = every_year(system, sampler, seed, ids, monthly, year_end)
    after = regimes.reshape(-1, *regimes.shape[2:])
    first = months.init(system).economy.regime
    before = jnp.concatenate([jnp.broadcast_to(first[:, None], after[:1].shape), after[:-1]])
    return PathSubset(
        loss=batch_last(loss, system, state, batched=(False, True)),
        moves=jnp.einsum("tan,tbn->abn", before, after),
    )


def run_subsets(
    jobs: Iterable[tuple[System, Int64[np.ndarray, "paths"]]], seed: int, sampler: Sampler = PSEUDO_RANDOM
) -> Iterator[PathSubset]:
    """The paths of each job (System, ids), on the host, in order; one job a device at a time.

    Every job has the same number of ids, a multiple of CHUNK. The next jobs are made while the last ones run.
    """
    return over_jobs(chunk_results, jobs, (sampler, seed_words(seed)))
