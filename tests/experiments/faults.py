"""Faults of the machine under a run, each with what is promised: a code, a message, no traceback, in time.

    python -m tests.experiments.faults              all, a line each; code 1 where one is not held
    python -m tests.experiments.faults closed full  those with one of these words in their name

The engine is the stand-in of the tests: the faults are of the door. `{}` in an argument is a fault's folder.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 5.0
"""Processor seconds that a refusal may take: the wall clock of a busy machine says nothing."""

RUN = "run.paths=1000"
REFUSED = "expected a folder that can be written"
TOKEN = {"UNDERTOW_TOKEN": "one secret of a test"}


def nothing(folder: pathlib.Path) -> None:
    """No preparation."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault: what is laid down before, the command, and what is promised."""

    name: str
    arguments: tuple[str, ...]
    code: int
    words: str  # a pattern in what the command says
    prepare: Callable[[pathlib.Path], object] = nothing
    streams: str = ""  # redirections of the shell; with any, or an environment, it takes a process of its own
    before: str = ""  # a command of the shell before it
    environment: dict[str, str | None] = dataclasses.field(default_factory=dict)
    status: str | None = None  # what {}/a/status.json says in the end
    mount: bool = False  # the folder is a disk of 256 KB

    @property
    def alone(self) -> bool:
        """Whether it takes a process of its own."""
        return bool(self.streams or self.before or self.environment or self.mount)

    def given(self, folder: pathlib.Path) -> list[str]:
        """The arguments of the command."""
        return [argument.replace("{}", str(folder)) for argument in self.arguments]


def link(name: str, target: str) -> Callable[[pathlib.Path], None]:
    """Lays down a link."""
    return lambda folder: (folder / name).symlink_to(target)


