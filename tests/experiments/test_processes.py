"""One run over two processes that meet on this machine: the numbers of one, one that writes, one end."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from experiments.session.processes import share_token
from tests.loopback import free_address

SMALL = (
    "run.paths=5000",
    "run.block=512",
    "run.months=12",
    "run.seed=3",
    "report.html=false",
    "report.xlsx=false",
)


@pytest.fixture
def book(undertow):
    """The worked book of the template."""
    assert undertow("task=template", "template.dir=mine").code == 0
    return ("book=own", "book.path=mine/worked_small")


@pytest.fixture
def start(tmp_path):
    """`start(*arguments, own=...)` starts processes 0, 1, ... of one run; what is left is killed."""
    address, running = free_address(), []

    def begin(*arguments, own=((), ()), tokens=("one secret of a test",) * 2):
        shared = ("run.processes=2", f"run.coordinator={address}", *arguments)
        for rank, more in enumerate(own):
            command = [sys.executable, "-m", "experiments.main", *shared, f"run.process={rank}", *more]
            process = subprocess.Popen(
                command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=os.environ | {"UNDERTOW_TOKEN": tokens[rank]},
            )  # fmt: skip
            running.append(process)
        return running

    begin.running = running
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
        pytest.param(("sampler=importance", "sampler.learning_paths=8192"), marks=pytest.mark.whole),
        pytest.param(("sampler=sobol", "run.paths=4096", "sampler.replications=4"), marks=pytest.mark.whole),
        pytest.param(("run.kernel=auto",), marks=pytest.mark.whole),
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


@pytest.mark.whole
def test_four_devices_are_one_run(undertow, book, tmp_path):
    assert undertow(*book, *SMALL, "run.dir=one").code == 0
    four = [sys.executable, "-m", "experiments.main", *book, *SMALL, "run.dir=four", "run.devices=4"]
    environment = os.environ | {
        "XLA_FLAGS": re.sub(r"(device_count=)\d+", r"\g<1>4", os.environ["XLA_FLAGS"])
    }
    subprocess.run(four, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=240)
    assert "4 cpu devices" in json.loads((tmp_path / "four" / "provenance.json").read_text())["device"]
    for name, table in tables(tmp_path / "one").items():
        pd.testing.assert_frame_equal(tables(tmp_path / "four")[name], table, check_exact=True)


LONG = (*SMALL, "run.paths=60000")
SLOW = (*LONG, "run.devices=1", "run.checkpoint_seconds=1e-6")
"""Long enough to lose a process on the way."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Tables of the long run in one process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    main = [sys.executable, "-m", "experiments.main"]
    own = ("book=own", "book.path=mine/worked_small", "run.dir=one")
    for arguments in (("task=template", "template.dir=mine"), (*own, *LONG)):
        subprocess.run([*main, *arguments], cwd=folder, check=True, capture_output=True, timeout=240)
    return tables(folder / "one")


def wait_for_checkpoint(folder, process):
    """Until a run has been saved, or its process has ended."""
    end = time.monotonic() + 200
    while not (folder / "checkpoint.npz").exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def test_a_signal_to_either_stops_both_and_the_run_goes_on_alone(
    undertow, book, start, tmp_path, undisturbed
):
    running = start(*book, *SLOW, "run.dir=two")
    wait_for_checkpoint(tmp_path / "two", running[0])
    running[1].send_signal(signal.SIGTERM)
    first, second = ended(running)
    assert (first[0], second[0]) == (3, 3), first[2] + second[2]
    assert json.loads((tmp_path / "two" / "status.json").read_text())["status"] == "interrupted"
    answer = undertow(*book, *LONG, "run.dir=two")
    assert answer.code == 0 and "going on from" in answer.err
    for name, table in undisturbed.items():
        pd.testing.assert_frame_equal(tables(tmp_path / "two")[name], table, check_exact=True)


def test_processes_about_different_runs_are_refused(book, start, tmp_path):
    running = start(*book, *SMALL, "run.dir=two", "run.devices=1", own=((), ("run.seed=4",)))
    first, second = ended(running)
    assert (first[0], second[0]) == (2, 2)
    assert "config.run.seed: 3 there, 4 here" in second[2]
    assert "process 1 ended with code 2" in first[2]
    assert json.loads((tmp_path / "two" / "status.json").read_text())["status"] == "failed"


