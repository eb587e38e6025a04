"""Search: which settings of some knobs give the best results within bounds; then the main job as it is."""

import pathlib

from engine.book import limits
from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.checkpoints import Checkpoints
from experiments.session.progress import Progress
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk

STUDY = "study.sqlite3"
CONFIRMED = 5
"""Best trials at most that are run again on fresh paths."""


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Search into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    return tail_risk.carry_out(experiment, stop, alone, build_model, results)


def build_model(experiment: Experiment, book):
    """The main job's model; raises `BadInput` for knobs, results and ranges that cannot be."""
    from engine.learn.search.results import problem

    model, wanted = build(experiment, book), experiment.search
    trial = Trial(experiment, book)
    problems = [
        expected("search", name, said)
        for name in aim_of(wanted).results
        if (said := problem(name, model[0])) is not None
    ]
    for name, *ends in wanted.knobs:
        for end in ends if name in trial.knobs else ():
            problems += [f"search.knobs.{name} at {end:g}: {each}" for each in trial.problems({name: end})]
    if trial.unknown or problems:
        raise BadInput([*trial.unknown, *problems])
    return model


def aim_of(wanted):
    """What the search is after."""
    from engine.learn.search.search import Aim

    bounds = {name: (least, most) for name, least, most in wanted.bounds}
    return Aim(tuple(wanted.maximise), tuple(wanted.minimise), bounds)


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Search, then write the run's tables, summary and page with what came of it; the summary."""
    tables, told = searched(experiment, book, folder.path, checkpoints.identity, checkpoints.stop)
    return tail_risk.results(experiment, book, model, folder, checkpoints, tables, told)


def searched(experiment: Experiment, book, folder: pathlib.Path, identity: dict, stop: Stop):
    """Tables by name and entries of the summary: every trial, the best ones again on fresh paths."""
    from engine.learn.search.search import opened, search
    from engine.results import search as search_tables

    wanted, aim = experiment.search, aim_of(experiment.search)
    if not experiment.run.resume:
        (folder / STUDY).unlink(missing_ok=True)
    study = opened(folder / STUDY, aim)
    own(study, identity)
    ranges = {name: (low, high) for name, low, high in wanted.knobs}
    with Progress(wanted.trials * wanted.paths, "search") as progress:
        trial = Trial(experiment, book, progress, stop)
        trial.done = wanted.paths * len(study.get_trials(deepcopy=False))
        table = search(study, ranges, aim, trial, wanted.trials, experiment.run.seed)
    best = search_tables.best_of(table, aim)
    with Progress((len(best[:CONFIRMED]) + 1) * wanted.paths, "confirming") as progress:
        fresh = Trial(experiment, book, progress, stop, seed=experiment.run.seed + 1)
        again = [fresh(search_tables.setting(row)) for row in best[:CONFIRMED]]
        today = fresh({})
    now = {name: trial.present(name) for name in ranges}
    told = search_tables.summary(table, aim, ranges, wanted.paths, best, again, now, today)
    return {"search": search_tables.confirmed(table, best, again)}, told


def own(study, identity: dict) -> None:
    """The study belongs to this very search; raises `BadInput` where it holds trials of another."""
    from engine.run.checkpoint import differences

    asked = {key: value for key, value in identity["config"]["search"].items() if key != "trials"}
    identity = identity | {"config": identity["config"] | {"search": asked}}
    before = study.user_attrs.get("identity", identity)
    if problems := differences(before, identity):
        reason = "run.dir: {} is of another search, {}; run.resume=false discards it"
        raise BadInput(reason.format(STUDY, problem) for problem in problems)
    study.set_user_attr("identity", identity)


class Trial:
    """`trial({knob: value})` is every result of the search at that setting, on the same paths each time."""

    def __init__(self, experiment: Experiment, book, progress=None, stop=None, seed=None):
        from engine.learn.search.knobs import Unknown, knob
        from engine.run.plan import Plan

        self.experiment, self.book = experiment, book
        self.progress, self.stop, self.done = progress, stop, 0
        run = experiment.run
        self.plan = Plan(experiment.search.paths, run.block, run.seed if seed is None else seed)
        self.names = aim_of(experiment.search).results
        self.knobs, self.unknown = {}, []
        for name, *_ in experiment.search.knobs:
            try:
                self.knobs[name] = knob(name, experiment.parameters, book)
            except Unknown as error:
                self.unknown.append(expected("search.knobs", name, str(error)))

    def turned(self, setting):
        """Parameters and book with the knobs at these values."""
        from engine.learn.search.knobs import turn

        values = {self.knobs[name]: value for name, value in setting.items()}
        return turn(values, self.experiment.parameters, self.book)

    def problems(self, setting) -> list[str]:
        """What is wrong with the model or the book at this setting."""
        from engine.learn.search.knobs import book_problems

        parameters, book = self.turned(setting)
        turned = {self.knobs[name]: value for name, value in setting.items()}
        return limits.problems_of(parameters) + book_problems(turned, book)

    def present(self, name: str) -> float | None:
        """Where a knob stands in the experiment as it is."""
        from engine.learn.search.knobs import present

        return present(self.knobs[name], self.experiment.parameters, self.book)

    def __call__(self, setting):
        from engine.book.build import build_system
        from engine.learn.search.results import estimate
        from engine.paths.returns import returns
        from engine.run.plan import Hooks

        parameters, book = self.turned(setting)
        system = build_system(book, parameters, self.experiment.run.months)
        found = returns(system, self.plan, hooks=Hooks(progress=self.watch, stopped=self.stop))
        self.stop.check()
        self.done += self.plan.paths
        return {name: estimate(name, system, found) for name in self.names}

    def watch(self, done: int) -> None:
        """Show how far all trials are."""
        self.progress.update(min(self.done + done, self.progress.paths))
