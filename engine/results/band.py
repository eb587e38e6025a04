"""How sure a number is: its simulation error, and its range over parameters, over networks, over both.

Member 0 of the ensemble is the book with its own parameters; then come K sets of parameters on the book's
holdings, K networks of holders under its parameters, and K pairs: set k on network k.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64
from scipy.special import ndtri

from engine.book.ranges import WHOLE, Name
from engine.results.ensemble import EnsembleMeasures
from engine.results.estimates import LEVELS
from engine.results.losses import Labels, column_kind, labels_of_column
from engine.tail import intervals, measures, regression, variance_components
from engine.tail.tally import Layout
from engine.tail.variance_components import BAND, Between, Table

LEVEL_OF: Mapping[str, float | None] = {"el": None, "es_95": LEVELS["95"], "es_99": LEVELS["99"]}
"""Statistics whose band is measured, and their levels."""

SIMULATION = "simulation"
SOURCES = ("parameters", "network", "together")
"""What the sets of each third of the ensemble draw, in its order."""

KINDS = ("system", "lenders", "bearer")
"""Kinds of columns with a band: the system, classes of lenders, final bearers."""

MIDDLE = float(ndtri(BAND[1]))
"""Standard errors from an estimate to either end of its 90% interval."""


class BandMeasures(EnsembleMeasures):
    """Collects a run of 1 + 3 K members in the order that the module says."""

    def __init__(self, layout: Layout, blocks: int) -> None:
        places = [place for place, key in enumerate(layout.columns) if column_kind(key)[0] in KINDS]
        super().__init__(blocks, LEVEL_OF, places)
        self.keys = [layout.columns[place] for place in places]

    @property
    def sets(self) -> int:
        """K."""
        return (self.members - 1) // len(SOURCES)

    def part(self, values: np.ndarray, source: str) -> np.ndarray:
        """The K members that draw from a source, of all."""
        first = 1 + self.sets * SOURCES.index(source)
        return values[first : first + self.sets]

    def tables(
        self, labels: Labels, names: tuple[Name, ...], draws: Float64[np.ndarray, "sets parameters"]
    ) -> dict[str, pd.DataFrame]:
        """`band`, `band_values`, `band_sets` and, from enough sets, `band_drivers`."""
        parameters = [parameter_name(name) for name in names]
        sets = pd.DataFrame(draws, columns=parameters).rename_axis("set").reset_index()
        tables = {
            "band": self.band(labels),
            "band_values": self.set_values(),
            "band_sets": sets.melt("set", var_name="parameter", value_name="value"),
        }
        if regression.enough(*draws.shape):
            tables["band_drivers"] = self.drivers(parameters, draws)
        return tables

    def band(self, labels: Labels) -> pd.DataFrame:
        """A row for each measure, source and column."""
        keys = pd.DataFrame([labels_of_column(key, labels) for key in self.keys])
        rows = []
        for name, level in self.levels.items():
            table, within = self.table(name), np.stack(self.within[name])
            own, parts = table[0], [self.part(table, source) for source in SOURCES]
            error = np.array([error_of(losses, level) for losses in self.first])
            rows.append(
                keys.assign(measure=name, source=SIMULATION, **simulation_columns(own.mean(axis=0), error))
            )
            for source, part in zip(SOURCES, parts, strict=True):
                split = variance_components.between(part, self.part(within, source))
                rows.append(keys.assign(measure=name, source=source, **source_columns(own, part, split)))
            more, more_error = variance_components.interaction(parts[-1], parts[:-1])
            rows[-1] = rows[-1].assign(interaction=more, interaction_se=more_error)
        return pd.concat(rows, ignore_index=True)

    def set_values(self) -> pd.DataFrame:
        """Every statistic of every set, and of the book's own (set -1 of the source `simulation`)."""
        rows = []
        for name in self.levels:
            own = self.table(name).mean(axis=1)
            for source in (SIMULATION, *SOURCES):
                part = own[:1] if source == SIMULATION else self.part(own, source)
                wide = pd.DataFrame(part, columns=self.keys).rename_axis("set").reset_index()
                if source == SIMULATION:
                    wide["set"] = -1
                rows.append(wide.melt("set", var_name="column").assign(measure=name, source=source))
        return pd.concat(rows, ignore_index=True)

    def drivers(self, parameters: list[str], draws: Float64[np.ndarray, "sets parameters"]) -> pd.DataFrame:
        """Effect of one sd of each parameter on the system's ES 99%, greatest first."""
        values = self.part(self.table("es_99").mean(axis=1), "parameters")[:, self.keys.index("system")]
        effects = regression.effects_of(draws, values)
        rows = pd.DataFrame({
            "parameter": parameters, "mean": draws.mean(axis=0), "sd": draws.std(axis=0, ddof=1),
            "effect": effects.effect, "effect_se": effects.error, "explained": effects.explained,
        })  # fmt: skip
        return rows.sort_values("effect", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def parameter_name(name: Name) -> str:
    """A parameter as the configuration names it.

    >>> parameter_name(("chips", "life", -1)), parameter_name(("economy", "growth", 2))
    ('chips.life', 'economy.growth[2]')
    """
    group, field, entry = name
    return f"{group}.{field}" if entry == WHOLE else f"{group}.{field}[{entry}]"


def error_of(losses: measures.Losses, level: float | None) -> float:
    """Standard error of a mean loss, or of its ES at a level, from its paths."""
    if level is None:
        return measures.expected_loss(losses).standard_error
    return intervals.es_error(losses, level)


def simulation_columns(base: np.ndarray, error: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the source `simulation`, whose band is the 90% interval of a normal estimate."""
    return {
        "base": base, "mean": 0.0 * base, "low": -MIDDLE * error, "high": MIDDLE * error, "sd": error
    }  # fmt: skip


def source_columns(
    own: Float64[np.ndarray, "blocks columns"], part: Table, split: Between
) -> dict[str, np.ndarray]:
    """Columns of a source whose sets differ; changes against the book's own on the same paths.

    Their errors add the draw of the sets and the paths, by the blocks' mean differences.
    """
    base, blocks = own.mean(axis=0), len(own)
    paths = (part.mean(axis=0) - own).var(axis=0, ddof=1) / blocks
    return {
        "base": base,
        "mean": split.mean - base, "mean_se": np.sqrt(paths + split.sd**2 / len(part)),
        "low": split.low - base, "low_se": np.sqrt(paths + split.low_error**2),
        "high": split.high - base, "high_se": np.sqrt(paths + split.high_error**2),
        "sd": split.sd, "sd_se": split.sd_error,
        "variance": split.variance, "noise_sd": np.sqrt(split.noise),
    }  # fmt: skip


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The entry `band` of summary.json, beside what was asked: bands of the system, classes and bearers."""
    entry: dict[str, Any] = {"system": {}, "lender_classes": {}, "bearers": {}}
    places = {"lenders": "lender_classes", "bearer": "bearers"}
    shown = ["base", "sd", "sd_se", "mean", "mean_se", "low", "low_se", "high", "high_se"]
    for row in tables["band"].to_dict("records"):
        more = ["interaction", "interaction_se"] if row["source"] == "together" else []
        numbers = {key: row[key] for key in [*shown, *more] if not pd.isna(row[key])}
        group = entry["system"] if row["kind"] == "system" else entry[places[row["kind"]]]
        own = group if row["kind"] == "system" else group.setdefault(row["id"], {})
        own.setdefault(row["measure"], {})[row["source"]] = numbers
    if "band_drivers" in tables:
        drivers = tables["band_drivers"].set_index("parameter")
        entry["drivers"] = drivers[["effect", "effect_se"]].to_dict("index")
        entry["explained"] = float(drivers["explained"].iloc[0])
    return entry
