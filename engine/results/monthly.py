"""Tables along time from a tally: default probabilities, defaults and causes, fans, regimes, worst paths."""

import numpy as np
import pandas as pd

from engine.book.load import Book
from engine.results.estimates import TAIL
from engine.results.losses import horizon_names
from engine.tail import contributions as tails
from engine.tail import groups, measures
from engine.tail.histogram import FAN
from engine.tail.tally import Layout, Tally
from engine.vocabulary import ALIVE, CAUSES, REGIMES

QUANTILES = {"p01": 0.01, "p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95, "p99": 0.99}
"""Quantiles of the fans by column name."""


def firms_table(tally: Tally, layout: Layout, book: Book) -> pd.DataFrame:
    """Probability of default by the end of each year with its standard error, and share of each cause."""
    years = range(1, layout.months // 12 + 1)
    probability, error = tails.default_probabilities(tally, [12 * year for year in years])
    causes = tails.cause_shares(tally)
    table = borrowers(layout, book)
    for place, year in enumerate(years):
        table[f"pd_{year}y"], table[f"pd_{year}y_se"] = probability[:, place], error[:, place]
    for code, cause in enumerate(CAUSES):
        if code != ALIVE:
            table[f"cause_{cause}"] = causes[:, code]
    return table


def borrowers(layout: Layout, book: Book) -> pd.DataFrame:
    """firm, name, kind, group and rating of the entities; members of a pool or group are synthetic."""
    firms = book.tables["firms"].set_index("firm").reindex(list(layout.entities))
    pools = dict(zip(book.tables["pools"]["pool"], book.tables["pools"]["name"], strict=True))
    member = firms["pool"].fillna("") != ""
    return pd.DataFrame({
        "firm": list(layout.entities),
        "name": firms["name"].fillna(firms.index.to_series()).to_numpy(),
        "kind": firms["kind"].fillna("synthetic").where(~member, "synthetic").to_numpy(),
        "group": [pools.get(pool, "") for pool in firms["pool"]],
        "rating": firms["rating"].fillna("").to_numpy(),
    })  # fmt: skip


def defaults_table(tally: Tally, layout: Layout, book: Book) -> pd.DataFrame:
    """Expected number of defaults in each month, by kind of borrower."""
    cumulative, _ = tails.default_probabilities(tally, range(1, layout.months + 1))
    monthly = np.diff(cumulative, axis=1, prepend=0.0)
    kinds = borrowers(layout, book)["kind"]
    months = np.arange(1, layout.months + 1)
    if not len(kinds):
        return pd.DataFrame({"kind": kinds, "month": months[:0], "expected": np.zeros(0)})
    parts = [
        pd.DataFrame(
            {"kind": kind, "month": months, "expected": monthly[(kinds == kind).to_numpy()].sum(axis=0)}
        )
        for kind in kinds.unique()
    ]
    return pd.concat(parts, ignore_index=True)


def causes_table(tally: Tally, layout: Layout, book: Book) -> pd.DataFrame:
    """Expected number of defaults by cause, by kind of borrower, over the whole run."""
    ever, _ = tails.default_probabilities(tally, [layout.months])
    expected = np.nan_to_num(tails.cause_shares(tally)) * ever
    kinds = borrowers(layout, book)["kind"]
    rows = []
    for kind in kinds.unique():
        sums = expected[(kinds == kind).to_numpy()].sum(axis=0)
        total = sums.sum()
        rows += [
            (kind, cause, float(sums[code]), float(sums[code] / total) if total > 0 else 0.0)
            for code, cause in enumerate(CAUSES)
            if code != ALIVE
        ]
    return pd.DataFrame(rows, columns=["kind", "cause", "expected", "share"])


def fans_table(tally: Tally, layout: Layout, time: str = "month") -> pd.DataFrame:
    """Quantiles of every series by month, or whatever `time` is called, within 3.1% of the value."""
    values = tails.fans(tally, list(QUANTILES.values()))
    months = np.arange(1, layout.months + 1)
    parts = [
        pd.DataFrame({"series": name, time: months})
        .assign(**{key: values[level, :, place] for level, key in enumerate(QUANTILES)})
        for place, name in enumerate(layout.series)
    ]  # fmt: skip
    return (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["series", time, *QUANTILES])
    )


def regimes_table(tally: Tally, layout: Layout) -> pd.DataFrame:
    """Share of paths in each regime, month by month; the series `regime` holds the regime's position."""
    weight = np.asarray(tally.fans)[:, layout.series.index("regime")].astype(np.float64)
    codes = [int(np.argmax((FAN.lower <= code) & (code < FAN.upper))) for code in range(len(REGIMES))]
    total = weight.sum(axis=1)
    shares = {regime: weight[:, at] / total for regime, at in zip(REGIMES, codes, strict=True)}
    return pd.DataFrame({"month": np.arange(1, layout.months + 1)} | shares)


def boom_breaks_table(tally: Tally, layout: Layout) -> pd.DataFrame:
    """System loss at the last horizon by the quarter in which the boom breaks, the last row where it lasts.

    `share` is of all paths, `tail_share` of those beyond the system's VaR at 99%; el and es_95 are those of
    the quarter's own paths. NaN where a quarter has no paths.
    """
    beyond = groups.tail_shares(tally, TAIL)
    rows = []
    for place, name in enumerate(layout.groups):
        share = groups.probability(tally, place)
        row = {"quarter": name, "share": share, "tail_share": beyond[place]}
        if share > 0.0:
            losses = groups.group_losses(tally, place)
            mean = measures.expected_loss(losses)
            row |= {"el": mean.value, "el_se": mean.standard_error}
            row |= {"es_95": measures.tail(losses, 0.95).expected_shortfall}
        rows.append(row)
    columns = ["quarter", "share", "tail_share", "el", "el_se", "es_95"]
    return pd.DataFrame(rows, columns=columns)


def worst_paths_table(tally: Tally, layout: Layout) -> pd.DataFrame:
    """Ids and system losses of the worst paths at each horizon, worst first; any of them can be replayed."""
    parts = []
    for place, horizon in enumerate(horizon_names(layout)):
        paths, losses = measures.worst_paths(tally, place)
        rank = np.arange(1, len(paths) + 1)
        parts.append(pd.DataFrame({"horizon": horizon, "rank": rank, "path": paths, "loss": losses}))
    return pd.concat(parts, ignore_index=True)