def file(name: str, text: str = "text") -> Callable[[pathlib.Path], object]:
    """Lays down a file."""

    def write(folder: pathlib.Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return write


def directory(name: str) -> Callable[[pathlib.Path], None]:
    """Lays down a folder that is not empty."""
    return lambda folder: (folder / name / "in the way").mkdir(parents=True)


def earlier(*names: str) -> Callable[[pathlib.Path], None]:
    """Lays down an earlier run in {}/a, with folders where it has files of these names."""

    def write(folder: pathlib.Path) -> None:
        file("a/status.json", '{"status": "done"}')(folder)
        for name in names:
            directory(f"a/{name}")(folder)

    return write


def places() -> list[Fault]:
    """Folders in which no run can be."""
    long, deep = "a" * 300, "/".join(["a" * 200] * 30)
    faults = [
        ("a file", "{}/f", "is a file", file("f")),
        ("under a file", "{}/f/a", "is a file", file("f")),
        ("a link to nowhere", "{}/l", f"{REFUSED} .a link to nowhere", link("l", "nowhere")),
        ("under a link to nowhere", "{}/l/a", REFUSED, link("l", "nowhere")),
        ("a link to itself", "{}/l", REFUSED, link("l", "l")),
        ("under a link to itself", "{}/l/a", REFUSED, link("l", "l")),
        ("a link to a file", "{}/l", "is a file", lambda f: (file("f")(f), link("l", "f")(f))),
        ("a name of 300 letters", "{}/" + long, "File name too long", nothing),
        ("under a name of 300 letters", "{}/" + long + "/a", "File name too long", nothing),
        ("a path of 6,000 letters", "{}/" + deep, "expected at most 4,096", nothing),
        ("a name of 10,000 letters", "{}/" + "a" * 10_000, "expected at most 4,096", nothing),
        ("a pipe", "{}/p", "is a file", lambda folder: os.mkfifo(folder / "p")),
        ("a device", "/dev/null", "is a file", nothing),
        ("under a device", "/dev/zero/a", "is a file", nothing),
        ("the kernel's folder", "/proc/undertow", REFUSED, nothing),
        ("the kernel's other folder", "/sys/undertow", REFUSED, nothing),
        ("another program's folder", "{}/a", "an earlier run; this one holds other files", file("a/b")),
        ("a broken status", "{}/a", "this one holds other files", file("a/status.json", '{"status": ')),
        ("a status that is a list", "{}/a", "this one holds other files", file("a/status.json", "[]")),
        ("a status that is a folder", "{}/a", "this one holds other files", directory("a/status.json")),
    ]
    of_runs = [
        Fault(f"run.dir is {name}", (RUN, f"run.dir={place}"), 2, words, prepare)
        for name, place, words, prepare in faults
    ]
    templates = [
        Fault(f"template.dir is {name}", ("task=template", f"template.dir={place}"), 2, words, prepare)
        for name, place, words, prepare in faults
        if place != "{}/a"
    ]
    ports = ("0", "65536", "99999999", "x", "-1", "")
    return (
        of_runs
        + templates
        + [
            Fault("the default folder is a file", (RUN,), 2, "run.dir: got 'out'", file("out")),
            Fault(
                "the default folder is a link to nowhere", (RUN,), 2, "a link to nowhere", link("out", "x")
            ),
            Fault(
                "an earlier run with folders for files",
                (RUN, "run.dir={}/a"),
                0,
                "",
                earlier("summary.json", "report.html"),
                status="done",
            ),
            Fault(
                "an earlier run's lock is a folder",
                (RUN, "run.dir={}/a"),
                1,
                "the machine refused",
                earlier(".lock"),
            ),
            Fault(
                "an earlier run's log is a folder",
                (RUN, "run.dir={}/a"),
                1,
                "the machine refused",
                earlier("log.jsonl"),
            ),
            *(
                Fault(
                    f"port {port!r}",
                    (RUN, "run.processes=2", f"run.coordinator=127.0.0.1:{port}"),
                    2,
                    "host:port of process 0, with a port from 1 to 65535",
                )
                for port in ports
            ),
        ]
    )


def streams() -> list[Fault]:
    """Standard streams that are closed, full or read by nobody, with a run, a question and bad input."""
    run, bad = (RUN, "run.dir={}/a"), ("run.paths=0", "run.dir={}/a")
    full, done = "standard output could not be written: No space left on device", "done"
    return [
        Fault("stdout is closed", run, 0, "", streams=">&-", status=done),
        Fault("stderr is closed", run, 0, "", streams="2>&-", status=done),
        Fault("stdin is closed", run, 0, "", streams="<&-", status=done),
        Fault("all streams are closed", run, 0, "", streams="<&- >&- 2>&-", status=done),
        Fault("stdout is full", run, 1, full, streams=">/dev/full", status=done),
        Fault("stderr is full", run, 0, "", streams="2>/dev/full", status=done),
        Fault("both streams are full", run, 1, "", streams=">/dev/full 2>/dev/full", status=done),
        Fault("nobody reads stdout", run, 0, "", streams="| true", status=done),
        Fault("nobody reads stderr", run, 0, "", streams="2>&1 >/dev/null | true", status=done),
        Fault("one line of stdout is read", run, 0, "", streams="| head -1", status=done),
        Fault("bad input, stderr is closed", bad, 2, "", streams="2>&-"),
        Fault("bad input, stderr is full", bad, 2, "", streams="2>/dev/full"),
        Fault("bad input, nobody reads stderr", bad, 2, "", streams="2>&1 >/dev/null | true"),
        Fault("help, stdout is full", ("--help",), 1, full, streams=">/dev/full"),
        Fault("help, one line is read", ("--help",), 0, "", streams="| head -1"),
        Fault("version, stdout is closed", ("--version",), 0, "", streams=">&-"),
        Fault("all keys, one line is read", ("--cfg", "job"), 0, "", streams="| head -1"),
        Fault("all keys, stdout is full", ("--cfg", "job"), 1, full, streams=">/dev/full"),
        Fault("runs, stdout is full", ("task=runs",), 1, full, streams=">/dev/full"),
    ]


def mishaps() -> list[Fault]:
    """What befalls a run in the middle, and homes that are none."""
    run, again = (RUN, "run.dir={}/a"), "the same command repeats or resumes the run"
    nobody = "setpriv --reuid=54321 --regid=54321 --clear-groups"
    homeless: dict[str, str | None] = {
        "HOME": None, "XDG_CACHE_HOME": None, "JAX_COMPILATION_CACHE_DIR": None,
    }  # fmt: skip
    kept = "compiled programs are not kept after this run"
    return [
        Fault(
            "the disk fills up",
            run,
            1,
            f"No space left on device.*{again}",
            mount=True,
            environment={"MISHAP": "full"},
            status="failed",
        ),
        Fault(
            "files may not grow",
            run,
            1,
            f"File too large.*{again}",
            environment={"MISHAP": "limit"},
            status="failed",
        ),
        Fault("the folder is removed", run, 1, again, environment={"MISHAP": "gone"}),
        Fault(
            "a folder stands where the summary goes",
            run,
            1,
            again,
            environment={"MISHAP": "summary"},
            status="failed",
        ),
        Fault(
            "a file stands where the tables go",
            run,
            1,
            again,
            environment={"MISHAP": "results"},
            status="failed",
        ),
        Fault("no file can be opened", run, 1, "", environment={"MISHAP": "descriptors"}),
        Fault(
            "no byte can be written",
            run,
            2,
            "a folder that can be written .File too large",
            before="ulimit -f 0;",
        ),
        Fault("no home", run, 0, "", environment=homeless, status="done"),
        Fault(
            "neither home nor user",
            run,
            0,
            kept,
            environment=homeless,
            before=nobody,
            prepare=lambda folder: folder.chmod(0o777),
            status="done",
        ),
        Fault(
            "the home is no folder", run, 0, kept, environment=homeless | {"HOME": "/dev/null"}, status="done"
        ),
        Fault(
            "the cache is no folder",
            run,
            0,
            kept,
            environment=homeless | {"XDG_CACHE_HOME": "/dev/null"},
            status="done",
        ),
        Fault(
            "the home does not exist and cannot",
            run,
            0,
            kept,
            environment=homeless | {"HOME": "/proc/nobody"},
            status="done",
        ),
        Fault(
            "no language",
            run,
            0,
            "",
            environment={"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0"},
            status="done",
        ),
        Fault(
            "process 0 alone",
            (*run, "run.processes=2", "run.coordinator=127.0.0.1:47011", "run.arrival_seconds=1"),
            5,
            "process 1 was lost: it did not come",
            environment=TOKEN,
        ),
        Fault(
            "process 1 alone",
            (
                *run,
                "run.processes=2",
                "run.coordinator=127.0.0.1:47012",
                "run.process=1",
                "run.arrival_seconds=1",
            ),
            5,
            "process 0 was lost: it did not answer",
            environment=TOKEN,
        ),
        Fault(
            "a coordinator of no machine",
            (*run, "run.processes=2", "run.coordinator=no.such.host.invalid:7777"),
            2,
            "an address of this machine",
            environment=TOKEN,
        ),
        Fault(
            "a coordinator elsewhere",
            (*run, "run.processes=2", "run.coordinator=192.0.2.1:7777"),
            2,
            "an address of this machine",
            environment=TOKEN,
        ),
        Fault(
            "no token",
            (*run, "run.processes=2", "run.coordinator=127.0.0.1:47013"),
            2,
            "UNDERTOW_TOKEN: got none",
            environment={"UNDERTOW_TOKEN": None},
        ),
    ]


FAULTS = tuple(places() + streams() + mishaps())
QUICK = (
    "stderr is closed", "stdout is full", "nobody reads stderr", "neither home nor user", "the disk fills up",
    "files may not grow", "all keys, one line is read",
)  # fmt: skip
"""Of those that take a process of their own, the ones that the suite tries every time."""


@dataclasses.dataclass
class Answer:
    """How the command ended and what it said on both streams."""

    code: int
    said: str
    seconds: float = 0.0  # of the processor


def answer(fault: Fault, folder: pathlib.Path) -> Answer:
    """What the command says in a process of its own, in this folder."""
    words = " ".join(f"'{argument}'" for argument in fault.given(folder))
    command = f"{sys.executable} -m tests.experiments.stand_in {words}"
    code = folder.with_name(f"{folder.name}.code")  # not on a disk that is full
    line = f"( ( {fault.before} {command} ); echo $? >{code} ) {fault.streams}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CI": "1", "TMPDIR": str(folder)}
    for name, value in fault.environment.items():
        environment.pop(name, None)
        environment |= {} if value is None else {name: value}
    begun = os.times()
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    ended = os.times()
    seconds = ended.children_user + ended.children_system - begun.children_user - begun.children_system
    return Answer(int(code.read_text()), done.stdout + done.stderr, seconds)


