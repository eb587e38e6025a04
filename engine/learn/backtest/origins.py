"""A System whose month 0 lies in the past: the economy, chips and revenue of that month, as known then.

What was known is set; what was not is as in the book. Nothing later than that month enters, but for three
things that nobody observed: how units installed by the book's date divide over generations, the dates of
releases that were still to come, and the sector's revenue and capex before their first observation.
"""

import dataclasses
import math
from collections import Counter

import numpy as np
import pandas as pd

from engine.book.arrays import floats
from engine.book.build import arrays_of, chip_table
from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.ranges import with_ranges
from engine.book.system import System
from engine.learn.backtest.observed import GRACE, Observation


@dataclasses.dataclass(frozen=True)
class Past:
    """Systems of the past: `past(month)` is that of a month of the history."""

    book: Book
    parameters: Parameters
    system: System  # of the book's date
    rows: list[Observation]
    gains: dict[str, float]  # performance gained by past releases, by generation
    spent: float  # sector capex of the year to the book's date, USD bn, to which the plan compares
    spending: str  # series of yearly spending by which that of earlier years compares
    sales: str  # series of chip sales, by whose size installed units are spread over the months before
    drawn: bool = False  # whether paths draw the parameters that history does not identify

    def __call__(self, month: int) -> System:
        """The System whose month 0 is `month`."""
        chips = dataclasses.replace(self.parameters.chips, capex=self.capex(month))
        economy = dataclasses.replace(self.parameters.economy, revenue=self.revenue(month))
        if any(row.quantity.kind == "rate" and row.month <= month + GRACE for row in self.rows):
            economy = dataclasses.replace(economy, rate=self.level("rate", "", month, 0.0))
        parameters = dataclasses.replace(self.parameters, chips=chips, economy=economy)
        system, months = self.system, self.system.calendar.month.shape[0]
        plan = np.asarray(chips.capex)[np.minimum(np.arange(months) // 12, len(chips.capex) - 1)]
        table = self.chips(month)
        then = dataclasses.replace(
            system,
            numbers=arrays_of(parameters),
            chips=chip_table(table, parameters),
            firms=dataclasses.replace(system.firms, revenue_share=floats(self.shares(month))),
            calendar=dataclasses.replace(system.calendar, capex=floats(plan)),
        )
        return with_ranges(then, table, parameters) if self.drawn else then

    def level(self, kind: str, whose: str, month: int, growth: float) -> float:
        """The last observation of a quantity by a month, grown to it; else the first; nan without any.

        Of several levels of one quantity that with most observations counts.
        """
        own = [row for row in self.rows if (row.quantity.kind, row.quantity.whose) == (kind, whose)]
        counts = Counter(row.level for row in own)
        main = max(sorted(counts), key=counts.__getitem__, default="")
        own = [row for row in own if row.level == main]
        known = [row for row in own if row.month <= month + GRACE] or own[:1]
        if not known:
            return math.nan
        last = max(known, key=lambda row: (row.month, row.end))
        return last.value * math.exp(growth * (month - last.month) / 12.0)

    def revenue(self, month: int) -> float:
        """AI revenue (USD bn a year): the last observation, grown as in a boom."""
        growth = self.parameters.economy.growth[0]
        value = self.level("revenue", "", month, growth)
        start = self.parameters.economy.revenue * math.exp(growth * month / 12.0)
        return start if math.isnan(value) else value

    def shares(self, month: int) -> np.ndarray:
        """Each lab's share of AI revenue; the book's for a lab that was not observed."""
        shares = np.asarray(self.system.firms.revenue_share, np.float64).copy()
        for row in {row.quantity for row in self.rows if row.quantity.kind == "lab"}:
            value = self.level("lab", row.whose, month, self.parameters.economy.growth[0])
            shares[self.system.names.firms.index(row.whose)] = value / self.revenue(month)
        return shares

    def capex(self, month: int) -> list[float]:
        """The plan of sector capex from a month on: the book's, in proportion to what was spent by then."""
        plan = self.parameters.chips.capex
        growth = math.log(plan[0] / self.spent)
        year = [row for row in self.rows if row.series == self.spending]
        if not year:
            return [value * math.exp(growth * month / 12.0) for value in plan]
        known = [row for row in year if row.month <= month + GRACE] or year[:1]
        then = known[-1].value * math.exp(growth * (month - known[-1].month) / 12.0)
        today = year[-1].value * math.exp(-growth * year[-1].month / 12.0)
        return [value * then / today for value in plan]

    def chips(self, month: int) -> pd.DataFrame:
        """The table of chips of a month: rents known then, units bought by then, releases to come."""
        table = self.book["chips"].copy()
        release = table["release_month"].to_numpy(np.int64)
        past, future = release <= month, release > month
        dates = np.arange(min(int(release.min()), month), 1)
        bought = self.purchases(release, dates)
        total = bought.sum(axis=0)
        by_then = np.where(
            total > 0.0, bought[dates <= month].sum(axis=0) / np.where(total > 0.0, total, 1.0), past
        )
        gain = [self.gains.get(name, 1.0) for name in table["generation"]]
        coming = future & (release <= 0)
        table["release_month"] = release - month
        table["slips"] = np.where(release > 0, table["slips"], 0)
        table["performance_gain"] = np.where(coming, gain, table["performance_gain"])
        table["price_kusd"] = table["price_kusd"].where(past)
        table["installed_million"] = table["installed_million"] * by_then * past
        table["rental_usd_per_hour"] = self.rents(table, past, month)
        return table

    def rents(self, table: pd.DataFrame, past: np.ndarray, month: int) -> np.ndarray:
        """Rents of a month: quotes; without one, in proportion to list price as the newest quoted."""
        prices = table["list_price_kusd"].to_numpy(np.float64)
        quotes = np.full(len(table), np.nan)
        for place, name in enumerate(table["generation"]):
            own = [row for row in self.rows if (row.quantity.kind, row.quantity.whose) == ("rent", name)]
            if past[place] and any(row.month <= month + GRACE for row in own):
                quotes[place] = self.level("rent", name, month, 0.0)
        quoted = np.flatnonzero(~np.isnan(quotes))
        if not len(quoted):
            return table["rental_usd_per_hour"].to_numpy(np.float64)
        newest = quoted[-1]
        return np.where(np.isnan(quotes), prices * quotes[newest] / prices[newest], quotes)

    def purchases(self, release: np.ndarray, dates: np.ndarray) -> np.ndarray:
        """Units of each generation bought in each month, up to a scale of its own [months generations]."""
        sales = [row for row in self.rows if row.series == self.sales]
        size = np.ones(len(dates))
        if sales:
            middle = [0.5 * (row.start + row.end) for row in sales]
            size = np.exp(np.interp(dates, middle, np.log([row.value for row in sales])))
        released = release[None, :] <= dates[:, None]
        later: np.ndarray = np.cumsum(released[:, ::-1], axis=1)[:, ::-1] - released
        share = self.parameters.chips.capex_newest_share
        return size[:, None] * released * np.select([later == 0, later == 1], [share, 1.0 - share], 0.0)
