"""Tables of how far the tail may be wrong. All amounts are USD bn."""

import pandas as pd

from engine.results.losses import LEVELS, horizon_names
from engine.tail import intervals, measures
from engine.tail.measures import Losses
from engine.tail.tally import Layout, Tally
from engine.tail.variance_reduction import reduction
from engine.tail.worst_case import worst_case

RADII = (0.001, 0.005, 0.02)
"""Relative entropies of the model-risk band, nats."""

READ = ("95", "99")
"""Suffixes of the levels at which the band is read."""

DEEP = {"99": 0.99, "99_9": 0.999, "99_97": 0.9997, "99_99": 0.9999}
"""Levels at which the far tail is read, by their suffix in names."""

REDUCED = ("99_9", "99_97")
"""Those at which a sampler's variance reduction is quoted."""


def deep_table(tally: Tally, layout: Layout) -> pd.DataFrame:
    """VaR and ES of the system far out, with errors and what the sampler has gained over plain paths."""
    rows = []
    for place, horizon in enumerate(horizon_names(layout)):
        losses = measures.column_losses(tally, place)
        for suffix, level in DEEP.items():
            var, gained = intervals.var_interval(losses, level), reduction(losses, level)
            rows.append({
                "horizon": horizon, "level": level, "suffix": suffix, "var": var.value, "var_lo": var.lower,
                "var_hi": var.upper, "es": measures.expected_shortfall(losses, level),
                "es_se": intervals.es_error(losses, level),
                "effective": intervals.effective_beyond(losses, level),
                "p_reduction": gained.probability, "es_reduction": gained.shortfall,
            })  # fmt: skip
    return pd.DataFrame(rows)


def reductions(losses: Losses) -> dict[str, float]:
    """Variance reduction of tail probability and ES, as summary.json names them."""
    found = {}
    for suffix in REDUCED:
        gained = reduction(losses, DEEP[suffix])
        found |= {f"p_{suffix}": gained.probability, f"es_{suffix}": gained.shortfall}
    return found


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
