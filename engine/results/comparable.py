"""What may be compared between runs: what was asked of each, what keeps them apart, which share draws."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.results.difference import Run
from engine.results.horizons import horizon_years, joined

IDLE = ("run.dir", "run.devices", "run.processes", "run.process", "run.coordinator", "run.arrival_seconds",
        "run.checkpoint_seconds", "run.resume", "run.block", "scenario.story")  # fmt: skip
"""Keys that change no result."""

FIRST = ("scenario.name", "task.name")
"""Keys that stand for others: a scenario sets numbers of its own."""


def varied(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Keys that change a result and are not the same in all runs, with the value of each run.

    Keys whose values follow from others, as a scenario's numbers from its name, are left out.
    """
    every = [flat(run.config) for run in runs]
    keys = list(dict.fromkeys(key for each in every for key in each))
    values = {
        key: [each.get(key) for each in every]
        for key in keys
        if key not in IDLE and not key.startswith("report.")
    }
    values = {key: each for key, each in values.items() if any(value != each[0] for value in each)}
    axes: dict[str, list[Any]] = {}
    for key in sorted(values, key=lambda key: key not in FIRST):
        if not follows(values[key], list(axes.values())):
            axes[key] = values[key]
    return axes


def follows(values: list[Any], axes: list[list[Any]]) -> bool:
    """Whether runs with the same place on all axes have the same value, and there is an axis."""
    seen: dict[tuple[str, ...], Any] = {}
    places = [tuple(str(axis[place]) for axis in axes) for place in range(len(values))]
    return bool(axes) and all(
        seen.setdefault(at, value) == value for at, value in zip(places, values, strict=True)
    )


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration by dotted keys, one level deep."""
    return {
        f"{group}.{key}": value
        for group, values in config.items()
        if isinstance(values, Mapping)
        for key, value in values.items()
    }


def caveats(base: Run, other: Run) -> list[str]:
    """What of two runs is not comparable, a sentence each; a number that was asked for is no such thing."""
    a, b = base.provenance, other.provenance
    sentences = []
    if a.get("book_hash") != b.get("book_hash"):
        sentences.append(
            f"book: {a.get('book')} and {b.get('book')} are not the same rows; borrowers and lenders are "
            "matched by their ids, and a change may come from the book alone"
        )
    if a.get("sources") != b.get("sources"):
        sentences.append("version: the engine's source code is not the same; a change may come from the code")
    elif jax(a) != jax(b):
        sentences.append(f"version: JAX {jax(a)} and {jax(b)} round in other places")
    theirs, ours = base.results.horizons, other.results.horizons
    if alone := [name for name in (*theirs, *ours) if (name in theirs) != (name in ours)]:
        spans = joined([horizon_years(name) for name in alone])
        sentences.append(f"horizon: only one of the runs has {spans}, which are left out")
    if a.get("seed") != b.get("seed"):
        sentences.append(f"seed: {a.get('seed')} and {b.get('seed')}, so the paths are not the same")
    if sampler(base) != sampler(other):
        sentences.append(f"sampler: {sampler(base)} and {sampler(other)} draw other paths")
    if base.paths != other.paths:
        fewer = min(base.paths, other.paths)
        sentences.append(f"paths: {base.paths:,} and {other.paths:,}; only the first {fewer:,} are shared")
    return [f"{other.name} against {base.name}: {each}" for each in sentences]


def unpaired_because(base: Run, other: Run) -> str:
    """Why two runs cannot be paired path by path; empty where they can."""
    a, b = base.provenance, other.provenance
    for name, what in (("seed", "seed"), ("book_hash", "book"), ("sources", "version of the engine")):
        if a.get(name) != b.get(name):
            return f"not the same {what}"
    if drawn(base) != drawn(other):
        return "parameters are drawn in one of them only"
    return next((f"{run.name}: {why}" for run in (base, other) if (why := paths_apart(run))), "")


def paths_apart(run: Run) -> str:
    """Why the paths of a run cannot be paired with any; empty where they can."""
    if run.results.summary["sampler"]["name"] != "pseudo_random":
        return f"paths of the {sampler(run)} sampler are weighted or depend on one another"
    if run.results.summary["sampler"]["replications"] != 1:
        return "its errors come from replications"
    return "its errors come from blocks of networks" if "network" in run.results.summary else ""


def sampler(run: Run) -> str:
    """The sampler of a run, in words."""
    return run.results.summary["sampler"]["name"].replace("_", "-")


def drawn(run: Run) -> bool:
    """Whether each path draws its parameters."""
    return run.config.get("run", {}).get("parameters") == "drawn"


def jax(provenance: Mapping[str, Any]) -> str:
    """The version of JAX."""
    return str(provenance.get("versions", {}).get("jax"))
