"""The main job, and a search for the settings of some knobs that give the best results within bounds."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from engine.book import limits
from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.checks import number, plain_paths_problems, whole_problems
from experiments.config.schema import Config
from experiments.context import Context
from experiments.model import Model, build
from experiments.session.checkpoints import differences
from experiments.session.progress import Progress
from experiments.tasks import tail_risk

STUDY = "study.sqlite3"
CONFIRMED = 5
"""Best trials, at most, that run again on fresh paths."""

WHOLE = {"trials": (1, 100_000, 1), "paths": (1024, 2**24, 256)}
"""Whole-number options: least, most, and the number that divides them."""


@dataclasses.dataclass
class Options:
    """Options of `task=search`: knobs, objectives, bounds and budget (docs/search.md)."""

    knobs: list[Any] = dataclasses.field(default_factory=list)  # [name, lowest, highest] each
    maximise: list[str] = dataclasses.field(default_factory=list)  # results
    minimise: list[str] = dataclasses.field(default_factory=list)  # results
    bounds: list[Any] = dataclasses.field(default_factory=list)  # [result, least, most], null for none
    trials: Any = 60  # settings of the knobs that are tried
    paths: Any = 16_384  # of each trial


def problems(config: Config, options: Options) -> list[str]:
    """Knobs without two ends, no objective, bounds without an end; turns ends into numbers."""
    faults = whole_problems("search", options, WHOLE)
    if not options.knobs:
        faults.append(expected("search.knobs", [], "at least one, as [[credit.contract_advance, 0.3, 0.7]]"))
    aims = [*options.maximise, *options.minimise]
    if not aims or len({*aims}) < len(aims):
        kind = "every result once" if aims else "at least one result, such as system.es_99"
        faults.append(expected("search.maximise and search.minimise", aims, kind))
    faults += ends_problems("search.knobs", options.knobs, "[name, lowest, highest], two rising numbers", 2)
    kind = "[result, least, most], two rising numbers of which one may be null"
    faults += ends_problems("search.bounds", options.bounds, kind, 1)
    return faults + plain_paths_problems(config)


def ends_problems(name: str, rows: list, kind: str, least: int) -> list[str]:
    """Turn the ends of rows [name, low, high] into numbers; the problems of malformed rows."""
    faults, names = [], [row[0] for row in rows if isinstance(row, list) and row]
    for place, row in enumerate(rows):
        ends = [None if end is None else number(end) for end in row[1:]] if isinstance(row, list) else []
        finite = [end for end in ends if end is not None and math.isfinite(end)]
        nulls = sum(end is None for end in row[1:]) if ends else 0
        if len(ends) != 2 or len(finite) < least or len(finite) + nulls < 2 or finite != sorted({*finite}):
            faults.append(expected(f"{name}[{place}]", row, kind))
        else:
            rows[place] = [str(row[0]), *ends]
    if len({*names}) < len(names):
        faults.append(expected(name, names, "every name once"))
    return faults


def model(context: Context) -> Model:
    """The main job's model; raises `BadInput` for unknown knobs and results and for impossible ranges."""
    from engine.learn.search.results import problem

    model, options = build(context.experiment, context.book), context.options
    trial = Trial(context)
    faults = [
        expected("search", name, fault)
        for name in aim_of(options).results
        if (fault := problem(name, model[0])) is not None
    ]
    for name, *ends in options.knobs:
        for end in ends if name in trial.knobs else ():
            faults += [f"search.knobs.{name} at {end:g}: {each}" for each in trial.problems({name: end})]
    if trial.unknown or faults:
        raise BadInput([*trial.unknown, *faults])
    return model


def results(context: Context, model: Model) -> dict[str, Any]:
    """Search, then write the run's tables and summary with the trials; returns the summary."""
    return tail_risk.results(context, model, *run_search(context))


show = tail_risk.show


def aim_of(options: Options) -> Any:
    """Objectives and bounds of the search."""
    from engine.learn.search.search import Aim

    bounds = {name: (least, most) for name, least, most in options.bounds}
    return Aim(tuple(options.maximise), tuple(options.minimise), bounds)


