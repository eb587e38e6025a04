"""Does a second process double the throughput? One process; two runs at once; one run of two processes.

    python benchmarks/weak_scaling.py [--paths 65536] [--turns 3] [--processes 2]

Every process is the command with one device and `paths` paths, bound to a core of its own where the system
allows it. Independent runs at once measure the machine's own loss with two busy cores. Paths per second are
those of summary.json: simulation including communication, without compilation. Turns alternate, so that a
slow moment of the machine affects all.
"""

import argparse
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile

TOKEN = secrets.token_hex(32)


def started(folder, rank: int, count: int, core: int, paths: int, address: str) -> subprocess.Popen:
    """One process of a run of `count`, on this core."""
    command = [
        sys.executable, "-m", "experiments.main", f"run.dir={folder}", f"run.paths={paths * count}",
        "run.devices=1", "report.html=false", "report.xlsx=false", f"run.processes={count}",
        f"run.process={rank}", f"run.coordinator={address}",
    ]  # fmt: skip
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    bind = (lambda: os.sched_setaffinity(0, {cores[core]})) if core < len(cores) else None
    environment = os.environ | {"UNDERTOW_TOKEN": TOKEN}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=bind
    )


def throughput(runs: int, count: int, paths: int) -> float:
    """Paths per second of so many simultaneous runs, each of `count` processes."""
    with tempfile.TemporaryDirectory() as base:
        folders = [pathlib.Path(base) / str(run) for run in range(runs)]
        running = []
        for place, folder in enumerate(folders):
            address = free_address()
            running += [started(folder, rank, count, place + rank, paths, address) for rank in range(count)]
        for process in running:
            output = process.communicate()[1]
            if process.returncode not in (0, 4):
                raise SystemExit(output.decode())
        summaries = [json.loads((folder / "summary.json").read_text()) for folder in folders]
        return sum(each["timing"]["paths_per_s"] for each in summaries)


def free_address() -> str:
    """A free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--paths", type=int, default=65_536, help="of every process")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    n = options.processes
    throughput(1, 1, 1024)  # fills the cache of compiled programs
    heads = ("one process", f"{n} runs at once", f"a run of {n}", "over one", "over runs at once")
    print("paths/s  " + "".join(f"{head:>19}" for head in heads))
    for _ in range(options.turns):
        one, apart, together = (throughput(*each, options.paths) for each in ((1, 1), (n, 1), (1, n)))
        row = "".join(f"{each:>19,.0f}" for each in (one, apart, together))
        print(f"         {row}{together / one:>19.2f}{together / apart:>19.3f}", flush=True)


if __name__ == "__main__":
    main()
