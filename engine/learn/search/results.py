"""Results that a search can maximise, minimise or bound, each estimated from one sample of paths.

system.es_99              a measure of a loss column at the end of the run: el, es_95, es_99, es_99_9
lender:MACQ_AI.el         any column: class:ABS, lenders:BANK, lender:ATH, bearer:US_PENSIONS
returns:MACQ_AI.net       of a lender's loans to named firms: income over the short rate less losses, USD bn
returns:MACQ_AI.rate      the same a year and a dollar lent; also income, loss, es_99 (of the loss)
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from engine.book.system import System
from engine.paths.path import column_names
from engine.paths.returns import Returns
from engine.tail.measures import Estimate
from engine.tail.paired import influence, mean_of, ratio

LEVELS = {"es_95": 0.95, "es_99": 0.99, "es_99_9": 0.999}
RETURN_MEASURES = ("net", "rate", "income", "loss", "es_99")
RETURNS = "returns:"


def problem(name: str, system: System) -> str | None:
    """The expected form if a name is not that of a result, else None."""
    of, _, measure = name.rpartition(".")
    if of.startswith(RETURNS):
        lenders = system.names.lenders
        if of.removeprefix(RETURNS) not in lenders:
            return "returns:LENDER.measure with one of " + ", ".join(lenders)
        return None if measure in RETURN_MEASURES else f"{of}. and one of " + ", ".join(RETURN_MEASURES)
    if of not in column_names(system):
        kind = of.partition(":")[0] + ":"
        near = [column for column in column_names(system) if column.startswith(kind)]
        return "a loss column or returns:LENDER, such as " + ", ".join(near or ["system", "class:ABS"])
    return None if measure in ("el", *LEVELS) else f"{of}. and one of el, " + ", ".join(LEVELS)


def estimate(name: str, system: System, sample: Returns) -> Estimate:
    """One result with its standard error."""
    of, _, measure = name.rpartition(".")
    if of.startswith(RETURNS):
        return EARNINGS[measure](sample, system.names.lenders.index(of.removeprefix(RETURNS)))
    losses = sample.losses[column_names(system).index(of)]
    return mean_of(losses if measure == "el" else influence(losses, LEVELS[measure]))


def net(sample: Returns, lender: int) -> Float64[np.ndarray, "paths"]:
    """Income less losses of a lender's loans, USD bn."""
    return np.asarray(sample.income[lender], np.float64) - sample.loss[lender]


EARNINGS: dict[str, Callable[[Returns, int], Estimate]] = {
    "net": lambda sample, lender: mean_of(net(sample, lender)),
    "rate": lambda sample, lender: ratio(net(sample, lender), np.asarray(sample.lent[lender], np.float64)),
    "income": lambda sample, lender: mean_of(sample.income[lender]),
    "loss": lambda sample, lender: mean_of(sample.loss[lender]),
    "es_99": lambda sample, lender: mean_of(influence(sample.loss[lender], LEVELS["es_99"])),
}
