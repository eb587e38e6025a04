"""Networks from totals: totals kept, known cells kept, the published example, bounds that can be named."""

import json
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contagion.reconstruct import maximum_entropy, minimum_density

ORACLE = pathlib.Path(__file__).parents[1] / "oracles" / "12_network_reconstruction_anand2015.json"
PUBLISHED = json.loads(ORACLE.read_text(encoding="utf-8"))
ROWS, COLUMNS = PUBLISHED["assets_row_sums"], PUBLISHED["liabilities_col_sums"]

KEPT = 4e-12
"""Totals are met to 1e-12 of their sum; known cells and the scaling of columns add as much again."""

METHODS = {"maximum_entropy": maximum_entropy, "minimum_density": minimum_density}


def keeps(matrix, rows, columns):
    """Totals are met, nothing is negative."""
    slack = KEPT * np.sum(rows)
    np.testing.assert_allclose(matrix.sum(axis=1), rows, rtol=0, atol=slack)
    np.testing.assert_allclose(matrix.sum(axis=0), columns, rtol=0, atol=slack)
    assert (matrix >= 0.0).all()


def totals_of_some_matrix(seed, lenders=6, borrowers=6, bipartite=False):
    """A matrix with many zeros, so that its totals are feasible, maybe only just."""
    rng = np.random.default_rng(seed)
    matrix = rng.exponential(1.0, (lenders, borrowers)) * (rng.random((lenders, borrowers)) < 0.4)
    if not bipartite:
        np.fill_diagonal(matrix, 0.0)
    return matrix


def test_the_published_example_of_maximum_entropy():
    """Anand, Craig and von Peter (2015), p. 628, to the two decimals printed."""
    matrix = maximum_entropy(ROWS, COLUMNS)
    np.testing.assert_allclose(matrix, PUBLISHED["max_entropy_2dp"], rtol=0, atol=0.005)
    np.testing.assert_allclose(matrix, PUBLISHED["max_entropy_converged"], rtol=0, atol=1e-10)
    keeps(matrix, ROWS, COLUMNS)


def test_the_published_example_has_as_few_links_as_published():
    matrix = minimum_density(ROWS, COLUMNS)
    keeps(matrix, ROWS, COLUMNS)
    assert np.count_nonzero(matrix) <= np.count_nonzero(PUBLISHED["min_density_example"])
    assert not np.diagonal(matrix).any()


def test_equal_banks_lend_equally():
    matrix = maximum_entropy(np.full(5, 8.0), np.full(5, 8.0))
    np.testing.assert_allclose(matrix, 2.0 * (1 - np.eye(5)), atol=KEPT * 40)


def test_two_sides_without_known_cells_are_independent():
    rows, columns = np.array([6.0, 3, 1]), np.array([4.0, 4, 1, 1])
    matrix = maximum_entropy(rows, columns, bipartite=True)
    np.testing.assert_allclose(matrix, np.outer(rows, columns) / 10, atol=KEPT * 10)


def test_free_cells_are_a_product_of_a_row_and_a_column():
    """x_ij x_kl = x_il x_kj on any four free cells: the first-order condition of the entropy."""
    known = np.full((5, 5), np.nan)
    known[0, 1] = 0.5
    x = maximum_entropy([3, 2, 2, 2, 1], [2, 3, 2, 1, 2], known)
    assert x[0, 1] == 0.5
    for i, j, k, m in [(0, 2, 1, 3), (2, 0, 3, 4), (4, 1, 2, 3)]:
        assert x[i, j] * x[k, m] == pytest.approx(x[i, m] * x[k, j], rel=1e-9)


def test_a_blank_is_not_a_zero_and_a_zero_is_known():
    known = np.full((3, 3), np.nan)
    known[0, 1] = 0.0
    x = maximum_entropy([1, 2, 2], [2, 1, 2], known)
    assert x[0, 1] == 0.0 and x[0, 2] == pytest.approx(1.0) and x[1, 0] > 0.0


def test_a_hub_that_deals_with_all_leaves_nothing_between_the_rest():
    """Its totals are half of all, so that every other cell is zero; plain fitting would take for ever."""
    for method in METHODS.values():
        x = method([3, 1, 1, 1], [3, 1, 1, 1])
        hub = np.zeros((4, 4))
        hub[0, 1:] = hub[1:, 0] = 1.0
        np.testing.assert_allclose(x, hub, atol=KEPT * 6)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.5))
