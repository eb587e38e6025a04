"""A reverse stress in words."""

import numpy as np
import pandas as pd
import pytest

from engine.book.about import About
from engine.learn.reverse_stress.story import firms_table, quarters_table, shown
from engine.report.sections.reverse_stress import answer, eventful
from engine.report.stress_words import CAUSE_WORDS, FACTOR_WORDS, story_lines, title
from engine.results.folder import Results
from engine.results.reverse_stress import chance
from engine.vocabulary import CAUSES, FACTORS, REGIMES, series_of

ABOUT = About("A book", "2025-12-31", "USD", ("H100", "GB200"), {})


def quarters(**columns):
    """Two quarters: the boom turns, one firm breaches, two default."""
    rows = {
        "quarter": [7, 8], "regime": ["boom", "bust"], "revenue": [200.0, 150.0], "price_h100": [9.0, 6.0],
        "rate": [0.04, 0.05], "spread": [1.2, 2.5], "supply": [0.95, 0.5], "loss": [1.0, 20.0],
        "cumulative_loss": [5.0, 25.0], "breaches": ["", "A"], "defaults": ["", "B, C"],
    }  # fmt: skip
    return pd.DataFrame(rows | columns)


def test_one_line_a_quarter():
    calm, turn = story_lines(quarters(), {"A": "Alpha", "B": "Beta"}, "boom", ABOUT)
    assert calm == (
        "Q3 2027: boom. AI revenue 200, H100 9.0k, rate 4.0%, spread 1.2x, supply 0.95; lost 5.0 (+1.0)."
    )
    assert turn == (
        "Q4 2027: boom turns to bust. AI revenue 150 (-25%), H100 6.0k, rate 5.0%, spread 2.5x, supply "
        "0.50; lost 25.0 (+20.0). Alpha breaches. Beta and C default."
    )


def test_a_turn_in_the_first_quarter_is_an_event():
    lines = ["bust", "still bust"]
    calm = pd.DataFrame({"regime": ["bust", "bust"], "breaches": "", "defaults": ""})
    assert eventful(calm, "boom", lines) == ["bust"] and eventful(calm, "bust", lines) == []


def test_chances():
    assert chance(0.001727, 0.000262) == "0.173% ± 0.026%"
    assert chance(0.2345, 0.0123) == "23.4% ± 1.2%" and chance(0.0, 0.0) == "0 ± 0"
    assert chance(2.13e-7, 4.4e-8) == "2.1e-07 ± 4e-08"


def test_titles_and_quarters():
    assert [ABOUT.quarter_name(quarter) for quarter in (1, 4, 5)] == ["Q1 2026", "Q4 2026", "Q1 2027"]
    assert title("month 19 bust; month 40 plateau", ABOUT) == "Bust from Q3 2027, plateau from Q2 2029"
    assert title("boom lasts", ABOUT) == "Boom lasts"


def test_every_cause_and_factor_has_words():
    assert set(CAUSE_WORDS) == set(CAUSES) - {"alive"} and set(FACTOR_WORDS) == set(FACTORS)


def test_who_breaches_and_defaults_by_when():
    """Three firms on four paths of six months: half of them by a quarter is when a thing is told."""
    months = np.array([[0, 0, 0, 0], [2, 3, 0, 0], [5, 5, 5, 0]])
    causes = np.array([[0, 0, 0, 0], [5, 5, 0, 0], [2, 2, 5, 0]])
    breached = np.zeros((2, 1, 4), bool)
    breached[1, 0, :3] = True
    seen = {"default_month": months, "cause": causes, "breached": breached}
    firms = firms_table(("A", "B", "C"), np.array([0]), seen).set_index("firm")
    assert firms.loc["A", ["breached", "breach_quarter", "defaulted"]].tolist() == [0.75, 2, 0]
    assert firms.loc["B", ["defaulted", "default_quarter", "default_month"]].tolist() == [0.5, 1, 2.5]
    assert firms.loc["C", ["defaulted", "default_quarter", "cause"]].tolist() == [0.75, 2, "liquidity"]
    series = {name: np.zeros((6, 4)) for name in series_of(ABOUT.benchmarks)}
    series["loss"] += np.arange(6.0)[:, None]
    table = quarters_table((0, 0, 0, 0, 0, 2), firms.reset_index(), series, shown("H100"))
    assert table["loss"].tolist() == [2.0, 3.0] and table["regime"].tolist() == [REGIMES[0], REGIMES[2]]
    assert table["breaches"].tolist() == ["", "A"] and table["defaults"].tolist() == ["B", "C"]


@pytest.mark.parametrize(
    ("furthest", "plain", "said"),
    [
        (0.0, 0.0, "No scenario brings this loss: losses do not depend on the economy: 310 bn in any case."),
        (8.0, 0.02, "the most is 310 bn; 2.00% ± 0.10% of plain paths lose it all the same, by chance among "
                    "borrowers."),
    ],
)  # fmt: skip
def test_why_a_loss_is_out_of_reach(furthest, plain, said):
    reach = {"most": 310.4, "furthest": furthest, "plain": plain, "plain_se": 0.001}
    results = Results({"reverse_stress": {"target": 1204.0, "of": "system", "unreachable": reach}}, {})
    assert answer(results).endswith(said)
