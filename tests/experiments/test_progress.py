"""Progress: speed without the compilation, a bar for a person, lines for a log."""

import io
import logging

import pytest

from experiments.session import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock set by hand."""
    now = {"time": 0.0}
    monkeypatch.setattr(progress.time, "monotonic", lambda: now["time"])
    return lambda seconds: now.update(time=float(seconds))


def test_the_speed_is_that_of_the_paths(clock, caplog):
    caplog.set_level(logging.INFO)
    with progress.Progress(4000) as shown:
        clock(20)  # compiling
        shown.update(1000)
        clock(21)
        shown.update(2000)
        clock(40)
        shown.update(3000)
        clock(41)
        shown.update(4000)
    assert [record.message for record in caplog.records] == [
        "compiling, then 4,000 paths",
        "1,000 of 4,000 paths",
        "3,000 of 4,000 paths, 100 paths/s, 10 s left",
        "4,000 of 4,000 paths, 143 paths/s, 0 s left",
    ]


class Terminal(io.StringIO):
    """A place to write that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("terminal", "ci", "bar"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_the_bar_is_for_a_person_only(monkeypatch, terminal, ci, bar):
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("TERM", "xterm")
    with progress.Progress(1000) as shown:
        shown.update(500)
        shown.update(1000)
        shown.bar.bar.refresh()
    assert ("simulating" in stream.getvalue()) == bar
    assert (stream.getvalue() == "") == (not bar)


def test_the_bar_says_what_the_log_says(monkeypatch, clock):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with progress.Progress(4000, "base") as shown:
        shown.update(1000)
        clock(20)
        shown.update(3000)
        shown.bar.bar.refresh()
    assert "base: simulating" in stream.getvalue()
    assert "3,000 of 4,000 paths, 100 paths/s, 10 s left" in stream.getvalue()


@pytest.mark.parametrize(("terminal", "said"), [(True, True), (False, False)])
def test_what_is_being_done_is_said_to_a_person_only(monkeypatch, terminal, said):
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with progress.doing("reading the book"):
        pass
    with progress.Progress(1000) as shown:
        shown.bar.bar.refresh()
    text = stream.getvalue()
    assert ("reading the book" in text) == ("compiling" in text) == ("kept for later runs" in text) == said