def test_totals_and_known_cells_are_kept(name, seed, share):
    matrix = totals_of_some_matrix(seed)
    rng = np.random.default_rng(seed)
    known = np.where(rng.random(matrix.shape) < share, matrix, np.nan)
    found = METHODS[name](matrix.sum(axis=1), matrix.sum(axis=0), known)
    keeps(found, matrix.sum(axis=1), matrix.sum(axis=0))
    np.testing.assert_array_equal(found[~np.isnan(known)], matrix[~np.isnan(known)])


@pytest.mark.parametrize("name", METHODS)
def test_lenders_and_loans_differ_in_number(name):
    matrix = totals_of_some_matrix(11, 4, 9, bipartite=True)
    found = METHODS[name](matrix.sum(axis=1), matrix.sum(axis=0), bipartite=True)
    keeps(found, matrix.sum(axis=1), matrix.sum(axis=0))


@pytest.mark.parametrize("seed", range(4))
def test_few_links_are_at_most_rows_and_columns_less_one(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.exponential(1, 12), rng.exponential(1, 12)
    columns *= rows.sum() / columns.sum()
    found = minimum_density(rows, columns, seed=seed, tries=4)
    keeps(found, rows, columns)
    assert np.count_nonzero(found) <= 23


def test_a_seed_is_a_network():
    rows = np.arange(1.0, 9)
    first, again, other = (minimum_density(rows, rows[::-1], seed=s, tries=1) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_nothing_to_fill():
    np.testing.assert_array_equal(maximum_entropy(np.zeros(3), np.zeros(3)), 0.0)
    np.testing.assert_array_equal(minimum_density(np.zeros(3), np.zeros(3)), 0.0)


BLANK = np.full((3, 3), np.nan)


def known(*cells):
    """A blank 3 x 3 matrix with some cells (i, j, amount)."""
    matrix = BLANK.copy()
    for i, j, amount in cells:
        matrix[i, j] = amount
    return matrix


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "rows, columns, cells, words",
    [
        ([1, -2, 3], [1, 1, 0], None, r"rows\[1\]: got -2.0, expected a number at least 0"),
        ([1, 2, 3], [1, 2, 4], None, "columns: got a sum of 7, expected that of rows, 6"),
        ([1, 2], [1, 1, 1], None, "got 2 and 3, expected as many"),
        ([[1, 2]], [1, 2], None, r"got shapes \(1, 2\) and \(2,\)"),
        ([1, 1, 1], [1, 1, 1], np.zeros((2, 2)), r"known: got shape \(2, 2\), expected \(3, 3\)"),
        ([1, 1, 1], [1, 1, 1], known((1, 1, 0.5)), r"known\[1, 1\]: got 0.5, expected 0 or blank"),
        ([1, 1, 1], [1, 1, 1], known((0, 1, -0.5)), r"known\[0, 1\]: got -0.5"),
        ([1, 1, 1], [1, 1, 1], known((0, 1, 1.5)), r"rows\[0\]: got 1.0, expected at least 1.5"),
        ([5, 1, 1], [3, 2, 2], None, r"rows\[0\]: got 5.0 besides known cells, expected at most 4"),
        ([2, 2, 2], [2, 2, 2], known((0, 1, 0), (2, 1, 0), (1, 2, 0)), "got"),
    ],
)
def test_what_cannot_be_is_refused(name, rows, columns, cells, words):
    with pytest.raises(ValueError, match=words):
        METHODS[name](rows, columns, cells)


@pytest.mark.parametrize("name", METHODS)
def test_totals_that_no_two_columns_together_can_hold_are_refused(name):
    """Two rows of 3 may only use a column of 4: each alone would fit."""
    cells = np.full((3, 3), np.nan)
    cells[0, 1:] = cells[1, 1:] = 0.0
    with pytest.raises(ValueError, match="got totals that no matrix has on 5 free cells of 9"):
        METHODS[name]([3, 3, 2], [4, 2, 2], cells, bipartite=True)
