"""The same command goes on from where an interrupted run was saved; any other is refused."""

import json
import logging
import os
import re
import signal

import numpy as np
import pytest

from engine.run import checkpoint
from experiments.session.checkpoints import differences
from experiments.session.lock import Lock

PATHS, BLOCK = 40 * 512, 512
RUN = (f"run.paths={PATHS}", f"run.block={BLOCK}", "run.checkpoint_seconds=1e-9")


@pytest.fixture
def summary(tmp_path):
    """`summary(folder)` is its summary.json without what tells one session from another."""

    def read(name):
        entry = json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8"))
        return {key: value for key, value in entry.items() if key not in ("run", "command", "timing")}

    return read


@pytest.fixture
def killed(engine, undertow):
    """`killed(done, *arguments)` runs the command and ends it, as by SIGKILL, when so many paths are done."""

    class Killed(BaseException):
        """Nobody catches it."""

    def run(done, *arguments):
        def kill(now):
            if now >= done:
                raise Killed

        engine.after = kill
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("experiments.session.run_folder.RunFolder.__exit__", gone)
            with pytest.raises(Killed):
                undertow(*arguments)
        engine.after = lambda now: None

    def gone(folder, *_):
        folder.lock.release()
        for handler in folder.handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()

    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_saves_and_the_same_command_goes_on(number, undertow, engine, status, summary, tmp_path):
    undertow("run.dir=whole", *RUN)

    def interrupt(done):
        if done == 5 * BLOCK:
            os.kill(os.getpid(), number)

    engine.after = interrupt
    slow = (*RUN[:2], "run.dir=a", "run.checkpoint_seconds=1e6")
    answer = undertow(*slow)
    assert answer.code == 3
    assert "saved at 2,560 of 20,480 paths" in answer.err
    assert status(tmp_path / "a")["status"] == "interrupted"
    before = status(tmp_path / "a")["run"]
    assert undertow(*slow).code == 0
    assert engine.started == [0, 0, 5 * BLOCK]
    assert summary("a") == summary("whole")
    assert status(tmp_path / "a")["run"] == before
    assert not checkpoint.checkpoints_in(tmp_path / "a")
    timing = json.loads((tmp_path / "a" / "summary.json").read_text())["timing"]
    assert timing["sessions"] == 2
    log = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert {line["run"] for line in log} == {before}
    assert any(line["message"] == "going on from 2,560 of 20,480 paths" for line in log)


def test_any_number_of_kills_leaves_no_trace(undertow, engine, killed, summary, tmp_path):
    undertow("run.dir=whole", *RUN)
    rng = np.random.default_rng(3)
    for done in np.sort(rng.integers(1, PATHS, 8)):
        killed(done, "run.dir=a", *RUN)
    assert undertow("run.dir=a", *RUN).code == 0
    assert engine.started == sorted(engine.started)
    assert engine.started[-1] > 0
    assert summary("a") == summary("whole")


def test_without_a_folder_the_latest_interrupted_run_goes_on(undertow, engine, killed, tmp_path):
    killed(4 * BLOCK, *RUN)
    [folder] = (tmp_path / "out").iterdir()
    assert undertow(*RUN, "run.seed=8").code == 0
    assert undertow(*RUN).code == 0
    assert engine.started == [0, 0, 3 * BLOCK]
    assert (folder / "summary.json").exists()
    assert undertow(*RUN).code == 0
    assert engine.started[-1] == 0


def test_another_run_s_checkpoint_is_refused_by_name(undertow, engine, killed, tmp_path):
    killed(4 * BLOCK, "run.dir=a", *RUN)
    before = (tmp_path / "a" / "status.json").read_text()
    answer = undertow("run.dir=a", *RUN, "chips.life=5", "run.seed=8")
    assert answer.code == 2
    for words in ("2 problems", "config.chips.life: 6.0 there, 5.0 here", "config.run.seed: 7 there, 8 here"):
        assert words in answer.err
    assert "run.resume=false discards it" in answer.err
    assert (tmp_path / "a" / "status.json").read_text() == before
    assert undertow("run.dir=a", *RUN, "chips.life=5", "run.seed=8", "run.resume=false").code == 0
    assert engine.started == [0, 0]
    assert not checkpoint.checkpoints_in(tmp_path / "a")


@pytest.mark.parametrize(
    "part, words",
    [
        ("book", "a different book, or this one with other numbers"),
        ("sources", "a different version of the engine's source code"),
        ("versions.jax", " there, 0.0.1 here"),
        ("versions.compiler", " there, 0.0.1 here"),
    ],
)
def test_another_book_or_engine_is_refused_in_words(part, words, undertow, killed, monkeypatch):
    killed(4 * BLOCK, "run.dir=a", *RUN)
    from engine.results import provenance

    if part == "book":
        import sys

        book = sys.modules["engine.book.load"].load_book(None, False)
        monkeypatch.setattr(book, "hash", "1" * 64)
    elif part == "sources":
        monkeypatch.setattr(provenance, "sources", lambda: "other")
    else:
        versions = provenance.versions() | {part.partition(".")[2]: "0.0.1"}
        monkeypatch.setattr(provenance, "versions", lambda: versions)
    answer = undertow("run.dir=a", *RUN)
    assert answer.code == 2
    assert f"holds the checkpoint of another run, {part}: " in answer.err
    assert words in answer.err and "run.resume=false discards it" in answer.err
    assert not re.search("[0-9a-f]{16}", answer.err), "hashes say nothing to a person"


