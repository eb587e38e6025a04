"""`run.kernel` through the door: what ran is in the summary, what cannot run is bad input."""

import json

import pytest

from engine.kernel.compiler import NoCompiler, compiler, version

SMALL = (
    "book.name=worked_small",
    "run.paths=512",
    "run.block=512",
    "run.months=12",
    "report.anatomy=false",
    "report.html=false",
    "report.xlsx=false",
    "run.dir=out",
)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr("engine.kernel.kernel.KERNELS", {})


def test_fused_without_a_compiler_is_bad_input(undertow, no_compiler, tmp_path):
    answer = undertow(*SMALL, "run.kernel=fused")
    assert answer.code == 2
    assert (
        "run.kernel: got 'fused', expected xla or auto: no C++ compiler: CXX=no-such-compiler" in answer.err
    )
    assert not (tmp_path / "out").exists()


def test_a_compiler_that_makes_nothing_costs_the_kernel_alone(undertow, tmp_path, monkeypatch):
    """As where libraries may not be executed: XLA's form runs, and the summary says why."""
    monkeypatch.setenv("CXX", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("engine.kernel.kernel.KERNELS", {})
    assert undertow(*SMALL).code in (0, 4)
    ran = json.loads((tmp_path / "out" / "summary.json").read_text())["timing"]["kernel"]
    assert ran.startswith("xla (a compiled kernel cannot be loaded: ")
    assert not list((tmp_path / "cache").rglob("*.so"))
    answer = undertow(*SMALL, "run.kernel=fused", "run.dir=other")
    assert answer.code == 2 and "expected xla or auto: a compiled kernel cannot be loaded" in answer.err


@pytest.mark.parametrize("kernel, ran", [("auto", "xla (CXX=g++ 'x cannot be read: "), ("xla", "xla")])
def test_a_compiler_s_name_that_cannot_be_read_is_a_reason(undertow, tmp_path, monkeypatch, kernel, ran):
    monkeypatch.setenv("CXX", "g++ 'x")
    monkeypatch.setattr("engine.kernel.kernel.KERNELS", {})
    assert undertow(*SMALL, f"run.kernel={kernel}").code in (0, 4)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["timing"]["kernel"].startswith(ran)


@pytest.mark.parametrize("kernel, ran", [("auto", "xla (no C++ compiler: "), ("xla", "xla")])
def test_the_summary_says_what_ran(undertow, no_compiler, tmp_path, kernel, ran):
    assert undertow(*SMALL, f"run.kernel={kernel}").code in (0, 4)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["timing"]["kernel"].startswith(ran)


def test_the_kernel_is_the_default_where_there_is_a_compiler(undertow, tmp_path):
    """And a run with it says by which compiler."""
    try:
        command = compiler()
    except NoCompiler as error:
        pytest.skip(str(error))
    assert undertow(*SMALL).code in (0, 4)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["timing"]["kernel"] == "fused"
    assert summary["versions"]["compiler"] == version(tuple(command)).splitlines()[0]


def test_a_replay_is_by_xla(undertow, tmp_path):
    """Its paths are those of its own run to the bit, whatever the default."""
    assert undertow(*SMALL, "task=replay", "replay.paths=[17]").code in (0, 4)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["timing"]["kernel"] == "xla"
    assert "kernel: xla" in (tmp_path / "out" / "config.yaml").read_text()
