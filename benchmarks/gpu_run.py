"""How fast is the engine on a GPU, and does it lose there what it loses on a CPU? One script, one sitting.

    python benchmarks/gpu_run.py --prepare           (before, on a CPU: paths to compare, out/gpu/cpu.npz)
    python benchmarks/gpu_run.py [--minutes 9]       (on the GPU; appends to out/gpu/gpu.jsonl)
    python benchmarks/table.py out/gpu               (the record as tables)

Needs JAX with a GPU, NumPy, SciPy, pandas, pyarrow, equinox, jaxtyping and optax; nothing is installed. Every
phase runs in a child process under a limit of its own, so that one that fails, hangs or dies costs that phase
alone. Every finding is on disk before the next. Phases that no time is left for are left out, with the
reason; the last ones are cut short. Exit code 1 if a phase failed, 2 if JAX sees no GPU.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time
from typing import Any, NamedTuple

# Nothing is installed beside the files of this repository.
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from benchmarks.gpu.log import LINES, Log, said  # noqa: E402
from benchmarks.gpu.setting import TINY, Setting, Sizes  # noqa: E402
from benchmarks.gpu.worker import DONE, Worker  # noqa: E402

PREPARE = "benchmarks.gpu.device:prepare"


class Phase(NamedTuple):
    """A phase: its function, the most seconds it may take, and the least it is worth starting with."""

    name: str
    function: str
    most: float
    least: float
    fresh: bool = False  # in a process of its own


PHASES = (
    Phase("fused", "benchmarks.gpu.fused:fused", 90, 5),
    Phase("peaks", "benchmarks.gpu.device:peaks", 40, 10),
    Phase("compile", "benchmarks.gpu.speed:compilation", 120, 30),
    Phase("agreement", "benchmarks.gpu.agreement:agreement", 90, 20),
    Phase("same bits", "benchmarks.gpu.agreement:same_bits", 40, 10),
    Phase("tally", "benchmarks.gpu.agreement:tally", 40, 10),
    Phase("chunks", "benchmarks.gpu.speed:chunks", 120, 20),
    Phase("1e7 paths", "benchmarks.gpu.speed:first_large", 60, 10),
    Phase("profile", "benchmarks.gpu.profile:profile", 40, 10),
    Phase("portfolio", "benchmarks.gpu.peers:portfolio", 40, 10),
    Phase("normals", "benchmarks.gpu.peers:normals", 30, 8),
    Phase("importance", "benchmarks.gpu.speed:importance", 100, 40),
    Phase("memory", "benchmarks.gpu.speed:peak_memory", 40, 15, fresh=True),
    Phase("same bits again", "benchmarks.gpu.agreement:same_bits", 40, 15),
    Phase("1e8 paths", "benchmarks.gpu.speed:second_large", 300, 20),
)
"""In this order: what is new first, and last what can use any time that is left."""
PATIENCE = 10
"""Times the usual limits for a try on a CPU."""
GRACE = 5.0
"""Seconds that a phase may take beyond the time it plans with."""


def limit_of(phase: Phase, later: tuple[Phase, ...], left: float) -> float:
    """Seconds a phase may take: its most, less what the later ones need at least; none if too few are left.

    >>> one, two = Phase("a", "", 60, 10), Phase("b", "", 300, 20)
    >>> limit_of(one, (two,), 100.0), limit_of(one, (two,), 40.0), limit_of(one, (two,), 25.0)
    (60, 20.0, 10)
    >>> limit_of(one, (two,), 5.0)
    0.0
    """
    if left < phase.least:
        return 0.0
    return min(phase.most, max(phase.least, left - sum(each.least for each in later)))


def chosen(names: list[str] | None) -> tuple[Phase, ...]:
    """Phases by name, all if none is named. Raises ValueError for an unknown name."""
    known = {phase.name: phase for phase in PHASES}
    if unknown := [name for name in names or () if name not in known]:
        raise ValueError(f"--phases: got {', '.join(unknown)}, expected some of {', '.join(known)}")
    return tuple(phase for phase in PHASES if not names or phase.name in names)


class Session:
    """Phases one after the other, within a time, into a log."""

    def __init__(self, log: Log, sizes: Sizes, carried: pathlib.Path, seconds: float, on_cpu: bool = False):
        self.log, self.sizes, self.carried, self.on_cpu = log, sizes, carried, on_cpu
        self.end = time.monotonic() + seconds
        self.worker = Worker(PREPARE)
        self.facts: dict[str, dict[str, Any]] = {}

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.end - time.monotonic()

    def tell(self, phase: str, text: str) -> None:
        """A line on the terminal."""
        print(f"{self.left:5.0f} s left, {phase}: {text}", flush=True)

    def close(self, phase: Phase, status: str, words: str, seconds: float) -> None:
        """The end of a phase."""
        self.log.write(phase=phase.name, end=status, seconds=seconds, words=words)
        self.tell(phase.name, f"{status} {words.strip().splitlines()[-1] if words.strip() else ''}")

    def ready(self) -> None:
        """A worker with JAX's device; raises SystemExit (2) if that is a CPU and nobody asked for one."""
        device = self.worker.start(self.left)
        if device:
            self.log.write(phase="worker", facts=device)
            self.tell("worker", f"{device['devices']} x {device['device']}, jax {device['versions']['jax']}")
        if device and device["backend"] == "cpu" and not self.on_cpu:
            self.worker.kill()
            print("JAX sees no GPU here; --cpu runs everything on this CPU", file=sys.stderr)
            sys.exit(2)

    def run(self, phases: tuple[Phase, ...]) -> bool:
        """Run the phases; whether each of them ended well or was left out."""
        ends = [self.one(phase, phases[place + 1 :]) for place, phase in enumerate(phases)]
        self.worker.kill()
        return all(ends)

    def one(self, phase: Phase, later: tuple[Phase, ...]) -> bool:
        """Run one phase under its limit; False if it failed."""
        begun = time.monotonic()
        try:
            if phase.fresh:
                self.worker.kill()
            if self.left >= phase.least:
                self.ready()
        except RuntimeError as error:
            self.close(phase, "failed", str(error), time.monotonic() - begun)
            return False
        limit = limit_of(phase, later, self.left)  # the start of a worker has taken its time
        if not limit:
            words = f"needs {phase.least:g} s, {max(self.left, 0.0):.0f} s are left"
            self.close(phase, "left out", words, time.monotonic() - begun)
            return True
        if limit < phase.most:
            self.log.write(phase=phase.name, facts={"limit shortened, s": [phase.most, limit]})
        setting = Setting(self.sizes, self.carried, max(limit - GRACE, 0.5 * limit), self.facts)
        status, words = self.findings(phase, setting, limit)
        self.close(phase, status, words, time.monotonic() - begun)
        return status == DONE

    def findings(self, phase: Phase, setting: Setting, limit: float) -> tuple[str, str]:
        """Log what a phase finds as it comes; its end."""
        own = self.facts.setdefault(phase.name, {})
        for kind, *rest in self.worker.run(phase.function, setting, limit):
            if kind == "end":
                return rest[0], rest[1]
            facts = rest[0]
            if record := facts.pop("record", None):
                self.log.write(phase=phase.name, record=record)
                self.tell(phase.name, f"{record['case']}: {said(record['rate']['median'])} {record['unit']}")
            own |= facts
            self.log.write(phase=phase.name, facts=facts)
        return "died", "without an end"


