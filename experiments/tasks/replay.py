"""Paths told month by month: the main job, then its worst paths, or those asked for, simulated again."""

import dataclasses
import sys
from typing import Any

from engine.book.checks.problems import expected
from experiments.config.checks import whole
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model
from experiments.tasks import tail_risk

MOST = 64
"""Paths of a replay; a run records the ids of so many worst paths at each horizon."""
NEAREST = "nearest"
SEARCHED = 4096
"""Paths among which the one nearest to the mean of the tail is sought."""
KIND = f"worst:N, {NEAREST}, or ids such as [17,4096]; at most {MOST} paths"

DRAWN = True
EXACT = True


@dataclasses.dataclass
class Options:
    """What `task=replay` reads."""

    paths: Any = "worst:20"  # worst:N, nearest, or ids such as [17,4096]


def problems(config: Config, options: Options) -> list[str]:
    """Paths that are none, or that the run does not have; a law whose paths are not the run's."""
    faults = []
    if config.sampler.name == "importance":
        kind = "pseudo_random, antithetic or sobol where task=replay: a learned law belongs to its run"
        faults.append(expected("sampler.name", config.sampler.name, kind))
    return faults + paths_problems(config.run.paths, options)


def paths_problems(count: Any, options: Options) -> list[str]:
    """Turns the ids into whole numbers; what is wrong with them in a run of `count` paths."""
    asked, name = options.paths, "replay.paths"
    if asked == NEAREST:
        return []
    if isinstance(asked, str) and asked.startswith("worst:"):
        number = whole(asked.removeprefix("worst:"))
        if number is None or not 1 <= number <= MOST:
            return [expected(name, asked, f"worst:N with N from 1 to {MOST}")]
        if isinstance(count, int) and number > count:
            return [expected(name, asked, f"at most run.paths = {count:,} of them")]
        return []
    listed = asked if isinstance(asked, list) else [asked]
    ids = [whole(each) for each in listed]
    places = [each for each in ids if each is not None]
    if not places or len(ids) > MOST or len(places) < len(ids):
        return [expected(name, asked, KIND)]
    if len({*ids}) < len(ids):
        return [expected(name, asked, "every path once")]
    if isinstance(count, int) and (
        foreign := [each for each in ids if each is not None and not 0 <= each < count]
    ):
        return [expected(name, each, f"a path of the run, from 0 to {count - 1}") for each in foreign]
    options.paths = places
    return []


model = tail_risk.model


def results(context: Context, model: Model) -> dict[str, Any]:
    """Run the main job, then replay paths of it and write their tables; returns the summary."""
    from engine.results.folder import read_results, write_csv, write_table
    from engine.results.replay.replay import chosen, replay_paths

    system, plan, samplers = model
    assert samplers is not None  # a learned law is refused
    summary = tail_risk.results(context, model)
    context.stop.check()
    ids, entry = chosen(read_results(context.path), system, plan, samplers, context.options.paths, SEARCHED)
    replay = replay_paths(system, context.book, plan, ids, samplers)
    for name, table in replay.tables.items():
        write_table(context.path, name, table)
    folder = context.path / "results"
    write_csv(folder / "replay_paths.csv", replay.paths)
    write_csv(folder / "replay_events.csv", replay.events)
    for path, months in replay.months.groupby("path"):
        write_csv(folder / f"replay_path_{path}.csv", months.astype({"value": "float32"}))
    return summary | {"replay": entry | replay.compared(read_results(context.path).tables["worst_paths"])}


def show(context: Context, summary: dict[str, Any]) -> None:
    """The main job's tables with the paths, and where the log of events is."""
    tail_risk.show(context, summary)
    print(context.path / "results" / "replay_events.csv", file=sys.stdout)
