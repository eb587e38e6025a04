"""`run.kernel` through the door: what ran is in the summary, what cannot run is bad input."""

import json

import pytest

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


@pytest.mark.parametrize("kernel, ran", [("auto", "xla (no C++ compiler: "), ("xla", "xla")])
def test_the_summary_says_what_ran(undertow, no_compiler, tmp_path, kernel, ran):
    assert undertow(*SMALL, f"run.kernel={kernel}").code in (0, 4)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["timing"]["kernel"].startswith(ran)
