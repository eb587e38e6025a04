"""Sweeps: all jobs sound or none started; each in its own folder; the gravest exit code wins."""

import json
import os
import signal
import sys

import pytest
from hydra.core.plugins import Plugins

from experiments.session.lock import Lock
from experiments.sweeps.job import headline, mark


def test_one_bad_job_and_none_is_started(undertow, engine, untouched):
    with untouched():
        answer = undertow("-m", "chips.life=4,-1,nan", "scenario=plateau,nope", "run.dir=a")
    assert answer.code == 2
    assert "3 problems" in answer.err
    for words in ("scenario: got 'nope'", "chips.life: got -1.0", "chips.life: got nan"):
        assert words in answer.err
    assert engine.runs == []


def test_a_job_asking_for_a_bad_book_stops_the_sweep(undertow, engine, untouched):
    with untouched():
        answer = undertow("-m", "book.name=ai_credit_2025,nope,neither", "run.dir=a")
    assert answer.code == 2
    assert "book.name: got book 'nope'" in answer.err
    assert "book.name: got book 'neither'" in answer.err
    assert engine.runs == []


def test_each_job_has_a_folder_named_after_what_it_varies(undertow, engine, status, tmp_path):
    answer = undertow("-m", "scenario=baseline,plateau", "chips.life=4,5", "run.seed=9", "run.dir=out/a")
    folders = sorted(path.name for path in (tmp_path / "out" / "a").iterdir())
    assert [name.rpartition("-")[0] for name in folders] == [
        f"scenario-{scenario}-chips.life-{life}" for scenario in ("baseline", "plateau") for life in (4, 5)
    ]
    assert answer.code == 0
    assert {status(tmp_path / "out" / "a" / name)["status"] for name in folders} == {"done"}
    assert [parameters.chips.life for (_, parameters, _), _ in engine.runs] == [4.0, 5.0, 4.0, 5.0]
    assert {plan.seed for _, plan in engine.runs} == {9}
    assert "ES 99% 5y 10.0 ± 0.1 USD bn" in answer.out
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_experiment_may_be_a_sweep(undertow, engine):
    assert undertow("experiment=chip_life_sweep", "run.dir=a").code == 0
    assert [parameters.chips.life for (_, parameters, _), _ in engine.runs] == [3.0, 4.0, 5.0, 6.0, 8.0]


def test_a_failed_job_does_not_stop_the_others(undertow, engine):
    def fail_second(progress, stopped):
        if len(engine.runs) == 2:
            raise RuntimeError("no luck")

    engine.during = fail_second
    answer = undertow("-m", "run.seed=1,2,3", "run.dir=a")
    assert answer.code == 1
    assert len(engine.runs) == 3
    _, _, table = answer.out.rpartition("3 jobs in all\n")
    assert [line.split()[0] for line in table.splitlines()] == ["done", "failed", "done"]


def test_an_interruption_ends_the_sweep(undertow, engine, status, tmp_path):
    engine.during = lambda progress, stopped: os.kill(os.getpid(), signal.SIGINT)
    assert undertow("-m", "run.seed=1,2,3", "run.dir=a").code == 3
    assert len(engine.runs) == 1
    [folder] = (tmp_path / "a").iterdir()
    assert status(folder)["status"] == "interrupted"


def test_jobs_cut_off_elsewhere_are_said_to_be_interrupted(status, tmp_path):
    for name, state in {"cut": "running", "ready": "done"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "status.json").write_text(json.dumps({"status": state}))
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "status.json").write_text(json.dumps({"status": "running"}))
    lock = Lock(tmp_path / "busy")
    for name in ("cut", "ready", "busy", "never begun"):
        mark(tmp_path / name / "status.json", "interrupted", "the sweep was stopped")
    lock.release()
    assert status(tmp_path / "cut")["status"] == "interrupted"
    assert status(tmp_path / "busy")["status"] == "running"
    assert status(tmp_path / "ready")["status"] == "done"


def test_what_is_done_is_left_out_and_what_failed_runs_again(undertow, engine, status, tmp_path):
    def fail_second(progress, stopped):
        if len(engine.runs) == 2:
            raise RuntimeError("no luck")

    engine.during = fail_second
    sweep = ("-m", "run.seed=1,2,3")
    assert undertow(*sweep).code == 1
    [base] = (tmp_path / "out").iterdir()
    assert base.name.startswith("sweep-")
    assert [status(path)["status"] for path in sorted(base.iterdir())] == ["done", "failed", "done"]
    answer = undertow(*sweep)
    assert answer.code == 0
    assert "2 of 3 jobs are done already" in answer.err
    assert [plan.seed for _, plan in engine.runs] == [1, 2, 3, 2]
    assert answer.out.count("ES 99% 5y 10.0") == 3
    assert undertow(*sweep).code == 0
    assert len(engine.runs) == 4
    assert undertow(*sweep, "run.resume=false").code == 0
    assert len(engine.runs) == 7


def test_what_is_done_is_left_out_whatever_the_task(undertow, engine):
    sweep = ("-m", "task=network_ensemble", "network.networks=2,3", "run.dir=a")
    assert undertow(*sweep).code == 0
    runs = len(engine.runs)
    answer = undertow(*sweep)
    assert answer.code == 0 and "2 of 2 jobs are done already" in answer.err
    assert len(engine.runs) == runs > 0


