"""How fast is the main job, and how much faster than its peers? Full model on the shipped book, 60 months.

    python benchmarks/full_model.py [paths] [block] [turns]

Prints compile seconds, run seconds, paths a second, peak memory, device and dtype of the main job through the
tally, on all devices and on one, and of the same model on the same draws in NumPy, vectorised over
2,048 paths in one process with one BLAS thread (`benchmarks/peers/numpy_paths.py`), and in Numba, compiled,
on all cores (`benchmarks/peers/numba_paths.py`), in blocks of 64 paths and a path at a time, all in one
process, in turns. The benchmark fails unless losses agree path by path. Without Numba its rows are omitted.
"""

import importlib.util
import os
import sys
import time
from pathlib import Path

from engine.run.host import prepare_devices

# The peers import each other by their full names.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

TOGETHER = 2_048
"""Paths that NumPy evaluates together, about the fastest number."""
COMPILED = {"Numba, blocks of 64 paths": (64, 16_384), "Numba, a path at a time": (1, 4_096)}
"""Lanes of Numba's peers and paths of a turn."""


def compiled(system) -> dict:
    """Numba's peers by name, traced, written and compiled; none where there is no Numba."""
    if importlib.util.find_spec("numba") is None:
        print("Numba is not installed, so its rows are left out: `pip install numba` brings them in.")
        return {}
    from benchmarks.peers.numba_paths import Paths

    peers = {}
    for name, (lanes, _) in COMPILED.items():
        start = time.perf_counter()
        peers[name] = Paths(system, 7, lanes)
        peers[name](0, lanes)
        print(f"{name}: compile {time.perf_counter() - start:.1f} s")
    return peers


def agree(name: str, own, theirs) -> None:
    """Fail unless a peer's losses equal the engine's."""
    import numpy as np

    worst = float(np.max(np.abs(own - theirs) / np.maximum(np.abs(own), 1.0)))
    if not worst <= 1e-4:
        sys.exit(f"{name} and the engine differ by {worst:.1e} of a path's loss")
    print(f"system loss of {own.size:,} paths: engine and {name} within {worst:.0e} of each")


def main(paths: int = 131_072, block: int = 16_384, turns: int = 3) -> None:
    """Time the plan on all devices, a quarter of it on one, and the peers, in turns, without compilation."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    prepare_devices()
    import jax
    import numpy as np
    from record import Record, ratios, spread

    from benchmarks.peers.numpy_paths import Paths
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.ledger import ledger
    from engine.paths.simulate import simulate
    from engine.run.plan import Plan

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 60)
    plan, short = Plan(paths, block, 7), Plan(max(paths // 4, block), block, 7)
    devices = jax.devices()
    print(
        f"{len(devices)} x {devices[0].device_kind}, float32 paths, int64 tally, {paths:,} paths x 60 months"
    )
    peer = Paths(system, 7, TOGETHER)
    loops = compiled(system)
    names = ["all devices", "one device", "NumPy", *loops]
    rates: dict[str, list[float]] = {name: [] for name in names}
    own = ledger(system, Plan(TOGETHER, 1024, 7)).loss
    with np.errstate(all="ignore"):
        agree("NumPy", own, peer(0))
    for name, each in loops.items():
        agree(name, own, each(0, TOGETHER))
    for turn in range(turns):
        for name, which, job in (("all devices", devices, plan), ("one device", devices[:1], short)):
            _, timing = simulate(system, job, devices=which)
            rates[name].append(timing.paths_per_s)
            print(
                f"turn {turn + 1}, {name}: compile {timing.compile_s:.1f} s, run {timing.run_s:.1f} s, "
                f"{timing.paths_per_s:,.0f} paths/s"
            )
        with np.errstate(all="ignore"):
            start = time.perf_counter()
            peer(TOGETHER * (turn + 1))
            rates["NumPy"].append(TOGETHER / (time.perf_counter() - start))
        for name, each in loops.items():
            start, count = time.perf_counter(), COMPILED[name][1]
            each(count * (turn + 1), count)
            rates[name].append(count / (time.perf_counter() - start))
        for name in names[2:]:
            print(f"turn {turn + 1}, {name}: {rates[name][-1]:,.0f} paths/s")
    counts = paths, short.paths, TOGETHER, *(count for _, count in COMPILED.values())
    for name, count in zip(names, counts, strict=False):
        peers = names[1:] if name == names[0] else []
        beside = {peer: ratios(rates[name], rates[peer]) for peer in peers}
        summary = spread(rates[name])
        Record("full model", name, summary, "paths/s", count / summary.median, beside=beside).tell()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
