"""A search finds an optimum that is known, keeps its bounds, and goes on from its study as if undisturbed."""

import itertools

import numpy as np
import pytest

from engine.learn.search.search import Aim, open_study, search
from engine.results import search as search_tables
from engine.tail.measures import Estimate

RANGES = {"x": (-1.0, 1.0), "y": (0.0, 2.0)}


def bowl(setting):
    """Best 5 at x = 0.3, y = 0.8, where the cost is 1.1."""
    x, y = setting["x"], setting["y"]
    gain, cost = 5.0 - (x - 0.3) ** 2 - (y - 0.8) ** 2, x + y
    return {"gain": Estimate(gain, 0.1), "cost": Estimate(cost, 0.2)}


def run(folder, aim, trials, seed=3, evaluate=bowl):
    with open_study(folder / "study.sqlite3", aim) as study:
        return search(study, RANGES, aim, evaluate, trials, seed)


def test_the_best_setting_is_found(tmp_path):
    aim = Aim(("gain",), (), {})
    table = run(tmp_path, aim, 60)
    best = search_tables.best_of(table, aim)
    assert len(table) == 60 and len(best) == 1 and table["feasible"].all()
    found = search_tables.setting(best[0])
    # Sixty evenly drawn points would leave a gap of 2 / sqrt(60) = 0.26 on average, a search less.
    assert np.hypot(found["x"] - 0.3, found["y"] - 0.8) < 0.2
    assert best[0]["gain"] == table["gain"].max() and best[0]["gain_se"] == 0.1


def test_bounds_are_kept(tmp_path):
    """At a cost of 0.5 at most the best is x = 0, y = 0.5: on the line, 0.3 less of each by symmetry."""
    aim = Aim(("gain",), (), {"cost": (None, 0.5)})
    table = run(tmp_path, aim, 80)
    best = search_tables.best_of(table, aim)[0]
    assert table["feasible"].equals(table["cost"] <= 0.5)
    assert best["feasible"] and best["gain"] == table.loc[table["feasible"], "gain"].max()
    assert 4.5 < best["gain"] <= 5.0 - 2 * 0.3**2


def test_where_nothing_keeps_the_bounds_the_nearest_is_told(tmp_path):
    aim = Aim((), ("gain",), {"cost": (9.0, None)})
    table = run(tmp_path, aim, 8)
    assert not table["feasible"].any() and not table["best"].any()
    assert search_tables.best_of(table, aim)[0]["cost"] == table["cost"].max()


def test_two_objectives_have_a_front(tmp_path):
    aim = Aim(("gain",), ("cost",), {})
    table = run(tmp_path, aim, 40)
    best = table[table["best"]].sort_values("cost")
    assert len(best) > 2
    assert best["gain"].is_monotonic_increasing, "more gain at more cost"
    for _, row in table[~table["best"]].iterrows():
        assert ((best["gain"] >= row["gain"]) & (best["cost"] <= row["cost"])).any(), "beaten by one of them"


@pytest.mark.parametrize("stop_at", [1, 7, 13])
def test_a_search_goes_on_as_if_undisturbed(tmp_path, stop_at):
    aim = Aim(("gain",), (), {"cost": (None, 1.0)})
    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", aim, 16)
    ran = itertools.count()

    class Stopped(Exception):
        """Somebody asked for it."""

    def until(setting):
        if next(ran) == stop_at:
            raise Stopped
        return bowl(setting)

    with pytest.raises(Stopped):
        run(tmp_path, aim, 16, evaluate=until)
    assert run(tmp_path, aim, 16).equals(whole)


def test_a_trial_cut_short_by_a_kill_is_made_again(tmp_path):
    aim = Aim(("gain",), (), {})
    with open_study(tmp_path / "study.sqlite3", aim) as study:
        study.ask()
    table = run(tmp_path, aim, 3)
    assert len(table) == 3
    with open_study(tmp_path / "study.sqlite3", aim) as study:
        states = [trial.state.name for trial in study.trials]
    assert states == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
