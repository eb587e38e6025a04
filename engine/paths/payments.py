"""Cash paid under every contract of chosen paths, and what a month's payments rest on."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Float64, Int

from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.month.debt_service import margin
from engine.month.step import Info, State
from engine.paths.history import lived
from engine.paths.path import YEAR
from engine.run.chunks import paths_last
from engine.run.programs import Kept
from engine.vocabulary import MONTH


class Payments(NamedTuple):
    """Payments of some paths (USD bn); `due` and `means` are those of one month, at a yearly rate."""

    paid: Float64[np.ndarray, "paths years contracts"]
    due: Float32[np.ndarray, "paths contracts"]
    means: Float32[np.ndarray, "paths firms"]


def payments_of(
    system: System,
    seed: int,
    ids: Sequence[int] | Int[np.ndarray, "paths"],
    month: int,
    sampler: Sampler = PSEUDO_RANDOM,
) -> Payments:
    """Cash that buyers pay a year, equity that investors put in, and a month's due and means (from 1).

    The draws are those of the paths in any run with this seed and sampler.
    """
    wanted, place = divmod(month - 1, YEAR)
    rounds = []
    for _, years in lived(system, seed, ids, sampler):
        paid = []
        for year, (state, info) in enumerate(years):
            cash = np.asarray(info.contracts.paid) + np.asarray(info.contracts.invested)
            paid.append(cash.sum(axis=0, dtype=np.float64))
            if year == wanted:
                then = of_month(system, *jax.tree.map(lambda leaf: np.asarray(leaf)[place], (state, info)))
        rounds.append((np.stack(paid)[None], *(np.asarray(leaf)[None] for leaf in then)))
    return Payments(*(np.moveaxis(leaf, -1, 0) for leaf in paths_last(rounds, len(ids))))


@Kept
def of_month(
    system: System, state: State, info: Info
) -> tuple[Float[Array, "contracts paths"], Float[Array, "firms paths"]]:
    """`due_and_means` of every path; leaves of state and info end with the path axis."""

    def one(state, info):
        return due_and_means(system, state, info)

    return jax.vmap(one, in_axes=-1, out_axes=-1)(state, info)


def due_and_means(
    system: System, state: State, info: Info
) -> tuple[Float[Array, "contracts"], Float[Array, "firms"]]:
    """Payments of a month of one path, and means without contract income, with capital markets shut.

        means = cash + undrawn revolver + 12 (EBITDA before contracts + committed equity) - debt service

    USD bn a year.
    """
    table, loans, funds = system.contracts, system.loans, state.funding
    due = info.contracts.paid / MONTH
    result = info.contracts.ebitda - table.sold @ (table.margin * info.contracts.received)
    result = result + table.bought @ info.contracts.paid + info.contracts.committed_equity
    rate = margin(funds) + loans.floating * info.economy.rate
    serviced = loans.borrowed @ (funds.balance * rate + loans.amortisation * funds.peak)
    undrawn = jnp.maximum(loans.committed - funds.balance, 0.0) @ system.firms.revolver
    return due, funds.cash + undrawn + result / MONTH - serviced
