"""Effects of drawn parameters by least squares, against the law that made the values."""

import numpy as np
import pytest

from engine.tail.regression import PER_PARAMETER, effects_of

SETS, REPEATS = 48, 60
SLOPES = np.array([4.0, -1.0, 0.0])
"""Change of the value for one unit of each parameter, whose sds are 1, 2 and 3."""

SDS, REST = np.array([1.0, 2.0, 3.0]), 2.0


def sample(rng):
    """Draws [sets, parameters] and values."""
    draws = 7.0 + SDS * rng.normal(0.0, 1.0, (SETS, 3))
    return draws, 50.0 + draws @ SLOPES + rng.normal(0.0, REST, SETS)


def test_effects_and_their_errors_are_those_of_the_law():
    """Effect of one sd as drawn; coefficients over the stated error are Student's t on SETS - 4."""
    rng = np.random.default_rng(3)
    scores = []
    for _ in range(REPEATS):
        draws, values = sample(rng)
        effects = effects_of(draws, values)
        scores.append((effects.effect - SLOPES * draws.std(axis=0, ddof=1)) / effects.error)
    scores = np.array(scores)
    assert np.abs(scores.mean(axis=0)).max() < 4.0 * np.sqrt(44 / 42 / REPEATS)
    assert np.abs(scores.std(axis=0) - np.sqrt(44 / 42)).max() < 4.0 / np.sqrt(2 * REPEATS)


def test_the_share_explained_is_that_of_the_law():
    """Var of the linear part, 16 + 4, over all, 24; a ratio of estimates is off by 1 / SETS of the rest."""
    rng = np.random.default_rng(4)
    shares = np.array([effects_of(*sample(rng)).explained for _ in range(REPEATS)])
    assert abs(shares.mean() - 20.0 / 24.0) < 4.0 * shares.std() / np.sqrt(REPEATS) + 4.0 / 24.0 / SETS


def test_too_few_sets_are_refused():
    rng = np.random.default_rng(5)
    with pytest.raises(ValueError, match="members: got 8, expected at least 3 for each parameter"):
        effects_of(rng.normal(size=(PER_PARAMETER * 3 - 1, 3)), rng.normal(size=8))
