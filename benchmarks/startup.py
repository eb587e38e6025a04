"""How long does a run take before its first path and after its last? Fresh processes, the shipped book.

    python benchmarks/startup.py [--turns 5] [--paths 2048] [--root CHECKOUT ...]

Wall-clock seconds from the command to: the run folder (after imports and configuration), the first call of
the compiler (after the book is read and built), the first path (after tracing, lowering, and compilation or
the cache), the last path, and the end of the process; then total processor seconds. A run beforehand fills
the cache of compiled programs. Several checkouts take turns, so that a slow moment of the machine affects
all.
"""

import argparse
import datetime
import json
import os
import pathlib
import resource
import tempfile
import time

from command import seconds

STAGES = ("folder", "compiler", "first path", "last path", "end", "processor")


def stages(root: pathlib.Path, paths: int) -> list[float]:
    """Seconds until each stage of one run, and of the processor."""
    with tempfile.TemporaryDirectory() as base:
        folder = pathlib.Path(base) / "run"
        processor_start, start = processor(), time.time()
        environment = os.environ | {"PYTHONPATH": str(root)}
        took = seconds(f"run.dir={folder}", f"run.paths={paths}", cwd=root, env=environment)
        times = (json.loads(line)["time"] for line in (folder / "log.jsonl").read_text().splitlines())
        stamps = [datetime.datetime.fromisoformat(each).timestamp() for each in times]
        compiled = json.loads((folder / "summary.json").read_text())["timing"]["compile_s"]
        at = (stamps[0], stamps[1], stamps[1] + compiled, stamps[2], start + took)
        return [*(each - start for each in at), processor() - processor_start]


def processor() -> float:
    """Processor seconds of all finished processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--paths", type=int, default=2048)
    parser.add_argument("--root", type=pathlib.Path, nargs="+", default=[pathlib.Path.cwd()])
    options = parser.parse_args()
    roots = [root.resolve() for root in options.root]
    for root in roots:
        stages(root, options.paths)
    print(" " * 24 + "".join(f"{stage:>12}" for stage in STAGES))
    for _ in range(options.turns):
        for root in roots:
            row = "".join(f"{each:>12.2f}" for each in stages(root, options.paths))
            print(f"{root.name:>24}{row}", flush=True)


if __name__ == "__main__":
    main()
