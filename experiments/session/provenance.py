"""Where a result of the command comes from: its configuration, its book and the machine."""

import sys
from typing import Any

from engine.results.provenance import Provenance, made
from experiments.config.read import Experiment
from experiments.session.processes import count_of


def provenance_of(experiment: Experiment, book: Any) -> Provenance:
    """All that is known before the first path runs; the run folder adds the run's id."""
    run = experiment.run
    return {
        "run": "",
        "task": experiment.task,
        "scenario": experiment.scenario.name,
        "story": experiment.scenario.story,
        "sampler": experiment.sampler.name,
        "paths": run.paths,
        "block": run.block,
        "seed": run.seed,
        "months": run.months,
        "config_hash": experiment.hash,
        "book": book.name,
        "book_hash": book.hash,
        "book_repairs": list(book.repairs),
        "command": ["undertow", *sys.argv[1:]],
        **made(count_of(run)),
    }
