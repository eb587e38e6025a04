"""What the count of kernels rests on, and that their number does not grow where jax's CUDA plugin is."""

import os
import pathlib
import subprocess
import sys

import pytest

from benchmarks import gpu_check

MOST = 180
"""Kernels of a month."""

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


@pytest.mark.skipif(gpu_check.site("cuda_nvcc") is None, reason="needs jax's CUDA plugin: make gpu-check")
def test_kernels_of_a_month_do_not_grow_and_no_bits_are_lost():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, "."])}
    answer = subprocess.run(
        [sys.executable, gpu_check.__file__], capture_output=True, text=True, env=environment,
        cwd=pathlib.Path(gpu_check.__file__).parents[1], check=True,
    )  # fmt: skip
    said = next(line for line in answer.stdout.splitlines() if line.startswith("a month: "))
    assert int(said.split()[2]) <= MOST
    assert " 0 products in TF32, 0 unordered sums of floats" in answer.stdout
