"""From a path's address to its draws."""

import jax.numpy as jnp

from engine.draws.address import even, normals, words
from engine.draws.random import halves, uniform
from engine.draws.samplers import Once, Systematic
from engine.month.inputs import PathDraws, Shocks


def path_draws(system, seed, path, once: Once | None = None) -> PathDraws:
    """Path draws, at month 0, moved as the sampler says."""
    firms, obligors = system.firms.cash.shape[0], system.pools.obligor_pool.shape[0]
    gens, pools = system.chips.gain.shape[0], system.pools.hazard.shape[0]

    def drawn(stream, count):
        return words(seed, path, jnp.zeros((), jnp.int32), stream, count)

    releases = uniform(drawn("releases", 2 * gens))
    normal = normals(drawn("normals", even(gens + pools)))
    firm, obligor = uniform(drawn("firms", firms)), uniform(drawn("obligors", obligors))
    if once is not None:
        # A threshold -ln u that is scaled by c is that of u^c.
        firm, obligor = jnp.exp(once.firms * jnp.log(firm)), jnp.exp(once.obligors * jnp.log(obligor))
        normal = normal[: gens + pools] + once.shift
    return PathDraws(
        firms=firm,
        obligors=obligor,
        slip=releases[:gens],
        slip_length=releases[gens:],
        release_effect=normal[:gens],
        frailty=normal[gens : gens + pools],
        leadership=normals(drawn("leadership", even(firms)))[:firms],
    )


def systematic_draws(system, sampler, seed, path) -> Systematic:
    """What a sampler draws of the economy for months 1 ... T."""
    months, factors = system.calendar.month.shape[0], system.economy.loading.shape[0]
    return sampler(seed, path, months, factors)


def month_shocks(system, seed, path, month, normal, regime) -> Shocks:
    """Shocks of month `month` (1 ... T), the economy's own [factors] and [] as the sampler drew them."""
    loans = system.loans.coupon.shape[0]
    waiver, extension = halves(words(seed, path, month, "loans", loans))
    return Shocks(
        normals=normal,
        regime=regime,
        waiver=waiver,
        extension=extension,
    )
