"""Tables of a path model's run: losses, contributions, defaults, fans, worst paths; by step, in its unit."""

import numpy as np
import pandas as pd

from engine.results.estimates import TAIL, Estimates
from engine.results.losses import measures_of
from engine.results.monthly import fans_table
from engine.results.replications import Replications
from engine.tail import contributions as tails
from engine.tail import measures
from engine.tail.intervals import sectioned
from engine.tail.tally import Layout, Tally


def tables_of(estimates: Estimates, layout: Layout, replications: Replications) -> dict[str, pd.DataFrame]:
    """Every table by name; from two replications on, errors come from their spread."""
    tally = estimates.tally
    return {
        "losses": losses_table(estimates, layout, replications),
        "distribution": distribution_table(estimates, layout),
        "contributions": contributions_table(estimates, layout, replications),
        "defaults": defaults_table(tally, layout),
        "fans": fans_table(tally, layout, "step"),
        "worst_paths": worst_paths_table(tally, layout, estimates.scale),
    }


def losses_table(estimates: Estimates, layout: Layout, replications: Replications) -> pd.DataFrame:
    """EL, VaR with 95% intervals, ES with standard errors: a row for each horizon and column."""
    rows = [
        {"step": step, "column": name} | measures_of(estimates.columns[place][column])
        for place, step in enumerate(layout.horizons)
        for column, name in enumerate(layout.columns)
    ]
    return replications.errors(pd.DataFrame(rows))


def distribution_table(estimates: Estimates, layout: Layout) -> pd.DataFrame:
    """Mean loss and probability of every filled bin of column 0."""
    parts = []
    for place, step in enumerate(layout.horizons):
        losses = estimates.columns[place][0].losses
        full = losses.weight > 0.0
        probability = losses.weight[full] / losses.total
        parts.append(pd.DataFrame({"step": step, "loss": losses.mean[full], "probability": probability}))
    return pd.concat(parts, ignore_index=True)


def contributions_table(estimates: Estimates, layout: Layout, replications: Replications) -> pd.DataFrame:
    """Mean of every other column and component in the tail of column 0 (Euler contributions to its ES)."""
    names = [*layout.columns, *layout.components]
    errors = np.full((len(layout.horizons), len(names)), np.nan)
    if len(replications) > 1:
        errors = sectioned(replications.parts)[1]
    rows = []
    for place, step in enumerate(layout.horizons):
        parts = estimates.contributions[place]
        for at, name in enumerate(names):
            share = parts[at] / parts[0] if parts[0] > 0.0 else 0.0
            rows.append((step, name, parts[at], errors[place, at], share))
    key = f"es_{TAIL * 100:g}"
    table = pd.DataFrame(rows, columns=["step", "part", key, f"{key}_se", "share"])
    return table[table["part"] != layout.columns[0]].reset_index(drop=True)


def defaults_table(tally: Tally, layout: Layout) -> pd.DataFrame:
    """Probability of default by each horizon, with standard errors of independent paths."""
    value, error = tails.default_probabilities(tally, layout.horizons)
    rows = [
        (step, name, value[entity, place], error[entity, place])
        for place, step in enumerate(layout.horizons)
        for entity, name in enumerate(layout.entities)
    ]
    return pd.DataFrame(rows, columns=["step", "entity", "pd", "pd_se"])


def worst_paths_table(tally: Tally, layout: Layout, scale: float) -> pd.DataFrame:
    """Ids and losses of the worst paths by horizon, worst first."""
    parts = []
    for place, step in enumerate(layout.horizons):
        ids, loss = measures.worst_paths(tally, place)
        parts.append(pd.DataFrame({"step": step, "path": ids, "loss": loss.astype(np.float64) / scale}))
    return pd.concat(parts, ignore_index=True)
