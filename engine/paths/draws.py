"""From a path's address to its draws."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt32

from engine.book.system import FirmTable, System
from engine.draws.address import even, normals, start_words, words_of
from engine.draws.random import halves, uniform
from engine.draws.samplers import Sampler, Systematic
from engine.month.inputs import PathDraws, Shocks

Seed = UInt32[Array, "2"]
"""A run's seed in two words."""
PathId = Int[Array, ""]
PathIds = Int[Array, "paths"]


def path_draws(system: System, seed: Seed, path: PathId) -> PathDraws:
    """Draws of a path at month 0."""
    firms, obligors = system.firms.cash.shape[0], system.pools.obligor_pool.shape[0]
    gens, pools = system.chips.gain.shape[0], system.pools.hazard.shape[0]
    bits = start_words(seed, path, generations=gens, pools=pools, firms=firms, obligors=obligors)
    releases, normal = uniform(bits["releases"]), normals(bits["normals"])
    return PathDraws(
        firms=uniform(bits["firms"]),
        obligors=uniform(bits["obligors"]),
        slip=releases[:gens],
        slip_length=releases[gens:],
        release_effect=normal[:gens],
        frailty=normal[gens : gens + pools],
        leadership=normals(bits["leadership"])[:firms],
    )


def placed(
    firms: FirmTable, which: Int[Array, "some"], draws: Float[Array, "draws"]
) -> Float[Array, "firms"]:
    """The first draws at the places of some firms, zero for the others: nobody draws what nothing reads."""
    own = draws[: which.shape[0]]
    return jnp.zeros_like(firms.cash).at[which].add(own, mode="promise_in_bounds", unique_indices=True)


def systematic_shape(system: System) -> tuple[int, int]:
    """Months and factors of the economy's draws."""
    return system.calendar.month.shape[0], system.economy.loading.shape[0]


def systematic_draws(system: System, sampler: Sampler, seed: Seed, path: PathId) -> Systematic:
    """The economy's draws of months 1 ... T."""
    return sampler(seed, path, *systematic_shape(system))


def month_shocks(
    system: System,
    seed: Seed,
    path: PathId,
    month: Int[Array, ""],
    normal: Float[Array, "factors"],
    regime: Float[Array, ""],
) -> Shocks:
    """Shocks of month `month` (1 ... T); `normal` and `regime` (a uniform) are the sampler's."""
    firms = system.firms
    moving, labs = firms.moving.shape[0], firms.labs.shape[0]
    counts = {"loans": system.loans.coupon.shape[0], "own": even(moving), "rounds": labs}
    bits = words_of(seed, path, month, counts)
    waiver, extension = halves(bits["loans"])
    return Shocks(
        normals=normal,
        regime=regime,
        waiver=waiver,
        extension=extension,
        own=placed(firms, firms.moving, normals(bits["own"])),
        round=placed(firms, firms.labs, uniform(bits["rounds"])),
    )
