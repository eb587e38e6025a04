"""`task=compare`: what it refuses, in one message; a real sweep ends with paired changes."""

import json

import pandas as pd
import pytest

from experiments.config.schema import group_types


@pytest.fixture
def folders(tmp_path):
    """A folder that is no run, one of a run that was interrupted, and an empty one."""
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped" / "status.json").write_text(json.dumps({"status": "interrupted"}))
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "status.json").write_text(json.dumps({"status": "done"}))
    (tmp_path / "torn" / "summary.json").write_text("{")
    (tmp_path / "torn" / "config.yaml").write_text("run: {seed: 7}\n")
    return tmp_path


REFUSED = {
    (): "compare.runs: got [], expected two runs or more, or the folder of a sweep",
    ("compare.runs=[gone,empty]",): "compare.runs: got 'gone', expected the folder of a run, or of a sweep",
    ("compare.runs=[stopped]",): "got 'stopped', expected a run that is done; its status is interrupted",
    ("compare.runs=[torn]",): "got ['torn'], expected two runs or more",
    ("compare.runs=[torn,torn]",): "got ['torn'], expected two runs or more",
    ("compare.runs=[torn]", "compare.paths=-1"): "compare.paths: got -1, expected a whole number",
    ("compare.runs=[torn]", "chips.life=4"): "chips.life: task=compare does not read it",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_is_no_pair_of_runs_is_refused(arguments, folders, undertow, untouched):
    with untouched():
        answer = undertow("task=compare", *arguments)
    assert answer.code == 2 and answer.out == "" and "Traceback" not in answer.err
    assert REFUSED[arguments] in answer.err


def test_torn_runs_are_named_and_nothing_is_written(folders, undertow, untouched):
    (folders / "other").mkdir()
    for path in (folders / "torn").iterdir():
        (folders / "other" / path.name).write_text(path.read_text())
    with untouched():
        answer = undertow("task=compare", "compare.runs=[torn,other]")
    assert answer.code == 2 and "2 problems" in answer.err and "torn/summary.json: got no JSON" in answer.err


def test_a_sweep_ends_with_paired_changes_and_is_compared_again(undertow, tmp_path):
    """Real runs of the worked book: paired errors are smaller than those of independent runs."""
    assert undertow("task=template", "template.dir=mine").code == 0
    book = ("book=own", "book.path=mine/worked_small")
    small = ("run.paths=1024", "run.block=512", "run.months=12", "report.html=false", "report.anatomy=false")
    answer = undertow("-m", *book, *small, "scenario=baseline,bust", "run.dir=s")
    assert answer.code in (0, 4), answer.err
    said = " ".join(answer.out.split())
    assert "2 runs compared" in said and "scenario.name (baseline, bust)" in said
    assert "All of them share their draws" in said and (tmp_path / "s/compare/compare.html").is_file()
    answer = undertow("task=compare", "compare.runs=[s]", "compare.dir=c", "compare.paths=0")
    assert answer.code == 0 and "No error is paired: compare.paths is 0" in answer.out.replace("\n", " ")
    tables = [pd.read_parquet(tmp_path / each / "results/losses.parquet") for each in ("s/compare", "c")]
    paired, plain = (table[table["column"] == "system"].iloc[0] for table in tables)
    assert abs(paired["el_change"]) == pytest.approx(abs(plain["el_change"]))
    assert 0.0 < paired["el_change_se"] < plain["el_change_se"]


def test_the_schema_has_the_task_s_group():
    assert {"runs", "paths", "dir"} <= set(vars(group_types()["compare"]()))
