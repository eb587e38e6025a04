"""The estimates that tables are made of: one per horizon, column and level, computed once and handed on.

tally -> Losses of a column at a horizon -> Tail at a level -> VaR, ES, errors, contributions
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from engine.tail import contributions, intervals, measures, systemic
from engine.tail.intervals import Interval, Weights
from engine.tail.measures import Estimate, Losses, Tail
from engine.tail.systemic import Systemic
from engine.tail.tally import Tally

LEVELS = {"95": 0.95, "99": 0.99, "99_9": 0.999}
"""Levels at which every column is measured, by their suffix in names."""

DEEP = {"99": 0.99, "99_9": 0.999, "99_97": 0.9997, "99_99": 0.9999}
"""Levels at which the system's far tail is measured, by their suffix in names."""

SYSTEMIC = ("95", "99")
"""Suffixes of the levels of the systemic measures and of the model-risk band."""

TAIL = 0.99
"""Level of the tail's composition and of the contributions."""


@dataclass(frozen=True)
class TailEstimate:
    """VaR and ES of one column at one horizon and level, with errors, USD bn."""

    tail: Tail

    @cached_property
    def var(self) -> Interval:
        """VaR with its 95% interval."""
        return intervals.var_interval(self.tail.losses, self.tail)

    @cached_property
    def es(self) -> Estimate:
        """ES with its standard error."""
        return Estimate(self.tail.expected_shortfall, intervals.es_error(self.tail.losses, self.tail))

    @cached_property
    def effective_paths(self) -> float:
        """Effective paths beyond the level."""
        return intervals.effective_beyond(self.tail.losses, self.tail)

    @cached_property
    def unresolved(self) -> str | None:
        """Why the tail is not resolved, in a sentence; None where it is."""
        return intervals.resolved(self.tail.losses, self.tail)


@dataclass(frozen=True)
class ColumnEstimate:
    """One column at one horizon."""

    losses: Losses
    tails: dict[float, TailEstimate]  # by level

    @cached_property
    def expected(self) -> Estimate:
        """Expected loss with its standard error, USD bn."""
        return measures.expected_loss(self.losses)


class Estimates:
    """Estimates of every column at every horizon, as positions in the tally's Layout.

    `estimates.columns[horizon][column].tails[0.99].es` is the column's ES 99%. Only the system, column 0, is
    measured at the `deep` levels too. A tally whose losses were multiplied by `scale` is read in their own
    unit, as `column_losses` does. Raises ValueError where the tally has counted no path.
    """

    def __init__(
        self,
        tally: Tally,
        deep: Sequence[float] = tuple(DEEP.values()),
        scale: float = 1.0,
        unit: str = "USD bn",
    ) -> None:
        self.tally, self.scale = tally, scale
        horizons, columns = tally.weights.shape[:2]
        levels = tuple(LEVELS.values())
        self.columns = [
            [
                column_estimate(tally, h, c, {*levels, *deep} if c == 0 else levels, scale, unit)
                for c in range(columns)
            ]
            for h in range(horizons)
        ]

    @property
    def system(self) -> list[ColumnEstimate]:
        """The system loss, by horizon."""
        return [columns[0] for columns in self.columns]

    @cached_property
    def contributions(self) -> list[Float64[np.ndarray, "parts"]]:
        """Euler contributions of columns and components to the system's ES at TAIL, by horizon, USD bn."""
        return [
            contributions.es_contributions(self.tally, place, system.tails[TAIL].tail) / self.scale
            for place, system in enumerate(self.system)
        ]

    @cached_property
    def systemic(self) -> dict[str, list[Systemic]]:
        """Systemic measures at the last horizon: by suffix of the level, then as in `Layout.distress`."""
        last = [column.losses for column in self.columns[-1]]
        return {
            suffix: systemic.systemic(self.tally, self.system[-1].tails[LEVELS[suffix]].tail, last)
            for suffix in SYSTEMIC
        }

    @cached_property
    def weights(self) -> Weights:
        """How evenly the paths carry the result."""
        return intervals.weights(self.tally)


def column_estimate(
    tally: Tally, horizon: int, column: int, levels: Iterable[float], scale: float, unit: str
) -> ColumnEstimate:
    """One column at one horizon, its tails read at some levels."""
    losses = measures.column_losses(tally, horizon, column, scale=scale, unit=unit)
    return ColumnEstimate(losses, {level: TailEstimate(measures.tail(losses, level)) for level in levels})
