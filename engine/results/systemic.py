"""Tables of who drags whom down: systemic measures of lenders and classes, and how defaults cluster.

All amounts are USD bn, all measures those of the last horizon, each with its standard error.
"""

import jax
import numpy as np
import pandas as pd

from engine.contagion.clearing import fail_each
from engine.results.losses import LEVELS, Labels, column_kind, horizon_names
from engine.tail import clusters, covar
from engine.tail.systemic import Systemic, systemic
from engine.tail.tally import Layout, Tally

READ = ("95", "99")
"""Suffixes of the levels at which the measures are read."""


Measures = dict[str, list[Systemic]]
"""By the suffix of the level, then by column in the order of `Layout.distress`."""


def measures_of(tally: Tally) -> Measures:
    """The systemic measures that tables are made of."""
    return {suffix: systemic(tally, LEVELS[suffix]) for suffix in READ}


def distress_table(tally: Tally, layout: Layout, labels: Labels, system, measures: Measures) -> pd.DataFrame:
    """Every lender: what it loses with the system, and the system with it.

    NaN where a lender loses nothing at that level, and so is in no distress, where its capital is not known,
    and where nobody holds a claim on it (`passed_on`).
    """
    passed = passed_on(system)
    rows = []
    for suffix in READ:
        level = LEVELS[suffix]
        for last, key in enumerate(layout.distress):
            kind, lender = column_kind(key)
            if kind != "lender":
                continue
            conditional, found = covar.covar(tally, last, level), measures[suffix][last]
            rows.append(
                {"horizon": horizon_names(layout)[-1], "level": level, "id": lender}
                | {"name": labels.name.get(key, key), "class": labels.group.get(key, "")}
                | {"covar": conditional.covar, "covar_lo": conditional.lower, "covar_hi": conditional.upper}
                | {"delta_covar": conditional.delta, "delta_covar_se": conditional.delta_error}
                | measured(found, labels.capital.get(key, np.nan))
                | {"passed_on": passed.get(lender, np.nan)}
            )
    return pd.DataFrame(rows)


def measured(found: Systemic, capital: float) -> dict[str, float]:
    """A column's measures by name; vulnerability is its shortfall over its capital at month 0."""
    over = 1.0 / capital if capital > 0.0 else np.nan
    return {
        "mes": found.shortfall.value, "mes_se": found.shortfall.standard_error,
        "es_share": found.share.value, "es_share_se": found.share.standard_error,
        "vulnerability": found.shortfall.value * over,
        "vulnerability_se": found.shortfall.standard_error * over,
        "importance": found.importance.value, "importance_se": found.importance.standard_error,
    }  # fmt: skip


def passed_on(system) -> dict[str, float]:
    """What lenders that are not vehicles lose on their claims if one vehicle alone fails at month 0."""
    table, numbers = system.lenders, system.numbers
    capital, debt, debt_share, equity_share, passing, cost = (
        np.asarray(x, np.float64)
        for x in (
            table.capital, table.debt, table.debt_share.matrix, table.equity_share.matrix,
            numbers.mechanisms.lender_network, numbers.lenders.bankruptcy_cost,
        )
    )  # fmt: skip
    vehicles = debt_share.shape[1]
    lost, _ = jax.jit(fail_each)(capital[:vehicles], debt[:vehicles], debt_share, equity_share, passing, cost)
    sums = np.asarray(lost)[:, vehicles:].sum(axis=1).tolist()
    return dict(zip(system.names.lenders[:vehicles], sums, strict=True))


def es_shares_table(layout: Layout, labels: Labels, measures: Measures) -> pd.DataFrame:
    """Euler contribution to the system's ES of every column but the system, and its share of ES."""
    rows = []
    for suffix in READ:
        for key, found in zip(layout.distress, measures[suffix], strict=True):
            kind, name = column_kind(key)
            rows.append({
                "horizon": horizon_names(layout)[-1], "level": LEVELS[suffix], "kind": kind, "id": name,
                "name": labels.name.get(key, name), "contribution": found.shortfall.value,
                "contribution_se": found.shortfall.standard_error,
                "share": found.share.value, "share_se": found.share.standard_error,
            })  # fmt: skip
    return pd.DataFrame(rows)


def clusters_table(tally: Tally) -> pd.DataFrame:
    """Law of the number of named defaults in a path's worst quarter, and if borrowers were independent."""
    law, error = clusters.count_law(tally, clusters.WORST)
    plain = clusters.independent_worst(tally)
    most = int(max(np.flatnonzero(law).max(), np.flatnonzero(plain).max())) + 1
    columns = {
        "defaults": np.arange(law.size),
        "probability": law,
        "probability_se": error,
        "independent": plain,
    }
    return pd.DataFrame(columns)[:most]


def dispersion_table(tally: Tally) -> pd.DataFrame:
    """Index of dispersion of the number of named defaults in each quarter, and in the whole run ("all")."""
    quarters = range(np.asarray(tally.clusters).shape[0] + clusters.WORST)
    found = [clusters.dispersion(tally, span) for span in (*quarters, clusters.ALL)]
    expected = [float(clusters.probabilities(tally, span).sum()) for span in (*quarters, clusters.ALL)]
    return pd.DataFrame({
        "quarter": [*(str(quarter + 1) for quarter in quarters), "all"], "expected": expected,
        "dispersion": [each.value for each in found],
        "dispersion_se": [each.standard_error for each in found],
    })  # fmt: skip
