"""PTX comes from NVIDIA's compiler, or from a folder that one has filled."""

import jax
import jax.numpy as jnp
import pytest

from engine.kernel import ptx
from engine.kernel.compiler import NoCompiler
from engine.kernel.gpu import Gpu
from engine.kernel.kernel import kernel_of
from engine.kernel.program import Unsupported
from engine.kernel.write import Source

SOURCE = "KERNEL undertow_lanes() {}\n"


@pytest.fixture
def no_compiler(monkeypatch):
    """No compiler of NVIDIA's."""
    monkeypatch.setenv("NVCC", "no-such-compiler")


def test_without_a_compiler_there_is_a_reason(tmp_path, no_compiler):
    with pytest.raises(NoCompiler, match="NVCC=no-such-compiler"):
        ptx.assembled(SOURCE, "sm_90", 1, tmp_path)


def test_a_kernel_that_was_brought_along_serves(tmp_path, monkeypatch):
    """What one compiler has made is taken where there is none; another source, another GPU's is not."""
    compiler = tmp_path / "nvcc"
    script = 'if [ "$1" = --version ]; then echo 1; exit; fi; for last; do true; done; echo made > "$last"'
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("NVCC", str(compiler))
    made = ptx.assembled(SOURCE, "sm_90", 1, tmp_path)
    assert made.read_text() == "made\n"
    monkeypatch.setenv("NVCC", "no-such-compiler")
    assert ptx.assembled(SOURCE, "sm_90", 1, tmp_path) == made
    for source, architecture, warps in (SOURCE + " ", "sm_90", 1), (SOURCE, "sm_80", 1), (SOURCE, "sm_90", 2):
        with pytest.raises(NoCompiler):
            ptx.assembled(source, architecture, warps, tmp_path)


@pytest.mark.parametrize(
    "capability, near, warps", [("9.0", 2_128, 13), ("9.0", 100, 16), ("8.6", 2_128, 5), ("9.0", 29_000, 1)]
)
def test_a_block_has_as_many_warps_as_shared_memory_holds(tmp_path, capability, near, warps):
    """227 KiB hold 27 paths of 2,128 words, 13 warps of two; more than 16 leave too few registers."""
    assert Gpu(tmp_path, capability).warps(Source("", near, 0)) == warps


def test_a_path_beyond_shared_memory_is_refused(tmp_path):
    with pytest.raises(Unsupported, match="240,000 bytes of shared memory a path"):
        Gpu(tmp_path).warps(Source("", 60_000, 0))


def test_the_compiler_takes_a_kernel(tmp_path):
    """A kernel of every part of the frame becomes PTX with pointers as its parameters, once."""
    try:
        ptx.nvcc()
    except NoCompiler as error:
        pytest.skip(str(error))

    def function(x):
        y = jnp.tanh(x) * jnp.exp(x[::-1]) / jnp.maximum(x[0] ** 2.5, 1.0)
        return jnp.sum(y), y > 0.0, jnp.zeros(4, jnp.float32).at[jnp.array([0, 1, 2, 1, 0, 3])].add(y)

    moving = (jax.ShapeDtypeStruct((6,), jnp.float32),)
    kernel_of(function, (), moving, Gpu(tmp_path))
    (made,) = tmp_path.glob("*.ptx")
    text = made.read_text()
    assert text.count(".entry undertow_lanes") == 1 and text.count(".param .u64") == 1 + 1 + 1 + 3 + 1
    before = made.stat().st_ino
    ptx.ptx.cache_clear()
    kernel_of(lambda x: function(x), (), moving, Gpu(tmp_path))
    assert [file.stat().st_ino for file in tmp_path.glob("*.ptx")] == [before]
