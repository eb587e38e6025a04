"""Default intercepts: a closed form, what cannot be met, and the engine itself on the worked book."""

import math

import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.learn.calibration.hazards import Paths, Quote, calibrate_hazards, structural_paths, with_hazards

COUNT = 1024
PREMIA = (2.0, 2.5, 4.0)


def test_without_structure_the_intercept_is_the_textbook_s():
    """PD = 1 - exp(-c H): c = -ln(1 - PD)/H."""
    paths = Paths(np.zeros((5, 100)), np.full((5, 100), 0.04))
    multiple, error = paths.solve(0.1)
    assert multiple == pytest.approx(-math.log(0.9) / 0.04, rel=1e-9)
    assert error == pytest.approx(0.0, abs=1e-9)


def test_what_structure_exceeds_cannot_be_met():
    fallen = np.zeros((5, 100))
    fallen[:, :20] = 1.0
    paths = Paths(fallen, np.full((5, 100), 0.04))
    assert paths.probability(0.0)[0] == pytest.approx(0.2)
    assert math.isnan(paths.solve(0.2)[0]) and math.isnan(paths.solve(0.1)[0])
    assert paths.solve(0.25)[0] == pytest.approx(-math.log(0.75 / 0.8) / 0.04, rel=1e-9)


def test_a_higher_risk_premium_implies_less():
    quote = Quote("X", "CDS", 0.06, 0.4, PREMIA)
    assert quote.implied(5.0, 2.0) == pytest.approx(1.0 - math.exp(-0.06 * 5.0 / (0.6 * 2.0)))
    assert quote.implied(5.0, 4.0) < quote.implied(5.0) < quote.implied(5.0, 2.0)


@pytest.fixture(scope="module")
def system():
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 24)


def simulate(system, firm):
    """Share of paths on which a firm defaults by any cause, with its standard error."""
    defaults = structural_paths(system, firm, COUNT, 7, scale=1.0).defaulted[-1]
    return defaults.mean(), defaults.std() / math.sqrt(COUNT)


def test_the_default_probability_without_thresholds_is_that_of_plain_simulation(system):
    """On the same paths; the plain one has the noise of the thresholds besides."""
    larger = with_hazards(system, {"CLOUD": 0.05})
    found, error = structural_paths(larger, "CLOUD", COUNT, 7).probability(1.0)
    plain, noise = simulate(larger, "CLOUD")
    assert error < noise
    assert found == pytest.approx(plain, abs=4.0 * noise)


def test_at_the_calibrated_intercept_the_engine_agrees_with_the_market(system):
    rows = calibrate_hazards(system, [Quote("CLOUD", "CDS", 0.25, 0.4, PREMIA)], ("CDS",), COUNT, 7)
    row = rows.iloc[0]
    assert row["verdict"] == "met" and row["used"]
    assert row["hazard_low"] < row["hazard"] < row["hazard_high"]
    plain, noise = simulate(with_hazards(system, {"CLOUD": row["hazard"]}), "CLOUD")
    assert row["implied"] == pytest.approx(plain, abs=4.0 * noise)
