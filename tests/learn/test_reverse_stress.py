"""Reverse stress against the closed form: losses linear in the normals, with a level for each regime path."""

import types

import numpy as np
import pytest
from scipy.stats import norm

from engine.learn.reverse_stress import probability, reverse_stress
from engine.learn.reverse_stress.regimes import log_probability, regimes_of
from engine.learn.reverse_stress.trials import FULL, QUICK, SHAPES, Trials
from engine.run.plan import CHUNK

MONTHS, FACTORS, NOISE, TARGET = 12, 2, 12.0, 80.0
CHAIN = np.array([[0.94, 0.04, 0.02], [0.03, 0.92, 0.05], [0.02, 0.06, 0.92]])
LEVELS = np.array([0.5, 1.5, 4.0])
SLOPE = np.concatenate([[14.0, -6.0, 5.0], np.zeros(SHAPES * FACTORS - 3)])


class Linear(Trials):
    """loss = sum of a level a month + slope . z + noise w, in place of the model; it counts its paths."""

    def __init__(self, slope=SLOPE, effort=FULL):
        self.effort, self.paths = effort, 0
        self.seed, self.at, self.transition, self.start = 11, 0, CHAIN, 0
        self.months, self.factors, self.slope = MONTHS, FACTORS, slope
        self.shapes = np.eye(MONTHS)[:, :SHAPES]

    def observe(self, scenarios, spread, first, each, keep):
        self.paths += len(scenarios) * each
        rng = np.random.default_rng([self.seed, first])
        draws = rng.standard_normal((each // CHUNK, CHUNK, self.dims + 1))
        losses, along = [], []
        for scenario in scenarios:
            for noise in draws:
                x = scenario.z + spread * noise[:, :-1]
                losses.append([LEVELS[list(scenario.regimes)].sum() + x @ self.slope + NOISE * noise[:, -1]])
                along.append(x.T.reshape(SHAPES, FACTORS, CHUNK))
        return keep(types.SimpleNamespace(losses=np.array(losses), along=np.array(along)))


def objective(regimes) -> float:
    """The best log-likelihood of a regime path in closed form."""
    missing = max(TARGET - LEVELS[list(regimes)].sum(), 0.0)
    return log_probability(CHAIN, 0, regimes) - 0.5 * missing**2 / (SLOPE @ SLOPE)


@pytest.fixture(scope="module")
def answers():
    return reverse_stress.search(Linear(), TARGET, 3)


def test_the_likeliest_scenario_is_the_closed_form_s(answers):
    """Of all paths with up to two switches; what is found may be less likely by what noise hides."""
    singles = [((month, kind),) for month in range(1, 13) for kind in (1, 2)]
    doubles = [
        ((a, 1), (b, 2)) for a in range(1, 13) for b in range(a + 1, 13)
    ] + [((a, 2), (b, 1)) for a in range(1, 13) for b in range(a + 1, 13)]  # fmt: skip
    best = max(objective(regimes_of(0, each, MONTHS)) for each in [(), *singles, *doubles])
    error = NOISE / np.sqrt(FULL.many) / np.linalg.norm(SLOPE)
    found, slack = answers[0].log_likelihood, 4.0 * answers[0].beta * error
    assert best - reverse_stress.GAIN - slack < found < best + slack


def test_every_scenario_is_its_regimes_design_point(answers):
    """z = slope (target - level) / |slope|^2, the mean loss the target, half of the paths beyond it."""
    for answer in answers:
        missing = TARGET - LEVELS[list(answer.scenario.regimes)].sum()
        cosine = answer.scenario.z @ SLOPE / answer.beta / np.linalg.norm(SLOPE)
        paths = FULL.many
        error = np.sqrt(2.0) * NOISE / np.sqrt(paths)
        exact = missing / np.linalg.norm(SLOPE)
        assert abs(answer.beta * cosine - exact) < 4.0 * error / np.linalg.norm(SLOPE)
        assert cosine > 0.995
        assert abs(answer.mean - TARGET) < 4.0 * error
        assert answer.deviation == pytest.approx(NOISE, abs=4.0 * NOISE / np.sqrt(2.0 * paths))
        assert abs(answer.share - 0.5) < 4.0 * (0.5 / np.sqrt(paths) + norm.pdf(0.0) * error / NOISE)


def test_scenarios_are_of_different_kinds_and_in_order(answers):
    kinds = [reverse_stress.kind_of(0, answer.scenario.regimes) for answer in answers]
    assert len(set(kinds)) == len(kinds) == 3
    assert [a.log_likelihood for a in answers] == sorted((a.log_likelihood for a in answers), reverse=True)


def test_form_and_importance_sampling_find_the_exact_probability(answers):
    """sum over all 3^12 regime paths of P(regimes) Phi(-(target - level) / sqrt(|slope|^2 + noise^2))."""
    found = probability.probabilities(Linear(), answers, TARGET)
    law = {(0, 0.0): 1.0}
    for _ in range(MONTHS):
        following: dict[tuple[int, float], float] = {}
        for (state, level), chance in law.items():
            for other in range(3):
                key = (other, level + LEVELS[other])
                following[key] = following.get(key, 0.0) + chance * CHAIN[state, other]
        law = following
    level, chance = np.array([key[1] for key in law]), np.array(list(law.values()))
    exact = chance @ norm.sf((TARGET - level) / np.sqrt(SLOPE @ SLOPE + NOISE**2))
    assert abs(found.form.value - exact) < 4.0 * found.form.standard_error
    assert abs(found.importance.value - exact) < 4.0 * found.importance.standard_error
    assert found.form.standard_error < 0.2 * exact and found.importance.standard_error < 0.2 * exact
    assert found.breaks.sum() == pytest.approx(1.0)


def test_a_quick_search_reaches_the_target_on_fewer_paths():
    """Its scenarios lose the target within the error of its own, fewer paths; it costs half."""
    full, quick = Linear(), Linear(effort=QUICK)
    for trials in (full, quick):
        answers = reverse_stress.search(trials, TARGET, 2)
        found = probability.probabilities(trials, answers, TARGET)
    error = np.sqrt(2.0) * NOISE / np.sqrt(QUICK.many)
    assert all(abs(answer.mean - TARGET) < 4.0 * error for answer in answers)
    assert found.importance.value > 0.0 and 2 * quick.paths < full.paths


def test_a_target_out_of_reach_is_said():
    for trials, target in ((Linear(), 1000.0), (Linear(SLOPE * 1e-6), 80.0)):
        with pytest.raises(reverse_stress.Unreachable, match=f"{target:,.0f} bn: .* at most") as caught:
            reverse_stress.search(trials, target, 3)
        assert caught.value.furthest == 8.0 and 0.0 < caught.value.most < target


def test_a_target_reached_without_shocks_needs_none():
    [answer, *_] = reverse_stress.search(Linear(), 4.0, 1)
    assert answer.beta == 0.0 and set(answer.scenario.regimes) == {0}
    assert probability.probabilities(Linear(), [answer], 4.0).form.value > 0.5
