"""Finished runs paired path by path: each is simulated again on a few of its own paths."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import yaml  # type: ignore[import-untyped]

from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment, read
from experiments.context import Context
from experiments.model import load
from experiments.session.progress import Progress
from experiments.session.run_folder import read_document
from experiments.session.stopping import Stop


def runs_read(folders: Sequence[pathlib.Path]) -> list[Any]:
    """The runs of some folders, in the order of what varies between them, where that is one number or two.

    Raises `BadInput` for a run that this version cannot read.
    """
    from engine.results.difference import Run
    from engine.results.folder import read_results
    from engine.results.summary import UnreadableSummary

    runs, problems = [], []
    for folder in folders:
        try:
            config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
            if not isinstance(config, dict):
                raise ValueError("config.yaml is not the configuration of a run")
            results, origin = read_results(folder), read_document(folder / "provenance.json")
            runs.append(Run(folder.name, folder, results, config, origin))
        except UnreadableSummary as error:
            problems.append(str(error))
        except (OSError, ValueError, yaml.YAMLError) as error:
            problems.append(f"{folder}: not a run that can be read ({str(error).partition(chr(10))[0]})")
    if problems:
        raise BadInput(problems)
    return runs


def compared(runs: Sequence[Any], paths: int, stop: Stop, tasks: Mapping[str, ModuleType]) -> Any:
    """The comparison of all runs with the first, on so many paths of each simulated again by its task."""
    from engine.results.comparable import unpaired_because
    from engine.results.comparison import Comparison, compare

    base, *others = runs
    reasons = {run.folder: unpaired_because(base, run) for run in others}
    if not paths:
        reasons = dict.fromkeys(reasons, "compare.paths is 0")
    sample = None
    if not all(reasons.values()):
        sample, why = sampled(base, paths, stop, tasks)
        reasons = {folder: reason or why for folder, reason in reasons.items()}
    parts = []
    for run in others:
        theirs, why = (None, reasons[run.folder]) if reasons[run.folder] else sampled(run, paths, stop, tasks)
        samples = (sample, theirs) if sample is not None and theirs is not None else None
        parts.append(compare(base, run, cut(samples), why))
    return Comparison(base, tuple(parts))


def cut(samples: Any) -> Any:
    """Two samples on the paths that both have."""
    if samples is None:
        return None
    count = min(sample.losses.shape[-1] for sample in samples)
    return tuple(
        dataclasses.replace(
            each, losses=each.losses[..., :count], default_month=each.default_month[..., :count]
        )
        for each in samples
    )


def sampled(run: Any, paths: int, stop: Stop, tasks: Mapping[str, ModuleType]) -> tuple[Any, str]:
    """The first paths of a run, simulated again; None and the reason where this machine cannot."""
    import numpy as np

    from engine.paths.columns import columns
    from engine.paths.simulate import layout_of
    from engine.results.difference import Sample
    from engine.results.horizons import horizon_name
    from engine.results.provenance import sources
    from engine.run.plan import Hooks, Plan

    if run.provenance.get("sources") != sources():
        return None, f"{run.name} was made by another version of the engine than this one"
    try:
        context = Context(experiment_of(run.folder, tasks), stop)
        context.book = load(context.experiment)
        if context.book.hash != run.provenance.get("book_hash"):
            return None, f"the book of {run.name} is not as it was"
        model = tasks[context.experiment.task].model(context)
    except BadInput as error:
        return None, f"{run.name} cannot be simulated again ({error.problems[0]})"
    system, plan, samplers = model
    count = min(paths, run.paths)
    with Progress(count, f"pairing {run.name}") as progress:
        hooks = Hooks(progress=progress.update, stopped=stop)
        drawn = columns(system, Plan(count, plan.block, plan.seed), samplers[0], hooks)
    stop.check()
    layout = layout_of(system)
    horizons = tuple(horizon_name(months) for months in layout.horizons)
    losses, months = np.asarray(drawn.losses), np.asarray(drawn.default_month)
    return Sample(horizons, layout.columns, layout.entities, losses, months), ""


def experiment_of(folder: pathlib.Path, tasks: Mapping[str, ModuleType]) -> Experiment:
    """The experiment of a run's config.yaml, for one process, without its folder.

    Raises `BadInput` where this version cannot read it.
    """
    from omegaconf import DictConfig, OmegaConf

    try:
        config = OmegaConf.load(folder / "config.yaml")
        if not isinstance(config, DictConfig):
            raise TypeError("a list")
        OmegaConf.update(config, "run", {"processes": 1, "process": 0, "coordinator": None, "resume": False})
        return read(config, tasks)
    except BadInput as error:
        raise BadInput(f"{folder / 'config.yaml'}: {problem}" for problem in error.problems) from None
    except Exception as error:  # the exception depends on the damage
        first = str(error).partition("\n")[0]
        raise BadInput([f"{folder / 'config.yaml'}: not the configuration of a run ({first})"]) from None


def write(folder: pathlib.Path, comparison: Any, html: bool) -> pathlib.Path:
    """Write the tables of a comparison and its page; the path of the page, or of the tables without one."""
    from engine.results.folder import write_table, write_text

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in comparison.tables.items():
        write_table(folder, name, table)
    if not html:
        return folder / "results"
    from engine.report.comparison import page

    write_text(folder / "compare.html", page(comparison))
    return folder / "compare.html"
