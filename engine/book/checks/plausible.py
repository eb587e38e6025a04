"""What is possible in a book but hardly meant: warnings, each with what the number would imply.

Bounds are wide. Where two columns of a book say the same thing (an LTV and the chips pledged, a rating and a
hazard, a coupon and EBITDA), they may differ by a factor, since neither is the whole of it, but not by more.
"""

from collections.abc import Iterator

import numpy as np

from engine.book.checks.problems import SHOWN
from engine.book.columns import Column
from engine.book.frames import Frame, Tables
from engine.book.holdings import looked_up
from engine.book.tables import TABLES

LTV_FACTOR = 6.0
"""Between the LTV a loan documents and that on its chips alone; contracts behind it explain less."""

DEBT_SERVICE_FACTOR = 10.0
"""Interest over EBITDA."""

PD_FACTOR = 10.0
"""Between a firm's default probability and the long-run average of its rating."""

MOST_DEBT = 1e4
"""USD bn of debt in a book: a twelfth of what the world produces in a year."""

RATED_PD = {
    "AAA": 1e-4, "AA": 2e-4, "A": 5e-4, "BBB": 2e-3, "BB": 6e-3, "B": 0.03, "CCC": 0.3, "CC": 0.3,
}  # fmt: skip
"""Order of magnitude of a rating's default probability over a year; grade C."""

LEAST_PD = 1e-3
"""Rated default probabilities below this are compared as this."""


def warnings_of(tables: Tables) -> tuple[str, ...]:
    """Every warning about a checked book in the order of its tables; of very many the rest are counted."""
    warnings = [*unusual(tables), *loan_to_value(tables), *default_probability(tables)]
    warnings += [*debt_service(tables), *size(tables), *chip_margins(tables)]
    rest = len(warnings) - SHOWN
    return tuple(warnings if rest <= 0 else [*warnings[:SHOWN], f"... and {rest} more warnings"])


def unusual(tables: Tables) -> Iterator[str]:
    """Numbers outside the usual range of their column."""
    for name, table in TABLES.items():
        for column in table.columns:
            if column.kind in ("number", "integer") and len(tables[name]):
                yield from outside(name, column, tables[name])


def outside(table: str, column: Column, frame: Frame) -> Iterator[str]:
    """The numbers of a column outside its usual range."""
    low, high = column.usual_range
    values = frame[column.name].to_numpy(np.float64)
    key = TABLES[table].key[0]
    for place in np.flatnonzero((values != 0.0) & ((values < low) | (values > high))):
        usual = f"outside the usual {low:g} to {high:g}"
        implied = in_words(column.unit, float(values[place]))
        yield f"{table} {frame[key].iloc[place]}, column {column.name}: {values[place]:g} is {usual}{implied}"


def in_words(unit: str, value: float) -> str:
    """What a number of a unit would imply; empty where the number says it."""
    words = {
        "USD bn": f": USD {value / 1e3:,.1f} trillion",
        "USD bn/yr": f": USD {value / 1e3:,.1f} trillion a year",
        "thousand USD": f": USD {value * 1e3:,.0f} for a chip",
        "USD/h": f": USD {value * 8766:,.0f} a year for a chip",
        "million": f": {value:,.0f} million chips",
        "thousand": f": {value / 1e3:,.1f} million chips",
        "1/yr": f": {value:.0%} a year",
        "months": f": {value / 12:,.1f} years",
        "bp": f": {value / 100:.2f}% a year",
    }
    return words.get(unit, "")


def loan_to_value(tables: Tables) -> Iterator[str]:
    """Documented LTV against drawn balance over the pledged chips at second-hand prices."""
    pledges, loans = tables["pledges"], tables["loans"]
    price = looked_up(tables, "chips", "price_kusd", pledges["generation"]).to_numpy(np.float64)
    worth = (pledges["thousand_units"] * price / 1e3).groupby(pledges["loan"]).sum()  # USD bn
    for row in loans[(loans["ltv_target"] > 0) & (loans["drawn"] > 0)].itertuples():
        if not worth.get(row.loan, 0.0) > 0.0:
            continue
        value = worth[row.loan]
        implied = row.drawn / value
        if not 1.0 / LTV_FACTOR <= implied / row.ltv_target <= LTV_FACTOR:
            basis = f"USD {row.drawn:g} bn drawn on chips worth {value:.3g} bn is an LTV of {implied:.2f}"
            yield f"loans {row.loan}, column ltv_target: {row.ltv_target:g}, but {basis}"


def default_probability(tables: Tables) -> Iterator[str]:
    """Residual default probability of a year against the average of the firm's rating."""
    for row in tables["firms"].itertuples():
        rated = RATED_PD.get(row.rating.strip().rstrip("+-").upper())
        probability = 1.0 - float(np.exp(-row.hazard))
        if rated is not None and probability > PD_FACTOR * max(rated, LEAST_PD):
            multiple = f"{probability / rated:,.0f} times that of the rating {row.rating}"
            implied = f"a default probability of {probability:.1%} a year, {multiple}"
            yield f"firms {row.firm}, column hazard: {row.hazard:g} is {implied}"


def debt_service(tables: Tables) -> Iterator[str]:
    """Interest at the coupon, margins alone where it floats, against EBITDA."""
    loans, firms = tables["loans"], tables["firms"].set_index("firm")
    interest = (loans["drawn"] * loans["coupon"]).groupby(loans["borrower"]).sum()
    for firm, paid in interest.items():
        earned = max(firms["ebitda_ttm"][firm], firms["core_ebitda"][firm])
        if earned > 0.0 and paid > DEBT_SERVICE_FACTOR * earned:
            multiple = f"{paid / earned:,.0f} times its EBITDA of {earned:.3g}"
            yield f"firms {firm}: interest of {paid:.3g} a year on its loans is {multiple}"


def size(tables: Tables) -> Iterator[str]:
    """All debt of the book."""
    total = float(tables["loans"]["committed"].sum())
    if total > MOST_DEBT:
        trillions = f"USD {total / 1e3:,.1f} trillion; amounts are USD bn"
        yield f"loans, column committed: {total:,.0f} in all is {trillions}"


def chip_margins(tables: Tables) -> Iterator[str]:
    """Rent of a year against the chip's price, and running cost against rent."""
    for row in tables["chips"].itertuples():
        rent, cost, price = row.rental_usd_per_hour, row.operating_cost_usd_per_hour, row.list_price_kusd
        if cost >= rent:
            yield f"chips {row.generation}: running cost of {cost:g} USD/h is not below its rent of {rent:g}"
        years = price / (8.766 * rent)
        if not 0.1 <= years <= 20.0:
            earned = f"is earned in {years:.3g} years of rent at {rent:g} USD/h"
            yield f"chips {row.generation}: the list price of {price:g} thousand USD {earned}"
