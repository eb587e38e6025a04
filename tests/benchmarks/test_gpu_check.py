"""What the counts of a GPU's program rest on, and that they do not grow where jax's CUDA plugin is."""

import os
import pathlib
import subprocess
import sys

import pytest

from benchmarks import gpu_check, gpu_month
from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters

PROGRAM = """
%month (state: (f32[4], f32[4])) -> (f32[4], f32[4]) {
  %state = (f32[4]{0}, f32[4]{0}) parameter(0)
  %a = f32[4]{0} get-tuple-element(%state), index=0
  %b = f32[4]{0} get-tuple-element(%state), index=1
  %c = f32[4]{0} fusion(%a, %b), kind=kLoop, calls=%inner
  %d = f32[4]{0} copy(%c)
  ROOT %t = (f32[4]{0}, f32[4]{0}) tuple(%c, %d)
}
ENTRY %main (x: f32[4]) -> (f32[4], f32[4]) {
  %x = f32[4]{0} parameter(0)
  %in = (f32[4]{0}, f32[4]{0}) tuple(%x, %x)
  ROOT %w = (f32[4]{0}, f32[4]{0}) while(%in), condition=%c, body=%month
}
"""


def test_kernels_and_bytes_of_a_loop_by_hand():
    """The fusion reads two arrays of 16 bytes and writes one, the copy reads one and writes one."""
    kernels, moved = gpu_check.month_of(PROGRAM)
    assert dict(kernels) == {"fusion": 1, "copy": 1} and moved == 3 * 16 + 2 * 16


def test_a_program_without_a_loop_is_refused():
    with pytest.raises(ValueError, match="no loop to count"):
        gpu_check.month_of("ENTRY %main (x: f32[4]) -> f32[4] {\n}\n")


def test_a_dump_without_ptx_is_refused(tmp_path):
    """Otherwise products in TF32 and unordered sums would be 0 by default."""
    (tmp_path / "module.before_optimizations.txt").write_text("HloModule")
    with pytest.raises(ValueError, match="no PTX"):
        gpu_check.assembled(str(tmp_path), tmp_path / "ptxas")


@pytest.mark.parametrize(("version", "named"), [("0.10.2", False), ("0.11.2", True), ("0.12.0.1", True)])
def test_newer_versions_of_jax_are_asked_for_ptx(version, named):
    assert ("--xla_dump_emitter_re=ptx" in gpu_check.dump_flags(version, "folder")) == named


@pytest.mark.parametrize(("plugin", "tools"), gpu_check.PLUGINS.items())
def test_a_plugin_is_found_with_its_compiler(plugin, tools, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    (tmp_path / "jax_plugins" / plugin).mkdir(parents=True)
    assert gpu_check.toolkit() is None
    (tmp_path / "nvidia" / tools).mkdir(parents=True)
    assert gpu_check.toolkit() == (plugin, tmp_path / "nvidia" / tools)


def test_growth_of_any_count_is_reported():
    assert gpu_check.growth(gpu_check.LIMITS) == []
    for name, most in gpu_check.LIMITS.items():
        (line,) = gpu_check.growth(gpu_check.LIMITS | {name: most + 1})
        assert line.startswith(f"{name}: got ")


LONGEST, MOST_SUMS = 52, 172
"""Sums across rows that follow one another in a month, and all of them."""


def test_sums_across_rows_of_a_month_do_not_grow(monkeypatch):
    """A GPU runs no fewer kernels a month than the longest chain of them; traced, not compiled."""
    monkeypatch.syspath_prepend(pathlib.Path(gpu_month.__file__).parent)
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 12)
    longest, count = gpu_month.longest(system)
    assert 0 < longest <= LONGEST and count <= MOST_SUMS


@pytest.mark.skipif(gpu_check.toolkit() is None, reason="needs jax's CUDA plugin: make gpu-check")
def test_the_compiled_month_does_not_grow_and_no_bits_are_lost():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, "."])}
    answer = subprocess.run(
        [sys.executable, gpu_check.__file__], capture_output=True, text=True, env=environment,
        cwd=pathlib.Path(gpu_check.__file__).parents[1],
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-1000:]
    assert " 0 products in TF32, 0 unordered sums of floats" in answer.stdout
