"""Regime paths: exact probabilities, uniforms that force them in the engine, and unbiased sums over them."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from engine.draws.regimes import next_regime
from engine.learn.reverse_stress import regimes as paths
from engine.learn.reverse_stress.probability import sample_regimes
from engine.learn.reverse_stress.regimes import transition_of
from engine.learn.reverse_stress.trials import Trials

MONTHS = 5
CHAIN = np.array([[0.90, 0.07, 0.03], [0.05, 0.85, 0.10], [0.02, 0.08, 0.90]])


def test_probabilities_of_all_paths_sum_to_one():
    every = list(itertools.product(range(3), repeat=MONTHS))
    chance = np.exp([paths.log_probability(CHAIN, 0, path) for path in every])
    assert chance.sum() == pytest.approx(1.0, abs=1e-12)
    last = np.bincount([path[-1] for path in every], chance)
    assert last == pytest.approx(np.linalg.matrix_power(CHAIN, MONTHS)[0], abs=1e-12)


def test_impossible_paths_have_no_probability():
    chain = np.array([[0.9, 0.1, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert paths.log_probability(chain, 0, (0, 2)) == -np.inf


def test_the_engine_follows_the_forced_path(year):
    """Through the engine's own law of the regime, for every path of four months."""
    transition, start = transition_of(year)
    assert transition.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-12)
    for path in itertools.product(range(3), repeat=4):
        regime = jnp.asarray(np.eye(3)[start], jnp.float32)
        for wanted, uniform in zip(path, paths.forcing(transition, start, path), strict=True):
            regime = next_regime(year.economy.transition, regime, jnp.asarray(uniform))
            assert regime.tolist() == np.eye(3)[wanted].tolist()


def test_switches_say_the_whole_path():
    for path in itertools.product(range(3), repeat=MONTHS):
        assert paths.regimes_of(0, paths.switches_of(0, path), MONTHS) == path


def test_neighbours_are_other_paths_of_the_same_length_and_moves_can_be_undone():
    path = paths.regimes_of(0, ((20, 1), (31, 2)), 60)
    near = paths.neighbours(0, path)
    assert path not in near and len(set(near)) == len(near)
    assert {len(other) for other in near} == {60}
    assert paths.regimes_of(0, ((21, 1), (31, 2)), 60) in near and paths.regimes_of(0, ((31, 2),), 60) in near
    assert path in paths.neighbours(0, paths.regimes_of(0, ((21, 1), (31, 2)), 60))


def test_drawn_paths_follow_the_chain():
    drawn = np.array(paths.simulate_chain(CHAIN, 0, MONTHS, 40_000, np.random.default_rng(3)))
    share = np.bincount(drawn[:, -1], minlength=3) / len(drawn)
    exact = np.linalg.matrix_power(CHAIN, MONTHS)[0]
    assert np.abs(share - exact).max() < 4.0 * np.sqrt(exact * (1 - exact) / len(drawn)).max()


def test_chosen_paths_sum_without_bias():
    """Over many seeds the weights average to one, the weighted share that ends in bust to the law."""
    exact = np.linalg.matrix_power(CHAIN, 12)[0, 2]
    ones, ends = [], []
    for seed in range(60):
        trials = Trials.__new__(Trials)
        trials.seed, trials.transition, trials.start, trials.months = seed, CHAIN, 0, 12
        found, weight = sample_regimes(trials, 64, pool=2000)
        ones.append(weight.sum())
        ends.append(weight @ np.array([path[-1] == 2 for path in found]))
    for values, wanted in ((ones, 1.0), (ends, exact)):
        assert abs(np.mean(values) - wanted) < 4.0 * np.std(values) / np.sqrt(len(values))
