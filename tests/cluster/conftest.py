"""A small SLURM on this machine's loopback, the small book, and the command in a process of its own."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURE = pathlib.Path(__file__).with_name("slurm.sh")
DAEMONS = ("munged", "slurmctld", "slurmd")
RUN = ("run.paths=16384", "run.block=512", "run.months=12", "report.html=false", "report.xlsx=false")
PATIENCE = 240.0
"""Seconds to wait for a job of a few seconds on a machine that has other work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs an engine that is not part of the pinned environment."""
    here = pathlib.Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.cluster)


def missing(*packages: str) -> str:
    """Which of the packages this Python lacks, in words; empty where it has all."""
    lacking = [name for name in packages if importlib.util.find_spec(name) is None]
    return f"{' and '.join(lacking)} not installed: run make test-cluster" if lacking else ""


def undertow(*arguments: str, code: int = 0) -> str:
    """Give the command in a process of its own, which must end with a code; what it said on stderr."""
    line = (sys.executable, "-m", "experiments.main", *arguments)
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=3 * PATIENCE)
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stderr


def wait_until(ready: Callable[[], bool], what: str) -> None:
    """Until something is so; fails when it takes too long."""
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, f"{what} in {PATIENCE:.0f} s"
        time.sleep(0.05)


class Slurm:
    """The controller of the small cluster."""

    def submit(self, script: pathlib.Path, *options: str) -> str:
        """Number of the job of a batch script."""
        return self.ask("sbatch", "--parsable", *options, str(script)).strip()

    def ask(self, *command: str) -> str:
        """What a command of SLURM answers."""
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    def state(self, job: str) -> dict[str, str]:
        """Fields of a job, such as JobState, Restarts and ExitCode."""
        return dict(re.findall(r"(\w+)=(\S+)", self.ask("scontrol", "show", "job", job)))

    def wait_for_restart(self, job: str) -> None:
        """Until the job, put back into the queue, has begun again."""
        wait_until(lambda: self.state(job)["Restarts"] == "1", f"job {job} was not put back into the queue")
        wait_until(lambda: self.state(job)["JobState"] != "PENDING", f"job {job} did not begin again")

    def wait_for_end(self, job: str) -> dict[str, str]:
        """Fields of the job when nothing of it runs or waits any more."""
        going = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING"}
        wait_until(lambda: self.state(job)["JobState"] not in going, f"job {job} did not end")
        return self.state(job)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """Two nodes that take jobs; the commands of SLURM find them by SLURM_CONF."""
    lacking = [name for name in DAEMONS if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"{' and '.join(lacking)} not installed: run make test-cluster")
    if os.geteuid() != 0:
        pytest.skip("the daemons of the small SLURM want to be root")
    folder = tmp_path_factory.mktemp("slurm")
    begun = subprocess.run([FIXTURE, "start", folder], stdout=subprocess.PIPE, text=True)
    assert begun.returncode == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", begun.stdout.strip())
        # Batch scripts call `undertow`, which must be the one under test.
        patch.setenv("PATH", os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]))
        patch.setenv("PYTHONPATH", str(ROOT))
        yield Slurm()
    subprocess.run([FIXTURE, "stop", folder], check=True)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """Arguments that choose the small worked book."""
    folder = tmp_path_factory.mktemp("book")
    undertow("task=template", f"template.dir={folder / 'book'}")
    return ("book=own", f"book.path={folder / 'book' / 'worked_small'}")
