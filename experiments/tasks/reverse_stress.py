"""Reverse stress: the main job, then the likeliest systematic roads to a loss, told quarter by quarter."""

import dataclasses
import itertools

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.model import build
from experiments.session.checkpoints import Checkpoints
from experiments.session.progress import Progress
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks import tail_risk

START_PATHS, SCENARIO_PATHS = 200_000, 90_000
"""Paths that a search takes, roughly: for its start and the probabilities, and for each scenario."""


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run and search into the run's folder and, unless it is one of a sweep, say so; the exit code."""
    return tail_risk.carry_out(experiment, stop, alone, build_model, results)


def build_model(experiment: Experiment, book):
    """The main job's model; raises `BadInput` where the book has nobody of that name."""
    from engine.paths.path import column_names

    model, wanted = build(experiment, book), experiment.reverse_stress
    if wanted.of not in (known := column_names(model[0])):
        kind = wanted.of.partition(":")[0] + ":"
        near = [name for name in known if name.startswith(kind)] or known
        raise BadInput([expected("reverse_stress.of", wanted.of, "system or one of " + ", ".join(near[:60]))])
    return model


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """The main job's results, then the scenarios' tables, the summary and the page with them; the summary."""
    from engine.report.page import write_page
    from engine.results.folder import read_results, write_json, write_table

    quiet = dataclasses.replace(experiment, report=dataclasses.replace(experiment.report, html=False))
    summary = tail_risk.results(quiet, book, model, folder, checkpoints)
    names = book.tables["firms"].set_index("firm")["name"].to_dict()
    tables, told = searched(experiment, model, read_results(folder.path), names, checkpoints.stop)
    checkpoints.stop.check()
    for name, table in tables.items():
        write_table(folder.path, name, table)
    summary |= told
    write_json(folder.path / "summary.json", summary)
    if experiment.report.html:
        write_page(folder.path)
    return summary


def searched(experiment: Experiment, model, plain, names: dict[str, str], stop: Stop) -> tuple[dict, dict]:
    """Tables by name and entries of the summary; a target out of reach is a doubt."""
    from engine.learn.reverse_stress.probability import probabilities
    from engine.learn.reverse_stress.reverse_stress import Unreachable, search
    from engine.learn.reverse_stress.story import story
    from engine.learn.reverse_stress.trials import Trials
    from engine.report.stress_words import story_lines
    from engine.results import reverse_stress

    wanted = experiment.reverse_stress
    share = reverse_stress.plain_share(plain, wanted.of, wanted.target)
    total = START_PATHS + wanted.scenarios * SCENARIO_PATHS
    with Progress(total, "reverse stress") as progress:
        trials = Trials(model[0], experiment.run.seed, wanted.of, watching(progress, stop))
        try:
            answers = search(trials, wanted.target, wanted.scenarios)
        except Unreachable as error:
            why = reverse_stress.out_of_reach(str(error), share)
            said = {"target": wanted.target, "of": wanted.of, "unreachable": why}
            return {}, {"reverse_stress": said, "doubts": [why]}
        chances = probabilities(trials, answers, wanted.target)
        stories = [story(trials, answer.scenario) for answer in answers]
    tables = reverse_stress.tables(trials, answers, stories)
    told = [story_lines(each.quarters, names, experiment.parameters.economy.start) for each in stories]
    found = reverse_stress.summary(wanted.target, wanted.of, tables, told, chances, share)
    return tables, {"reverse_stress": found}


def watching(progress: Progress, stop: Stop):
    """What hears how many paths a call of the search ran: tells the progress, and stops when asked to."""
    ran = itertools.count(1)

    def watch(paths: int) -> None:
        stop.check()
        progress.update(min(next(ran) * paths, progress.paths))

    return watch