@pytest.mark.parametrize(("lost", "number"), [(1, signal.SIGKILL), (0, signal.SIGSTOP)])
def test_a_process_that_dies_or_freezes_ends_the_others_and_the_run_resumes(
    undertow, book, start, tmp_path, undisturbed, lost, number
):
    running = start(*book, *SLOW, "run.dir=two")
    wait_for_checkpoint(tmp_path / "two", running[0])
    running[lost].send_signal(number)
    begun = time.monotonic()
    said = running[1 - lost].communicate(timeout=100)[1]
    assert time.monotonic() - begun < 60.0
    assert running[1 - lost].returncode == 5, said
    assert f"process {lost} was lost" in said and "Traceback" not in said
    if lost == 0:
        return
    status = json.loads((tmp_path / "two" / "status.json").read_text())
    assert status["status"] == "interrupted" and "process 1 was lost" in status["reason"]
    answer = undertow(*book, *LONG, "run.dir=two")
    assert answer.code == 0 and "going on from" in answer.err
    for name, table in undisturbed.items():
        pd.testing.assert_frame_equal(tables(tmp_path / "two")[name], table, check_exact=True)


@pytest.mark.parametrize("alone", [0, 1])
def test_a_process_that_never_comes_is_not_waited_for(book, start, tmp_path, alone):
    begun = time.monotonic()
    process = start(*book, "run.arrival_seconds=2", "run.dir=two")[alone]
    start.running[1 - alone].kill()
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 5, said
    assert f"undertow: process {1 - alone} was lost: it did not" in said and "within 2 s" in said
    assert "Traceback" not in said and not (tmp_path / "two").exists()
    assert time.monotonic() - begun < 60.0


def test_a_wrong_token_is_refused_and_said(book, start):
    running = start(*book, "run.arrival_seconds=8", tokens=("one secret of a test", "another secret here"))
    first, second = ended(running)
    assert (first[0], second[0]) == (5, 2)
    assert "run.processes: the token of process 1 is not that of process 0" in second[2]
    assert "refused: wrong token" in first[2] and "callers refused: 1" in first[2]


def test_an_address_of_another_machine_cannot_be_bound(undertow, book, monkeypatch):
    monkeypatch.setenv("UNDERTOW_TOKEN", "x" * 16)
    answer = undertow(*book, "run.processes=2", "run.coordinator=192.0.2.1:7777")
    assert answer.code == 2
    assert "run.coordinator: got '192.0.2.1:7777', expected an address of this machine" in answer.err


@pytest.mark.parametrize(("token", "got"), [(None, "none"), ("", "none"), ("short", "one of 5 characters")])
def test_without_a_token_nothing_starts(undertow, book, monkeypatch, token, got):
    monkeypatch.delenv("UNDERTOW_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("UNDERTOW_TOKEN", token)
    answer = undertow(*book, "run.processes=2", "run.coordinator=127.0.0.1:7777")
    assert answer.code == 2 and f"UNDERTOW_TOKEN: got {got}, expected a secret" in answer.err


def test_a_launcher_of_several_shares_one_token():
    environment = {}
    share_token(environment)
    token = environment["UNDERTOW_TOKEN"]
    share_token(environment)
    assert len(token) == 64 and environment["UNDERTOW_TOKEN"] == token


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run.processes=0",), "run.processes: got 0"),
        (("run.processes=slurm",), "SLURM_JOB_ID is not set"),
        (("run.processes=2",), "run.coordinator: got None"),
        (("run.processes=2", "run.process=2", "run.coordinator=a:1"), "run.process: got 2"),
        (("run.processes=2", "run.coordinator=nowhere"), "run.coordinator: got 'nowhere'"),
        (("run.processes=2", "run.coordinator=a:65536"), "run.coordinator: got 'a:65536'"),
        (("run.processes=2", "run.coordinator=a:0"), "expected host:port of process 0, with a port"),
        (("run.processes=2", "run.coordinator=a:99999999"), "run.coordinator: got 'a:99999999'"),
        (("run.processes=2", "run.coordinator=a:1", "run.arrival_seconds=0"), "run.arrival_seconds: got 0"),
        (("run.processes=2", "run.coordinator=a:1", "task=greeks"), "run.processes: got 2"),
        (("-m", "run.processes=2", "run.coordinator=a:1", "run.seed=1,2"), "run.processes: got 2"),
    ],
)
def test_what_does_not_fit_is_refused(undertow, arguments, said, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    answer = undertow(*arguments)
    assert answer.code == 2
    assert said in answer.err
