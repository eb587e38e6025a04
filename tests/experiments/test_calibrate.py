"""The task from the command line on the worked book, and what it refuses."""

import json

import pandas as pd
import pytest

from engine.book.load import load_book, shipped_book
from engine.book.writing import write_book

SMALL = (
    "run.paths=1024", "run.block=512", "run.months=12", "report.anatomy=false", "calibrate.paths=512",
    "calibrate.histories=4",
)  # fmt: skip


def test_a_book_is_calibrated_and_what_is_found_can_be_used(undertow, status, tmp_path):
    undertow("task=template", "template.dir=mine")
    own = ("book=own", "book.path=mine/worked_small")
    answer = undertow("task=calibrate", *own, *SMALL, "run.dir=out/a")
    folder = tmp_path / "out" / "a"
    assert answer.code == 0, answer.err
    assert status(folder)["status"] == "done"
    assert "What history identifies" in answer.out and "Losses with the calibrated parameters" in answer.out
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["calibration"]
    fits = pd.read_parquet(folder / "results" / "calibration.parquet").set_index("parameter")
    assert fits.loc["economy.growth[0]", "identified"]
    assert {"economy.volatility", "chips.release_effect"} <= set(told["not_identified"])
    assert set(told["effect"]) == {"base", "economy", "chips", "both", "all"}
    assert "What history says about the parameters" in (folder / "report.html").read_text(encoding="utf-8")
    hazards = pd.read_parquet(folder / "results" / "calibration_hazards.parquet").set_index("firm")
    book = load_book(folder / "results" / "book")
    assert hazards.index.tolist() == ["CLOUD"]
    if hazards.loc["CLOUD", "used"]:
        kept = book["firms"].set_index("firm").loc["CLOUD"]
        assert kept["hazard"] == pytest.approx(hazards.loc["CLOUD", "hazard"], rel=1e-3)
        assert "hazard calibrated to 600 bp" in kept["source"]
    text = (folder / "results" / "conf" / "economy" / "calibrated.yaml").read_text(encoding="utf-8")
    assert "task=calibrate" in text and "\ngrowth: [" in text


def test_a_book_is_written_as_it_was_read(tmp_path):
    for name in ("worked_small", "ai_credit_2025"):
        book = load_book(shipped_book(name))
        assert load_book(write_book(book, tmp_path / name)).hash == book.hash


BAD = {
    "calibrate.rent_error=0": "calibrate.rent_error: got 0.0, expected a number above 0",
    "calibrate.risk_premium_hy=[3,2,4]": "calibrate.risk_premium_hy: got [3.0, 2.0, 4.0], expected three",
    "calibrate.boom_since=lately": "calibrate.boom_since: got 'lately', expected a period such as 2022-12",
    "calibrate.paths=1.5": "calibrate.paths: got 1.5, expected a whole number from 512",
    "calibrate.accept=[bonds]": "calibrate.accept: got 'bonds', expected CDS or loan",
    "calibrate.gains.H100=-1": "calibrate.gains.H100: got -1.0, expected a number above 0",
    "calibrate.quotes.BEIG_2049=NO_SUCH": "BEIG_2049: got 'NO_SUCH', expected a loan of the book",
    "sampler=sobol": "expected pseudo_random where task=calibrate",
}


@pytest.mark.parametrize("argument", BAD)
def test_what_makes_no_sense_is_refused(undertow, untouched, argument):
    with untouched():
        answer = undertow("task=calibrate", argument)
    assert answer.code == 2
    assert BAD[argument] in answer.err
