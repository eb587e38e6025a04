"""How well forecasts held: share of observations in their bands, and how sure that share is.

Forecasts of one quantity overlap, and all of them share one history: they are worth fewer than their number.
The interval of the pooled share resamples whole quantities (a cluster bootstrap: Cameron, Gelbach and Miller
2008) and is a lower bound of the doubt: one boom is one draw.
"""

import dataclasses

import numpy as np
import pandas as pd

RESAMPLES = 2000
INTERVAL = (0.025, 0.975)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Forecasts whose band held what came, with a 95% interval over quantities."""

    forecasts: int
    quantities: int
    hits: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Hits over forecasts; nan without any."""
        return self.hits / self.forecasts if self.forecasts else float("nan")


def coverage(rows: pd.DataFrame, seed: int) -> Coverage:
    """Coverage of rows with the columns quantity and hit, each forecast once.

    >>> rows = pd.DataFrame({"quantity": ["a", "a", "b"], "hit": [True, True, False]})
    >>> coverage(rows, seed=7).share.__round__(2)
    0.67
    """
    groups = rows.groupby("quantity")["hit"].agg(["sum", "count"]).to_numpy(np.float64)
    if not len(groups):
        return Coverage(0, 0, 0, float("nan"), float("nan"))
    draws = np.random.default_rng(seed).integers(0, len(groups), (RESAMPLES, len(groups)))
    sums = groups[draws].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], INTERVAL)
    return Coverage(len(rows), len(groups), int(rows["hit"].sum()), float(low), float(high))


def next_only(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the forecasts from each known observation the first target: spans of one level do not overlap."""
    return rows.sort_values("months").groupby(["level", "known"], sort=False).head(1)


def pit_shares(pit: np.ndarray, bins: int = 10) -> np.ndarray:
    """Share of observations by tenth of their forecast distribution; 0.1 each where forecasts are right."""
    counts = np.histogram(pit, np.linspace(0.0, 1.0, bins + 1))[0]
    return counts / max(len(pit), 1)
