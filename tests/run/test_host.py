"""JAX as the engine needs it: set before it starts, warned about after, never touched by an import."""

import json
import os
import pathlib
import pkgutil
import subprocess
import sys

import pytest

import engine
from engine.run.host import FLAGS

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT = """
import json, os, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    {script}
import jax
print(json.dumps({{
    "warnings": [str(each.message) for each in caught],
    "devices": jax.device_count(),
    "flags": os.environ.get("XLA_FLAGS", ""),
    "cache": jax.config.jax_compilation_cache_dir,
    "double": jax.config.jax_enable_x64,
    "precision": jax.config.jax_default_matmul_precision,
}}))
"""


def python(script: str, **environment: str) -> dict:
    """What a fresh Python prints as JSON at the end of a script, with these environment variables only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JAX", "XLA"))}
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=kept | {"JAX_PLATFORMS": "cpu"} | environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def prepared(script: str, **environment: str) -> dict:
    """JAX's state after a one-line script, and the warnings it gave."""
    return python(REPORT.format(script=script), **environment)


PREPARE = "from engine.run.host import prepare_devices; prepare_devices({devices})"


@pytest.mark.parametrize("first", ["", "import jax; "])
def test_devices_flags_cache_and_precision_are_set_before_and_after_the_import_of_jax(first, tmp_path):
    state = prepared(first + PREPARE.format(devices=3), XDG_CACHE_HOME=str(tmp_path))
    assert state["devices"] == 3 and state["double"] and state["precision"] == "highest"
    assert state["cache"] == str(tmp_path / "undertow" / "jax")
    assert all(flag in state["flags"] for flag in FLAGS)
    assert not state["warnings"]


@pytest.mark.parametrize("foreign", [False, True])
def test_compiled_programs_lie_where_nobody_else_may_write(foreign, tmp_path):
    """What lies there is executed: others lose their right, and a folder of another user is not used."""
    folder = tmp_path / "undertow" / "jax"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    if foreign:
        if not hasattr(os, "getuid") or os.getuid() != 0:
            pytest.skip("needs root, to have a folder of another user")
        os.chown(folder, 54_321, 54_321)
    state = prepared(PREPARE.format(devices=2), XDG_CACHE_HOME=str(tmp_path))
    used = pathlib.Path(state["cache"])
    assert (used == folder) != foreign
    assert foreign or not folder.stat().st_mode & 0o022


def test_a_second_call_changes_nothing_and_is_silent():
    twice = PREPARE.format(devices=3) + "; import jax; jax.devices(); prepare_devices(3); prepare_devices()"
    state = prepared(twice)
    assert state["flags"] == prepared(PREPARE.format(devices=3))["flags"]
    assert state["devices"] == 3 and not state["warnings"]


def test_a_call_after_jax_has_started_is_warned_about():
    late = prepared("import jax; jax.devices(); " + PREPARE.format(devices=3))
    (warning,) = late["warnings"]
    assert "already started with 1 host devices" in warning and f"{len(FLAGS) + 1} of the engine" in warning
    assert late["flags"] == "", "flags that XLA no longer reads would silence other warnings"
    assert late["double"] and late["precision"] == "highest"
    other = prepared(PREPARE.format(devices=3) + "; import jax; jax.devices(); prepare_devices(4)")
    (warning,) = other["warnings"]
    assert "with 3 host devices; asked for 4" in warning


def test_the_user_s_settings_stay():
    own = {"XLA_FLAGS": "--xla_force_host_platform_device_count=5", "JAX_COMPILATION_CACHE_DIR": "mine"}
    state = prepared(PREPARE.format(devices="'auto'"), **own)
    assert state["devices"] == 5 and state["flags"].count("device_count") == 1
    assert state["cache"] == "mine" and not state["warnings"]


def modules() -> list[str]:
    """Every module of the engine."""
    found = pkgutil.walk_packages(engine.__path__, "engine.")
    return sorted(each.name for each in found if not each.ispkg)


def test_importing_the_engine_changes_no_setting_of_jax():
    script = f"""
import importlib, json, os, jax
before = dict(jax.config.values), dict(os.environ)
for name in {modules()!r}:
    importlib.import_module(name)
after = dict(jax.config.values), dict(os.environ)
changed = [key for old, new in zip(before, after) for key in old | new if old.get(key) != new.get(key)]
print(json.dumps({{"changed": changed, "settings": len(before[0])}}))
"""
    answer = python(script)
    assert answer["settings"] > 50
    assert answer["changed"] == []


def test_without_float64_nothing_runs():
    """In float32 ids beyond 2^31 and counts would go wrong in silence: every door says what to call."""
    script = """
import json
import numpy as np
from engine.run.blocks import Model, simulate
from engine.run.chunks import by_path, over_chunks, over_jobs
from engine.run.plan import Plan
from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.numerics import double_precision

def refusal(run):
    try:
        run()
    except RuntimeError as error:
        return str(error)
    return "no refusal"

plan, ids = Plan(256, 256, 7), np.zeros((1, 256), np.int64)
add = lambda model, sampler, seed, ids: ids
answers = [refusal(run) for run in (
    lambda: simulate(Model(None, (), None), plan),
    lambda: list(over_chunks(add, (), ids)),
    lambda: list(over_jobs(add, [((), ids)], ())),
    lambda: by_path(add, (), plan, ()),
    lambda: build_system(load_book(shipped_book("worked_small")), Parameters(), 12),
)]
with double_precision():
    system = build_system(load_book(shipped_book("worked_small")), Parameters(), 12)
    paths = by_path(add, (), plan, ())
print(json.dumps({"answers": answers, "paths": str(paths.dtype), "last": int(paths[-1])}))
"""
    answer = python(script)
    for message in answer["answers"]:
        assert "float64 is off" in message and "prepare_devices()" in message
        assert "double_precision()" in message
    assert answer["paths"] == "int64" and answer["last"] == 255
