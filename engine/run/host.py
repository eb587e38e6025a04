"""JAX's setting before its first use: host devices, compiler flags, precision, cache of compiled programs.

XLA reads its flags and counts the host's devices once, when JAX first uses a device, so `prepare_devices`
must run before. Flags and folders that the user has set stay.
"""

import atexit
import functools
import logging
import os
import pathlib
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from typing import Any

from engine.batch.passes import BARRIERS

FLAGS = (
    "--xla_cpu_multi_thread_eigen=false",
    "--xla_cpu_experimental_ynn_fusion_type=",
    "--xla_cpu_copy_insertion_use_region_analysis=true",
    "--xla_cpu_prefer_vector_width=512",
    BARRIERS,
    "--xla_backend_extra_options=xla_cpu_disable_tiled_emitter",
    "--xla_gpu_autotune_level=0",
)
"""One thread a device: blocks run side by side on devices, and threads inside one would disturb that. No
hand-over of sums to the YNN library, whose reductions over the first axis took half the time of a month.
Fewer copies of the state between months, and whole vector registers where the processor has wide ones, which
the classic portfolio wants and the month does not mind. Barriers that last until loops are fused, so that
stored values are stored (`engine.batch.passes`). And no tiles in elementwise loops: a tile goes through
the stack, which took five times as long as the loop. On a GPU, no order of summing that a race of kernels
decides: two runs, or two processes of one, could round differently."""

PRECISION: dict[str, str | bool] = {"jax_enable_x64": True, "jax_default_matmul_precision": "highest"}
"""Tallies add in float64 and int64 (paths are explicit float32), and a GPU must not round the factors of a
product of matrices to 11 bits."""

BEGUN = time.time()
"""When this process began to import the engine, in seconds since 1970."""

COMPILED_SECONDS = 0.5
"""Programs that take less to compile are not cached."""


def cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def cache_folder() -> pathlib.Path:
    """The user's cache folder for compiled programs; one of this process alone where there is none.

    What lies in it is executed: others lose the right to write to it, and another user's will not do.
    """
    from engine.files import make_private  # pandas, which `undertow --help` does without

    try:
        base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        folder = base / "undertow" / "jax"
        make_private(folder)
        if os.access(folder, os.W_OK):
            return folder
        reason = f"{folder} cannot be written"
    except (OSError, RuntimeError) as error:  # no home, or none that can be written
        reason = str(error)
    message = "compiled programs are not kept after this run (%s); XDG_CACHE_HOME names a folder for them"
    logging.getLogger("undertow").warning(message, reason)
    own = pathlib.Path(tempfile.mkdtemp(prefix="undertow-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own / "jax"


class UnreadableFlags(ValueError):
    """XLA_FLAGS names a file that cannot be read."""


def given_flags() -> str:
    """The user's flags for XLA, which takes a text that does not begin with -- for a file of them."""
    flags = os.environ.get("XLA_FLAGS", "").strip()
    if not flags or flags.startswith("-"):
        return flags
    try:
        if not pathlib.Path(flags).is_file():
            raise FileNotFoundError("no such file")
        return " ".join(pathlib.Path(flags).read_text(encoding="utf-8").split())
    except (OSError, ValueError) as error:
        message = f"XLA_FLAGS: got {flags!r}, expected flags that begin with --, or a file of them ({error})"
        raise UnreadableFlags(message) from None


def prepare_devices(devices: int | str = "auto", precision: Mapping[str, Any] = PRECISION) -> int:
    """Set JAX up for a number of host devices (`auto`: one a core) and a precision; returns the number.

    Warns where JAX has already started with another number of devices or without these compiler flags.
    """
    count = cores() if devices == "auto" else int(devices)
    flags = given_flags()
    required = (f"--xla_force_host_platform_device_count={count}", *FLAGS)
    missing = [flag for flag in required if flag.partition("=")[0] not in flags]
    if not started():
        os.environ["XLA_FLAGS"] = " ".join([flags, *missing]).strip()
    elif missing or (devices != "auto" and host_devices() != count):
        warnings.warn(late(count, missing), stacklevel=2)
    if setting("jax_compilation_cache_dir") is None:
        configure("jax_compilation_cache_dir", str(cache_folder()))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        configure("jax_persistent_cache_min_compile_time_secs", COMPILED_SECONDS)
    for name, value in precision.items():
        configure(name, value)
    return count


def started() -> bool:
    """Whether JAX has used a device, after which neither their number nor XLA's flags change."""
    if "jax" not in sys.modules:
        return False
    from jax._src.xla_bridge import backends_are_initialized  # JAX has no public way to ask

    return backends_are_initialized()


def host_devices() -> int:
    """Host devices of a JAX that has started."""
    return len(sys.modules["jax"].devices("cpu"))


def late(count: int, missing: list[str]) -> str:
    """The warning that settings come too late."""
    gap = f" without {len(missing)} of the engine's XLA flags" if missing else ""
    return (
        f"prepare_devices: JAX has already started with {host_devices()} host devices{gap}; "
        f"asked for {count}. "
        "Paths may run many times slower: call prepare_devices() before anything that uses JAX"
    )


def setting(name: str) -> str | None:
    """The user's value of one of JAX's settings, None where there is none."""
    imported = sys.modules.get("jax")
    return os.environ.get(name.upper()) or (getattr(imported.config, name) if imported else None)


def configure(name: str, value: str | bool | float) -> None:
    """Set one of JAX's settings, in the environment and in a JAX that is imported already."""
    os.environ[name.upper()] = str(value).lower() if isinstance(value, bool) else str(value)
    if "jax" in sys.modules:
        sys.modules["jax"].config.update(name, value)
