"""Files appear whole or not at all, as readable as the umask says, and no text of a CSV is a formula."""

import csv
import os
import pathlib
import stat

import numpy as np
import pandas as pd
import pytest

from engine.files import (
    inert,
    inert_text,
    keep_latest,
    make_private,
    own,
    refuse_others,
    sweep_unfinished,
    used,
    write_whole,
)
from engine.results.folder import write_csv
from experiments.session.lock import Lock


def put(path, text):
    """A file written whole."""

    def write(name):
        pathlib.Path(name).write_text(text)

    write_whole(path, write)


@pytest.fixture
def umask():
    """`umask(bits)` for the rest of a test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("bits", [0o022, 0o077, 0o027, 0o000, 0o002])
def test_files_are_as_readable_as_the_umask_says(tmp_path, umask, bits):
    umask(bits)
    put(tmp_path / "new" / "a.json", "{}")
    put(tmp_path / "new" / "a.json", "{ }")  # over an old one too
    lock = Lock(tmp_path)
    lock.release()
    for path in (tmp_path / "new" / "a.json", tmp_path / ".lock"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~bits
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o777 & ~bits


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path):
    put(tmp_path / "a", "old")

    def fail(name):
        pathlib.Path(name).write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "a", fail)
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_writer_left_is_swept(tmp_path):
    (tmp_path / ".a.json.0123abcd.part").write_text("half")
    put(tmp_path / "b", "whole")
    sweep_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "  -2+3", "=cmd|' /C calc'!A0", "\uff1d1",
    '=HYPERLINK("https://x.test")', "-", "+", "\u00a0=1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_would_be_a_formula_is_text(text):
    assert inert_text(text) == "'" + text


@pytest.mark.parametrize("value", ["a=1", "A-1", "", " a", "'=1", 1, -2.5, np.float64(-3.0), None, True])
def test_anything_else_stays(value):
    assert inert_text(value) is value


def test_a_csv_holds_numbers_as_numbers_and_formulas_as_text(tmp_path):
    table = pd.DataFrame({"=name": FORMULAS, "loss": -np.arange(float(len(FORMULAS)))})
    write_csv(tmp_path / "a.csv", table)
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["'=name", "loss"]
    assert [float(row[1]) for row in rows] == table["loss"].tolist()
    assert all(row[0].startswith("'") for row in rows) and len(rows) == len(FORMULAS)
    assert inert(pd.DataFrame()).empty


def test_the_files_used_last_stay(tmp_path):
    for age, name in enumerate(("oldest", "old", "older folder", "new")):
        (tmp_path / name).mkdir() if "folder" in name else (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1_000 + age,) * 2)
    used(tmp_path / "old")
    keep_latest(tmp_path, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new"}
    keep_latest(tmp_path / "missing", 2)
    assert used(tmp_path / "missing") == tmp_path / "missing"


def test_nobody_else_may_write_what_is_private(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    make_private(folder)
    make_private(tmp_path / "c")
    for each in (folder, tmp_path / "c"):
        assert own(each) and each.stat().st_mode & 0o777 in (0o755, 0o700)


def test_what_is_another_user_s_is_not_private(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="another user"):
        refuse_others(tmp_path)
