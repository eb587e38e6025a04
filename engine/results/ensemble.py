"""Measures of every member of an ensemble, read while it runs. USD bn, at the last horizon."""

from collections.abc import Mapping

import jax
import numpy as np

from engine.tail import measures, variance_components
from engine.tail.tally import Tally


class EnsembleMeasures:
    """Collects a run of `simulate_ensemble`: `add` is called with every block of paths of every member.

    `levels` names the statistics: ES at a level, or the mean where it is None. `columns` are those measured,
    all by default. Memory is that of the measures, whatever the number of members.
    """

    def __init__(
        self, blocks: int, levels: Mapping[str, float | None], columns: list[int] | None = None
    ) -> None:
        self.blocks, self.levels, self.columns = blocks, levels, columns
        self.present: list[list[measures.Losses]] = []  # columns of the blocks of the member at work
        self.values: dict[str, list[np.ndarray]] = {name: [] for name in levels}  # [blocks columns]
        self.within: dict[str, list[np.ndarray]] = {name: [] for name in levels}  # [columns], variances
        self.first: list[measures.Losses] = []  # of the first member, by column

    def add(self, tally: Tally) -> None:
        """Take in one block; when it is its member's last, read the member's measures."""
        tally = jax.device_get(tally)
        columns = range(tally.weights.shape[1]) if self.columns is None else self.columns
        self.present.append([measures.column_losses(tally, -1, column) for column in columns])
        if len(self.present) == self.blocks:
            self.close()

    def close(self) -> None:
        """Add the measures of the member whose last block is in."""
        by_column = [list(column) for column in zip(*self.present, strict=True)]
        whole = [variance_components.added(column) for column in by_column]
        for name, level in self.levels.items():
            values = [variance_components.pseudo_values(column, level) for column in by_column]
            self.values[name].append(np.stack(values, axis=1))
            self.within[name].append(np.array([within(column, level) for column in whole]))
        self.first, self.present = self.first or whole, []

    @property
    def members(self) -> int:
        """Number of complete members."""
        return min(len(each) for each in self.within.values())

    def table(self, name: str) -> np.ndarray:
        """Pseudo-values of a statistic [members blocks columns]."""
        return np.stack(self.values[name])


def within(losses: measures.Losses, level: float | None) -> float:
    """Variance of a member's loss, or of that beyond a level."""
    if level is None:
        return variance_components.variance_within(losses)
    return variance_components.variance_beyond(losses, level)
