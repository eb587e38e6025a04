"""Every identity of a book, broken once: the message names the file, the row and the column."""

import pytest

from tests.book.breaks import BREAKS, drop, grouped


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_book_says_where(small, name):
    edit, file, row, column, words = BREAKS[name]
    edit(small)
    found = small.problems()
    places = [(problem.file, problem.row, problem.column) for problem in found]
    assert (file, row, column) in places, places
    assert any(
        words in problem.expected for problem in found if (problem.row, problem.column) == (row, column)
    )


def test_the_worked_book_has_no_problem(small):
    assert small.problems() == []


def test_a_group_has_no_problem_and_its_loans_take_its_holders(small):
    from engine.book.holdings import holding_shares
    from engine.book.load import load_book

    grouped(small)
    assert small.problems() == []
    small.drop("holdings", 10)
    small.set("holdings", 9, "instrument", "SITES")
    small.set("holdings", 9, "share", "1")
    shares = holding_shares(load_book(small.folder).tables).set_index("instrument")
    assert shares.loc["SITE_LOAN", "lender"] == "BANK" and shares.loc["SITE_LOAN", "share"] == 1.0


def test_a_firm_of_a_group_may_rent_from_a_lease_pool(small):
    """The home of a synthetic tenant is its pool; a group is no such home."""
    grouped(small)
    small.set("tenants", 2, "firm", "SITE")
    assert small.problems() == []


def test_shares_of_new_lending_are_summed_by_year(small):
    """60% of year 2 and 60% of year 3 are no more than the whole; 60% twice in year 2 are."""
    small.set("loans", 3, "origination_share", "0.6")
    small.set("loans", 4, "origination_share", "0.6")
    small.set("loans", 3, "vintage", "2")
    small.set("loans", 4, "vintage", "3")
    assert small.problems() == []
    small.set("loans", 4, "vintage", "2")
    assert [problem.value for problem in small.problems()] == ["sum 1.21 in year 2"]


def test_new_debt_on_chips_needs_a_contract_or_the_spot_market(small):
    drop("security", 3)(small)
    assert [problem.row for problem in small.problems()] == [4]
    small.set("loans", 4, "uncontracted_share", "0.3")
    assert small.problems() == []


TOGETHER = (
    "units of a future chip", "drawn above committed", "contract ends first", "pool balance",
    "gap between tranches", "loan held in part", "lending weights", "vehicle's debt", "diagonal",
    "tenants' shares", "unknown buyer", "no maturity",
)  # fmt: skip


def changes_named(small, words):
    """Capital that the first problem whose expectation has `words` asks for, and its row."""
    import re

    problem = next(problem for problem in small.problems() if words in problem.expected)
    return float(re.search(r"([\d.]+) (?:of|more) capital", problem.expected).group(1)), problem


@pytest.mark.parametrize(
    "name, words",
    [("claims beyond the bank's assets", "at most its assets"), ("blanks that nobody can take", "room for")],
)
def test_the_change_that_is_named_is_the_smallest(small, name, words):
    """With the capital it asks for (to four figures) the problem is gone; with 1% less it stays."""
    BREAKS[name][0](small)
    more, problem = changes_named(small, words)
    capital = float(small.read("lenders")[2][5])

    def stays(extra):
        small.set("lenders", 3, "capital", str(capital + extra))
        return any(
            (each.file, each.column, words in each.expected) == (problem.file, problem.column, True)
            for each in small.problems()
        )

    assert stays(0.99 * more) and not stays(1.001 * more)


def test_stakes_that_leave_something_outside_are_no_ring(small):
    BREAKS["funds that own each other"][0](small)
    small.set("interlender", 4, "share", "0.9")
    small.add("interlender", lender="PENSION", vehicle="FUND", kind="equity", share="0.1")
    assert not any("some of the equity" in problem.expected for problem in small.problems())


def test_blanks_that_fit_only_one_way_are_feasible(small):
    """Filled by capital the bank would take more than it has; the life insurer could take all."""
    small.set("lenders", 3, "capital", "0.4")
    for table in (("committed", "30"), ("drawn", "30")):
        small.set("loans", 2, *table)
    small.set("holdings", 2, "share", "0.05")
    words = [problem.expected for problem in small.problems() if problem.row == 3]
    assert any("at most its assets of 5" in each for each in words)
    assert not any("room for" in each for each in words)


def test_all_problems_are_told_at_once(small):
    for name in TOGETHER:
        BREAKS[name][0](small)
    places = {(problem.file, problem.row, problem.column) for problem in small.problems()}
    assert {BREAKS[name][1:4] for name in TOGETHER} <= places


def test_rounded_shares_are_taken_for_one(small):
    for row, share in ((12, "0.33"), (13, "0.33"), (14, "0.33")):
        small.set("holdings", row, "share", share)
    assert small.problems() == []
    small.set("holdings", 14, "share", "0.31")
    assert [problem.row for problem in small.problems()] == [12]


def test_a_repaired_correlation_is_used_and_reported(small):
    import numpy as np

    from engine.book.load import load_book
    from engine.vocabulary import FACTORS

    BREAKS["not semidefinite"][0](small)
    book = load_book(small.folder, repair=True)
    matrix = book["correlation"].set_index("factor").loc[list(FACTORS), list(FACTORS)].to_numpy()
    assert len(book.repairs) == 1 and "nearest correlation matrix" in book.repairs[0]
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12
    assert np.abs(np.diag(matrix) - 1.0).max() < 1e-12


def test_nothing_is_repaired_that_is_sound(small):
    from engine.book.load import load_book

    plain, asked = load_book(small.folder), load_book(small.folder, repair=True)
    assert asked.repairs == ()
    assert asked.hash == plain.hash
