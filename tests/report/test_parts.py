"""What single tables look like on the page and on the terminal."""

import pandas as pd

from engine.report.page import page
from engine.report.terminal import greeks_table
from tests.results.test_greeks import entry


def with_tables(results, **tables):
    """The results with other tables, and none that the run has not."""
    return results._replace(tables=results.tables | tables)


def test_the_page_shows_what_balance_sheets_leave_out(folder):
    assert "What balance sheets leave out" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_says_who_drags_whom_down_and_how_far_the_model_may_be_wrong(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "Who drags whom down" in text and "If the model is a little wrong" in text
    assert "correlation, not cause" in text and "Borrowers that fall together" in text


def test_the_page_shows_the_web_of_a_run_that_has_one(results):
    payments = pd.DataFrame({
        "contract": ["A_B"], "kind": ["compute"], "buyer": ["Lab"], "seller": ["Cloud"], "promised": [90.0],
        "ordinary": [80.0], "tail": [20.0], "tail_low": [15.0], "tail_high": [26.0],
    })  # fmt: skip
    failures = pd.DataFrame({
        "firm": ["A"], "name": ["Lab"], "direct": [16.0], "knock_on": [2.5], "worst_hit": ["Cloud"],
        "worst_share": [0.75],
    })  # fmt: skip
    text = page(with_tables(results, payments=payments, failures=failures))
    assert "Lab pays Cloud 80.0 bn on the one and 20.0 bn on the other" in text
    assert "(95% interval of the median 15.0–26.0)" in text
    assert "If one node fails" in text and "75%" in text
    assert "If one node fails" not in page(results)


def test_the_table_of_greeks_fits_the_terminal_and_begins_with_the_greatest():
    lines = greeks_table({"greeks": entry()})
    assert max(map(len, lines)) <= 100 and "large" in lines[4]
