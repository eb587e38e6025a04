"""What guarantees and leases add to reported debt, by hand."""

import types

import numpy as np
import pandas as pd
import pytest

from engine.book.load import load_book, shipped_book
from engine.results.leverage import lease_rows, leverage_table


@pytest.fixture
def two_leases():
    """A hall that CRWV rents and a tower that ORCL will; each owes 21.4 and earns 2 a year."""
    contracts = pd.DataFrame(
        {
            "contract": ["HALL", "TOWER"], "buyer": ["CRWV", "ORCL"], "kind": "lease", "flow": "operating",
            "annual": [0.5, 9.0], "start_annual": [0.5, 0.0], "start_month": [0, 12], "ramp_months": 0,
            "end_month": [60, 180],
        }
    )  # fmt: skip
    firms = pd.DataFrame({"firm": ["CRWV", "ORCL"], "name": ["CoreWeave", "Oracle"], "ebitda_ttm": 2.0})
    loans = pd.DataFrame({"borrower": ["CRWV"], "drawn": 21.4, "guarantor": "", "guarantee_cover": 0.0})
    return types.SimpleNamespace(tables={"contracts": contracts, "firms": firms, "loans": loans})


def test_leases_are_worth_their_rents_discounted_monthly(two_leases):
    """Half a billion a year for sixty months, and nine from month 13 to 180."""
    rows = lease_rows(two_leases.tables["contracts"])
    factor = np.exp(-0.10 / 12.0)
    running = sum(0.5 / 12.0 * factor**t for t in range(1, 61))
    coming = sum(9.0 / 12.0 * factor**t for t in range(13, 181))
    assert rows["value"].to_numpy() == pytest.approx([running, coming], rel=1e-12)
    assert rows["paid"].tolist() == [0.5, 0.0]


def test_multiples_with_and_without(two_leases):
    table = leverage_table(two_leases.tables).set_index("firm")
    row = table.loc["CRWV"]
    assert row["reported"] == pytest.approx(row["debt"] / 2.0)
    assert row["effective"] == pytest.approx((row["debt"] + row["leases"]) / 2.5)
    assert list(table.index) == ["ORCL", "CRWV"]


def test_shipped_book_shows_who_owes_more_than_it_reports():
    table = leverage_table(load_book(shipped_book("ai_credit_2025")).tables).set_index("firm")
    assert table.loc["META", "guarantees"] == pytest.approx(0.85 * 27.3, rel=1e-3)
    assert {"ORCL", "CRWV", "XAI"} <= set(table.index)
    assert (table["effective"].dropna() > table["reported"].dropna()).all()
