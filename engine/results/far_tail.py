"""Tables of how far the tail may be wrong. All amounts are USD bn."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.results.estimates import DEEP, LEVELS, SYSTEMIC, ColumnEstimate, Estimates
from engine.results.losses import horizon_names
from engine.tail.tally import Layout
from engine.tail.variance_reduction import reduction
from engine.tail.worst_case import worst_case

RADII = (0.001, 0.005, 0.02)
"""Relative entropies of the model-risk band, nats."""

POOR = 2.0
"""Plain paths that one path is worth, below which importance sampling hardly pays."""

REDUCED = ("99_9", "99_97")
"""Suffixes of the levels at which a sampler's variance reduction is quoted."""


def deep_table(estimates: Estimates, layout: Layout) -> pd.DataFrame:
    """VaR and ES of the system far out, with errors and the sampler's variance reduction over plain paths."""
    rows = []
    for horizon, system in zip(horizon_names(layout), estimates.system, strict=True):
        for suffix, level in DEEP.items():
            tail = system.tails[level]
            gain = reduction(system.losses, tail.tail)
            rows.append({
                "horizon": horizon, "level": level, "suffix": suffix, "var": tail.var.value,
                "var_lo": tail.var.lower, "var_hi": tail.var.upper, "es": tail.es.value,
                "es_se": tail.es.standard_error, "effective": tail.effective_paths,
                "p_reduction": gain.probability, "es_reduction": gain.shortfall,
            })  # fmt: skip
    return pd.DataFrame(rows)


def reductions(system: ColumnEstimate) -> dict[str, float]:
    """Variance reduction of tail probability and ES, as summary.json names them."""
    gains = {suffix: reduction(system.losses, system.tails[DEEP[suffix]].tail) for suffix in REDUCED}
    return {
        key: value
        for suffix, gain in gains.items()
        for key, value in ((f"p_{suffix}", gain.probability), (f"es_{suffix}", gain.shortfall))
    }


def poor(sampler: Mapping[str, Any]) -> list[str]:
    """A sentence where importance sampling for the system's tail hardly pays, from the summary's entry."""
    gain = sampler["variance_reduction"].get("es_99_9")
    if sampler.get("column") != "system" or gain is None or not gain < POOR:
        return []
    elsewhere = " It was learned for other numbers." if sampler["learning"].get("differences") else ""
    return [f"One path of importance sampling is worth {gain:.1f} plain ones for ES 99.9%.{elsewhere}"]


def worst_case_table(estimates: Estimates, layout: Layout) -> pd.DataFrame:
    """Worst VaR and ES of the system within relative-entropy balls; radius 0 is the simulated measure."""
    rows = []
    for horizon, system in zip(horizon_names(layout), estimates.system, strict=True):
        for suffix in SYSTEMIC:
            for radius in (0.0, *RADII):
                worst = worst_case(system.losses, system.tails[LEVELS[suffix]].tail, radius)
                rows.append({
                    "horizon": horizon, "level": worst.level, "radius": radius, "mean": worst.mean,
                    "var": worst.value_at_risk, "es": worst.expected_shortfall, "simulated": worst.simulated,
                })  # fmt: skip
    return pd.DataFrame(rows)
