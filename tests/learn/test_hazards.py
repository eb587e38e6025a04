"""Default intercepts: a closed form, what cannot be met, and the engine itself on the worked book."""

import math

import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.learn.calibration.hazards import Paths, Quote, calibrate_hazards, unhurt, with_hazards
from engine.paths.simulate import chunk_outcome

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


@pytest.fixture(scope="module")
def simulate():
    """Share of paths on which a firm falls, in plain simulation, with its standard error."""
    import jax
    import jax.numpy as jnp

    run = jax.jit(
        lambda system, ids: chunk_outcome(system, PSEUDO_RANDOM, seed_words(7), ids, 10**6).default_month
    )

    def share(system, firm):
        place = system.names.firms.index(firm)
        ids = np.arange(COUNT, dtype=np.int64).reshape(-1, 512)
        falls = np.concatenate([np.asarray(run(system, jnp.asarray(own)))[place] > 0 for own in ids])
        return falls.mean(), falls.std() / math.sqrt(COUNT)

    return share


def test_the_default_probability_without_thresholds_is_that_of_plain_simulation(system, simulate):
    """On the same paths; the plain one has the noise of the thresholds besides."""
    larger = with_hazards(system, {"CLOUD": 0.05})
    found, error = unhurt(larger, "CLOUD", COUNT, 7).probability(1.0)
    plain, noise = simulate(larger, "CLOUD")
    assert error < noise
    assert found == pytest.approx(plain, abs=4.0 * noise)


def test_at_the_calibrated_intercept_the_engine_agrees_with_the_market(system, simulate):
    rows = calibrate_hazards(system, [Quote("CLOUD", "CDS", 0.25, 0.4, PREMIA)], ("CDS",), COUNT, 7)
    row = rows.iloc[0]
    assert row["verdict"] == "met" and row["used"]
    assert row["hazard_low"] < row["hazard"] < row["hazard_high"]
    plain, noise = simulate(with_hazards(system, {"CLOUD": row["hazard"]}), "CLOUD")
    assert row["implied"] == pytest.approx(plain, abs=4.0 * noise)
