"""Bins from float bits: where a number falls, and how far its bin's representative is from it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tail.histogram import BINS, FAN, LOSS, LOWER, REPRESENTATIVE, UPPER, Bins, bin_index
from tests.tail.samples import relative_error

GUARANTEE = 0.0025
"""What the engine promises of a loss read off the histogram."""


compiled = settings(deadline=None, derandomize=True)
"""The first example compiles, which no deadline should judge."""


def numbers(bins: Bins):
    """Any float32 inside the covered range."""
    top = float(np.nextafter(np.float32(2.0**bins.high), np.float32(0.0)))
    return st.floats(2.0**bins.low, top, width=32)


def index(x, bins: Bins = LOSS) -> np.ndarray:
    """Bins of anything array-like, as NumPy."""
    return np.asarray(bins.index(jnp.asarray(x, jnp.float32)))


@compiled
@given(numbers(LOSS))
def test_a_loss_lies_in_its_bin_within_a_quarter_percent_of_the_representative(x):
    i = int(index(x))
    assert 0 < i < BINS - 1
    assert LOWER[i] <= x < UPPER[i]
    assert abs(REPRESENTATIVE[i] - x) <= relative_error(LOSS) * x
    assert relative_error(LOSS) <= GUARANTEE


@compiled
@given(numbers(FAN), st.booleans())
def test_a_fan_bin_mirrors_its_negative(x, negative):
    i, mirrored = int(index(x, FAN)), int(index(-x, FAN))
    assert i + mirrored == FAN.count - 1
    i, x = (mirrored, -x) if negative else (i, x)
    assert FAN.lower[i] <= x <= FAN.upper[i]
    assert abs(FAN.representative[i] - x) <= relative_error(FAN) * abs(x)


@compiled
@given(st.lists(st.floats(allow_nan=False, width=32), min_size=16, max_size=16), st.sampled_from([LOSS, FAN]))
def test_bins_keep_the_order_of_numbers(x, bins):
    assert (np.diff(index(sorted(x), bins)) >= 0).all()


@pytest.mark.parametrize("bins", [LOSS, FAN])
def test_every_edge_opens_the_bin_above_it(bins):
    edge = bins.edges.astype(np.float32)
    assert (edge == bins.edges).all()
    first = index(bins.edges[0], bins)
    np.testing.assert_array_equal(index(edge, bins), first + np.arange(edge.size))
    below = np.nextafter(edge, np.float32(-np.inf))
    np.testing.assert_array_equal(index(below, bins), first + np.arange(edge.size) - 1)


def test_bins_tile_the_line():
    for bins in (LOSS, FAN):
        assert bins.lower.size == bins.upper.size == bins.representative.size == bins.count
        assert (bins.upper[:-1] == bins.lower[1:]).all()
        assert (np.diff(bins.lower) > 0).all()
        assert (bins.lower <= bins.representative).all() and (bins.representative <= bins.upper).all()


def test_the_ends_catch_what_lies_outside_and_nan_is_loud():
    signs = np.asarray([0x7FC00000, 0xFFC00000], np.uint32).view(np.float32)
    assert np.isnan(signs).all()
    np.testing.assert_array_equal(index([*signs, np.inf, 8192.0, 1e30]), BINS - 1)
    np.testing.assert_array_equal(index([-np.inf, -1.0, -0.0, 0.0, 1e-45, 9e-4]), 0)
    np.testing.assert_array_equal(index([*signs, np.inf, 1e30], FAN), FAN.count - 1)
    np.testing.assert_array_equal(index([-0.0, 0.0, 9e-7, -9e-7], FAN), FAN.count // 2)
    np.testing.assert_array_equal(index([-np.inf, -1e30], FAN), 0)


def test_compiled_and_eager_bins_agree():
    x = jnp.asarray(np.random.default_rng(1).lognormal(0.0, 4.0, 4096), jnp.float32)
    eager = bin_index(x)
    assert (jax.jit(bin_index)(x) == eager).all()
    assert (jax.vmap(bin_index)(x) == eager).all()


def test_bins_refuse_what_the_bits_cannot_hold():
    with pytest.raises(ValueError, match="power of two"):
        Bins(per_octave=100, low=0, high=1)
    with pytest.raises(ValueError, match="low < high"):
        Bins(per_octave=2, low=3, high=3)
