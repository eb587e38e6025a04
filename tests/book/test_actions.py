"""What an action changes in a book, and nothing else."""

import pytest

from engine.book.actions import CUT, FASTER, actions_of, backers_of, buyers_of
from engine.book.holdings import holding_shares
from engine.book.load import load_book, shipped_book


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("worked_small"))


@pytest.fixture(scope="module")
def actions(book):
    """The fund's actions; it holds CLOUD_GPU, CLOUD_NEW and half of the pool."""
    loans = ["CLOUD_GPU", "CLOUD_NEW", "CLOUD_NOTES"]
    return {action.key: action for action in actions_of(book, loans, "FUND", ["CLOUD_GPU"])}


def differences(action, book, table, key):
    """Cells of a table that differ: {(row, column): (before, after)}."""
    before, after = (each[table].set_index(key) for each in (book, action.book))
    assert list(before.index) == list(after.index)
    return {
        (row, column): (before.at[row, column], after.at[row, column])
        for row in before.index
        for column in before.columns
        if before.at[row, column] != after.at[row, column]
        and before.at[row, column] == before.at[row, column]
    }


def test_a_lower_advance_rate_lends_a_tenth_less_against_the_same_chips(book, actions):
    action = actions["advance_rate"]
    assert action.loans == ("CLOUD_GPU", "CLOUD_NEW")
    changes = differences(action, book, "loans", "loan")
    assert {column for _, column in changes} == {"drawn", "committed", "ltv_target"}
    assert all(after == pytest.approx((1.0 - CUT) * before) for before, after in changes.values())
    assert action.book["pledges"] is book["pledges"]


def test_faster_amortisation_is_of_loans_that_repay(book, actions):
    changes = differences(actions["amortisation"], book, "loans", "loan")
    assert changes == {
        (loan, "amortisation"): (0.2, pytest.approx(0.2 + FASTER)) for loan in ("CLOUD_GPU", "CLOUD_NEW")
    }


def test_the_largest_off_taker_or_the_tenant_guarantees(book, actions):
    assert backers_of(book) == {"CLOUD_GPU": "BIG", "CLOUD_NEW": "LAB", "SITE_LOAN": "BIG"}
    changes = differences(actions["guarantee"], book, "loans", "loan")
    assert changes["CLOUD_GPU", "guarantor"] == ("", "BIG")
    assert changes["CLOUD_NEW", "guarantor"] == ("", "LAB")
    assert {changes[loan, "guarantee_cover"][1] for loan in ("CLOUD_GPU", "CLOUD_NEW")} == {1.0}


def test_a_sale_moves_the_seller_s_part_to_the_buyers_of_paper(book, actions):
    """The pension fund buys all paper of the worked book: 60% of the facility go from the fund to it."""
    before, after = (
        holding_shares(each.tables).set_index(["instrument", "lender"])["share"]
        for each in (book, actions["sale"].book)
    )
    assert buyers_of(book, "FUND") == {"PENSION": 1.0}
    assert after["CLOUD_GPU", "PENSION"] == pytest.approx(before["CLOUD_GPU", "FUND"])
    assert after["CLOUD_GPU", "BANK"] == pytest.approx(before["CLOUD_GPU", "BANK"])
    assert ("CLOUD_GPU", "FUND") not in after.index
    others = before.drop("CLOUD_GPU", level="instrument")
    assert after[others.index].to_dict() == pytest.approx(others.to_dict())


def test_without_a_lender_or_without_anybody_else_nothing_is_sold(book):
    assert "sale" not in {action.key for action in actions_of(book, ["CLOUD_GPU"])}
    assert actions_of(book, []) == []