def test_any_task_with_a_bad_book_stops_the_sweep(undertow, engine, untouched):
    with untouched():
        answer = undertow("-m", "task=network_ensemble", "book.name=ai_credit_2025,nope", "run.dir=a")
    assert answer.code == 2 and "book.name: got book 'nope'" in answer.err
    assert engine.runs == []


def test_a_wider_sweep_in_the_same_folder_runs_only_what_is_new(undertow, engine):
    assert undertow("-m", "run.seed=1,2", "run.dir=a").code == 0
    assert undertow("-m", "run.seed=1,2,3", "run.dir=a").code == 0
    assert [plan.seed for _, plan in engine.runs] == [1, 2, 3]


@pytest.mark.parametrize("part", ["book", "sources", "page"])
def test_a_job_of_another_book_or_engine_or_without_its_page_runs_again(part, undertow, engine, monkeypatch):
    sweep = ("-m", "run.seed=1,2", "run.dir=a")
    undertow(*sweep, *(["report.html=false"] if part == "page" else []))
    if part == "book":
        book = sys.modules["engine.book.load"].load_book(None, False)
        monkeypatch.setattr(book, "hash", "1" * 64)
    elif part == "sources":
        monkeypatch.setattr("engine.results.provenance.sources", lambda: "other")
    assert undertow(*sweep).code == 0
    assert len(engine.runs) == 4


def test_doubts_of_a_job_that_is_left_out_still_count(undertow, engine):
    engine.summary = {"flagged_paths": {"lender_clearing": 5000}, "warnings": []}
    sweep = ("-m", "run.seed=1,2", "run.dir=a")
    assert undertow(*sweep).code == 4
    assert undertow(*sweep).code == 4
    assert undertow(*sweep, "report.most_flagged=1").code == 0
    assert len(engine.runs) == 2


def test_an_interrupted_sweep_goes_on_inside_its_jobs(undertow, engine):
    sweep = ("-m", "run.seed=1,2", "run.paths=4096", "run.block=512")

    def interrupt(done):
        if len(engine.runs) == 2 and done == 1024:
            os.kill(os.getpid(), signal.SIGTERM)

    engine.after = interrupt
    assert undertow(*sweep).code == 3
    engine.after = lambda done: None
    assert undertow(*sweep).code == 0
    assert engine.started == [0, 0, 1024]


def test_a_job_s_folder_that_cannot_be_used_stops_the_sweep(undertow, engine, tmp_path):
    assert undertow("-m", "run.seed=1,2", "run.dir=a").code == 0
    first, second = sorted((tmp_path / "a").iterdir())
    lock = Lock(first)
    (second / "status.json").unlink()
    answer = undertow("-m", "run.seed=1,2,3", "run.dir=a")
    lock.release()
    assert answer.code == 2
    assert (
        "2 problems" in answer.err and "still is" in answer.err and "this one holds other files" in answer.err
    )
    assert len(engine.runs) == 2


def test_a_launcher_that_breaks_down_fails_the_jobs_it_lost(undertow, engine, status, monkeypatch, tmp_path):
    basic = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
    launcher = Plugins.instance().class_name_to_class[basic]
    whole = launcher.launch

    def lost(self, jobs, initial_job_idx):
        whole(self, jobs[:1], initial_job_idx)
        [path] = [value for value in jobs[1] if value.startswith("run.dir=")]
        folder = tmp_path / path.partition("=")[2].strip("'")
        folder.mkdir()
        (folder / "status.json").write_text(json.dumps({"status": "running"}))
        raise RuntimeError("a worker was killed")

    monkeypatch.setattr(launcher, "launch", lost)
    answer = undertow("-m", "run.seed=0,1,2", "run.dir=a")
    assert answer.code == 1
    assert "a worker was killed" in answer.err
    _, _, table = answer.out.rpartition("3 jobs in all\n")
    assert [line.split()[0] for line in table.splitlines()] == ["done", "failed", "failed"]
    assert {status(path)["status"] for path in (tmp_path / "a").iterdir()} == {"done", "failed"}


def test_a_line_says_how_far_the_sweep_is(undertow, engine):
    said = undertow("-m", "run.seed=1,2,3", "run.dir=a").err
    assert "sweep: 3 of 3 jobs, 0 running, 0 failed" in said


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (
            {"system": {"5y": {"es_99": 3.25, "es_99_se": 0.5, "exposure": 40.0}}},
            "ES 99% 5y 3.2 ± 0.5 USD bn",
        ),
        (
            {"system": {"5y": {"es_99": 0.003, "es_99_se": 0.0005, "exposure": 0.4}}},
            "ES 99% 5y 3.0 ± 0.5 USD m",
        ),
        ({"system": {"5y": []}}, ""),
    ],
)
def test_a_job_s_line_is_in_the_unit_of_its_report(tmp_path, document, line):
    (tmp_path / "summary.json").write_text(json.dumps(document))
    assert headline(tmp_path) == line


def test_side_by_side_in_their_own_processes(undertow, tmp_path):
    answer = undertow(
        "-m", "task=template", "template.dir=x,y", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"
    )
    assert answer.code == 0
    for name in ("x", "y"):
        assert {path.name for path in (tmp_path / name).iterdir()} == {"README.md", "empty", "worked_small"}
    # What came back from the other processes has left the schema of this one as it was.
    assert undertow("task=template", "template.dir=z").code == 0
