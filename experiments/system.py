"""The engine's System of an experiment."""

from typing import Any

from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment


def system_of(experiment: Experiment, book: Any, months: int) -> Any:
    """The System of a book over so many months, with the experiment's parameters, drawn by path if asked.

    Paths of a shorter run are those of a longer one. Raises `BadInput` where a number of it is not finite.
    """
    from engine.book.build import NotFinite, build_system
    from engine.book.ranges import with_ranges

    try:
        system = build_system(book, experiment.parameters, months)
    except NotFinite as error:
        raise BadInput(str(error).split("; ")) from None
    if experiment.run.parameters == "drawn":
        system = with_ranges(system, book["chips"], experiment.parameters)
    return system