def prepare(path: pathlib.Path, sizes: Sizes) -> None:
    """Write a CPU's paths to the file that travels."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    from engine.run.host import prepare_devices

    prepare_devices(1)
    from benchmarks.gpu.agreement import prepare as write
    from benchmarks.gpu.fused import prepare as compile_kernels

    head = write(path, sizes)
    print(
        f"{path}: {head['paths']:,} paths x {head['months']} months, {head['MB']:.1f} MB, {head['processor']}"
    )
    if sizes == Sizes():
        print(compile_kernels(path, sizes.months))


def main(arguments: list[str] | None = None) -> None:
    """Prepare, or run the phases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path("out/gpu"), help="folder of the record"
    )
    parser.add_argument("--carried", type=pathlib.Path, help="a CPU's paths (cpu.npz in that folder)")
    parser.add_argument("--prepare", action="store_true", help="write that file, on a CPU, and end")
    parser.add_argument("--minutes", type=float, default=9.0, help="in all (9)")
    parser.add_argument("--phases", nargs="+", metavar="NAME", help=", ".join(each.name for each in PHASES))
    parser.add_argument("--cpu", action="store_true", help="run although JAX sees no GPU")
    parser.add_argument("--tiny", action="store_true", help="sizes for a try on a CPU")
    given = parser.parse_args(arguments)
    carried, sizes = given.carried or given.out / "cpu.npz", TINY if given.tiny else Sizes()
    if given.prepare:
        prepare(carried, sizes)
        return
    try:
        phases = chosen(given.phases)
        if given.tiny:  # a busy machine compiles slowly
            phases = tuple(phase._replace(most=PATIENCE * phase.most) for phase in phases)
    except ValueError as error:
        parser.error(str(error))
    log = Log(given.out / LINES)
    log.write(
        start=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        minutes=given.minutes,
        arguments=sys.argv[1:],
    )
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # one GPU is measured
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", cache)
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")
        session = Session(log, sizes, carried, 60.0 * given.minutes, given.cpu)
        well = session.run(phases)
    print(f"{given.out / LINES}: python benchmarks/table.py {given.out} makes tables of it")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
