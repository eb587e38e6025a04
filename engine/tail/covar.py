"""The system's VaR when one lender is in its own tail: CoVaR and DeltaCoVaR.

    CoVaR_i(a)       VaR_a of the system given  L_i >= VaR_a(L_i)
    DeltaCoVaR_i(a)  CoVaR_i(a) - VaR_a of the system given  L_i <= median(L_i)

After Adrian and Brunnermeier (2016), "CoVaR", American Economic Review 106(7), with distress as the whole
tail instead of one point of it (Girardi and Ergun 2013, Journal of Banking and Finance 37(8)): simulated
losses have atoms, at which conditioning on a point says little. Read off the tally's joint histograms, which
are kept for the last horizon.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.special import bdtrik

from engine import arguments
from engine.tail.histogram import JOINT
from engine.tail.intervals import CONFIDENCE, HALF_WIDTH
from engine.tail.measures import counted_paths, locate
from engine.tail.tally import SQUARE_ONE, WEIGHT_ONE, Tally


@dataclass(frozen=True)
class Distress:
    """CoVaR of the system with its interval, and its rise over the same measure in normal times."""

    covar: float  # USD bn
    lower: float
    upper: float
    delta: float
    delta_error: float  # standard error of delta
    beyond: float  # effective paths in distress on which the system loses more than CoVaR


NONE = Distress(np.nan, np.nan, np.nan, np.nan, np.nan, 0.0)
"""Of a column that is not in distress."""


def covar(tally: Tally, last: int, level: float) -> Distress:
    """CoVaR and DeltaCoVaR for the `last`-th of the columns with a joint law.

    Within half a bin, 3.1%, of the sample's own. The interval is that of order statistics for as many paths
    as are in distress, counted by Kish where they are weighted; the error of the column's own VaR is left
    out. The two VaRs of DeltaCoVaR rest on different paths, so its variance is the sum of theirs, each from
    the width of its interval. NONE where the column loses less than 1 USD mn at its VaR: it is then not
    in distress. Raises ValueError for a level outside (0, 1) and without paths.
    """
    level = arguments.level("level", level)
    if not 0 <= last < len(tally.joint):
        arguments.refuse("last", last, f"a position from 0 to {len(tally.joint) - 1}")
    table = np.asarray(tally.joint)[last] / WEIGHT_ONE
    total = float(table.sum())
    own, squares = table.sum(axis=1), np.asarray(tally.squares)[-1, 0].sum() / SQUARE_ONE
    paths = min(float(counted_paths(tally)), total**2 / squares)
    place, _ = locate(own, (1.0 - level) * total)
    if place == 0:
        return NONE
    system = above(table, own, (1.0 - level) * total)
    normal = table.sum(axis=0) - above(table, own, 0.5 * total)
    value, lower, upper = quantile_interval(system, level, (1.0 - level) * paths)
    calm, *ends = quantile_interval(normal, level, 0.5 * paths)
    widths = np.asarray([upper - lower, ends[1] - ends[0]])
    error = float(np.sqrt(np.sum(widths**2))) / (2.0 * HALF_WIDTH)
    return Distress(value, lower, upper, value - calm, error, (1.0 - level) ** 2 * paths)


def quantile_interval(
    weight: Float64[np.ndarray, "bins"], level: float, paths: float
) -> tuple[float, float, float]:
    """VaR of so many paths, and the order statistics that bracket it."""
    few, many = bdtrik([0.5 - 0.5 * CONFIDENCE, 0.5 + 0.5 * CONFIDENCE], paths, 1.0 - level) / paths
    return quantile(weight, 1.0 - level), quantile(weight, many), quantile(weight, few)


def above(
    table: Float64[np.ndarray, "own system"], own: Float64[np.ndarray, "own"], mass: float
) -> Float64[np.ndarray, "system"]:
    """Masses of the system's bins on the paths that make up the upper `mass` of the column's own loss."""
    index, fraction = locate(own, mass)
    return table[index + 1 :].sum(axis=0) + fraction * table[index]


def quantile(weight: Float64[np.ndarray, "bins"], share: float) -> float:
    """The loss exceeded with this probability; mass is spread evenly within a bin."""
    index, fraction = locate(weight, share * float(weight.sum()))
    lower, upper = JOINT.lower[index], JOINT.upper[index]
    if not np.isfinite(upper - lower):
        return float(JOINT.representative[index])
    return float(upper - fraction * (upper - lower))
