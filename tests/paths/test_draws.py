"""Draws of a path belong to its address and to what is drawn."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from engine.draws import address
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths import draws


def test_one_more_loan_moves_no_shock_of_the_economy(year):
    def shocks(system):
        seed, path = address.seed_words(7), jnp.int64(9)
        shared = draws.systematic_draws(system, PSEUDO_RANDOM, seed, path)
        return draws.month_shocks(system, seed, path, jnp.int32(1), shared.normals[0], shared.uniforms[0])

    more = eqx.tree_at(lambda s: s.loans.coupon, year, jnp.zeros(year.loans.coupon.shape[0] + 1, jnp.float32))
    one, other = shocks(year), shocks(more)
    np.testing.assert_array_equal(one.normals, other.normals)
    assert one.regime == other.regime and other.waiver.shape[0] == one.waiver.shape[0] + 1
