"""Obligors from a CSV: the right columns, or a refusal that names line and column."""

import numpy as np
import pytest

from engine.portfolio.portfolio import read_portfolio


@pytest.fixture
def table(tmp_path):
    """`table(text)` is a CSV file of that text."""

    def write(text):
        path = tmp_path / "obligors.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


REFUSED = {
    "a flag": ("pd,exposure\nTRUE,100\n", "line 2, column pd: got 'TRUE'"),
    "blank lines": ("pd,exposure\n\n0.01,100\n\nx,50\n", "line 5, column pd: got 'x'"),
    "capitals": (
        "pd,Exposure,LGD\n0.01,100,0.45\n",
        "column Exposure: .*expected exposure, or",
    ),
    "a trailing comma": ("pd,exposure,maturity\n0.01,0.25,3,\n", "line 2: got '4 cells', expected 3 cells"),
    "a column twice": (
        "pd,loading_1,loading_1\n0.01,0.4,0.3\n",
        "column loading_1: .*expected each",
    ),
    "a factor without a loading": (
        "pd,loading_1,loading_3\n0.01,0.4,0.3\n",
        "loading_2: expected this column",
    ),
    "other factors": ("pd,loading_1,lgd_loading_1,lgd_loading_2\n0.01,0.4,0.3,0.1\n", "for the same factors"),
    "a loading without its line": ("pd,loading1\n0.01,0.4\n", "expected loading_1, or"),
    "exposure by another name": ("pd,EAD\n0.01,100\n", "expected exposure, lgd, pd or loading_1, or a name"),
    "a blank": ("pd,exposure\n0.01,\n", "line 2, column exposure: got 'blank'"),
    "no obligor": ("pd,exposure\n", "expected at least 1 row"),
    "a percentage": ("pd\n1%\n", "column pd: got '1%'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_as_meant_is_refused(name, table):
    text, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        read_portfolio(table(text))


def test_factors_are_ordered_by_number(table):
    book = read_portfolio(table("pd,loading_2,loading_1,lgd_volatility,lgd_loading_1,lgd_loading_2\n"
                                "0.01,0.2,0.6,0.5,0.6,0.2\n"))  # fmt: skip
    assert np.array_equal(book.loadings, np.float32([[0.6, 0.2]]))
    assert np.array_equal(book.lgd_loadings, np.float32([[0.6, 0.2]]))


def test_columns_of_other_names_are_ignored(table):
    book = read_portfolio(table("name,pd,exposure,maturity\nA,0.01,0.25,3\nB,0.02,0.75,5\n"))
    assert np.array_equal(book.pd, np.float32([0.01, 0.02]))
    assert np.array_equal(book.exposure, np.float32([0.25, 0.75]))
