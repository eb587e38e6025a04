"""Iteration on maps whose every step is known."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine.contagion.fixed_point import iterate


def halfway(x):
    """x(k) = 2 - 2^(1 - k) from zero, and |x(k) - F(x(k))| = 2^-k."""
    return 1.0 + 0.5 * x


def seen(record, x, count):
    """Sums of x and of rounds, and how often it was looked."""
    return record + jnp.stack([x[0], count.astype(jnp.float64), jnp.ones((), jnp.float64)])


NOTHING = jnp.zeros(3, jnp.float64)


@pytest.mark.parametrize("steps", [0, 1, 10])
def test_it_stops_at_the_first_round_within_the_tolerance(steps):
    x, count, residual, converged, record = iterate(halfway, jnp.zeros(1), 1000, 2.0**-steps, seen, NOTHING)
    assert int(count) == steps and bool(converged)
    # One Newton step is exact where the map is linear.
    assert float(x[0]) == 2.0 and float(residual) == 0.0
    every = np.arange(steps + 1)
    np.testing.assert_array_equal(record, [np.sum(2.0 - 2.0 ** (1 - every)), every.sum(), steps + 1])


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_it_stops_after_so_many_rounds(rounds):
    """x + 1 has no fixed point, and no Newton step that is a number."""
    x, count, residual, converged, record = iterate(
        lambda x: x + 1.0, jnp.zeros(1), rounds, 1e-9, seen, NOTHING
    )
    assert int(count) == rounds and not bool(converged)
    assert float(x[0]) == rounds and float(residual) == 1.0
    assert float(record[2]) == rounds + 1


def test_a_newton_step_solves_the_piece_that_the_point_is_on():
    """4 - x from 3 gives 1: the step of slope -1 goes to 2, which is a fixed point."""
    x, count, residual, converged, _ = iterate(lambda x: 4.0 - x, jnp.full(1, 3.0), 0, 1e-12)
    assert float(x[0]) == 2.0 and float(residual) == 0.0 and bool(converged) and int(count) == 0


def test_a_newton_step_that_leaves_more_is_not_taken():
    """0.9 x + 0.6 up to 5 and 20 beyond: from 2, 0.4 short, the step goes to 6, which is 14 short."""

    def jump(x):
        return jnp.where(x > 5.0, 20.0, 0.9 * x + 0.6)

    x, _, residual, converged, _ = iterate(jump, jnp.full(1, 2.0), 0, 1e-12)
    assert float(x[0]) == 2.0 and float(residual) == pytest.approx(0.4) and not bool(converged)
