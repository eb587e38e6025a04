"""A kernel's library: its name, what becomes of damage, of a folder that is not the user's, of old files."""

import ctypes
import os
import pathlib

import jax
import numpy as np
import pytest

from engine.kernel import library as libraries
from engine.kernel.compiler import NoCompiler, compiler, described
from engine.kernel.library import bridge, library
from tests.kernel.bridged import bridged

try:
    compiler()
except NoCompiler as error:
    pytest.skip(str(error), allow_module_level=True)

SOURCE = """
#include <cmath>
extern "C" void undertow_paths(const void* const*, void* const*, long) {}
extern "C" int missing(float x) { return %s; }
"""


def source(body="std::isnan(x)"):
    return SOURCE % body


@pytest.fixture
def folder(tmp_path):
    return bridged(tmp_path / "kernels")


def test_where_jax_s_headers_lie_is_not_in_the_name(folder, tmp_path, monkeypatch):
    """Two environments of one version share a cache: what one has made is the other's too."""
    first = library([source()], folder)
    headers = tmp_path / "elsewhere"
    headers.symlink_to(jax.ffi.include_dir())
    monkeypatch.setattr(jax.ffi, "include_dir", lambda: str(headers))
    monkeypatch.setattr(libraries, "link", None)
    assert library([source()], folder) == first


@pytest.mark.parametrize("change", ["source", "flags", "bridge", "compiler", "processor"])
def test_all_else_is_in_the_name(folder, monkeypatch, change):
    monkeypatch.setattr(libraries, "link", lambda path, *_: path.touch())
    first, sources, more = library([source()], folder), [source()], ()
    match change:
        case "source":
            sources = [source("1")]
        case "flags":
            more = ("-O1",)
        case "bridge":
            monkeypatch.setattr(libraries, "bridge", lambda: bridge() + " ")
        case "compiler":
            monkeypatch.setenv("CXX", f"{compiler()[0]} -DMORE")
        case "processor":
            monkeypatch.setattr(libraries, "processor", lambda: "another")
    assert library(sources, folder, more) != first


def test_only_libraries_and_the_bridge_stay(folder):
    library([source(), "int other;"], folder)
    library([source("2")], folder)
    assert sorted(path.suffix for path in folder.iterdir()) == [".o", ".so", ".so"]


def test_a_damaged_bridge_costs_one_kernel(folder):
    library([source()], folder)
    (part,) = folder.glob("bridge-*.o")
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(NoCompiler, match="failed"):
        library([source("2")], folder)
    assert library([source("2")], folder).exists()


@pytest.mark.parametrize("umask", [0o002, 0o000])
def test_nobody_else_may_write_what_is_loaded(folder, umask):
    before = os.umask(umask)
    try:
        path = library([source()], folder)
    finally:
        os.umask(before)
    for each in (folder, path):
        assert not each.stat().st_mode & 0o022


def test_a_folder_that_others_could_write_to_is_closed_and_its_open_files_made_anew(folder):
    path = library([source()], folder)
    path.write_bytes(b"theirs")
    path.chmod(0o666)
    folder.chmod(0o777)
    assert library([source()], folder) == path
    assert not folder.stat().st_mode & 0o022
    assert path.read_bytes() != b"theirs"


def test_another_user_s_folder_is_a_reason(folder, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(NoCompiler, match=f"cannot be kept in {folder}: .*(another user|not permitted)"):
        library([source()], folder)


def test_a_folder_that_cannot_be_is_a_reason(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NoCompiler, match="cannot be kept in .*file/kernels: Not a directory"):
        library([source()], tmp_path / "file" / "kernels")


def test_a_full_disk_is_a_reason(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(libraries.tempfile, "TemporaryDirectory", full)
    with pytest.raises(NoCompiler, match="No space left on device"):
        library([source()], folder)


def test_the_longest_unused_go(folder, monkeypatch):
    monkeypatch.setattr(libraries, "MOST_FILES", 3)
    first = library([source("1")], folder)
    (part,) = folder.glob("bridge-*.o")
    for age, path in enumerate((first, part)):
        os.utime(path, (1_000 + age,) * 2)
    (folder / "left").mkdir()  # of a killed compiler
    os.utime(folder / "left", (999,) * 2)
    library([source("1")], folder)
    second = library([source("2")], folder)
    assert {path.name for path in folder.iterdir()} == {first.name, part.name, second.name}


def test_a_compiler_s_own_flags_are_told(monkeypatch):
    monkeypatch.setenv("CXX", f"{pathlib.Path(compiler()[0]).name} -DTHIS -O3")
    assert described(compiler()).endswith(" -DTHIS -O3")


def test_fast_math_leaves_tests_for_nan(folder, monkeypatch):
    """A path that is not finite is told by such a test."""
    monkeypatch.setenv("CXX", f"{compiler()[0]} -ffast-math")
    loaded = ctypes.CDLL(str(library([source()], folder)))
    loaded.missing.argtypes = [ctypes.c_float]
    assert [bool(loaded.missing(number)) for number in (np.nan, 1.0)] == [True, False]
