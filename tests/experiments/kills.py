"""Kill a run again and again, and see that what comes out in the end is what an undisturbed run says.

    python tests/experiments/kills.py 100 --folder out/kills

SIGKILL falls at a random moment, often while a checkpoint is being written. The same command is then given
again. Runs that come to their end are compared with the undisturbed one, file by file.
"""

import argparse
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

COMMAND = (sys.executable, "-m", "experiments.main")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SETTINGS = {
    "plain": ("run.paths=262144",),
    "sobol": ("run.paths=262144", "sampler=sobol", "sampler.replications=4"),
}
SMALL = (
    "run.block=512",
    "run.months=12",
    "report.html=false",
    "report.xlsx=false",
    "run.checkpoint_seconds=0.05",
)
SESSION = ("run", "command", "commit", "timing")
"""Entries of the summary that tell one session from another."""


class Count(NamedTuple):
    """What happened."""

    kills: int  # in all
    writing: int  # of these while a checkpoint was being written
    resumed: int  # sessions that went on from a checkpoint
    runs: int  # that came to their end, all as the undisturbed one


def results_of(folder: pathlib.Path) -> dict[str, object]:
    """Every table's bytes and the summary without what belongs to the session."""
    found = {path.name: path.read_bytes() for path in (folder / "results").glob("*.parquet")}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return found | {"summary": {key: value for key, value in summary.items() if key not in SESSION}}


def start(arguments: tuple[str, ...]) -> subprocess.Popen:
    """The command in a process of its own."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen((*COMMAND, *arguments), cwd=ROOT, **quiet)


def ended(process: subprocess.Popen) -> None:
    """Wait for the end of a process, which must be a good one."""
    said = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode} of {process.args}\n{said}")


def saves(folder: pathlib.Path) -> int:
    """How often the run in the folder was saved, in all its sessions."""
    log = folder / "log.jsonl"
    return log.read_text(encoding="utf-8").count("saved at") if log.exists() else 0


def going_on(folder: pathlib.Path) -> int:
    """How many sessions of the run in the folder went on from a checkpoint."""
    log = folder / "log.jsonl"
    return log.read_text(encoding="utf-8").count("going on from") if log.exists() else 0


def wait(process: subprocess.Popen, ready: Callable[[], bool]) -> None:
    """Until something is so, or the process has ended."""
    while process.poll() is None and not ready():
        time.sleep(0.001)


def moment(chance: random.Random, kind: int, folder: pathlib.Path, length: float) -> Callable[[], bool]:
    """When to kill: any time in `length` s (every fifth), or a few saves on, half of these in a write."""
    if kind % 5 == 0:
        at = time.monotonic() + chance.uniform(0.0, length)
        return lambda: time.monotonic() >= at
    until = saves(folder) + chance.randint(1, 8)
    at = [0.0]

    def ready() -> bool:
        if saves(folder) < until:
            return False
        at[0] = at[0] or time.monotonic() + chance.uniform(0.0, 0.2)
        return bool(unfinished(folder)) if kind % 2 else time.monotonic() >= at[0]

    return ready


def unfinished(folder: pathlib.Path) -> list[pathlib.Path]:
    """Checkpoints being written, or left half written."""
    return list(folder.glob(".checkpoint.npz.*.part"))


def kill(count: int, base: pathlib.Path, book: tuple[str, ...], seed: int, settings=SETTINGS) -> Count:
    """Kill runs `count` times in all; raises AssertionError where one ends unlike the undisturbed."""
    chance, done, whole, length = random.Random(seed), Count(0, 0, 0, 0), {}, 0.0
    for name, own in settings.items():
        begun = time.monotonic()
        ended(start((*book, *SMALL, *own, f"run.dir={base / name}")))
        whole[name], length = results_of(base / name), time.monotonic() - begun
    while done.kills < count:
        name = list(settings)[done.runs % len(settings)]
        folder = base / f"{name}-killed"
        shutil.rmtree(folder, ignore_errors=True)
        arguments = (*book, *SMALL, *settings[name], f"run.dir={folder}")
        for _ in range(min(10, count - done.kills)):
            process = start(arguments)
            wait(process, moment(chance, done.kills, folder, length))
            if process.poll() is not None:
                ended(process)
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done = done._replace(kills=done.kills + 1, writing=done.writing + bool(unfinished(folder)))
        else:
            ended(start(arguments))
        found = results_of(folder)
        assert found == whole[name], [key for key in found if found[key] != whole[name].get(key)]
        done = done._replace(runs=done.runs + 1, resumed=done.resumed + going_on(folder))
        print(*zip(Count._fields, done, strict=True), flush=True)
    return done


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kills", type=int)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("out/kills"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    base = given.folder.resolve()
    shutil.rmtree(base, ignore_errors=True)
    ended(start(("task=template", f"template.dir={base / 'book'}")))
    book = ("book=own", f"book.path={base / 'book' / 'worked_small'}")
    begun = time.monotonic()
    count = kill(given.kills, base, book, given.seed)
    print(
        f"{count.kills} kills, {count.writing} of them while a checkpoint was being written, "
        f"{count.resumed} sessions went on from a checkpoint, {count.runs} runs finished, "
        f"all of them bit-identical to the undisturbed ones; {time.monotonic() - begun:.0f} s"
    )


if __name__ == "__main__":
    main()
