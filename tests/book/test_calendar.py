"""What depends on the month by hand: new lending by vintage, and what a loan is to come to."""

import numpy as np
import pandas as pd

from engine.book import calendar
from engine.book.build import build_system
from engine.book.load import load_book
from engine.book.parameters import Chips, Credit, Parameters

LOANS = pd.DataFrame(
    {
        "committed": [0.0, 0.0, 4.0, 0.0],
        "origination_share": [0.2, 0.1, 0.0, 0.3],
        "vintage": [0, 2, 0, 7],
    }
)
"""New debt of every year, of the second year, a facility, new debt of the seventh year."""


def test_a_vintage_takes_its_share_in_its_year_only():
    months = np.array([0, 1, 12, 13, 24, 25, 72, 73, 84, 85])
    expected = np.zeros((10, 4))
    expected[:, 0] = 0.2
    expected[3:5, 1] = 0.1
    expected[7:9, 3] = 0.3
    np.testing.assert_array_equal(calendar.origination(LOANS, months), expected)


def test_a_loan_comes_to_its_commitment_or_to_its_year_of_the_plan():
    """40% of 100 bn of capex in year 2, 10% of it; after the last planned year its 120 holds."""
    parameters = Parameters(chips=Chips(capex=[50.0, 100.0, 120.0]), credit=Credit(origination=0.4))
    expected = [0.0, 0.1 * 0.4 * 100.0, 4.0, 0.3 * 0.4 * 120.0]
    np.testing.assert_allclose(calendar.planned(LOANS, parameters), expected, rtol=1e-12)


def test_new_debt_of_every_year_has_no_plan():
    """It has no end: only a loan of one vintage is to come to something."""
    assert calendar.planned(LOANS, Parameters())[0] == 0.0


def test_the_years_of_a_system_are_those_of_its_loans(small):
    """CLOUD_NEW as a vintage of year 2 with 30%; loans stand with the collateralised first."""
    small.set("loans", 4, "origination_share", "0.3")
    small.set("loans", 4, "vintage", "2")
    system = build_system(load_book(small.folder), Parameters(), 36)
    place = system.names.loans.index("CLOUD_NEW")
    taken = np.asarray(system.calendar.origination)[:, place]
    np.testing.assert_array_equal(np.flatnonzero(taken) + 1, np.arange(13, 25))
    capex, share = Chips().capex[1], Credit().origination
    np.testing.assert_allclose(system.loans.planned[place], 0.3 * share * capex, rtol=1e-6)
    np.testing.assert_allclose(system.loans.planned[system.names.loans.index("SITE_LOAN")], 4.0, rtol=1e-6)
