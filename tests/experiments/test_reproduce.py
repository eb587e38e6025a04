"""A run is repeated from its folder: the same to the bit, or what differs is named."""

import json
import shutil

import pandas as pd
import pytest

from engine.results import compare
from tests.small_run import folder, results, run  # noqa: F401


@pytest.fixture
def copy(folder, tmp_path):  # noqa: F811
    """`copy(name)` is another folder with the same results."""
    return lambda name: shutil.copytree(folder, tmp_path / name)


def test_the_same_results_differ_nowhere(folder, copy):  # noqa: F811
    assert compare.differences(folder, copy("a")) == []


def change(place, table, column, row, value):
    """One cell of a table replaced."""
    path = place / "results" / f"{table}.parquet"
    frame = pd.read_parquet(path)
    frame.loc[row, column] = value(frame.loc[row, column])
    frame.to_parquet(path, index=False)


def test_one_bit_is_named(folder, copy):  # noqa: F811
    import numpy as np

    other = copy("a")
    change(other, "losses", "es_99", 3, lambda es: float(np.nextafter(es, 2 * es)))
    [line] = compare.differences(folder, other)
    assert line.startswith("losses.es_99: 1 of ") and "by up to" in line


def test_every_kind_of_difference_is_named(folder, copy):  # noqa: F811
    other = copy("a")
    (other / "results" / "tail.parquet").unlink()
    change(other, "losses", "name", 0, lambda name: "another")
    losses = pd.read_parquet(other / "results" / "clusters.parquet")
    losses.iloc[:-1].to_parquet(other / "results" / "clusters.parquet", index=False)
    summary = json.loads((other / "summary.json").read_text())
    summary["system"]["3y"]["el"] += 1.0
    summary["timing"]["run_s"] += 1.0
    (other / "summary.json").write_text(json.dumps(summary))
    lines = compare.differences(folder, other)
    assert len(lines) == 4
    assert lines[0].startswith("clusters: ") and "rows" in lines[0]
    assert lines[1].startswith("losses.name: 1 of ")
    assert lines[2] == "tail: a table that only that run has"
    assert lines[3].startswith("system.3y.el: ")


def test_a_zero_of_another_sign_and_a_nan_are_seen():
    assert (
        compare.of_columns(pd.Series([0.0]), pd.Series([-0.0]))
        == "1 of 1 values, by up to 0e+00 of their size"
    )
    assert compare.of_columns(pd.Series([1.0]), pd.Series([float("nan")])) == "1 of 1 values"
    assert compare.of_columns(pd.Series([1]), pd.Series([1.0])) == "int64 there, float64 here"


def test_origins_are_named():
    then = {"sources": "a", "versions": {"jax": "1", "numpy": "2"}, "device": "1 cpu", "platform": "Linux"}
    now = {"sources": "b", "versions": {"jax": "3", "numpy": "2"}, "device": "2 cpu", "platform": "Linux"}
    assert compare.origins(then, then) == []
    assert compare.origins(then, now) == [
        "sources: another version of the engine's source code",
        "versions.jax: 1 there, 3 here", "device: 1 cpu there, 2 cpu here",
    ]  # fmt: skip


SMALL = ("run.paths=1024", "run.block=512", "run.months=12", "report.anatomy=false", "run.dir=a")


def test_a_run_is_reproduced_and_what_differs_is_named(undertow, tmp_path):
    assert undertow("task=template", "template.dir=mine").code == 0
    book = ("book=own", "book.path=mine/worked_small")
    assert undertow(*book, *SMALL).code == 0
    before = sorted(path for path in tmp_path.rglob("*"))
    answer = undertow("task=reproduce", "run=a")
    assert answer.code == 0, answer.err
    assert "a: reproduced, every table and number the same to the bit" in answer.out
    assert sorted(path for path in tmp_path.rglob("*")) == before

    change(tmp_path / "a", "losses", "el", 0, lambda el: el + 1.0)
    answer = undertow("task=reproduce", "run=a", "reproduce.dir=again")
    assert answer.code == 4
    assert "differs             losses.el: 1 of " in answer.out
    assert "not reliable: the repeated run differs in 1 places" in answer.err
    assert (tmp_path / "again" / "summary.json").exists()

    with open(tmp_path / "mine" / "worked_small" / "firms.csv", "a") as file:
        file.write("\n")  # a blank line is no other book
    assert undertow("task=reproduce", "run=a", "reproduce.dir=a").code == 2
    path = tmp_path / "mine" / "worked_small" / "about.csv"
    path.write_text(path.read_text().replace("Worked small", "Worked other"))
    answer = undertow("task=reproduce", "run=a")
    assert answer.code == 2 and "a run whose book is as it was" in answer.err


def test_what_is_no_finished_run_is_refused(undertow, engine, tmp_path):
    assert "reproduce.run: got None" in undertow("task=reproduce").err
    assert undertow("task=reproduce", "run=nowhere").code == 2
    assert undertow(*SMALL).code == 0
    provenance = json.loads((tmp_path / "a" / "provenance.json").read_text())
    (tmp_path / "a" / "provenance.json").write_text(json.dumps(provenance | {"book_hash": "1" * 64}))
    answer = undertow("task=reproduce", "run=a")
    assert answer.code == 2 and "a run whose book is as it was" in answer.err
    (tmp_path / "a" / "config.yaml").write_text("run: {paths: 1")
    answer = undertow("task=reproduce", "run=a")
    assert answer.code == 2 and "config.yaml: not the configuration of a run" in answer.err
    (tmp_path / "a" / "config.yaml").write_text("run: {speed: 1}")
    answer = undertow("task=reproduce", "run=a")
    assert answer.code == 2 and "run.speed: unknown key" in answer.err
    (tmp_path / "a" / "status.json").write_text('{"status": "failed"}')
    assert "its status is failed" in undertow("task=reproduce", "run=a").err
