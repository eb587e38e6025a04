"""The score of the regime's law: mean zero, and the derivative of a mean that is known."""

import copy

import numpy as np
import pytest

from engine.book.calibration import transition_of
from engine.book.parameters import Economy, Parameters
from engine.learn.greeks.likelihood_ratio import RATES, rates_of, score_weights, section_slopes
from engine.learn.greeks.steps import numbers_of

MONTHS, SECTIONS, PATHS = 36, 8, 20_000


def chain(economy, rng):
    """Regimes [sections paths months] of the monthly law, from a boom; and how often each move was made."""
    cumulative, now = transition_of(economy), np.zeros((SECTIONS, PATHS), np.int64)
    moves, spent = np.zeros((3, 3, SECTIONS, PATHS)), np.zeros((SECTIONS, PATHS))
    for _ in range(MONTHS):
        uniform = rng.uniform(size=now.shape)
        after = (uniform[..., None] >= cumulative[now][..., :2]).sum(axis=-1)
        for a in range(3):
            for b in range(3):
                moves[a, b] += (now == a) & (after == b)
        now = after
        spent += now == 2
    return moves, spent


def expected_bust(economy):
    """Mean number of months in a bust, by the law itself."""
    law = np.diff(transition_of(economy), axis=1, prepend=0.0)
    state, total = np.array([1.0, 0.0, 0.0]), 0.0
    for _ in range(MONTHS):
        state = state @ law
        total += state[2]
    return total


@pytest.fixture(scope="module")
def ran():
    return chain(Economy(), np.random.default_rng(3))


@pytest.mark.parametrize("name", RATES)
def test_the_derivative_of_a_known_mean(name, ran):
    moves, spent = ran
    found = section_slopes(Economy(), name, moves, spent)
    field, place = name.removeprefix("economy.").removesuffix("]").split("[")
    ends = []
    for side in (1e-4, -1e-4):
        economy = copy.deepcopy(Economy())
        getattr(economy, field)[int(place)] += side
        ends.append(expected_bust(economy))
    exact = (ends[0] - ends[1]) / 2e-4
    assert abs(found.mean() - exact) < 4.5 * found.std(ddof=1) / np.sqrt(SECTIONS)


@pytest.mark.parametrize("name", RATES)
def test_the_score_has_mean_zero(name, ran):
    score = np.einsum("ab,abkn->kn", score_weights(Economy(), name), ran[0]).ravel()
    assert abs(score.mean()) < 4.0 * score.std() / np.sqrt(score.size)


def test_the_rates_are_numbers_of_the_model():
    names = {f"{group}.{field.name}[{place}]" for group, field, place, _ in numbers_of(Parameters())}
    assert set(RATES) <= names and len(RATES) == 6


def test_a_rate_of_zero_has_no_ratio():
    found = rates_of(Economy(leave_bust=[0.0, 0.45]))
    assert set(RATES) - set(found) == {"economy.leave_bust[0]"}
