"""The dearest kernels of a chunk of paths, from JAX's trace, read without a viewer."""

import collections
import gzip
import json
import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.setting import Setting

DEAREST = 10


def trace_of(run: Any) -> tuple[list[dict[str, Any]], float]:
    """(Events of a run's trace, its seconds). Raises ValueError if JAX wrote none."""
    import jax

    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=options):
            begun = time.perf_counter()
            jax.block_until_ready(run())
            seconds = time.perf_counter() - begun
        files = sorted(pathlib.Path(folder).rglob("*.trace.json.gz"))
        if not files:
            raise ValueError("JAX's profiler wrote no trace.json.gz")
        with gzip.open(files[-1], "rt", encoding="utf-8") as file:
            return json.load(file)["traceEvents"], seconds


def kernels(events: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Microseconds of each call by kernel: events of a device's streams, or of a CPU's operations but loops.

    >>> names = [{"ph": "M", "pid": 1, "name": "process_name", "args": {"name": "/device:GPU:0"}},
    ...          {"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "Stream #1"}}]
    >>> kernels([*names, {"ph": "X", "pid": 1, "tid": 2, "name": "fusion", "dur": 3.0},
    ...          {"ph": "X", "pid": 9, "tid": 2, "name": "python", "dur": 9.0}])
    {'fusion': [3.0]}
    """
    named = [event for event in events if event.get("ph") == "M" and "args" in event]
    processes = {e["pid"]: str(e["args"].get("name")) for e in named if e["name"] == "process_name"}
    threads = {(e["pid"], e["tid"]): str(e["args"].get("name")) for e in named if e["name"] == "thread_name"}
    device = {pid for pid, name in processes.items() if name.startswith("/device:")}
    streams = {key for key, name in threads.items() if key[0] in device and name.startswith("Stream")}
    spent: dict[str, list[float]] = collections.defaultdict(list)
    for event in events:
        place = event.get("pid"), event.get("tid")
        loop = str(event.get("name")).startswith("while")
        own = place in streams if device else "hlo_op" in event.get("args", {}) and not loop
        if event.get("ph") == "X" and own:
            spent[event["name"]].append(float(event.get("dur", 0.0)))
    return dict(spent)


def dearest(spent: dict[str, list[float]], seconds: float, count: int = DEAREST) -> dict[str, Any]:
    """The kernels that take most time, with calls, milliseconds and share of all; the device's busy share."""
    total = sum(map(sum, spent.values()))
    order = sorted(spent, key=lambda name: -sum(spent[name]))
    rows = [
        {"kernel": name, "calls": len(spent[name]), "ms": sum(spent[name]) / 1e3,
         "share": sum(spent[name]) / max(total, 1e-9)}
        for name in order[:count]
    ]  # fmt: skip
    calls = sum(map(len, spent.values()))
    return {
        "kernels": len(spent), "calls": calls, "microseconds a call": total / max(calls, 1),
        "busy share of the time": total / 1e6 / max(seconds, 1e-9), "dearest": rows,
    }  # fmt: skip


def profile(setting: Setting) -> Iterator[dict[str, Any]]:
    """The dearest kernels of one chunk of paths without the tally."""
    import jax

    from benchmarks.gpu.agreement import program

    run, size = program(setting.sizes.months)
    jax.block_until_ready(run(0))
    events, seconds = trace_of(lambda: run(size))
    spent = kernels(events)
    if not spent:
        raise ValueError(f"the trace of {len(events):,} events names no kernel")
    yield {"paths": size, "run, s": seconds, "events": len(events)} | dearest(spent, seconds)
