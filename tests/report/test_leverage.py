"""What guarantees and leases add to reported debt, by hand."""

import numpy as np
import pytest

from engine.book.load import load_book, shipped_book
from engine.results.leverage import lease_rows, leverage_table


def test_leases_are_worth_their_rents_discounted_monthly(world):
    """Half a billion a year for sixty months, and nine from month 13 to 180."""
    rows = lease_rows(world[0].tables["contracts"])
    factor = np.exp(-0.10 / 12.0)
    running = sum(0.5 / 12.0 * factor**t for t in range(1, 61))
    coming = sum(9.0 / 12.0 * factor**t for t in range(13, 181))
    assert rows["value"].to_numpy() == pytest.approx([running, coming], rel=1e-12)
    assert rows["paid"].tolist() == [0.5, 0.0]


def test_multiples_with_and_without(world):
    table = leverage_table(world[0]).set_index("firm")
    row = table.loc["CRWV"]
    assert row["reported"] == pytest.approx(row["debt"] / 2.0)
    assert row["effective"] == pytest.approx((row["debt"] + row["leases"]) / 2.5)
    assert list(table.index) == ["ORCL", "CRWV"]


def test_shipped_book_shows_who_owes_more_than_it_reports():
    table = leverage_table(load_book(shipped_book("ai_credit_2025"))).set_index("firm")
    assert table.loc["META", "guarantees"] == pytest.approx(0.85 * 27.3, rel=1e-3)
    assert {"ORCL", "CRWV", "XAI"} <= set(table.index)
    assert (table["effective"].dropna() > table["reported"].dropna()).all()


def test_the_page_shows_the_table(folder):
    assert "What balance sheets leave out" in (folder / "report.html").read_text(encoding="utf-8")
