"""Where a result of the command comes from: its configuration, its book and the machine."""

import sys
from typing import TYPE_CHECKING, Any

from experiments.config.read import Experiment
from experiments.session.processes import count_of

if TYPE_CHECKING:  # importlib.metadata, which it needs, is slow to import
    from engine.results.provenance import Provenance


def provenance_of(experiment: Experiment, book: Any) -> "Provenance":
    """All that is known before the first path runs; the run folder adds the run's id."""
    from engine.results.provenance import made

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
        "book_warnings": list(book.warnings),
        "command": ["undertow", *sys.argv[1:]],
        **made(count_of(run)),
    }
