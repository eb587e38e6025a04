"""Decline of rents by hand: from the life of a chip, and from the pace of releases to come."""

import numpy as np
import pandas as pd
import pytest

from engine.book.build import build_system
from engine.book.calibration import decline_of, gain_pace
from engine.book.load import load_book
from engine.book.parameters import Chips, Credit, Parameters

TABLE = pd.DataFrame(
    {
        "release_month": [-40, -6, 12, 30],
        "rental_usd_per_hour": [2.0, 5.0, 9.0, 12.0],
        "operating_cost_usd_per_hour": [0.5, 0.7, 1.2, 1.5],
        "performance_gain": [3.0, 3.0, 2.0, 1.5],
    }
)
EXISTING = np.array([1.0, 1.0, 0.0, 0.0])


def test_rent_of_the_newest_chip_meets_its_cost_at_the_end_of_its_life():
    """0.7 x 5.0 = 3.5 meets 0.7 at a fifth: ln 5 over 5 years, whatever the others earn."""
    decline = decline_of(TABLE, EXISTING, 5.0, 0.7)
    assert decline == pytest.approx(np.log(5.0) / 5.0, rel=1e-12)
    assert 0.7 * 5.0 * np.exp(-5.0 * decline) == pytest.approx(0.7, rel=1e-12)


def test_pace_of_gains_counts_releases_to_come():
    """Two releases within 30 months: ln(2 x 1.5) over 2.5 years; the gain of chips on sale is past."""
    assert gain_pace(TABLE, EXISTING) == pytest.approx(np.log(3.0) / 2.5, rel=1e-12)
    assert gain_pace(TABLE, np.ones(4)) == 0.0


def test_ageing_and_releases_together_end_a_life(small):
    """Ageing leaves out what releases add by their pace; lenders and documents have lives of their own."""
    chips = Chips(life=4.0, underwritten_life=6.0, release_effect=0.2)
    parameters = Parameters(chips=chips, credit=Credit(documented_life=5.0))
    table = build_system(load_book(small.folder), parameters, 12).chips
    drop = np.log(0.7 * 5.5 / 0.85)
    pace = np.log(2.0) / 1.0
    assert float(table.ageing) + 0.2 * pace == pytest.approx(drop / 4.0, rel=1e-6)
    assert float(table.decline) == pytest.approx(drop / 6.0, rel=1e-6)
    assert float(table.documented_decline) == pytest.approx(drop / 5.0, rel=1e-6)
