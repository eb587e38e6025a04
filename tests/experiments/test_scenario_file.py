"""`scenario=path`: from a supervisor's table to both tails, and what is refused before anything runs."""

import json

import pandas as pd
import pytest

from engine.report.page import sections
from engine.results.folder import read_results
from tests.supervisors import bank_of_england, banking_authority

SMALL = ("book.name=worked_small", "run.paths=512", "run.block=512", "run.months=12", "report.anatomy=false")
MACRO = (
    "Date,GDP growth,short rate,spread index,equity index\n2026 Q1,-6,2.0,2.5,0.6\n2026 Q2,-4,1.0,3.0,0.5\n"
)
"""Made up: two quarters of a crisis."""


def test_from_a_table_to_both_tails(undertow, tmp_path):
    (tmp_path / "macro.csv").write_text(MACRO, encoding="utf-8")
    answer = undertow("scenario=path", "scenario.file=macro.csv", *SMALL, "run.dir=out")
    assert answer.code == 0, answer.err
    before = answer.err.partition("compiling")[0]
    assert "Columns of macro, 2026 Q1 to 2026 Q2" in before and "Spread index" in before
    assert "GDP growth: not used; the model has no factor of output" in before
    assert "spread index: by 2026-03 it asks for a shock of +" in before
    assert "System loss with the scenario and without" in answer.out
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    entry = summary["scenario_path"]
    assert entry["columns"] == {
        "given": ["short rate", "spread index", "equity index"], "part": [], "unused": ["GDP growth"],
    }  # fmt: skip
    assert sum(entry["regimes_at_end"].values()) == pytest.approx(1.0)
    follow, free = summary["system"]["1y"], entry["free"]["1y"]
    assert follow["el"] > free["el"] + 3.0 * (follow["el_se"] + free["el_se"])
    tables = {name: pd.read_parquet(tmp_path / "out" / "results" / f"{name}.parquet") for name in TABLES}
    assert tables["scenario_path"]["credit"].dropna().tolist() == pytest.approx([2.5, 3.0])
    assert len(tables["losses_free"]) == len(tables["losses"])
    fans = tables["fans"].set_index(["series", "month"])
    for key, given in ((("rate", 3), 0.02), (("equity", 6), 0.5)):
        assert fans.loc[key, ["p05", "p95"]].to_numpy() == pytest.approx([given] * 2, rel=BIN)
    assert fans.loc[("equity", 12), "p95"] > 1.2 * fans.loc[("equity", 12), "p05"]
    names = [name for name, _ in sections(read_results(tmp_path / "out"))]
    assert "The scenario" in names
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "What the scenario does" in page and "GDP growth" in page


@pytest.mark.parametrize(
    ("build", "columns", "rates"),
    [
        (banking_authority, ["SWAP rates, 3M", "Stock prices", "Itraxx, iTraxx Overall 5y"], 0.06),
        (bank_of_england, ["US equity prices", "US policy rate", "US dollar IG corporate bond spread"], 0.07),
    ],
)
def test_a_supervisor_s_workbook_runs_as_it_comes(build, columns, rates, undertow, tmp_path):
    """A year of each: more is lost than on the same paths without it, and the choice is said."""
    build(tmp_path / "table.xlsx")
    end = {"banking_authority": "2025", "bank_of_england": "'Q4 2025'"}[build.__name__]
    answer = undertow(
        "scenario=path", "scenario.file=table.xlsx", f"scenario.end={end}", *SMALL, "run.dir=out"
    )
    assert answer.code == 0, answer.err
    before = answer.err.partition("compiling")[0]
    assert "region US" in before and "dated anew" in before and "no row of the mapping knows it" in before
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    entry = summary["scenario_path"]
    assert entry["columns"]["given"] == columns and any("dated anew" in note for note in entry["notes"])
    follow, free = summary["system"]["1y"], entry["free"]["1y"]
    assert follow["el"] > free["el"] + 3.0 * (follow["el_se"] + free["el_se"])
    path = pd.read_parquet(tmp_path / "out" / "results" / "scenario_path.parquet").set_index("month")
    assert path.loc[12, "rates"] == pytest.approx(rates)
    assert "dated anew" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


BIN = 0.03
"""Width of a bin of the fans, of its value."""
TABLES = ("scenario_columns", "scenario_path", "losses_free", "losses", "fans")

REFUSED = {
    "no such file": (["scenario.file=nothing.csv"], ["scenario.file: got 'nothing.csv'", "2026_Proposed"]),
    "another task": (["task=greeks"], ["scenario.file: got '2026_Proposed", "none where task=greeks"]),
    "importance": (["sampler=importance"], ["sampler.name: got 'importance'", "another sampler"]),
    "drawn parameters": (["run.parameters=drawn"], ["run.parameters: got 'drawn', expected fixed"]),
    "beyond the run": (["run.months=36"], ["'2029 Q1'", "the run's 36 months", "scenario.end"]),
    "no region": (["scenario.region=XX"], ["scenario.region: got 'XX', expected one of US, UK, EA"]),
    "no such case": (["scenario.case=base"], ["scenario.case: got 'base', expected none: 2026_Proposed"]),
    "no mapping": (["scenario.mapping=mine.csv"], ["scenario.mapping: got 'mine.csv'"]),
    "impossible": (["economy.rate_volatility=0"], ["rates: got values, expected none", "volatility is 0"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_before_anything_runs(undertow, name, tmp_path):
    arguments, parts = REFUSED[name]
    answer = undertow("scenario=path", "book.name=worked_small", "run.dir=out", *arguments)
    assert answer.code == 2, answer.err
    for part in parts:
        assert part in answer.err
    assert "Traceback" not in answer.err and not (tmp_path / "out").exists()


def test_a_workbook_that_leaves_a_choice_is_refused_in_one_message(undertow, tmp_path):
    bank_of_england(tmp_path / "shocks.xlsx", ("Demand shock", "Supply shock"))
    answer = undertow("scenario=path", "scenario.file=shocks.xlsx", *SMALL, "run.dir=out")
    assert answer.code == 2 and "Traceback" not in answer.err
    assert "1 problem in the input" in answer.err and "expected one of demand shock, supply" in answer.err


def test_keys_without_a_file_are_refused(undertow):
    answer = undertow("scenario.start='2007 Q3'")
    assert answer.code == 2 and "expected a scenario.file beside it" in answer.err


def test_a_file_of_other_content_is_another_run(tmp_path, monkeypatch):
    from tests.small_run import composed

    monkeypatch.chdir(tmp_path)
    hashes = set()
    for text in (MACRO, MACRO.replace("0.5", "0.6")):
        (tmp_path / "macro.csv").write_text(text, encoding="utf-8")
        hashes.add(composed("scenario=path", "scenario.file=macro.csv").hash)
    assert len(hashes) == 2
