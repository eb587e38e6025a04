"""What phases of the script for a GPU conclude: differences explained, kernels ranked, runs cut short."""

import dataclasses

import numpy as np
import pytest

from benchmarks.gpu import agreement, profile, speed
from benchmarks.gpu.setting import TINY, Run, Setting


@pytest.fixture
def two_paths():
    """Four paths that are the same here and there: two firms, three months, two series."""
    rng = np.random.default_rng(1)
    trace = rng.uniform(1.0, 2.0, (3, 2, 4)).astype(np.float32)
    losses = rng.uniform(5.0, 9.0, (1, 2, 4)).astype(np.float32)
    month, cause = np.zeros((2, 4), np.int32), np.zeros((2, 4), np.int32)
    return agreement.Paths(losses, month, cause, np.zeros(4, np.uint32), trace)


NAMES = {"series": ("revenue", "rent"), "firms": ("ALPHA", "BETA")}


def changed(paths, **places):
    """The paths with one value of each array changed, `name=(place, value)`."""
    copies = {name: getattr(paths, name).copy() for name in places}
    for name, (place, value) in places.items():
        copies[name][place] = value
    return paths._replace(**copies)


def test_equal_paths_have_no_difference(two_paths):
    assert agreement.explained(two_paths, two_paths, **NAMES) == []
    assert set(agreement.discrete(two_paths, two_paths).values()) == {0}


def test_a_default_by_rounding_is_explained_by_its_month_and_series(two_paths):
    """Path 2: BETA defaults in month 2 here only, and the rent differs from month 2 on."""
    ours = changed(
        two_paths, default_month=((1, 2), 2), cause=((1, 2), 4), trace=((1, 1, 2), 9.0),
        losses=((0, 0, 2), 20.0),
    )  # fmt: skip
    ours.trace[0, 0, 2] *= np.float32(1.0 + 1e-6)
    (line,) = agreement.explained(ours, two_paths, **NAMES)
    assert line["path"] == 2 and line["first month"] == 2 and list(line["series"]) == ["rent"]
    assert line["defaults"] == {"BETA": [[0, 0], [2, 4]]}
    assert line["why"] == "rounding decides a default in month 2"
    assert 5e-7 < line["largest difference before"] < 2e-6
    found = agreement.discrete(ours, two_paths)
    assert found["paths with another default month"] == found["paths with another cause"] == 1


def test_a_loss_without_another_default_is_not_explained_away(two_paths):
    ours = changed(two_paths, losses=((0, 0, 1), 20.0), trace=((0, 0, 1), 9.0))
    (line,) = agreement.explained(ours, two_paths, **NAMES)
    assert line["path"] == 1 and line["first month"] == 1 and line["why"].endswith("not explained")


def test_a_default_long_after_the_first_difference_does_not_explain_it(two_paths):
    ours = changed(two_paths, trace=((0, 0, 3), 9.0), default_month=((0, 3), 3))
    (line,) = agreement.explained(ours, two_paths, **NAMES)
    assert line["why"].endswith("not explained")


def test_differences_are_relative_to_the_loss_or_to_one():
    ours, theirs = np.float32([100.0, 0.5]), np.float32([101.0, 0.25])
    assert agreement.relative(ours, theirs) == pytest.approx([1.0 / 101.0, 0.25])


def test_the_dearest_kernels_are_those_of_the_device_s_streams():
    """Host threads and other rows of the device do not count."""
    names = [
        {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": "/device:GPU:0"}},
        {"ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": {"name": "Stream #7(Compute)"}},
        {"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "XLA Ops"}},
    ]
    calls = [
        ("one", 1, 1, 5.0),
        ("one", 1, 1, 7.0),
        ("two", 1, 1, 30.0),
        ("two", 1, 2, 99.0),
        ("host", 9, 1, 50.0),
    ]
    events = names + [{"ph": "X", "name": n, "pid": p, "tid": t, "dur": d} for n, p, t, d in calls]
    found = profile.dearest(profile.kernels(events), 84e-6)
    assert found["busy share of the time"] == pytest.approx(0.5) and found["calls"] == 3
    assert [(row["kernel"], row["calls"], row["ms"]) for row in found["dearest"]] == [
        ("two", 1, 0.03), ("one", 2, 0.012)
    ]  # fmt: skip


def test_sizes_of_chunks_begin_with_the_usual_and_end_when_time_does(monkeypatch, tmp_path):
    """A block holds a chunk and is a multiple of 256; a size that cannot end in time is left out."""
    asked, left = [], iter([100.0, 60.0, 60.0, 50.0, 11.0])

    def run(sizes, paths, block, chunk, seconds):
        asked.append((chunk, block, seconds))
        return Run(None, 1.0, 2.0, paths, (3.0,))

    monkeypatch.setattr(speed, "tallied", run)
    monkeypatch.setattr(speed, "usual_chunk", lambda: 1024)
    monkeypatch.setattr(Setting, "left", property(lambda self: next(left)))
    sizes = dataclasses.replace(TINY, chunks=(128, 1024, 4096), timed=1024)
    earlier = {"peaks": {"bandwidth, B/s": 12 * 1024.0 * 60}, "compile": {"KiB a path and month": 1.0}}
    found = list(speed.chunks(Setting(sizes, tmp_path, 100.0, earlier)))
    assert asked == [(1024, 1024, 90.0), (128, 256, 54.0)]
    assert found[0]["bound by memory, paths/s"] == 60.0 and found[0]["share of it, chunks of 1,024"] == 0.05
    assert found[2] == {"chunks of 4,096": "left out: the last size took 10 s, 11 s are left"}


def test_a_run_cut_short_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "tallied", lambda *_, **__: Run(None, 1.0, 2.0, 0, (3.0,)))
    (facts,) = speed.second_large(Setting(TINY, tmp_path, 100.0, {}))
    assert facts == {"paths": 0, "shortened": "0 of 2,048 paths in the time left"}
