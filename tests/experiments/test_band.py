"""The task from the command line on the worked book, and what it refuses."""

import json

import openpyxl
import pandas as pd
import pytest

SMALL = (
    "run.paths=1024", "run.block=512", "run.months=12", "report.anatomy=false", "band.sets=8",
    "band.paths=1024",
)  # fmt: skip


@pytest.fixture
def book(undertow):
    """The worked book, as the template writes it."""
    undertow("task=template", "template.dir=mine")
    return ("book=own", "book.path=mine/worked_small")


def test_a_band_from_the_book_to_the_report(undertow, book, status, tmp_path):
    answer = undertow("task=band", *book, *SMALL, "run.dir=out/a", "report.xlsx=true")
    folder = tmp_path / "out" / "a"
    assert answer.code in (0, 4), answer.err
    assert status(folder)["status"] == "done"
    assert "How sure the system's loss is, 1 year, USD bn" in answer.out
    assert "from parameters that history does not identify" in " ".join(answer.out.split())
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    entry = summary["band"]
    assert (entry["sets"], entry["paths"], entry["method"]) == (8, 1024, "fitness")
    assert set(entry["system"]) == {"el", "es_95", "es_99"} and "drivers" not in entry
    assert set(entry["system"]["es_99"]) == {"simulation", "parameters", "network", "together"}
    assert set(entry["bearers"]) == set(summary["bearers"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Which parameters matter takes 48 sets or more (band.sets)." in page
    assert "How sure the numbers are" in page and "task=band adds" not in page
    assert "band" in openpyxl.load_workbook(folder / "report.xlsx").sheetnames

    # The ensemble's first member is the main job: the same paths give the same number and the same error.
    # It is XLA's, the main job the kernel's: every path agrees to some roundings of float32.
    own, main = entry["system"], summary["system"]["1y"]
    assert own["el"]["simulation"]["base"] == pytest.approx(main["el"], rel=2**-20)
    for measure in own:
        assert own[measure]["simulation"]["sd"] == pytest.approx(main[f"{measure}_se"], rel=2**-18)

    # Sets of parameters lie within their ranges and differ.
    sets = pd.read_parquet(folder / "results" / "band_sets.parquet").pivot(index="set", columns="parameter")
    assert len(sets) == 8 and (sets.nunique() == 8).all()
    life = sets["value"]["chips.life"]
    assert 3.0 <= life.min() < life.max() <= 8.0


BAD = {
    "band.sets=4": "band.sets: got 4, expected a whole number from 8 to 100,000",
    "band.sets=many": "band.sets: got 'many', expected a whole number from 8",
    "band.paths=512": "band.paths: got 512, expected a whole number from 1024",
    "band.paths=1025": "band.paths: got 1025, expected a multiple of 4 blocks",
    "band.blocks=2": "band.blocks: got 2, expected a whole number from 4 to 1,024",
    "band.method=guess": "band.method: got 'guess', expected one of ",
    "band.density=0": "band.density: got 0.0, expected a share above 0 and at most 1",
    "band.paths=1048576": "band.paths: got 1048576, expected at most 462,819 with 48 sets",
    "sampler=sobol": "sampler.name: got 'sobol', expected pseudo_random where task=band",
    "run.parameters=drawn": "expected fixed: task=band sets parameters itself",
    "scenario=path": "task=band",
    "network=gibbs": "network: task=band does not read it; task=network_ensemble does",
    "band.set=4": "band.set: unknown key; did you mean band.sets?",
}


@pytest.mark.parametrize("argument", BAD)
def test_what_makes_no_sense_is_refused(undertow, untouched, argument):
    with untouched():
        answer = undertow("task=band", argument)
    assert answer.code == 2 and BAD[argument] in answer.err
    assert "Traceback" not in answer.err and answer.out == ""


@pytest.mark.parametrize(
    ("what", "stand_in", "message"),
    [
        ("ensemble.sample_holdings", "too small", "worked_small: assets of 1 bn are too small"),
        ("ranges.ranges_of", {}, "task: got 'band', expected a parameter within its range"),
    ],
)
def test_a_book_with_nothing_to_draw_is_refused(
    undertow, book, tmp_path, monkeypatch, what, stand_in, message
):
    """One message, exit code 2, no folder: no network fits the totals, or no parameter is in its range."""

    def draw(*_):
        if isinstance(stand_in, dict):
            return stand_in
        raise ValueError(f"assets of 1 bn are {stand_in}")

    monkeypatch.setattr(f"engine.book.{what}", draw)
    answer = undertow("task=band", *book, *SMALL, "run.dir=out/b")
    assert answer.code == 2 and message in answer.err and "Traceback" not in answer.err
    assert not (tmp_path / "out").exists()
