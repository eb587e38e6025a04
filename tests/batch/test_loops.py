"""What a loop carries, in the words of either JAX."""

import jax
import jax.numpy as jnp
from jax import lax

from engine.batch.loops import carry_range


def test_places_of_what_a_real_loop_carries():
    """Two carried values behind one constant, before two that are scanned over."""

    def loop(rate, start, count, rows, more):
        def turn(carry, row):
            value, turns = carry
            return (value * rate + row[0], turns + row[1]), value

        return lax.scan(turn, (start, count), (rows, more))

    one, many = jnp.float32(1.0), jnp.ones(5, jnp.float32)
    traced = jax.make_jaxpr(loop)(one, one, one, many, many)
    (scan,) = [each for each in traced.eqns if each.primitive.name == "scan"]
    assert carry_range(scan.params) == (1, 3)
    assert [atom.aval.ndim for atom in scan.invars] == [0, 0, 0, 1, 1]


def test_counts_and_trees_of_operands_say_the_same():
    """JAX to 0.10 counts; from 0.11 on it has a tree of three parts."""

    class Tree:
        def unpack(self):
            return ["a", "b"], ["c", "d", "e"], ["f"]

    assert carry_range({"num_consts": 2, "num_carry": 3}) == (2, 5) == carry_range({"ft_in": Tree()})
