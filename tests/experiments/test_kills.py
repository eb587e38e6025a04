"""The real engine, killed at random moments, ends as if it had been left alone."""

from tests.experiments import kills


def test_five_kills_leave_no_trace(undertow, tmp_path):
    assert undertow("task=template", "template.dir=book").code == 0
    book = ("book=own", f"book.path={tmp_path / 'book' / 'worked_small'}")
    count = kills.kill(5, tmp_path, book, seed=4, settings={"plain": ("run.paths=32768",)})
    assert count.kills == 5
    assert count.writing >= 1 and count.resumed >= 1 and count.runs >= 1


def test_the_results_compared_are_the_results(undertow, engine, tmp_path):
    undertow("run.dir=a", "run.seed=1")
    undertow("run.dir=b", "run.seed=1")
    undertow("run.dir=c", "run.seed=2")
    a, b, c = (kills.results_of(tmp_path / name) for name in "abc")
    assert a == b != c
