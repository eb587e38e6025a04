"""Sweeps: all jobs sound or none started; each in its own folder; the gravest exit code wins."""

import json
import os
import signal

from experiments.sweep import mark_interrupted


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
        mark_interrupted(tmp_path / name / "status.json")
    mark_interrupted(tmp_path / "never begun" / "status.json")
    assert status(tmp_path / "cut")["status"] == "interrupted"
    assert status(tmp_path / "ready")["status"] == "done"


def test_side_by_side_in_their_own_processes(undertow, tmp_path):
    answer = undertow(
        "-m", "task=template", "template.dir=x,y", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"
    )
    assert answer.code == 0
    for name in ("x", "y"):
        assert {path.name for path in (tmp_path / name).iterdir()} == {"README.md", "empty", "worked_small"}
