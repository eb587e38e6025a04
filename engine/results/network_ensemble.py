"""What a run over many networks of holders knows: each network's measures, and their split. USD bn."""

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
        """The measures of the network at work, which is complete."""
        by_column = list(zip(*self.present, strict=True))
        for name, level in MEASURES.items():
            found = [variance_components.pseudo_values(list(column), level) for column in by_column]
            self.values[name].append(np.stack(found, axis=1))
        whole = [variance_components.added(list(column)) for column in by_column]
        self.within["el"].append(np.array([variance_components.variance_within(column) for column in whole]))
        self.within["es_99"].append(
            np.array([variance_components.variance_beyond(column, TAIL) for column in whole])
        )
        self.present = []

    @property
    def networks(self) -> int:
        """Networks that are complete."""
        return len(self.within["el"])

    def replications(self) -> Replications:
        """Blocks of paths as replications: over networks paths are the same, and so not independent."""
        found = Replications()
        for tally in self.pooled:
            found.add(tally)
        return found

    def tables(self, layout: Layout, labels: Labels) -> dict[str, pd.DataFrame]:
        """`network_split`, a row for each column and measure, and `network_values`, for each network too."""
        keys = [named(key, labels) for key in layout.columns]
        split, values = [], []
        for name in MEASURES:
            table = np.stack(self.values[name])
            found = variance_components.between(table, np.stack(self.within[name]))
            split.append(pd.DataFrame(keys).assign(measure=name, **split_columns(found, self.within[name])))
            own = pd.DataFrame(table.mean(axis=1), columns=list(layout.columns)).rename_axis("network")
            long = own.reset_index().melt("network", var_name="column", value_name="value")
            values.append(long.assign(measure=name))
        return {"network_split": pd.concat(split), "network_values": pd.concat(values)}


def split_columns(found: variance_components.Between, within: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Columns of `network_split` from the split of one measure."""
    return {
        "value": found.mean, "value_se": found.error, "low": found.low, "low_se": found.low_error,
        "high": found.high, "high_se": found.high_error,
        "network_sd": np.sqrt(np.maximum(found.variance, 0.0)), "network_variance": found.variance,
        "noise_sd": np.sqrt(found.noise), "within_sd": np.sqrt(np.mean(within, axis=0)),
        "network_share": found.share, "network_share_se": found.share_error,
    }  # fmt: skip


def named(key: str, labels: Labels) -> dict[str, str]:
    """What a column is."""
    kind, name = column_kind(key)
    return {
        "column": key, "kind": kind, "id": name, "name": labels.name.get(key, name),
        "class": labels.group.get(key, ""),
    }  # fmt: skip


def lean(tally: Tally) -> Tally:
    """The tally without what replications do not read."""
    return eqx.tree_at(
        lambda t: [getattr(t, name) for name in LARGE], tally, [getattr(tally, name)[:0] for name in LARGE]
    )


def network_summary(split: pd.DataFrame) -> dict[str, dict]:
    """What summary.json says of the split: the system, holder classes and lenders, by measure."""
    kept = ["value", "value_se", "low", "low_se", "high", "high_se", "network_sd", "noise_sd",
            "network_share", "network_share_se"]  # fmt: skip
    found: dict[str, dict] = {"system": {}, "lender_classes": {}, "lenders": {}}
    groups = {"lenders": "lender_classes", "lender": "lenders"}
    for row in split.to_dict("records"):
        numbers = {key: row[key] for key in kept}
        if row["kind"] == "system":
            found["system"][row["measure"]] = numbers
        elif row["kind"] in groups:
            found[groups[row["kind"]]].setdefault(row["id"], {})[row["measure"]] = numbers
    return found
