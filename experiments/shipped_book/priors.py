"""Priors of holder classes' shares in each instrument class, from the marginals and known holdings.

Where known holdings exceed a holder class's mean (Hyperion: PIMCO and BlackRock hold 77%, mutual funds as a
class 60%), that class has its known share and the others share the rest in proportion to their means and
bounds.
"""

from collections.abc import Mapping

from experiments.shipped_book.facts import Facts, Row, Spread
from experiments.shipped_book.holdings import rounded
from experiments.shipped_book.sums import plain_sum

CONCENTRATION = 20
"""Of the Dirichlet law of the shares, as in the marginals."""

SAME_AS = {"OTHER_CONSTRUCTION": "PROJECT_LOANS"}
"""Classes without marginals, and the class whose shares they take."""

SOURCE = "modelling from deal descriptions (marginals)"


def priors(facts: Facts, known: Mapping[tuple[str, str], float]) -> list[Row]:
    """Every row. `known`: share of an instrument class that known cells give a holder class."""
    bounds = facts.share_bounds()
    rows = []
    for kind in [*bounds, *SAME_AS]:
        for holder, (mean, low, high), source in adjusted(bounds[SAME_AS.get(kind, kind)], kind, known):
            rows.append({
                "class": kind, "holder_class": holder, "mean": mean, "low": low, "high": high,
                "concentration": CONCENTRATION, "source": source, "grade": "C",
            })  # fmt: skip
    return rows


def adjusted(
    bounds: Mapping[str, Spread], kind: str, known: Mapping[tuple[str, str], float]
) -> list[tuple[str, Spread, str]]:
    """(holder class, mean and bounds, source) with at least the share of the known cells."""
    fixed = {holder: known.get((kind, holder), 0.0) for holder in bounds}
    over = {holder for holder, share in fixed.items() if share > bounds[holder][0]}
    others = plain_sum(mean for holder, (mean, _, _) in bounds.items() if holder not in over)
    scale = (1.0 - plain_sum(fixed[holder] for holder in over)) / others if over else 1.0
    shares = {h: fixed[h] if h in over else scale * mean for h, (mean, _, _) in bounds.items()}
    means = rounded(shares)
    source = f"{SOURCE}, as {SAME_AS[kind]}" if kind in SAME_AS else SOURCE
    rows = []
    for holder, (_, low, high) in bounds.items():
        if holder in over:
            fixed_at = Spread(means[holder], means[holder], means[holder])
            rows.append((holder, fixed_at, "known cells, more than the marginals' mean"))
        else:
            note = source + (", scaled to what known cells leave" if over else "")
            edges = (round(max(scale * low, fixed[holder]), 4), round(scale * high, 4))
            rows.append((holder, Spread(means[holder], *edges), note))
    return rows
