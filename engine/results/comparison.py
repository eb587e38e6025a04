"""A comparison of runs as data: the base, and every other run with its changes, caveats and axes."""

import dataclasses
from typing import Any

import pandas as pd

from engine.results.comparable import caveats, varied
from engine.results.difference import Run, Sample, default_changes, loss_changes, table_changes


@dataclasses.dataclass(frozen=True)
class Part:
    """One run beside the base."""

    run: Run
    losses: pd.DataFrame
    defaults: pd.DataFrame
    others: pd.DataFrame
    caveats: tuple[str, ...]  # what cannot be compared
    notes: tuple[str, ...]  # tables and rows without a counterpart
    unpaired: str  # why errors are those of independent runs; empty where they are paired


@dataclasses.dataclass(frozen=True)
class Comparison:
    """All runs: the base and the parts in order."""

    base: Run
    parts: tuple[Part, ...]

    @property
    def runs(self) -> list[Run]:
        """Every run, the base first."""
        return [self.base, *(part.run for part in self.parts)]

    @property
    def unit(self) -> str:
        """The unit of losses and their changes, that of every run."""
        return self.base.results.unit

    @property
    def short(self) -> str:
        """The unit behind a number."""
        return self.base.results.short

    @property
    def axes(self) -> dict[str, list[Any]]:
        """What varies between the runs: keys with the value of each run."""
        return varied(self.runs)

    @property
    def horizons(self) -> list[str]:
        """Horizons that all runs have, shortest first."""
        own = [set(run.results.horizons) for run in self.runs]
        return [name for name in self.base.results.horizons if all(name in each for each in own)]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the comparison by name."""
        return {
            name: pd.concat([getattr(part, name) for part in self.parts], ignore_index=True)
            for name in ("losses", "defaults", "others")
        }


def compare(base: Run, run: Run, samples: tuple[Sample, Sample] | None, unpaired: str) -> Part:
    """A run beside the base; `unpaired` says why there are no samples to pair them on."""
    others, notes = table_changes(base, run)
    pair = f"{run.name} against {base.name}"
    return Part(
        run, loss_changes(base, run, samples), default_changes(base, run, samples), others,
        tuple(caveats(base, run)), tuple(f"{pair}: {note}" for note in notes), unpaired,
    )  # fmt: skip
