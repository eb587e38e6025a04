"""The run folder says how the run went, whatever happened to it."""

import hashlib
import json
import os
import signal
import socket
import sys

import pytest
import yaml

from engine.report.chromium import NoBrowser
from engine.results import provenance
from experiments.session.lock import Lock


def lines(folder):
    """Entries of a run's log."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_finished_run_leaves_everything(undertow, engine, status, tmp_path):
    answer = undertow("run.dir=out/a", "run.paths=1e3", "chips.life=6")
    folder = tmp_path / "out" / "a"
    assert (answer.code, status(folder)["status"]) == (0, "done")
    assert "out/a/report.html" in answer.out
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml", "provenance.json", "status.json", "log.jsonl", "results", "summary.json",
        "report.html", "report.xlsx", ".lock",
    }  # fmt: skip
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert (config["run"]["paths"], config["chips"]["life"], config["book"]["name"]) == (
        1000,
        6.0,
        "ai_credit_2025",
    )
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["versions"]["jax"]
    assert provenance["book_hash"] == "0" * 64
    assert len(provenance["config_hash"]) == 64
    assert {line["run"] for line in lines(folder)} == {provenance["run"]}
    assert "1,000 of 1,000" not in answer.err  # the stand-in engine reports no progress


def test_the_engine_gets_plain_numbers(undertow, engine):
    undertow("run.dir=a", "run.paths=1e3", "run.seed=3", "run.months=24", "mechanisms=none")
    [((_, parameters, months), plan)] = engine.runs
    assert (plan.paths, plan.block, plan.seed, months) == (1000, 16384, 3, 24)
    assert parameters.mechanisms.fire_sale == 0.0


def test_a_run_without_a_folder_gets_one_of_its_own(undertow, engine, tmp_path):
    assert undertow().code == 0
    [folder] = (tmp_path / "out").iterdir()
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert folder.name == provenance["run"]
    assert folder.name.endswith(provenance["config_hash"][:8])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so(number, undertow, engine, status, tmp_path):
    def interrupt(progress, stopped):
        assert not stopped()
        os.kill(os.getpid(), number)
        assert stopped()

    engine.during = interrupt
    answer = undertow("run.dir=a")
    assert answer.code == 3
    assert "Traceback" not in answer.err
    assert status(tmp_path / "a")["status"] == "interrupted"
    assert status(tmp_path / "a")["reason"] == signal.Signals(number).name
    assert not (tmp_path / "a" / "summary.json").exists()


def test_a_second_signal_does_not_wait(undertow, engine, status, tmp_path):
    def impatient(progress, stopped):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("still running")

    engine.during = impatient
    assert undertow("run.dir=a").code == 3
    assert status(tmp_path / "a")["status"] == "interrupted"


def test_signals_are_heard_by_others_afterwards(undertow, engine):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    undertow("run.dir=a")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_failed_run_says_why(undertow, engine, status, tmp_path):
    def fail(progress, stopped):
        raise RuntimeError("the floor gave way")

    engine.during = fail
    answer = undertow("run.dir=a")
    assert answer.code == 1
    assert "the floor gave way" in answer.err
    assert status(tmp_path / "a")["status"] == "failed"
    assert status(tmp_path / "a")["reason"] == "RuntimeError: the floor gave way"
    assert "Traceback" in lines(tmp_path / "a")[-1]["traceback"]


def test_an_earlier_run_s_results_go_first(undertow, engine, tmp_path):
    undertow("run.dir=a")

    left = set()
    engine.during = lambda progress, stopped: left.update(path.name for path in (tmp_path / "a").iterdir())
    assert undertow("run.dir=a").code == 0
    assert left == {"config.yaml", "provenance.json", "status.json", "log.jsonl", ".lock"}


@pytest.mark.parametrize(("error", "code"), [(RuntimeError, 1), (KeyboardInterrupt, 3)])
def test_half_of_the_results_is_none(error, code, undertow, engine, tmp_path, monkeypatch):
    def broken(folder, formats, program):
        raise error

    monkeypatch.setattr(sys.modules["engine.report.files"], "write_report", broken)
    assert undertow("run.dir=a").code == code
    left = {path.name for path in (tmp_path / "a").iterdir()}
    assert left == {"config.yaml", "provenance.json", "status.json", "log.jsonl", ".lock"}


def test_a_folder_that_a_living_process_writes_is_left_alone(undertow, engine, tmp_path):
    undertow("run.dir=a")
    lock = Lock(tmp_path / "a")
    answer = undertow("run.dir=a")
    lock.release()
    assert answer.code == 2
    assert f"process {os.getpid()} on {socket.gethostname()} still is" in answer.err
    assert (tmp_path / "a" / "summary.json").exists()


def test_progress_is_a_line_where_nobody_looks_on(undertow, engine, tmp_path):
    engine.during = lambda progress, stopped: progress(1000)
    answer = undertow("run.dir=a", "run.paths=1000")
    said = [entry["message"] for entry in lines(tmp_path / "a") if entry["logger"] == "undertow.progress"]
    assert said == ["compiling, then 1,000 paths", "1,000 of 1,000 paths"]
    assert "\n".join(said) in answer.err
    assert "%" not in answer.err


def test_without_the_page_no_page(undertow, engine, tmp_path):
    assert undertow("run.dir=a", "report.html=false").code == 0
    assert not (tmp_path / "a" / "report.html").exists()
    assert (tmp_path / "a" / "report.xlsx").exists()


def test_files_of_a_browser_are_refused_without_one(undertow, engine, untouched):
    with untouched():
        answer = undertow("run.dir=a", "report.pdf=true", "report.png=true", "report.browser=no/such/program")
    assert answer.code == 2 and engine.runs == []
    assert (
        "report.pdf: got True, expected false: it needs Chromium or Chrome, and there is no program"
        in answer.err
    )
    assert "report.png: got True" in answer.err and "report.svg" not in answer.err


def test_a_browser_that_fails_costs_no_run(undertow, engine, status, tmp_path, monkeypatch):
    def broken(folder, formats, program):
        engine.write_report(folder, ["html"])
        raise NoBrowser("false ended with code 1")

    monkeypatch.setattr(sys.modules["engine.report.files"], "write_report", broken)
    answer = undertow("run.dir=a", "report.pdf=true", f"report.browser={sys.executable}")
    assert answer.code == 1 and status(tmp_path / "a")["status"] == "done"
    assert "the run is done, its report is not complete: false ended with code 1" in answer.err
    assert (tmp_path / "a" / "summary.json").exists() and (tmp_path / "a" / "report.html").exists()


def test_too_many_flagged_paths_are_not_reliable(undertow, engine, status, tmp_path):
    engine.summary = {"flagged_paths": {"contract_clearing": 3, "lender_clearing": 1}}
    answer = undertow("run.dir=a", "run.paths=1000", "report.most_flagged=0.002")
    assert answer.code == 4
    assert "0.30% of paths are flagged contract_clearing, at most 0.20% are accepted" in answer.err
    assert "lender_clearing" not in answer.err
    assert (status(tmp_path / "a")["status"], status(tmp_path / "a")["reliable"]) == ("done", False)
    assert undertow("run.dir=a", "run.paths=1000", "report.most_flagged=0.003").code == 0
    assert status(tmp_path / "a")["reliable"] is True


def test_an_unresolved_tail_fails_where_asked(undertow, engine):
    engine.summary = {"flagged_paths": {}, "warnings": ["the 99.9% tail rests on 3 paths"]}
    assert undertow("run.dir=a").code == 0
    answer = undertow("run.dir=a", "report.fail_on_unresolved=true")
    assert answer.code == 4
    assert "the 99.9% tail rests on 3 paths" in answer.err


def test_sources_are_a_digest_of_every_source_file(monkeypatch, tmp_path):
    of_nothing = hashlib.sha256().hexdigest()
    assert provenance.sources() != of_nothing
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    digests = [provenance.sources()]
    (tmp_path / "engine" / "paths").mkdir(parents=True)
    for name, text in (("a.py", "x = 1"), ("a.py", "x = 2"), ("paths/b.py", ""), ("paths/c.py", "")):
        (tmp_path / "engine" / name).write_text(text)
        digests.append(provenance.sources())
    assert digests[0] == of_nothing and len(set(digests)) == 5
