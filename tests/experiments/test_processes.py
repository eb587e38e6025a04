"""One run over two processes that meet on this machine: the numbers of one, one that writes, one end."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.loopback import free_address

SMALL = ("run.paths=5000", "run.block=512", "run.months=12", "run.seed=3", "report.html=false")


@pytest.fixture
def book(undertow):
    """The worked book of the template."""
    assert undertow("task=template", "template.dir=mine").code == 0
    return ("book=own", "book.path=mine/worked_small")


@pytest.fixture
def start(tmp_path):
    """`start(*arguments, own=...)` starts processes 0, 1, ... of one run; what is left is killed."""
    address, running = free_address(), []

    def begin(*arguments, own=((), ())):
        shared = ("run.processes=2", f"run.coordinator={address}", *arguments)
        for rank, more in enumerate(own):
            command = [sys.executable, "-m", "experiments.main", *shared, f"run.process={rank}", *more]
            process = subprocess.Popen(
                command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            running.append(process)
        return running

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def ended(running):
    """(code, standard output, standard error) of each."""
    said = [process.communicate(timeout=240) for process in running]
    return [(process.returncode, *each) for process, each in zip(running, said, strict=True)]


def tables(folder):
    """Every table of a run by name."""
    return {path.stem: pd.read_parquet(path) for path in sorted((folder / "results").glob("*.parquet"))}


@pytest.mark.parametrize(
    "sampler",
    [
        (),
        ("sampler=sobol", "run.paths=4096", "sampler.replications=4"),
        ("sampler=importance", "sampler.learning_paths=8192"),
        ("run.kernel=auto",),
    ],
)
def test_two_processes_are_one_run(undertow, book, start, tmp_path, sampler):
    assert undertow(*book, *SMALL, *sampler, "run.dir=one").code == 0
    first, second = ended(start(*book, *SMALL, *sampler, "run.dir=two", "run.devices=1"))
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert "System loss" in first[1] and second[1] == ""
    one, two = tables(tmp_path / "one"), tables(tmp_path / "two")
    assert list(one) == list(two) and len(one) >= 10
    for name, table in one.items():
        pd.testing.assert_frame_equal(two[name], table, check_exact=True)
    provenance = json.loads((tmp_path / "two" / "provenance.json").read_text())
    assert provenance["processes"] == 2
    ranks = [json.loads(line)["rank"] for line in (tmp_path / "two" / "log.jsonl").read_text().splitlines()]
    assert set(ranks) == {0}
    line = json.loads(second[2].splitlines()[0])
    assert (line["rank"], line["run"]) == (1, provenance["run"])


def test_four_devices_are_one_run(undertow, book, tmp_path):
    assert undertow(*book, *SMALL, "run.dir=one").code == 0
    four = [sys.executable, "-m", "experiments.main", *book, *SMALL, "run.dir=four", "run.devices=4"]
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    subprocess.run(four, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=240)
    assert "4 cpu devices" in json.loads((tmp_path / "four" / "provenance.json").read_text())["device"]
    for name, table in tables(tmp_path / "one").items():
        pd.testing.assert_frame_equal(tables(tmp_path / "four")[name], table, check_exact=True)


def test_a_signal_to_either_stops_both_and_the_run_goes_on_alone(undertow, book, start, tmp_path):
    assert undertow(*book, *SMALL, "run.paths=200000", "run.dir=one").code == 0
    slow = (*book, *SMALL, "run.paths=200000", "run.dir=two")
    running = start(*slow, "run.devices=1", "run.checkpoint_seconds=1e-6")
    checkpoint = tmp_path / "two" / "checkpoint.npz"
    waited = time.monotonic()
    while not checkpoint.exists() and time.monotonic() - waited < 200 and running[0].poll() is None:
        time.sleep(0.05)
    running[1].send_signal(signal.SIGTERM)
    first, second = ended(running)
    assert (first[0], second[0]) == (3, 3), first[2] + second[2]
    assert json.loads((tmp_path / "two" / "status.json").read_text())["status"] == "interrupted"
    answer = undertow(*slow)
    assert answer.code == 0 and "going on from" in answer.err
    one, two = tables(tmp_path / "one"), tables(tmp_path / "two")
    for name, table in one.items():
        pd.testing.assert_frame_equal(two[name], table, check_exact=True)


def test_processes_about_different_runs_are_refused(book, start, tmp_path):
    running = start(*book, *SMALL, "run.dir=two", "run.devices=1", own=((), ("run.seed=4",)))
    first, second = ended(running)
    assert (first[0], second[0]) == (2, 2)
    assert "config.run.seed: 3 there, 4 here" in second[2]
    assert "process 1 ended with code 2" in first[2]
    assert json.loads((tmp_path / "two" / "status.json").read_text())["status"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run.processes=0",), "run.processes: got 0"),
        (("run.processes=slurm",), "SLURM_JOB_ID is not set"),
        (("run.processes=2",), "run.coordinator: got None"),
        (("run.processes=2", "run.process=2", "run.coordinator=a:1"), "run.process: got 2"),
        (("run.processes=2", "run.coordinator=nowhere"), "run.coordinator: got 'nowhere'"),
        (("run.processes=2", "run.coordinator=a:1", "task=greeks"), "run.processes: got 2"),
        (("-m", "run.processes=2", "run.coordinator=a:1", "run.seed=1,2"), "run.processes: got 2"),
    ],
)
def test_what_does_not_fit_is_refused(undertow, arguments, said, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    answer = undertow(*arguments)
    assert answer.code == 2
    assert said in answer.err
