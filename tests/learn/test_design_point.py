"""The design point and FORM where the answer is known: a loss linear in normals, with noise of its own."""

import numpy as np
import pytest
from scipy.stats import norm

from engine.learn.reverse_stress.design_point import (
    FURTHEST,
    Plane,
    crossing,
    fit_plane,
    nearest,
    reliability,
    step_towards,
)

LEVEL, SLOPE, NOISE, TARGET = 40.0, np.array([12.0, -5.0, 0.0, 8.0]), 15.0, 75.0
EXACT = SLOPE * (TARGET - LEVEL) / (SLOPE @ SLOPE)


def plane_at(z, rng=None, paths=20_000, spread=0.5):
    """The plane about z: the true one, or the one fitted to simulated losses."""
    if rng is None:
        return Plane(LEVEL + SLOPE @ z, SLOPE, NOISE)
    noise = rng.standard_normal((paths, len(z)))
    loss = LEVEL + (z + spread * noise) @ SLOPE + NOISE * rng.standard_normal(paths)
    return fit_plane(noise, loss, spread)


def test_one_step_finds_the_nearest_point_of_a_plane():
    for start in (np.zeros(4), np.array([3.0, 1.0, -2.0, 0.5])):
        found = nearest(start, plane_at(start), TARGET)
        assert found == pytest.approx(EXACT)
        assert LEVEL + SLOPE @ found == pytest.approx(TARGET)


def test_simulated_planes_find_it_within_their_errors():
    """beta = (target - level) / |slope|; a slope's error is noise / (spread sqrt(paths)) a coordinate."""
    rng, z, paths, spread = np.random.default_rng(5), np.zeros(4), 20_000, 0.5
    for done in range(4):
        z = step_towards(z, plane_at(z, rng, paths, spread), TARGET, done)
    slope_error = NOISE / (spread * np.sqrt(paths))
    beta, exact = np.linalg.norm(z), np.linalg.norm(EXACT)
    value_error = NOISE / np.sqrt(paths) / np.linalg.norm(SLOPE)
    assert abs(beta - exact) < 4.0 * (value_error + exact * slope_error / np.linalg.norm(SLOPE))
    assert np.abs(z - EXACT).max() < 4.0 * (value_error + 2.0 * exact * slope_error / np.linalg.norm(SLOPE))


def test_a_target_reached_already_needs_no_push_and_none_goes_further_than_the_furthest():
    assert not nearest(np.ones(4), plane_at(np.ones(4)), LEVEL - 1.0).any()
    assert np.linalg.norm(nearest(np.zeros(4), plane_at(np.zeros(4)), 1e6)) == pytest.approx(FURTHEST)
    assert not nearest(np.zeros(4), Plane(1.0, np.zeros(4), 1.0), 2.0).any()


def test_a_curved_limit_has_its_nearest_point():
    """loss = |z + c|^2 with c along one axis: the nearest point of the sphere lies on that axis."""
    centre, z = np.array([2.0, 0.0, 0.0]), np.array([0.3, 0.8, -0.5])
    for done in range(60):
        away = z + centre
        z = step_towards(z, Plane(away @ away, 2.0 * away, 0.0), 25.0, done)
    assert z == pytest.approx(np.array([3.0, 0.0, 0.0]), abs=0.02)


@pytest.mark.parametrize("target", [55.0, 75.0, 110.0, 30.0])
def test_form_is_exact_where_the_loss_is_linear(target):
    """P(level + slope.z + noise w >= target) = Phi(-(target - level) / sqrt(|slope|^2 + noise^2))."""
    distance = np.linspace(0.0, 6.0, 4)
    mean = LEVEL + distance * np.linalg.norm(SLOPE)
    found = reliability(distance, mean, np.full(4, NOISE), target)
    exact = (target - LEVEL) / np.sqrt(SLOPE @ SLOPE + NOISE**2)
    step = distance[-1] / 400.0  # of the grid on which the minimum is looked for
    assert found.beta == pytest.approx(exact, abs=step**2 + 1e-9)
    assert norm.sf(found.beta) == pytest.approx(norm.sf(exact), rel=1e-3)


def test_a_ray_that_never_rises_crosses_nothing():
    assert crossing([0.0, 2.0, 4.0], [10.0, 9.0, 9.0], 30.0) == np.inf
    assert crossing([0.0, 2.0, 4.0], [10.0, 10.1, 10.2], 30.0) == np.inf
    assert crossing([1.0, 2.0], [40.0, 50.0], 30.0) == 1.0
