"""The device: what it is, the peaks of its memory and arithmetic, and its memory in use."""

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.setting import Setting


def prepare() -> dict[str, Any]:
    """Set JAX up in a fresh process; what it found."""
    from engine.run.host import prepare_devices

    prepare_devices(1)
    import jax

    from engine.results.provenance import versions

    device = jax.devices()[0]
    return {
        "backend": jax.default_backend(), "device": device.device_kind, "devices": len(jax.devices()),
        "cores": os.cpu_count(), "versions": versions(), "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }  # fmt: skip


def memory() -> dict[str, float]:
    """MB in use and at most so far, of the device where it tells, and of this process."""
    import jax

    from engine.results.provenance import peak_memory

    own = jax.devices()[0].memory_stats() or {}
    names = {"bytes_in_use": "device", "peak_bytes_in_use": "device, most", "bytes_limit": "device, limit"}
    mb = {name: own[key] / 1e6 for key, name in names.items() if key in own}
    return mb | {"process, most": peak_memory()}


def peaks(setting: Setting) -> Iterator[dict[str, Any]]:
    """Bytes a second of a <- a + b; float32 operations a second in registers and of a product of matrices.

    The product is in full precision and made of fused multiply-adds. XLA writes x a + b as a multiplication
    and an addition, so that its own kernels reach half of that peak at most.
    """
    from benchmarks.roofline import best, device_products, device_stream
    from engine.run.host import cores

    sizes = setting.sizes
    yield {"bandwidth, B/s": device_stream(sizes.numbers, 3, 32), "numbers": sizes.numbers}
    yield {
        "multiplications and additions, operations/s": in_registers(sizes.numbers // 16, sizes.chain, best)
    }
    rows = 8_192 if sizes.numbers >= 2**28 else 256
    yield {"products of matrices, operations/s": device_products(rows, 3), "rows": rows, "cores": cores()}


def in_registers(numbers: int, chain: int, best: Any) -> float:
    """Float32 operations a second of x <- x a + b, `chain` of them between load and store."""
    import jax
    import jax.numpy as jnp

    times = 64

    @jax.jit
    def run(x, a, b):
        def step(_, x):
            for _ in range(chain):
                x = x * a + b
            return x

        return jax.lax.fori_loop(0, times, step, x)

    x, a, b = jnp.ones(numbers, jnp.float32), jnp.float32(0.5), jnp.float32(1e-3)
    return 2.0 * chain * times * numbers / best(lambda: run(x, a, b), 3)


def processor_flags() -> str:
    """Vector instructions of this machine's processor, on which a CPU's rounding depends."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    words = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return " ".join(word for word in ("fma", "avx2", "avx512f") if word in words)
