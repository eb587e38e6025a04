"""Strictness for every test: two host devices, no silent rank or dtype promotion, shapes and types checked.

What is set here must be set before JAX and the engine are first imported.
"""

import functools
import gc
import os
import pathlib

from engine.run.host import prepare_devices

CACHE = pathlib.Path(__file__).resolve().parent.parent / ".pytest_cache"

if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):  # or every process of a test compiles a thousand modules
    os.environ["PYTHONPYCACHEPREFIX"] = str(CACHE / "bytecode")

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=1 "
    "--xla_backend_extra_options=xla_cpu_disable_tiled_emitter,xla_cpu_disable_new_fusion_emitters",
)  # two thirds of the time to compile, the same bits, paths 1.6 times as long
prepare_devices(2)

import jax  # noqa: E402
import jaxtyping  # noqa: E402
import pytest  # noqa: E402

from engine.run import programs as kept_programs  # noqa: E402
from tests.typecheck import typed  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jaxtyping.jaxtyped = typed  # by this name the hook's decorators are looked up
jaxtyping.install_import_hook("engine", "tests.typecheck.checked")


@functools.wraps(kept_programs.keep_programs)
def keep_no_programs(folder: pathlib.Path | None) -> None:
    """Tests replace functions of the engine, which a program on disk would not notice."""


kept_programs.keep_programs = keep_no_programs
gc.freeze()
gc.set_threshold(100_000, 20, 20)  # traces make many objects that live on

MOST_MAPPINGS = 20_000
"""Memory mappings of this process beyond which compiled programs are dropped."""


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    """No test depends on the terminal it runs in."""
    monkeypatch.setenv("CI", "1")


@pytest.fixture(autouse=True, scope="module")
def programs():
    """Compiled programs serve the next file, until there are many.

    One of the full model takes a thousand memory mappings and more, and a process may have 65,530: beyond
    them the compiler aborts.
    """
    yield
    if mappings() > MOST_MAPPINGS:
        jax.clear_caches()


def mappings() -> int:
    """Memory mappings of this process; too many where the system does not tell."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as lines:
            return sum(1 for _ in lines)
    except OSError:
        return MOST_MAPPINGS + 1
