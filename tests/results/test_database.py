"""All runs below a folder as a database that reads their tables alone, whatever files are called."""

import json
import pathlib

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.results.database import LaterSchema, UnreadableTable, open_runs, quoted

CRAFTED = "x\" as select 1; copy (select 1) to '{}'; create view \"y"


@pytest.fixture
def lay(tmp_path):
    """`lay(run, table, **columns)` writes a table of a run folder; returns the runs' root."""

    def write(run, table, **columns):
        folder = tmp_path / "out" / run / "results"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "status.json").write_text(json.dumps({"status": "done"}))
        pd.DataFrame(columns).to_parquet(folder / f"{table}.parquet", index=False)
        return tmp_path / "out"

    return write


def answers(root, sql):
    """The rows of a question over the runs below a root."""
    with open_runs(root) as database:
        return database.sql(sql).fetchall()


def test_a_crafted_name_is_a_name(lay, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = CRAFTED.format("stolen.csv")
    root = lay("a", name, es=[1.5])
    assert answers(root, f"select dir, es from {quoted(name)}") == [((root / "a").as_posix(), 1.5)]
    assert not pathlib.Path("stolen.csv").exists()


@pytest.mark.parametrize("run", ["o'clock", 'say "x"', "a[1]*?{b}", "~", "ü, ñ", "a;b", "x=1"])
def test_a_run_s_folder_is_a_name_and_no_pattern(lay, run):
    lay("plain", "losses", es=[1.0])
    root = lay(run, "losses", es=[2.0])
    assert set(answers(root, "select dir, es from measures")) == {
        ((root / "plain").as_posix(), 1.0), ((root / run).as_posix(), 2.0)
    }  # fmt: skip


STATEMENTS = (
    "copy (select 1) to '{0}/x.csv'", "copy runs to '{0}/x.parquet'", "export database '{0}/x'",
    "attach '{0}/x.db'", "select * from read_csv('{0}/secret.csv')", "select * from '{0}/secret.csv'",
    "select * from read_parquet('{0}/out/a/results/losses.parquet')",
    "select * from read_text('{0}/secret.csv')",
    "select * from glob('{0}/*')", "install httpfs", "load httpfs", "set enable_external_access = true",
    "reset enable_external_access", "set allowed_directories = ['{0}']", "set temp_directory = '{0}'",
    "select * from secret_of_python", "copy losses from '{0}/secret.csv'", "import database '{0}'",
    "create secret (type http, bearer_token 'x')",
)  # fmt: skip


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_statement_reads_or_writes_another_file(lay, tmp_path, statement):
    root = lay("a", "losses", es=[1.0])
    (tmp_path / "secret.csv").write_text("a\n1\n")
    secret_of_python = pd.DataFrame({"a": [1]})  # DuckDB would find it in the callers' frames
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(duckdb.Error):
        answers(root, statement.format(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before and len(secret_of_python) == 1


def test_whole_numbers_and_decimals_of_one_column_meet(lay):
    lay("a", "losses", es=[1])
    root = lay("b", "losses", es=[2.5])
    assert answers(root, "select es from losses order by es") == [(1.0,), (2.5,)]


def test_what_is_no_table_is_named(lay):
    root = lay("a", "losses", es=[1.0])
    (root / "a" / "results" / "tail.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(UnreadableTable, match=r"results/tail.parquet: "):
        open_runs(root)


def test_columns_of_one_name_that_cannot_meet_are_named(lay):
    lay("a", "losses", es=[1.0])
    root = lay("b", "losses", es=["much"])
    with pytest.raises(UnreadableTable, match=r"results/losses.parquet: .*es"):
        open_runs(root)


@pytest.mark.parametrize("name", ["runs", "measures"])
def test_no_table_takes_the_name_of_a_view(lay, name):
    with pytest.raises(UnreadableTable, match=f"a table of the name {name}"):
        open_runs(lay("a", name, es=[1.0]))


def test_no_column_takes_the_name_of_the_key(lay):
    with pytest.raises(UnreadableTable, match="a column of the name dir"):
        open_runs(lay("a", "losses", dir=["b"]))


FOREIGN = (
    [], "text", 7, None, {"schema": "2"}, {"schema": None}, {"timing": "soon"}, {"timing": {"run_s": "x"}},
    {"system": [1]}, {"system": {"5y": 3}}, {"paths": "many"}, {"seed": -1}, {"seed": 2**70},
    {"warnings": "w"}, {"warnings": [1, None]}, {"flagged_paths": [1]}, {"flagged_paths": {"a": "x"}},
    {"status": ["done"]}, {"sampler": {"name": 3}}, {"reliable": "yes"},
)  # fmt: skip


@pytest.mark.parametrize("document", FOREIGN, ids=repr)
def test_a_foreign_document_is_a_row_without_what_does_not_fit(tmp_path, document):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "summary.json").write_text(json.dumps(document))
    (tmp_path / "b" / "summary.json").write_text(json.dumps({"schema": 1, "paths": 5}))
    rows = dict(answers(tmp_path, "select dir, paths from runs"))
    assert rows == {(tmp_path / "a").as_posix(): None, (tmp_path / "b").as_posix(): 5}


def test_a_document_nested_beyond_reason_is_no_run_s(tmp_path):
    (tmp_path / "summary.json").write_text("[" * 100_000)
    assert answers(tmp_path, "select count(*) from runs") == [(1,)]


def test_a_later_schema_is_refused(tmp_path):
    (tmp_path / "summary.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(LaterSchema):
        open_runs(tmp_path)


def test_the_view_shows_the_files_rows(lay):
    """The Arrow tables are those of the files, `dir` in front."""
    root = lay("a", "losses", column=["system"], es=[1.0])
    with open_runs(root) as database:
        found = database.sql("select * from losses").to_arrow_table()
    table = parquet.read_table(root / "a" / "results" / "losses.parquet")
    assert found.column_names == ["dir", *table.column_names]
    assert found.column("es").to_pylist() == table.column("es").to_pylist()
    assert isinstance(found, pa.Table)
