"""Parameters of a path's own: their law, what follows from them, and nothing where all are fixed."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system, chip_table
from engine.book.calibration import transition_of
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.book.ranges import WHOLE, ranges_of, value_of, with_ranges, with_values
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.parameters import draw_parameters, draw_sets, own_system
from engine.paths.path import begin
from engine.paths.subset import run_subsets
from engine.run.plan import CHUNK

SEED = seed_words(7)


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("worked_small"))


@pytest.fixture(scope="module")
def fixed(book):
    return build_system(book, Parameters(), 12)


@pytest.fixture(scope="module")
def drawn(book, fixed):
    return with_ranges(fixed, book["chips"], Parameters())


def values_of(system, paths):
    draw = jax.jit(jax.vmap(lambda path: draw_parameters(system, SEED, path)))
    return np.asarray(draw(jnp.arange(paths, dtype=jnp.int64)), np.float64)


def test_each_parameter_has_the_triangular_law_of_its_range(drawn):
    """Mean (low + mode + high)/3 and variance (a^2 + b^2 + c^2 - ab - ac - bc)/18."""
    values, ranges = values_of(drawn, 4096), ranges_of(Parameters())
    assert drawn.ranges.names == tuple(ranges)
    for place, (name, (low, high)) in enumerate(ranges.items()):
        mode, own = value_of(Parameters(), name), values[:, place]
        assert low <= own.min() and own.max() <= high * (1.0 + 1e-6), name
        variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18.0
        error = (variance / len(own)) ** 0.5
        assert abs(own.mean() - (low + mode + high) / 3.0) < 4.5 * error, name
        assert own.var() == pytest.approx(variance, rel=0.12), name


def test_parameters_are_independent_of_one_another(drawn):
    correlation = np.corrcoef(values_of(drawn, 4096).T)
    assert np.abs(correlation - np.eye(len(correlation))).max() < 4.5 / 4096**0.5


def test_what_follows_from_a_drawn_parameter_is_what_a_book_built_on_it_has(book, drawn):
    """The law of the regime by SciPy's exponential, the ageing by the table of chips."""
    values = draw_parameters(drawn, SEED, jnp.int64(3))
    own = own_system(drawn, values)
    named = zip(drawn.ranges.names, np.asarray(values, np.float64).tolist(), strict=True)
    parameters = with_values(Parameters(), dict(named))
    built = build_system(book, parameters, 12)
    np.testing.assert_allclose(own.economy.transition, transition_of(parameters.economy), atol=2e-6)
    np.testing.assert_allclose(own.chips.ageing, chip_table(book["chips"], parameters).ageing, rtol=1e-4)
    for one, other in zip(jax.tree.leaves(own.numbers), jax.tree.leaves(built.numbers), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_parameter_set_beyond_its_range_is_not_drawn():
    parameters = Parameters()
    parameters.chips.life = 12.0
    parameters.economy.leave_boom = [2.0, 0.06]
    names = set(ranges_of(parameters))
    assert {("chips", "life", WHOLE), ("economy", "leave_boom", 0)} & names == set()
    assert ("economy", "leave_boom", 1) in names


def test_with_fixed_parameters_a_path_keeps_the_shared_system(fixed, drawn):
    fate, _, _ = begin(fixed, PSEUDO_RANDOM, SEED, jnp.int64(0))
    assert fate.parameters is None and own_system(fixed, None) is fixed
    assert begin(drawn, PSEUDO_RANDOM, SEED, jnp.int64(0))[0].parameters is not None


def test_every_other_draw_of_a_path_stays(fixed, drawn):
    """Thresholds of the firms do not read a parameter: common random numbers hold."""
    one, two = (begin(system, PSEUDO_RANDOM, SEED, jnp.int64(5))[0] for system in (fixed, drawn))
    np.testing.assert_array_equal(one.threshold_firms, two.threshold_firms)


def test_ranges_as_narrow_as_a_point_lose_what_fixed_parameters_lose(fixed, drawn):
    """Low = value = high: the path's own System is the shared one, but for rounding of what is derived."""
    mode = jnp.asarray([value_of(Parameters(), name) for name in drawn.ranges.names], jnp.float32)
    width = jnp.abs(mode) * jnp.float32(1e-6)
    ranges = dataclasses.replace(drawn.ranges, low=mode - width, high=mode + width)
    ids = np.arange(CHUNK, dtype=np.int64)
    systems = (fixed, dataclasses.replace(drawn, ranges=ranges), drawn)
    losses = [next(run_subsets([(system, ids)], 7)).loss for system in systems]
    close = np.isclose(losses[1], losses[0], rtol=1e-3, atol=1e-4)
    assert close.mean() > 0.98
    assert not np.isclose(losses[2], losses[0], rtol=1e-3, atol=1e-4).all()


def test_a_system_built_on_a_set_is_a_path_s_own_but_for_rounding(book, drawn):
    """Every array of the two: what the build derives from a drawn parameter, `own_system` derives too."""
    for place, values in enumerate(draw_sets(drawn, 7, 3)):
        parameters = with_values(Parameters(), dict(zip(drawn.ranges.names, values.tolist(), strict=True)))
        built = build_system(book, parameters, 12)
        own = own_system(drawn, draw_parameters(drawn, SEED, jnp.int64(place)))
        own = dataclasses.replace(own, ranges=None)
        for one, other in zip(jax.tree.leaves(own), jax.tree.leaves(built), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-6)


def test_a_set_of_the_book_s_values_is_the_book_s_system(book, fixed):
    """To the bit, as the values go through the same build."""
    values = {name: value_of(Parameters(), name) for name in ranges_of(Parameters())}
    built = build_system(book, with_values(Parameters(), values), 12)
    for one, other in zip(jax.tree.leaves(built), jax.tree.leaves(fixed), strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_go_to_their_parameters_alone():
    parameters = with_values(Parameters(), {("economy", "growth", 1): 0.5, ("chips", "life", WHOLE): 4.0})
    changed = {
        name for name in ranges_of(Parameters()) if value_of(parameters, name) != value_of(Parameters(), name)
    }
    assert parameters.chips.life == 4.0 and parameters.economy.growth[1] == 0.5
    assert changed == {("economy", "growth", 1), ("chips", "life", WHOLE)}


def test_sets_want_ranges(fixed):
    with pytest.raises(ValueError, match="system: got no ranges"):
        draw_sets(fixed, 7, 2)
