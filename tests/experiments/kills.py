"""Kill a run again and again, and see that what comes out in the end is what an undisturbed run says.

    python tests/experiments/kills.py 100 --folder out/kills

SIGKILL falls at a random moment, or in every third case while a checkpoint is being written. The same command
is then given again. Runs that come to their end are compared with the undisturbed one, file by file.
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
from typing import NamedTuple

COMMAND = (sys.executable, "-m", "experiments.main")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SETTINGS = {
    "plain": ("run.paths=16384",),
    "sobol": ("run.paths=16384", "sampler=sobol", "sampler.replications=4"),
}
SMALL = ("run.block=512", "run.months=12", "report.html=false", "run.checkpoint_seconds=0.05")
SESSION = ("run", "command", "timing")
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


def finish(arguments: tuple[str, ...]) -> float:
    """Run the command to its end; its seconds."""
    begun = time.monotonic()
    process = start(arguments)
    said = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode} after {arguments}\n{said}")
    return time.monotonic() - begun


def wait(process: subprocess.Popen, seconds: float, folder: pathlib.Path, writing: bool) -> None:
    """Let the process run for so long, and if asked on until it writes a checkpoint."""
    until = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() >= until and not (writing and not list(folder.glob(".checkpoint.npz.*.part"))):
            return
        time.sleep(0.001)


def going_on(folder: pathlib.Path) -> int:
    """How many sessions of the run in the folder went on from a checkpoint."""
    log = folder / "log.jsonl"
    return log.read_text(encoding="utf-8").count("going on from") if log.exists() else 0


def kill(count: int, base: pathlib.Path, book: tuple[str, ...], seed: int, settings=SETTINGS) -> Count:
    """Kill runs `count` times in all; raises AssertionError where one ends unlike the undisturbed."""
    chance, done = random.Random(seed), Count(0, 0, 0, 0)
    whole, seconds = {}, {}
    for name, own in settings.items():
        arguments = (*book, *SMALL, *own, f"run.dir={base / name}")
        finish(arguments)  # compiles, which the others find in the cache
        seconds[name] = finish((*arguments, "run.resume=false"))
        whole[name] = results_of(base / name)
    while done.kills < count:
        name = list(settings)[done.runs % len(settings)]
        folder = base / f"{name}-killed"
        shutil.rmtree(folder, ignore_errors=True)
        arguments = (*book, *SMALL, *settings[name], f"run.dir={folder}")
        for _ in range(min(chance.randint(1, 8), count - done.kills)):
            process, writing = start(arguments), done.kills % 3 == 0
            wait(process, chance.uniform(0.0, seconds[name]), folder, writing)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            cut = bool(list(folder.glob(".checkpoint.npz.*.part")))
            done = done._replace(kills=done.kills + 1, writing=done.writing + cut)
        finish(arguments)
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
    finish(("task=template", f"template.dir={base / 'book'}"))
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
