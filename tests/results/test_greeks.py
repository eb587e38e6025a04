"""Tables of the greeks: scales, order, checks beside the estimates, and what the command says of them."""

import numpy as np
import pytest

from engine.learn.greeks.greeks import Slopes
from engine.learn.greeks.steps import Step
from engine.results.greeks import rank, rows_of, summary
from engine.results.reliability import doubts_of
from experiments.config.schema import Report

RATE = "economy.leave_boom[0]"


def step(name, value, size, low=None, high=None):
    return Step(name, "economy", name, None, value, value, size, 0.1 * value, "1", "C", "why", low, high)


STEPS = [step("small", 2.0, 0.1), step("large", 4.0, 0.1, 3.0, 7.0), step(RATE, 0.5, 0.05)]
SLOPES = np.array([1.0, -3.0, 0.5])
"""Per step; per tenth of the size 2, -12 and 0.5."""


def slopes(rng, error=0.1):
    sections = SLOPES[:, None] + error * np.sqrt(32) * rng.standard_normal((3, 32))
    return Slopes(sections.mean(axis=1), sections.std(axis=1, ddof=1) / np.sqrt(32), sections, 1.0, 31)


def table_of(shift=0.0):
    rng = np.random.default_rng(1)
    tail, mean = slopes(rng), slopes(rng)
    around = rng.standard_normal(32)
    bumps = {1: -3.0 + shift + around}
    rates = {RATE: 10.0 + around, "economy.other": around}
    return rank(rows_of(STEPS, tail, mean), tail, bumps, rates, {1: -20.0 + around}), tail


def test_effects_are_per_tenth_and_ranked():
    rows = table_of()[0].rows
    assert rows["number"].tolist() == ["large", "small", RATE]
    assert rows["es"].to_numpy() == pytest.approx([-12.0, 2.0, 0.5], abs=4 * 0.1 * 4)
    assert rows.loc[0, "line"] == pytest.approx(rows.loc[0, "es"] * (7.0 - 3.0) / 0.4)
    assert rows["line"].isna().tolist() == [False, True, True]


def test_checks_stand_beside_their_number():
    table, _ = table_of()
    rows = table.rows.set_index("number")
    assert rows.loc["large", "bump"] == pytest.approx(-12.0, abs=4 * 4 / np.sqrt(32))
    assert rows.loc["large", "range"] == pytest.approx(-40.0, abs=4 * 2 / np.sqrt(32))
    assert rows.loc[RATE, "ratio"] == pytest.approx(0.5, abs=4 * 0.05 / np.sqrt(32))
    assert rows.loc["small", ["bump", "ratio", "range"]].isna().all()
    apart = rows.loc["large", "es"] - rows.loc["large", "bump"]
    assert rows.loc["large", "bump_apart"] == pytest.approx(apart)


def entry(shift=0.0):
    """The entry `greeks` of summary.json."""
    table, tail = table_of(shift)
    return summary(table, tail, np.ones(32), {"level": 0.99, "step": 0.1, "rows": 64, "row_paths": 1024})


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (3.0, False)])
def test_checks_that_disagree_make_a_run_unreliable(shift, agrees):
    told = {"greeks": entry(shift), "flagged_paths": {}, "paths": 1}
    found = doubts_of(told, Report().most_flagged, Report().fail_on_unresolved)
    assert (found == []) == agrees and (agrees or "2 checks disagree" in found[0])
