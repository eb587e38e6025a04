"""All runs below a folder, listed and asked."""

import json
import pathlib

import pandas as pd
import pytest

from engine.results.database import FIELDS, LaterSchema, open_runs
from experiments.session.lock import Lock


@pytest.fixture
def written(tmp_path):
    """`written(name, summary, status, losses)` lays down a run folder."""

    def write(name, summary=None, status=None, losses=None):
        folder = tmp_path / "out" / name
        (folder / "results").mkdir(parents=True)
        for file, content in {"summary": summary, "status": status}.items():
            if content is not None:
                (folder / f"{file}.json").write_text(json.dumps(content))
        if losses is not None:
            pd.DataFrame(losses).to_parquet(folder / "results" / "losses.parquet", index=False)
        return folder

    return write


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal that shows every column."""
    monkeypatch.setenv("COLUMNS", "400")


def test_runs_of_every_state_are_listed(undertow, engine, tmp_path):
    assert undertow("run.dir=out/a", "run.paths=1000", "scenario=plateau").code == 0

    def fail(progress, stopped):
        raise RuntimeError("no luck")

    engine.during = fail
    assert undertow("run.dir=out/deep/b", "run.seed=18446744073709551615").code == 1
    answer = undertow("task=runs")
    assert answer.code == 0
    for words in ("done", "failed", "out/a", "out/deep/b", "10.0", "plateau", "18446744073709551615"):
        assert words in answer.out


def test_any_question_over_summaries_and_tables(undertow, written):
    system = {"5y": {"el": 1.5, "var_99": 8.0, "es_99": 10.0, "es_99_se": 0.25}}
    one = {"schema": 1, "status": "done", "paths": 1000, "system": system, "timing": {"run_s": 2.0}}
    written("a", one, losses={"column": ["system"], "horizon": ["5y"], "es_99": [10.0]})
    written("b", one | {"paths": 2000}, losses={"column": ["system"], "horizon": ["5y"], "es_99": [11.0]})
    sql = (
        "select dir, paths, measures.es_99 as es, es_99_5y_se from measures join runs using (dir) "
        "where measures.es_99 > 10.5"
    )
    answer = undertow("task=runs", f'runs.sql="{sql}"')
    assert answer.code == 0
    assert "out/b" in answer.out and "11.0" in answer.out and "2000" in answer.out and "0.25" in answer.out
    assert "out/a" not in answer.out


def test_tables_of_an_older_version_are_read_beside_new_ones(written, tmp_path):
    written("old", {"schema": 1, "status": "done", "seed": 7}, losses={"column": ["system"], "es_99": [1.0]})
    written(
        "new", {"schema": 1, "status": "done"}, losses={"column": ["system"], "es_99": [2.0], "more": [3]}
    )
    with open_runs(tmp_path / "out") as database:
        found = database.sql("select es_99, more from losses order by es_99").fetchall()
        assert found == [(1.0, None), (2.0, 3)]
        assert database.sql("select seed, paths, es_99_5y from runs where dir like '%old'").fetchall() == [
            (7, None, None)
        ]


def test_a_later_version_is_not_guessed_at(undertow, written, tmp_path):
    written("a", {"schema": 99, "status": "done"})
    with pytest.raises(LaterSchema, match="got schema 99, expected at most 1"):
        open_runs(tmp_path / "out")
    answer = undertow("task=runs")
    assert answer.code == 2
    assert "out/a/summary.json: got schema 99" in answer.err


def test_a_run_whose_process_died_is_said_to_be_interrupted(undertow, engine, written, status, tmp_path):
    undertow("run.dir=out/a")
    entry = status(tmp_path / "out" / "a") | {"status": "running"}
    (tmp_path / "out" / "a" / "status.json").write_text(json.dumps(entry))
    assert "interrupted" in undertow("task=runs").out
    lock = Lock(tmp_path / "out" / "a")
    assert "running" in undertow("task=runs").out
    lock.release()
    entry["host"] = "elsewhere"
    (tmp_path / "out" / "a" / "status.json").write_text(json.dumps(entry))
    assert "running" in undertow("task=runs").out


def test_bad_questions_are_bad_input(undertow, tmp_path):
    assert "runs.root: got 'nowhere'" in undertow("task=runs", "runs.root=nowhere").err
    (tmp_path / "out").mkdir()
    answer = undertow("task=runs", 'runs.sql="select nothing from nowhere"')
    assert answer.code == 2
    assert "runs.sql:" in answer.err and "nowhere" in answer.err
    assert undertow("task=runs").code == 0


def test_every_column_of_runs_is_described():
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "results.md"
    text = page.read_text(encoding="utf-8")
    assert [name for name in FIELDS.names if f"`{name}`" not in text] == []
