"""Measures of many networks of holders, and the split of their variance. USD bn."""

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from engine.results.estimates import TAIL
from engine.results.losses import Labels, column_kind
from engine.results.replications import Replications
from engine.tail import measures, variance_components
from engine.tail import tally as tallies
from engine.tail.tally import Layout, Tally

MEASURES = {"el": None, "es_99": TAIL}
"""Statistics that are split, by name, and their levels."""

LARGE = ("fans", "joint", "defaults", "default_squares", "causes", "group_weights", "group_squares")
"""Arrays of a tally that the errors of replications do not read."""


class NetworkMeasures:
    """Collects a run of `simulate_networks`: `add` is called with every block of paths of every network.

    Memory is that of one tally for each block of paths, whatever the number of networks.
    """

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self.present: list[list[measures.Losses]] = []  # columns of the blocks of the network at work
        self.pooled: list[Tally] = []  # of all networks, by block of paths
        self.values: dict[str, list[np.ndarray]] = {name: [] for name in MEASURES}  # [blocks columns]
        self.within: dict[str, list[np.ndarray]] = {name: [] for name in MEASURES}  # [columns]

    def add(self, tally: Tally) -> None:
        """Take in one block; when it is its network's last, read the network's measures."""
        tally = jax.device_get(tally)
        place, columns = len(self.present), range(tally.weights.shape[1])
        self.present.append([measures.column_losses(tally, -1, column) for column in columns])
        small = lean(tally)
        if place == len(self.pooled):
            self.pooled.append(small)
        else:
            self.pooled[place] = tallies.merge(self.pooled[place], small)
        if len(self.present) == self.blocks:
            self.close()

    def close(self) -> None:
        """Add the measures of the network whose last block is in."""
        by_column = list(zip(*self.present, strict=True))
        for name, level in MEASURES.items():
            values = [variance_components.pseudo_values(list(column), level) for column in by_column]
            self.values[name].append(np.stack(values, axis=1))
        whole = [variance_components.added(list(column)) for column in by_column]
        self.within["el"].append(np.array([variance_components.variance_within(column) for column in whole]))
        self.within["es_99"].append(
            np.array([variance_components.variance_beyond(column, TAIL) for column in whole])
        )
        self.present = []

    @property
    def networks(self) -> int:
        """Number of complete networks."""
        return len(self.within["el"])

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
            table = np.stack(self.values[name])
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
        "network_sd": np.sqrt(np.maximum(variance.variance, 0.0)), "network_variance": variance.variance,
        "noise_sd": np.sqrt(variance.noise), "within_sd": np.sqrt(np.mean(within, axis=0)),
        "network_share": variance.share, "network_share_se": variance.share_error,
    }  # fmt: skip


def labels_of_column(key: str, labels: Labels) -> dict[str, str]:
    """A column's key, kind, id, name and class."""
    kind, name = column_kind(key)
    return {
        "column": key, "kind": kind, "id": name, "name": labels.name.get(key, name),
        "class": labels.group.get(key, ""),
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
