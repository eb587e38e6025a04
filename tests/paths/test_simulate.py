"""Results belong to the paths: not to the block, the device, the order, or an interruption."""

import jax
import numpy as np
import pytest

from engine.paths import path
from engine.paths import simulate as running
from engine.paths.replay import replay
from engine.paths.simulate import horizons, simulate
from engine.run.plan import CHUNK, Hooks, Plan

PATHS = 9000
"""Not a multiple of any block, so that padding is always at work."""


@pytest.fixture(scope="module")
def whole(year):
    tally, _ = simulate(year, Plan(PATHS, 8192, 7))
    return tally


def same(first, second):
    return all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    )


@pytest.mark.parametrize("block", [pytest.param(256, marks=pytest.mark.whole), 1024, 65536])
def test_block_size_does_not_show(year, whole, block):
    tally, _ = simulate(year, Plan(PATHS, block, 7))
    assert int(tally.paths) == PATHS
    assert same(tally, whole)


def test_the_end_of_a_run_is_a_horizon():
    reported = {months: horizons(months) for months in (12, 24, 48, 60, 84, 120, 144)}
    assert reported == {
        12: (12,), 24: (12, 24), 48: (12, 36, 48), 60: (12, 36, 60), 84: (12, 36, 60, 84),
        120: (12, 36, 60, 120), 144: (12, 36, 60, 120, 144),
    }  # fmt: skip


def test_number_of_devices_does_not_show(year, whole):
    tally, _ = simulate(year, Plan(PATHS, 8192, 7), devices=jax.devices()[:1])
    assert len(jax.devices()) == 2
    assert same(tally, whole)


def test_another_seed_is_another_sample(year, whole):
    tally, _ = simulate(year, Plan(PATHS, 8192, 8))
    assert not np.array_equal(tally.losses, whole.losses)


def test_stopping_keeps_whole_rounds(year):
    done = []
    hooks = Hooks(progress=done.append, stopped=lambda: len(done) == 2)
    tally, timing = simulate(year, Plan(50 * CHUNK, CHUNK, 7), hooks=hooks)
    assert done == [2 * CHUNK, 4 * CHUNK]
    assert int(tally.paths) == timing.paths == 4 * CHUNK


def test_no_path_is_flagged_and_every_number_is_finite(whole):
    assert int(whole.flagged) == 0


def test_the_worst_path_replayed_alone_loses_what_it_lost(year, whole):
    worst = int(whole.worst_path[0, 0])
    state, _ = replay(year, 7, worst)
    # A lone path is compiled on its own: sums of a hundred float32 terms may round differently.
    assert float(state.lenders.loss[-1].sum()) == pytest.approx(float(whole.worst_loss[0, 0]), rel=1e-4)


def test_columns_add_up(year, whole):
    layout = running.layout_of(year)
    totals = np.asarray(whole.losses).sum(axis=2)[0].astype(np.float64).tolist()
    by_name = dict(zip(layout.columns, totals, strict=True))
    paths = int(whole.paths)
    # Each path's columns are float32 sums, rounded to 2^-24 USD bn in the tally.
    rounding = 1e-5 * by_name["system"] + paths
    for kinds in (("legacy", "new_money"), tuple(n for n in by_name if n.startswith("class:"))):
        assert sum(by_name[name] for name in kinds) == pytest.approx(by_name["system"], abs=rounding)


@pytest.mark.parametrize("block", [0, 100, 513])
def test_a_block_must_be_whole_chunks(block):
    with pytest.raises(ValueError, match=f"run.block: got {block}, expected a multiple of {CHUNK}"):
        Plan(10, block, 7)


def test_a_larger_book_has_smaller_chunks(year, monkeypatch):
    """The shipped book's state has some 3,000 numbers; with as many more again it is beyond 5,000."""
    assert running.chunk_of(year) == 128
    one = path.month_0
    monkeypatch.setattr(path, "month_0", jax.jit(lambda system: (one(system), one(system))))
    assert running.chunk_of(year) == 64
    monkeypatch.setattr(path, "month_0", jax.jit(lambda system: one(system).funding))
    assert running.chunk_of(year) == CHUNK


def test_layout_names_every_axis(year, whole):
    layout = running.layout_of(year)
    assert whole.weights.shape[:2] == (len(layout.horizons), len(layout.columns))
    assert layout.columns[0] == "system"
    assert len(layout.components) == len(year.names.instruments)
    assert whole.fans.shape[1] == len(layout.series)
