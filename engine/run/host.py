"""What JAX finds when it wakes up: host devices, compiler flags, the cache of compiled programs.

XLA reads its flags once, when jax is first imported, so this must run before any import of the engine's
floors that use jax. Flags that the user has set already are left alone.
"""

import os
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

FLAGS = (
    "--xla_cpu_multi_thread_eigen=false",
    "--xla_cpu_experimental_ynn_fusion_type=",
    "--xla_cpu_copy_insertion_use_region_analysis=true",
    "--xla_cpu_prefer_vector_width=512",
    "--xla_disable_hlo_passes=cse_barrier_expander",
    "--xla_backend_extra_options=xla_cpu_disable_tiled_emitter",
    "--xla_gpu_autotune_level=0",
)
"""One thread a device: blocks run side by side on devices, and threads inside one would disturb that. No
hand-over of sums to the YNN library, whose reductions over the first axis took half the time of a month.
Fewer copies of the state between months, and whole vector registers where the processor has wide ones, which
the classic portfolio wants and the month does not mind. Barriers that last until loops are fused, so that
what is to be stored is (`engine.batch.barriers`). And no tiles in elementwise loops: a tile goes through the
stack, which took five times as long as the loop. On a GPU, no order of summing that a race of kernels
decides: two runs, or two processes of one, could round differently."""

SETTINGS = {"jax_enable_x64": True, "jax_default_matmul_precision": "highest"}
"""JAX's own settings on which the engine rests: tallies add in float64 and int64 (paths are explicit
float32), and a GPU must not round the factors of a product of matrices to 11 bits."""


def cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> pathlib.Path:
    """The user's cache folder for compiled programs."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "undertow" / "jax"


def prepare_devices(devices: int | str = "auto", settings: Mapping[str, Any] = SETTINGS) -> int:
    """Set JAX up: so many host devices (`auto`: one a core) and these settings. The number of devices."""
    count = cores() if devices == "auto" else int(devices)
    flags = os.environ.get("XLA_FLAGS", "")
    wanted = (f"--xla_force_host_platform_device_count={count}", *FLAGS)
    missing = [flag for flag in wanted if flag.partition("=")[0] not in flags]
    os.environ["XLA_FLAGS"] = " ".join([flags, *missing]).strip()
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_folder()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")
    for name, value in settings.items():
        os.environ[name.upper()] = str(value).lower()
        if "jax" in sys.modules:
            sys.modules["jax"].config.update(name, value)
    return count