def test_the_compiler_counts_where_a_kernel_may_run(undertow, engine, killed, monkeypatch):
    """XLA's form has the same bits whatever C++ compiler there is."""
    killed(4 * BLOCK, "run.dir=a", "run.kernel=xla", *RUN)
    from engine.results import provenance

    versions = provenance.versions() | {"compiler": "0.0.1"}
    monkeypatch.setattr(provenance, "versions", lambda: versions)
    assert undertow("run.dir=a", "run.kernel=xla", *RUN).code == 0
    assert engine.started == [0, 3 * BLOCK]


def test_keys_of_one_version_of_the_code_are_counted():
    theirs = {"sources": "3f", "config": {"run": {"seed": 7}, "chips": {"age": 1.0}}}
    ours = {
        "sources": "9c",
        "config": {"run": {"seed": 8}, "chips": {"life": 8.0}, "lenders": {"floor": 0.1}},
    }
    assert differences(theirs, ours) == [
        "sources: a different version of the engine's source code",
        "config.run.seed: 7 there, 8 here",
        "config: 3 keys that only one of the two versions has",
    ]


def test_what_changes_no_number_may_change(undertow, engine, killed):
    killed(4 * BLOCK, "run.dir=a", *RUN)
    changed = ("run.devices=1", "run.checkpoint_seconds=30", "report.html=false", "report.xlsx=false")
    assert undertow("run.dir=a", *RUN[:2], *changed).code == 0
    assert engine.started == [0, 3 * BLOCK]


def test_a_damaged_checkpoint_is_said_and_the_one_before_taken(undertow, engine, killed, summary, tmp_path):
    undertow("run.dir=whole", *RUN)
    killed(6 * BLOCK, "run.dir=a", *RUN)
    latest, _ = checkpoint.checkpoints_in(tmp_path / "a")
    latest.write_bytes(latest.read_bytes()[:-100])
    answer = undertow("run.dir=a", *RUN)
    assert "checkpoint.npz: not a whole checkpoint" in answer.err
    assert engine.started[-1] == 4 * BLOCK
    assert summary("a") == summary("whole")


def test_when_all_are_damaged_the_run_starts_over(undertow, engine, killed, summary, tmp_path):
    undertow("run.dir=whole", *RUN)
    killed(6 * BLOCK, "run.dir=a", *RUN)
    for path in checkpoint.checkpoints_in(tmp_path / "a"):
        path.write_bytes(b"nothing")
    answer = undertow("run.dir=a", *RUN)
    assert "no checkpoint can be read: the run starts over" in answer.err
    assert (answer.code, engine.started[-1]) == (0, 0)
    assert summary("a") == summary("whole")


def test_zero_seconds_save_nothing(undertow, engine, status, tmp_path):
    engine.after = lambda done: os.kill(os.getpid(), signal.SIGTERM)
    assert undertow("run.dir=a", *RUN[:2], "run.checkpoint_seconds=0").code == 3
    assert not checkpoint.checkpoints_in(tmp_path / "a")


def test_a_full_disk_does_not_end_the_run(undertow, engine, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(checkpoint, "write_whole", full)
    answer = undertow("run.dir=a", *RUN)
    assert answer.code == 0
    assert "could not be saved: No space left on device" in answer.err


def test_another_processor_is_pointed_out(undertow, killed, monkeypatch):
    killed(4 * BLOCK, "run.dir=a", *RUN)
    monkeypatch.setattr("engine.results.provenance.device", lambda processes: "an abacus")
    assert "going on on an abacus: numbers may differ" in undertow("run.dir=a", *RUN).err


def test_a_failed_run_goes_on_too(undertow, engine):
    def fail(done):
        if done == 3 * BLOCK:
            raise RuntimeError("out of memory")

    engine.after = fail
    assert undertow("run.dir=a", *RUN).code == 1
    engine.after = lambda done: None
    assert undertow("run.dir=a", *RUN).code == 0
    assert engine.started == [0, 2 * BLOCK]


def test_what_a_killed_writer_left_is_swept(undertow, engine, killed, tmp_path):
    killed(4 * BLOCK, "run.dir=a", *RUN)
    (tmp_path / "a" / ".checkpoint.npz.x1y2.part").write_bytes(b"half")
    undertow("run.dir=a", *RUN)
    assert not list((tmp_path / "a").glob(".*.part"))


def test_two_at_once_in_one_folder(undertow, engine, killed, tmp_path):
    killed(4 * BLOCK, "run.dir=a", *RUN)
    lock = Lock(tmp_path / "a")
    assert undertow("run.dir=a", *RUN).code == 2
    lock.release()
    assert undertow("run.dir=a", *RUN).code == 0


def test_a_launcher_that_requeues_hears_the_signal_afterwards(undertow, engine, status, tmp_path):
    heard = []
    before = signal.signal(
        signal.SIGUSR2, lambda number, frame: heard.append(status(tmp_path / "a")["status"])
    )
    engine.after = lambda done: os.kill(os.getpid(), signal.SIGUSR2) if done == BLOCK else None
    try:
        assert undertow("run.dir=a", *RUN).code == 3
        assert heard == ["interrupted"]
        engine.after = lambda done: None
        assert undertow("run.dir=a", *RUN).code == 0
        assert heard == ["interrupted"]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_a_negative_interval_is_bad_input(undertow, untouched, engine):
    with untouched():
        answer = undertow("run.checkpoint_seconds=-1")
    assert answer.code == 2
    assert "run.checkpoint_seconds: got -1.0, expected seconds" in answer.err