def broken(fault: Fault, folder: pathlib.Path, answer: Answer, seconds: float = SECONDS) -> list[str]:
    """What of the promise was not held."""
    problems = [] if answer.code == fault.code else [f"code {answer.code}, expected {fault.code}"]
    if not re.search(fault.words, answer.said, re.S):
        problems.append(f"did not say {fault.words!r}")
    if "Traceback" in answer.said or "Exception ignored" in answer.said or "Logging error" in answer.said:
        problems.append("a traceback")
    if fault.code == 2 and answer.seconds > seconds:
        problems.append(f"{answer.seconds:.1f} s")
    status = folder / "a" / "status.json"
    if fault.status and f'"status": "{fault.status}"' not in (status.read_text() if status.is_file() else ""):
        problems.append(f"the status is not {fault.status}")
    if fault.code == 2 and status.is_file() and '"running"' in status.read_text():
        problems.append("a run was begun")
    return [f"{problem}\n{answer.said[-2000:]}" for problem in problems]


def tried(fault: Fault, folder: pathlib.Path) -> list[str]:
    """What of a fault's promise is not held when it is tried in a process of its own."""
    if (
        fault.mount
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True
        ).returncode
    ):
        pytest.skip("a small disk cannot be mounted here")
    if (
        fault.before.startswith("setpriv")
        and subprocess.run([*fault.before.split(), sys.executable, "-c", ""], capture_output=True).returncode
    ):
        pytest.skip("another user cannot start this Python")
    try:
        fault.prepare(folder)
        return broken(fault, folder, answer(fault, folder))
    finally:
        if fault.mount:
            subprocess.run(["umount", str(folder)], check=True)


def main() -> None:
    """Try faults and say what became of each."""
    chosen = [each for each in FAULTS if not sys.argv[1:] or any(word in each.name for word in sys.argv[1:])]
    begun, failed = time.monotonic(), 0
    for fault in chosen:
        folder = pathlib.Path(tempfile.mkdtemp())
        problems = tried(fault, folder)
        shutil.rmtree(folder, ignore_errors=True)
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'held':<7} {fault.name}", *problems, sep="\n        ", flush=True)
    print(f"{len(chosen)} faults, {failed} promises not held; {time.monotonic() - begun:.0f} s")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