def run_search(context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name and entries of the summary: every trial, and the best again on fresh paths."""
    from engine.learn.search.search import open_study, search
    from engine.results import search as search_tables

    run, options, aim, folder = context.experiment.run, context.options, aim_of(context.options), context.path
    if not run.resume:
        (folder / STUDY).unlink(missing_ok=True)
    ranges = {name: (low, high) for name, low, high in options.knobs}
    with open_study(folder / STUDY, aim) as study:
        claim(study, context.checkpoints.identity)
        with Progress(options.trials * options.paths, "search") as progress:
            trial = Trial(context, progress)
            trial.done = options.paths * len(study.get_trials(deepcopy=False))
            table = search(study, ranges, aim, trial, options.trials, run.seed)
    best = search_tables.best_of(table, aim)
    with Progress((len(best[:CONFIRMED]) + 1) * options.paths, "confirming") as progress:
        fresh = Trial(context, progress, seed=run.seed + 1)
        again = [fresh(search_tables.setting(row)) for row in best[:CONFIRMED]]
        today = fresh({})
    now = {name: trial.current_value(name) for name in ranges}
    entries = search_tables.summary(table, aim, ranges, options.paths, best, again, now, today)
    return {"search": search_tables.with_fresh_results(table, best, again)}, entries


def claim(study: Any, identity: dict[str, Any]) -> None:
    """Mark the study as this search's; raises `BadInput` if it holds trials of another search."""
    asked = {key: value for key, value in identity["config"]["search"].items() if key != "trials"}
    identity = identity | {"config": identity["config"] | {"search": asked}}
    before = study.user_attrs.get("identity", identity)
    if changes := differences(before, identity):
        reason = "run.dir: {} is of another search, {}; run.resume=false discards it"
        raise BadInput(reason.format(STUDY, change) for change in changes)
    study.set_user_attr("identity", identity)


class Trial:
    """`trial({knob: value})` gives every result at that setting, on the same paths each time."""

    def __init__(self, context: Context, progress: Progress | None = None, seed: int | None = None) -> None:
        from engine.learn.search.knobs import UnknownKnob, knob_of
        from engine.run.plan import Plan

        experiment, options = context.experiment, context.options
        self.experiment, self.book = experiment, context.book
        self.progress, self.stop, self.done = progress, context.stop, 0
        run = experiment.run
        self.plan = Plan(options.paths, run.block, run.seed if seed is None else seed)
        self.names = aim_of(options).results
        self.knobs, self.unknown = {}, []
        for name, *_ in options.knobs:
            try:
                self.knobs[name] = knob_of(name, experiment.parameters, context.book)
            except UnknownKnob as error:
                self.unknown.append(expected("search.knobs", name, str(error)))

    def variant_at(self, setting: Mapping[str, float]) -> tuple[Any, Any]:
        """Parameters and book with the knobs at these values."""
        from engine.learn.search.knobs import turn

        values = {self.knobs[name]: value for name, value in setting.items()}
        return turn(values, self.experiment.parameters, self.book)

    def problems(self, setting: Mapping[str, float]) -> list[str]:
        """What is wrong with the model or the book at this setting."""
        from engine.learn.search.knobs import book_problems

        parameters, book = self.variant_at(setting)
        values = {self.knobs[name]: value for name, value in setting.items()}
        return limits.problems_of(parameters) + book_problems(values, book)

    def current_value(self, name: str) -> float | None:
        """A knob's value in the experiment."""
        from engine.learn.search.knobs import current_value

        return current_value(self.knobs[name], self.experiment.parameters, self.book)

    def __call__(self, setting: Mapping[str, float]) -> dict[str, Any]:
        from engine.book.build import build_system
        from engine.learn.search.results import estimate
        from engine.paths.returns import returns
        from engine.run.plan import Hooks

        parameters, book = self.variant_at(setting)
        system = build_system(book, parameters, self.experiment.run.months)
        losses = returns(system, self.plan, hooks=Hooks(progress=self.watch, stopped=self.stop))
        self.stop.check()
        self.done += self.plan.paths
        return {name: estimate(name, system, losses) for name in self.names}

    def watch(self, done: int) -> None:
        """Update the progress over all trials."""
        if self.progress is not None:
            self.progress.update(min(self.done + done, self.progress.paths))
