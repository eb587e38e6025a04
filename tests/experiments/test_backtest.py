"""The task from the command line on the worked book, and what it refuses."""

import json

import pandas as pd
import pytest

SMALL = ("run.paths=1024", "run.block=512", "run.months=12", "report.anatomy=false", "backtest.paths=512")


def test_a_book_is_tested_against_its_history(undertow, status, tmp_path):
    undertow("task=template", "template.dir=mine")
    own = ("book=own", "book.path=mine/worked_small")
    answer = undertow("task=backtest", *own, *SMALL, "run.parameters=drawn", "run.dir=out/a")
    folder = tmp_path / "out" / "a"
    assert answer.code == 0, answer.err
    assert status(folder)["status"] == "done"
    assert "What 90% bands held" in answer.out
    rows = pd.read_parquet(folder / "results" / "backtest.parquet")
    assert rows["target"].tolist() == ["AI_REVENUE 2025"] and rows["observed"].tolist() == [60.0]
    entry = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["backtest"]
    assert entry["coverage"]["all"]["forecasts"] == 1 and entry["missing"]["SOFR"] == "no observation"
    assert "What it would have said before" in (folder / "report.html").read_text(encoding="utf-8")


BAD = {
    "backtest.first=lately": "backtest.first: got 'lately', expected a quarter such as 2023Q4",
    "backtest.last=2020Q1": "backtest.first: got '2023Q4', expected a quarter up to 2020Q1",
    "backtest.paths=1.5": "backtest.paths: got 1.5, expected a whole number from 256",
    "backtest.quarters=0": "backtest.quarters: got 0, expected a whole number from 1",
    "backtest.spent=0": "backtest.spent: got 0.0, expected a number above 0",
    "backtest.gains.H100=-1": "backtest.gains.H100: got -1.0, expected a number above 0",
    "backtest.errors.rent=1": "backtest.errors.rent: got 1.0, expected a number from 0 to below 1",
    "+backtest.errors.rents=0.1": "expected one of revenue, lab, rent",
    "backtest.series.SOFR=weather": "backtest.series.SOFR: got 'weather', expected capex, rate, revenue",
    "backtest.series.SOFR=rent": "backtest.series.SOFR: got 'rent'",
    "backtest.series.SOFR=rent V100": "backtest.series.SOFR: got 'rent V100', expected one of the book's gen",
    "backtest.first=2030Q1 backtest.last=2030Q1": "history: got",
    "sampler=sobol": "expected pseudo_random where task=backtest",
    "run.parameters=sometimes": "run.parameters: got 'sometimes', expected fixed or drawn",
}


@pytest.mark.parametrize("argument", BAD)
def test_what_makes_no_sense_is_refused(undertow, untouched, argument):
    parts = argument.split(" backtest.", 1)
    arguments = [parts[0], *(f"backtest.{part}" for part in parts[1:])]
    with untouched():
        answer = undertow("task=backtest", *arguments)
    assert answer.code == 2 and BAD[argument] in answer.err


@pytest.mark.parametrize("task", ["greeks", "calibrate", "network_ensemble"])
def test_tasks_that_set_parameters_do_not_draw_them(undertow, task):
    answer = undertow(f"task={task}", "run.parameters=drawn")
    assert answer.code == 2
    assert f"run.parameters: got 'drawn', expected fixed: task={task} sets parameters itself" in answer.err


def test_importance_sampling_learns_for_fixed_parameters(undertow):
    answer = undertow("sampler=importance", "run.parameters=drawn")
    assert answer.code == 2 and "expected fixed: what economies cost is learned for one set" in answer.err
