"""The main job's look at one bad path: the one nearest to the mean of the tail, told month by month."""

from collections.abc import Sequence
from typing import Any

from experiments.context import Context

SEARCHED = 1024
"""Paths among which it is sought: some ten of the worst 1%."""


def dissect(context: Context, system: Any, plan: Any, samplers: Sequence[Any]) -> dict[str, Any]:
    """Write the tables of the path beside those of the run; the summary's entry, none where nobody loses."""
    if not context.experiment.report.anatomy:
        return {}
    from engine.results.folder import read_results, write_table
    from engine.results.replay.replay import chosen, replay_paths

    results = read_results(context.path)
    if not results.system(results.last)["es_99"] > 0.0:
        return {}
    ids, entry = chosen(results, system, plan, samplers, "nearest", SEARCHED)
    for name, table in replay_paths(system, context.book, plan, ids, samplers).tables.items():
        write_table(context.path, name, table)
    return {"anatomy": entry}
