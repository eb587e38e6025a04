"""Whatever the machine refuses: one clear message, the documented code, no traceback."""

import json
import os
import pathlib
import tempfile

import pytest

from engine.results import folder as results_folder
from experiments.session import run_folder
from tests.experiments.faults import FAULTS, QUICK, Answer, broken, tried

IN_PROCESS = [fault for fault in FAULTS if not fault.alone]


def test_there_are_as_many_faults_as_promised():
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names)) >= 60
    assert set(QUICK) <= {fault.name for fault in FAULTS if fault.alone}


@pytest.mark.parametrize("fault", IN_PROCESS, ids=[fault.name for fault in IN_PROCESS])
def test_a_fault_is_one_message(undertow, engine, tmp_path, monkeypatch, fault):
    monkeypatch.setenv("UNDERTOW_TOKEN", "x" * 16)
    fault.prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    said = undertow(*fault.given(tmp_path))
    assert broken(fault, tmp_path, Answer(said.code, said.out + said.err)) == []
    if fault.code == 2:
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_of_the_process_is_one_message(name):
    [fault] = [each for each in FAULTS if each.name == name]
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        assert tried(fault, pathlib.Path(folder)) == []


def test_a_status_is_written_over_itself_where_there_is_no_room_for_a_new_one(
    undertow, engine, status, tmp_path, monkeypatch
):
    """A full disk has no room for a new file; the old one has as many bytes as it needs."""
    original = results_folder.write_json

    def full(path, document):
        if path.name == "status.json" and document["status"] != "running":
            raise OSError(28, os.strerror(28))
        original(path, document)

    monkeypatch.setattr(results_folder, "write_json", full)
    assert undertow("run.dir=a", "run.paths=1000").code == 0
    assert status(tmp_path / "a")["status"] == "done"
    assert (tmp_path / "a" / "status.json").read_text() == json.dumps(status(tmp_path / "a"))


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path):
    run_folder.refuse_unwritable(tmp_path / "new" / "one")
    (tmp_path / "old").mkdir()
    run_folder.refuse_unwritable(tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
