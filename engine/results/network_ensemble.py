"""Measures of many networks of holders, and the split of their variance. USD bn."""

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from engine.results.ensemble import EnsembleMeasures
from engine.results.estimates import TAIL
from engine.results.losses import Labels, labels_of_column
from engine.results.replications import Replications
from engine.tail import tally as tallies
from engine.tail import variance_components
from engine.tail.tally import Layout, Tally

MEASURES = {"el": None, "es_99": TAIL}
"""Statistics that are split, by name, and their levels."""

LARGE = ("fans", "joint", "defaults", "default_squares", "causes", "group_weights", "group_squares")
"""Arrays of a tally that the errors of replications do not read."""


class NetworkMeasures(EnsembleMeasures):
    """The measures of every network, and all networks pooled by block of paths."""

    def __init__(self, blocks: int) -> None:
        super().__init__(blocks, MEASURES)
        self.pooled: list[Tally] = []

    def add(self, tally: Tally) -> None:
        """Take in one block of one network."""
        place, small = len(self.present), lean(jax.device_get(tally))
        if place == len(self.pooled):
            self.pooled.append(small)
        else:
            self.pooled[place] = tallies.merge(self.pooled[place], small)
        super().add(tally)

    def replications(self) -> Replications:
        """Blocks of paths as replications: networks share their paths, so only blocks are independent."""
        replications = Replications()
        for tally in self.pooled:
            replications.add(tally)
        return replications

    def tables(self, layout: Layout, labels: Labels) -> dict[str, pd.DataFrame]:
        """`network_split`, a row for each column and measure, and `network_values`, for each network too."""
        keys = [labels_of_column(key, labels) for key in layout.columns]
        split, values = [], []
        for name in MEASURES:
            table = self.table(name)
            variance = variance_components.between(table, np.stack(self.within[name]))
            split.append(
                pd.DataFrame(keys).assign(measure=name, **split_columns(variance, self.within[name]))
            )
            own = pd.DataFrame(table.mean(axis=1), columns=list(layout.columns)).rename_axis("network")
            long = own.reset_index().melt("network", var_name="column", value_name="value")
            values.append(long.assign(measure=name))
        return {"network_split": pd.concat(split), "network_values": pd.concat(values)}


def split_columns(variance: variance_components.Between, within: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Columns of `network_split` from the split of one measure."""
    return {
        "value": variance.mean, "value_se": variance.error, "low": variance.low, "low_se": variance.low_error,
        "high": variance.high, "high_se": variance.high_error,
        "network_sd": variance.sd, "network_variance": variance.variance,
        "noise_sd": np.sqrt(variance.noise), "within_sd": np.sqrt(np.mean(within, axis=0)),
        "network_share": variance.share, "network_share_se": variance.share_error,
    }  # fmt: skip


def lean(tally: Tally) -> Tally:
    """The tally without the tables that replications do not read."""
    return eqx.tree_at(
        lambda t: [getattr(t, name) for name in LARGE], tally, [getattr(tally, name)[:0] for name in LARGE]
    )


def network_summary(split: pd.DataFrame) -> dict[str, dict]:
    """The split for summary.json: system, holder classes and lenders, by measure."""
    columns = ["value", "value_se", "low", "low_se", "high", "high_se", "network_sd", "noise_sd",
            "network_share", "network_share_se"]  # fmt: skip
    entries: dict[str, dict] = {"system": {}, "lender_classes": {}, "lenders": {}}
    groups = {"lenders": "lender_classes", "lender": "lenders"}
    for row in split.to_dict("records"):
        numbers = {key: row[key] for key in columns}
        if row["kind"] == "system":
            entries["system"][row["measure"]] = numbers
        elif row["kind"] in groups:
            entries[groups[row["kind"]]].setdefault(row["id"], {})[row["measure"]] = numbers
    return entries
