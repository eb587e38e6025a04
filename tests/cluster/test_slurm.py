"""SLURM itself: an array of jobs, and runs that are put back into the queue, say what a run at home says."""

import json
import re

import pytest

from tests.cluster.conftest import ROOT, RUN, missing, undertow, wait_until
from tests.experiments.kills import going_on, results_of, saves

LONG = ("run.paths=262144", *RUN[1:], "run.checkpoint_seconds=0.5")
"""Long enough to be stopped on the way."""


@pytest.fixture(scope="module")
def undisturbed(book, tmp_path_factory):
    """Results of the long run, left alone."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    undertow(*book, *LONG, f"run.dir={folder}")
    return results_of(folder)


@pytest.fixture
def launcher(slurm, tmp_path):
    """Arguments that send a sweep's jobs to the small cluster."""
    if said := missing("submitit", "hydra_plugins.hydra_submitit_launcher"):
        pytest.skip(said)
    settings = {"partition": "batch", "cpus_per_task": 1, "mem_gb": 3, "timeout_min": 10}
    settings["submitit_folder"] = tmp_path / "submitit" / "%j"
    return ("hydra/launcher=submitit_slurm", *(f"hydra.launcher.{key}={settings[key]}" for key in settings))


def documented_script(command: str) -> str:
    """The batch script of docs/operations.md with another command and resources this cluster has."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [script] = re.findall(r"^    (#!/bin/bash\n(?:    .*\n)+)", page, re.M)
    script = re.sub(r"^    ", "", script, flags=re.M)
    script, resources = re.subn(r"--cpus-per-task=\d+ --mem=\w+", "--cpus-per-task=1 --mem=3G", script)
    script, commands = re.subn(r"(?<=^srun )undertow .*$", lambda _: command, script, flags=re.M)
    assert (resources, commands) == (1, 1)
    return script


def test_an_array_says_what_the_same_jobs_say_at_home(launcher, book, tmp_path):
    jobs = ("-m", *book, *RUN, "scenario=baseline,bust,plateau")
    undertow(*jobs, f"run.dir={tmp_path / 'home'}")
    said = undertow(*jobs, f"run.dir={tmp_path / 'cluster'}", *launcher)
    home, cluster = sorted((tmp_path / "home").iterdir()), sorted((tmp_path / "cluster").iterdir())
    assert [path.name for path in home] == [path.name for path in cluster]
    assert len(home) == 3 and "jobs are done already" not in said
    for one, other in zip(home, cluster, strict=True):
        assert results_of(one) == results_of(other)
    tasks = {name for path in (tmp_path / "submitit").iterdir() for name in re.findall(r"_[0-2]$", path.name)}
    assert tasks == {"_0", "_1", "_2"}
    assert "3 of 3 jobs are done already" in undertow(*jobs, f"run.dir={tmp_path / 'cluster'}", *launcher)


def test_a_preempted_batch_script_goes_on_from_its_checkpoint(slurm, book, undisturbed, tmp_path):
    folder, script = tmp_path / "run", tmp_path / "night.sh"
    script.write_text(documented_script(" ".join(("undertow", *book, *LONG, f"run.dir={folder}"))))
    job = slurm.submit(script, f"--output={tmp_path / 'night.log'}")
    wait_until(lambda: saves(folder) >= 2, "the run was not saved twice")
    slurm.ask("scancel", "--signal=USR1", job)
    slurm.wait_for_restart(job)
    assert slurm.wait_for_end(job)["JobState"] == "COMPLETED", (tmp_path / "night.log").read_text()
    assert going_on(folder) == 1
    assert results_of(folder) == undisturbed
    assert json.loads((folder / "summary.json").read_text())["timing"]["sessions"] == 2
