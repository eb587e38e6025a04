"""Tables of what hangs together in the tail, and of how far it may be wrong. All amounts are USD bn."""

import pandas as pd

from engine.report.loss_tables import LEVELS, Labels, column_kind, horizon_names
from engine.tail import contributions, distress, measures
from engine.tail.tally import Layout, Tally
from engine.tail.worst_case import worst_case

RADII = (0.001, 0.005, 0.02)
"""Relative entropies of the model-risk band, nats."""

READ = ("95", "99")
"""Suffixes of the levels at which distress and the band are read."""


def distress_table(tally: Tally, layout: Layout, labels: Labels) -> pd.DataFrame:
    """CoVaR, DeltaCoVaR and marginal expected shortfall of every lender at the last horizon.

    NaN where a lender loses nothing at that level, and so is in no distress.
    """
    first, end = len(layout.columns) - len(layout.distress), len(layout.horizons) - 1
    rows = []
    for suffix in READ:
        level = LEVELS[suffix]
        shortfalls = contributions.marginal_expected_shortfall(tally, end, level)[first:]
        for last, key in enumerate(layout.distress):
            found = distress.covar(tally, last, level)
            rows.append((
                horizon_names(layout)[end], level, column_kind(key)[1], labels.name.get(key, key),
                labels.group.get(key, ""), found.covar, found.lower, found.upper, found.delta,
                shortfalls[last],
            ))  # fmt: skip
    names = "horizon level id name class covar covar_lo covar_hi delta_covar mes"
    return pd.DataFrame(rows, columns=names.split())


def worst_case_table(tally: Tally, layout: Layout) -> pd.DataFrame:
    """Worst VaR and ES of the system within relative-entropy balls; radius 0 is the simulated measure."""
    rows = []
    for place, horizon in enumerate(horizon_names(layout)):
        losses = measures.column_losses(tally, place)
        for suffix in READ:
            for radius in (0.0, *RADII):
                found = worst_case(losses, LEVELS[suffix], radius)
                rows.append({
                    "horizon": horizon, "level": found.level, "radius": radius, "mean": found.mean,
                    "var": found.value_at_risk, "es": found.expected_shortfall, "simulated": found.simulated,
                })  # fmt: skip
    return pd.DataFrame(rows)
