"""What single tables look like on the page and on the terminal."""

import pandas as pd

from engine.report.page import page
from engine.report.sections.greeks import effects_table, significant
from engine.results.folder import Results
from tests.results.test_greeks import entry, table_of


def with_tables(results, **tables):
    """The results with other tables, and none that the run has not."""
    return results._replace(tables=results.tables | tables)


def test_the_page_shows_what_balance_sheets_leave_out(folder):
    assert "Leverage on and off balance sheet" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_says_who_drags_whom_down_and_how_far_the_model_may_be_wrong(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "Who drags whom down" in text and "If the model is a little wrong" in text
    assert "correlation, not cause" in text and "Borrowers that default together" in text


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
    assert "what Lab pays Cloud: 80.0 bn on ordinary paths and 20.0 bn on the worst" in text
    assert "(95% interval of the median 15.0–26.0 bn)" in text
    assert "If one company stops paying" in text and "75%" in text
    assert "If one company stops paying" not in page(results)


def test_the_table_of_greeks_begins_with_the_greatest_effect():
    slopes, _ = table_of(0.0)
    drivers = Results({"greeks": entry()}, {"greeks": slopes.rows})
    assert str(effects_table(drivers).rows[0][0]) == "large"
    assert significant(drivers).startswith("Of 3 parameters, 3 have an effect that differs significantly")
