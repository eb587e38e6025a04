"""A replay: chosen paths of a run month by month, as tables with names, units and an event log."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from engine.book.load import Book
from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.history import History, histories, nearest_path
from engine.paths.simulate import horizons
from engine.results.folder import Results
from engine.results.horizons import horizon_name
from engine.results.replay.event import names_of
from engine.results.replay.events import events_table
from engine.results.replay.trajectories import trajectory_table
from engine.run.plan import Plan


@dataclasses.dataclass(frozen=True, eq=False)
class Replay:
    """Paths told: amounts are USD bn, months are counted from 1.

    `paths` has a row for each path: losses at the horizons, when the boom ends, how many default. `months`
    is long: path, month, what, who, value, unit. `events` are dated: path, month, date, who, name, event,
    amount, loss, why; the losses of a path's events add up to its loss.
    """

    paths: pd.DataFrame
    months: pd.DataFrame
    events: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by the names that they have in a run folder."""
        return {"replay_paths": self.paths, "replay_months": self.months, "replay_events": self.events}

    def compared(self, worst: pd.DataFrame) -> dict[str, Any]:
        """How many losses the run recorded of these paths, and sentences on those that the replay changes.

        `worst` is the run's table `worst_paths`.
        """
        replayed = self.paths.set_index("path")
        recorded = worst[worst["path"].isin(replayed.index)]
        different = [
            f"path {path:,} loses {lost!r} bn in {horizon} in the run and {again!r} in its replay"
            for horizon, path, lost in zip(
                recorded["horizon"], recorded["path"], recorded["loss"], strict=True
            )
            if (again := float(replayed.loc[path, f"loss_{horizon}"])) != float(lost)
        ]
        return {"compared": len(recorded), "different": different}


def replay_paths(
    system: System, book: Book, plan: Plan, ids: Sequence[int], samplers: Sequence[Sampler] = (PSEUDO_RANDOM,)
) -> Replay:
    """Simulate paths of a run again, to the bit, and tell them.

    Args: system, plan and samplers of the run; book, from which the system was built; ids of paths, from 0 to
    paths - 1. Raises ValueError for a path that the run does not have and for no path at all.

    Example: `replay_paths(system, book, Plan(200_000, 16_384, 7), [17, 4096]).events`.
    """
    if not len(ids):
        raise ValueError("paths: got none, expected at least one")
    each, names = histories(system, plan, ids, samplers), names_of(book)
    return Replay(paths_table(each), trajectory_table(each), events_table(each, names))


def chosen(
    results: Results, system: System, plan: Plan, samplers: Sequence[Sampler], asked: Any, among: int
) -> tuple[list[int], dict[str, Any]]:
    """Ids of the paths that are asked for, and the entry `replay` of the summary.

    `asked` is `worst:N`, the run's worst paths at the last horizon, worst first; `nearest`, the one of the
    first `among` paths of the first replication that is nearest to the mean of the tail; or ids.
    """
    entry = {"asked": asked, "horizon": results.last, "searched": 0, "distance": None}
    if asked == "nearest":
        among = min(among, plan.paths // len(samplers))
        target, month = tail_mean(results, system), results.months[results.last]
        path, distance = nearest_path(system, plan, target, month, among, samplers[0])
        return [path], entry | {"paths": [path], "searched": among, "distance": distance}
    if isinstance(asked, str):
        worst = results.tables["worst_paths"]
        ids = worst[worst["horizon"] == results.last]["path"].head(int(float(asked.partition(":")[2])))
        return ids.tolist(), entry | {"paths": ids.tolist()}
    return list(asked), entry | {"paths": list(asked)}


def tail_mean(results: Results, system: System) -> Float64[np.ndarray, "classes"]:
    """Mean losses by class of instrument in the worst 1% of system paths at the last horizon, USD bn."""
    means = results.tail("class", results.last).set_index("id")["tail_mean"]
    return means.reindex(list(system.names.instrument_classes)).to_numpy(np.float64)


def paths_table(each: list[History]) -> pd.DataFrame:
    """A row for each path."""
    return pd.DataFrame([row_of(history) for history in each])


def row_of(history: History) -> dict[str, Any]:
    """A path in one row; a month that never comes is 0."""
    state, months = history.state, len(history.state.supply)
    loss = state.legacy_loss + state.new_money_loss
    broken = np.flatnonzero(history.info.economy.regime.argmax(axis=-1) > 0)
    defaulted = state.credit.default_month[-1]
    first = defaulted[defaulted > 0]
    return {
        "path": history.path,
        **{f"loss_{horizon_name(month)}": float(loss[month - 1]) for month in horizons(months)},
        "boom_ends": int(broken[0]) + 1 if len(broken) else 0,
        "defaults": int((defaulted > 0).sum()),
        "first_default": int(first.min()) if len(first) else 0,
        "lenders_failed": int((state.lenders.failed[-1] > 0).sum()),
        "lowest_supply": float(state.supply.min()),
    }
