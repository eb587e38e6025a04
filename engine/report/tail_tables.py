"""Tables of how far the tail may be wrong. All amounts are USD bn."""

import pandas as pd

from engine.report.loss_tables import LEVELS, horizon_names
from engine.tail import measures
from engine.tail.tally import Layout, Tally
from engine.tail.worst_case import worst_case

RADII = (0.001, 0.005, 0.02)
"""Relative entropies of the model-risk band, nats."""

READ = ("95", "99")
"""Suffixes of the levels at which the band is read."""


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
