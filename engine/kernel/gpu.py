"""A kernel for NVIDIA's GPUs: CUDA with a path on some lanes of a warp, compiled to PTX, called by XLA.

Nothing of it has run on a GPU. It has been compiled for one, and its source carried out on a CPU
(docs/kernel.md).
"""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from engine.kernel.arrays import Arrays
from engine.kernel.form import Form
from engine.kernel.kernel import Call
from engine.kernel.known import Tables
from engine.kernel.lanes import LaneWriter
from engine.kernel.program import Unsupported
from engine.kernel.ptx import ptx
from engine.kernel.write import Source

TARGET = "__gpu$xla.gpu.ptx"
"""XLA's call of a kernel given as PTX: no part of its public interface."""
TRIED = ("0.10.2", "0.11.2")
"""Versions of JAX that have compiled a call of it as it stands here."""
SHARED = {
    "8.0": 163, "8.6": 99, "8.7": 163, "8.9": 99, "9.0": 227, "10.0": 227, "10.3": 227,
    "12.0": 99, "12.1": 99,
}  # fmt: skip
"""KiB of shared memory that a block may have, by compute capability (CUDA's programming guide)."""
WARPS = 16
"""Most warps of a block: more would leave a thread fewer than 128 registers."""
FORM = Form(lanes=16, few=1, far="g", near=2400)
"""Chosen by machine code and simulation (docs/kernel.md)."""


class NoGpu(Exception):
    """A GPU or a version of JAX for which there is no kernel; the message says which."""


@dataclass(frozen=True)
class Gpu:
    """A kind of GPU; compiled kernels lie in a folder."""

    folder: pathlib.Path
    capability: str = "9.0"
    cores: int = 132
    form: Form = FORM

    @property
    def architecture(self) -> str:
        """As nvcc calls it."""
        return f"sm_{self.capability.replace('.', '')}"

    def writer(self, arrays: Arrays, tables: Tables) -> LaneWriter:
        """What writes its source."""
        return LaneWriter(arrays, tables, self.form)

    def warps(self, source: Source) -> int:
        """Warps of a block, one a multiprocessor. Raises Unsupported where a path needs too much memory."""
        paths = 1024 * SHARED[self.capability] // (4 * source.near)
        warps = min(paths * self.form.lanes // 32, WARPS)
        if not warps:
            raise Unsupported(f"{4 * source.near:,} bytes of shared memory a path")
        return warps

    def call(self, source: Source) -> Call:
        """The kernel compiled, as an operation of a jitted program."""
        warps = self.warps(source)
        paths = warps * 32 // self.form.lanes
        launch = {
            "name": "undertow_lanes", "kernel_type": "ptx",
            "kernel_data": ptx(source.text, self.architecture, warps, self.folder),
            "grid_y": np.int32(1), "grid_z": np.int32(1), "block_x": np.int32(32 * warps),
            "block_y": np.int32(1), "block_z": np.int32(1),
            "shared_mem_bytes": np.int32(4 * source.near * paths),
        }  # fmt: skip

        def call(
            shapes: Sequence[jax.ShapeDtypeStruct], operands: Sequence[Any], count: int
        ) -> Sequence[Any]:
            grid = min(self.cores, -(-count // paths))
            far = jax.ShapeDtypeStruct((grid * paths * max(source.far, 1),), jnp.uint32)
            operation = jax.ffi.ffi_call(TARGET, [*shapes, far])
            counts = jnp.full((1,), count, jnp.int64)
            return list(operation(*operands, counts, grid_x=np.int32(grid), **launch))[:-1]

        return call


def gpu_of(device: Any, folder: pathlib.Path) -> Gpu:
    """The kind of GPU that a device is. Raises NoGpu where there is no kernel for it or for this JAX."""
    if jax.__version__ not in TRIED:
        raise NoGpu(
            f"kernels for GPUs are called through JAX {' or '.join(TRIED)}, and this is {jax.__version__}"
        )
    capability = str(getattr(device, "compute_capability", "unknown"))
    if capability not in SHARED:
        raise NoGpu(f"no kernel for GPUs of compute capability {capability}")
    return Gpu(folder, capability, int(device.core_count))
