"""Tables of who drags whom down: systemic measures of lenders and classes, and how defaults cluster.

All amounts are USD bn, all measures those of the last horizon, each with its standard error.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import ArrayLike, Float64

from engine.book.system import System
from engine.contagion.clearing import fail_each
from engine.results.estimates import LEVELS, SYSTEMIC, Estimates
from engine.results.losses import Labels, column_kind, horizon_names
from engine.run.programs import Kept
from engine.tail import clusters, covar
from engine.tail.contributions import composition, expected_losses
from engine.tail.intervals import RESOLVED_PATHS
from engine.tail.measures import tail
from engine.tail.systemic import Systemic
from engine.tail.tally import Layout, Tally

BANDS = (0.5, 0.9, 0.95, 0.99)
"""Levels at which bands of the system's loss begin; the first band lies below."""


Failing = Float64[np.ndarray, "vehicles lenders"]
"""What each lender loses if one vehicle alone fails, USD bn."""


def distress_table(
    estimates: Estimates, layout: Layout, labels: Labels, system: System, failing: Failing
) -> pd.DataFrame:
    """Every lender: what it loses with the system, and the system with it.

    NaN where a lender loses nothing at that level, and so is in no distress, where its capital is not known,
    and where nobody holds a claim on it (`passed_on`).
    """
    passed = passed_on(system.names.lenders, failing)
    rows = []
    for suffix in SYSTEMIC:
        level = LEVELS[suffix]
        for last, key in enumerate(layout.distress):
            kind, lender = column_kind(key)
            if kind != "lender":
                continue
            conditional = covar.covar(estimates.tally, last, level)
            rows.append(
                {"horizon": horizon_names(layout)[-1], "level": level, "id": lender}
                | {"name": labels.name.get(key, key), "class": labels.group.get(key, "")}
                | {"covar": conditional.covar, "covar_lo": conditional.lower, "covar_hi": conditional.upper}
                | {"delta_covar": conditional.delta, "delta_covar_se": conditional.delta_error}
                | {"covar_resolved": conditional.beyond >= RESOLVED_PATHS}
                | measures_of(estimates.systemic[suffix][last], labels.capital.get(key, np.nan))
                | {"passed_on": passed.get(lender, np.nan)}
            )
    return pd.DataFrame(rows)


def measures_of(column: Systemic, capital: float) -> dict[str, float]:
    """A column's measures by name; vulnerability is its shortfall over its capital at month 0."""
    over = 1.0 / capital if capital > 0.0 else np.nan
    return {
        "mes": column.shortfall.value, "mes_se": column.shortfall.standard_error,
        "es_share": column.share.value, "es_share_se": column.share.standard_error,
        "vulnerability": column.shortfall.value * over,
        "vulnerability_se": column.shortfall.standard_error * over,
        "importance": column.importance.value, "importance_se": column.importance.standard_error,
    }  # fmt: skip


def passed_on(names: Sequence[str], failing: Failing) -> dict[str, float]:
    """What lenders that are no vehicles lose if one vehicle alone fails at month 0, by vehicle, USD bn."""
    vehicles = len(failing)
    sums = failing[:, vehicles:].sum(axis=1).tolist()
    return dict(zip(names[:vehicles], sums, strict=True))


def losses_if_one_fails(table: Any, passing: ArrayLike, cost: ArrayLike) -> Failing:
    """What each lender loses on its claims if one vehicle alone fails at month 0, vehicle by vehicle, USD bn.

    `table` has the lenders as `System.lenders` has them, vehicles first; `passing` is the share of a
    vehicle's loss that is passed on, `cost` that of its debt lost in bankruptcy.
    """
    capital, debt, debt_share, equity_share = (
        np.asarray(array, np.float64)
        for array in (table.capital, table.debt, table.debt_share.matrix, table.equity_share.matrix)
    )
    passing, cost = np.asarray(passing, np.float64), np.asarray(cost, np.float64)
    vehicles = debt_share.shape[1]
    losses, _ = each_fails(capital[:vehicles], debt[:vehicles], debt_share, equity_share, passing, cost)
    return np.asarray(losses)


each_fails = Kept(fail_each)


def failing_alone(system: System) -> Failing:
    """The same of a System."""
    mechanisms, costs = system.numbers.mechanisms, system.numbers.lenders
    return losses_if_one_fails(system.lenders, mechanisms.lender_network, costs.bankruptcy_cost)


def claims_table(labels: Labels, system: System, failing: Failing) -> pd.DataFrame:
    """Who loses what if one vehicle alone fails at month 0: a row for each vehicle and lender with a loss."""
    names = system.names.lenders
    vehicles, lenders = np.nonzero(failing > 0.0)
    keys = [f"lender:{name}" for name in names]
    return pd.DataFrame({
        "vehicle": [names[place] for place in vehicles],
        "vehicle_name": [labels.name.get(keys[place], names[place]) for place in vehicles],
        "id": [names[place] for place in lenders],
        "name": [labels.name.get(keys[place], names[place]) for place in lenders],
        "class": [labels.group.get(keys[place], "") for place in lenders],
        "loss": failing[vehicles, lenders],
    })  # fmt: skip


def conditional_table(estimates: Estimates, layout: Layout, labels: Labels) -> pd.DataFrame:
    """Mean loss of every lender while the system's lies in a band of its law, at the last horizon, USD bn.

    A band reaches from the system's VaR at `level` to that at `level_to`; the bands' means weigh up to the
    expected loss.
    """
    system = estimates.system[-1]
    tails = [
        system.tails[level].tail if level in system.tails else tail(system.losses, level) for level in BANDS
    ]
    above = composition(estimates.tally, -1, tails)
    widths = np.diff([*BANDS, 1.0])
    below = (expected_losses(estimates.tally, -1) - widths @ above) / BANDS[0]
    rows = []
    for level, level_to, mean in zip((0.0, *BANDS), (*BANDS, 1.0), (below, *above), strict=True):
        for key, loss in zip(layout.columns, mean[: len(layout.columns)], strict=True):
            kind, name = column_kind(key)
            if kind == "lender":
                rows.append({
                    "horizon": horizon_names(layout)[-1], "level": level, "level_to": level_to, "id": name,
                    "name": labels.name.get(key, name), "class": labels.group.get(key, ""),
                    "mean": loss, "capital": labels.capital.get(key, np.nan),
                })  # fmt: skip
    return pd.DataFrame(rows)


def es_shares_table(estimates: Estimates, layout: Layout, labels: Labels) -> pd.DataFrame:
    """Euler contribution to the system's ES of every column but the system, and its share of ES."""
    rows = []
    for suffix in SYSTEMIC:
        for key, column in zip(layout.distress, estimates.systemic[suffix], strict=True):
            kind, name = column_kind(key)
            rows.append({
                "horizon": horizon_names(layout)[-1], "level": LEVELS[suffix], "kind": kind, "id": name,
                "name": labels.name.get(key, name), "contribution": column.shortfall.value,
                "contribution_se": column.shortfall.standard_error,
                "share": column.share.value, "share_se": column.share.standard_error,
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
    indices = [clusters.dispersion(tally, span) for span in (*quarters, clusters.ALL)]
    expected = [float(clusters.probabilities(tally, span).sum()) for span in (*quarters, clusters.ALL)]
    return pd.DataFrame({
        "quarter": [*(str(quarter + 1) for quarter in quarters), "all"], "expected": expected,
        "dispersion": [index.value for index in indices],
        "dispersion_se": [index.standard_error for index in indices],
    })  # fmt: skip
