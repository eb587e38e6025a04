"""The run beside the outside world: ratings, CDS, rental history, and the references of the book.

One table a question; the report shows them and says where the run differs.
"""

import math
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from engine.book.about import About
from engine.book.load import Book
from engine.results.horizons import horizon_months
from engine.vocabulary import REGIMES, price_of, rent_of

RATING_PD = {
    "AAA": (0.0, 0.0),
    "AA": (0.0002, 0.0002),
    "A": (0.0005, 0.0005),
    "BBB": (0.0014, 0.0016),
    "BB": (0.0057, 0.0085),
    "B": (0.030, 0.031),
    "CCC": (0.266, 0.095),
}
"""One-year default rates: S&P global corporates 1981-2024, Moody's issuer-weighted 1983-2023."""

RATING_PD_5Y = {"AAA": 0.0034, "AA": 0.003, "A": 0.004, "BBB": 0.015, "BB": 0.065, "B": 0.17, "CCC": 0.47}
"""Five-year cumulative default rates: S&P global corporates 1981-2024, rounded (grade C: from memory)."""

MOODYS = {
    "Aaa": "AAA",
    "Aa": "AA",
    "A": "A",
    "Baa": "BBB",
    "Ba": "BB",
    "B": "B",
    "Caa": "CCC",
    "Ca": "CCC",
    "C": "CCC",
}
INVESTMENT_GRADE = ("AAA", "AA", "A", "BBB")

CDS_RECOVERY = 0.40
"""Recovery that quoted CDS spreads assume."""

RISK_PREMIUM = {"IG": 6.0, "HY": 2.5}
"""Risk-neutral over real-world default intensity (Hull, Predescu and White 2005; Amato and Remolona 2003)."""

PROBABILITIES = (
    "firm", "name", "kind", "rating", "pd_1y", "pd_1y_se", "rating_pd_1y", "cds_bps", "cds_pd_1y", "basis",
    "implied_pd_1y", "ratio", "prototype_pd_1y", "pd_5y", "pd_5y_se", "implied_pd_5y",
)  # fmt: skip
"""Columns of `default_probabilities`."""


References = dict[tuple[str, str, int], float]
"""Value by quantity, firm (blank but for a default probability) and horizon in months."""


def references_of(book: Book) -> References:
    """The book's references; none in most books."""
    rows = book["references"][["quantity", "firm", "horizon", "value"]]
    return {(quantity, firm, month): value for quantity, firm, month, value in rows.itertuples(index=False)}


def rating_category(rating: str) -> str | None:
    """Letter category of an S&P, Fitch, KBRA or Moody's rating without its notch; None where unrated."""
    found = re.match(r"(Aaa|Aa|Baa|Ba|Caa|Ca|AAA|AA|A|BBB|BB|B|CCC|CC|C)(?=[+\-1-3]|\b)", str(rating).strip())
    if not found:
        return None
    letters = found.group(1)
    category = MOODYS.get(letters, letters)
    return "CCC" if category == "CC" else category


def rating_pd(rating: str, years: int = 1) -> float:
    """Default rate of a rating over one or five years (one: mean of S&P and Moody's); NaN where unrated."""
    category = rating_category(rating)
    if not category:
        return math.nan
    return RATING_PD_5Y[category] if years == 5 else float(np.mean(RATING_PD[category]))


def cds_pd(spread_bps: float, rating: str = "", years: int = 1) -> float:
    """Real-world default probability over `years` implied by a CDS: 1 - exp(-s T / ((1 - R) q)).

    s spread in basis points, T years, R recovery, q ratio of risk-neutral to real-world intensity (by
    rating; that of high yield where unrated).
    """
    grade = "IG" if rating_category(rating) in INVESTMENT_GRADE else "HY"
    return -math.expm1(-spread_bps * years / 1e4 / ((1.0 - CDS_RECOVERY) * RISK_PREMIUM[grade]))


def default_probabilities(firms: pd.DataFrame, book: Book) -> pd.DataFrame:
    """One- and five-year PD of each named borrower beside CDS and rating; the CDS is preferred to the rating.

    The five-year columns are NaN where the run is shorter, `prototype_pd_1y` where the book has no reference.
    """
    references = references_of(book)
    quotes = book.tables["firms"].set_index("firm")
    rows = []
    for firm in firms[firms["kind"] != "synthetic"].itertuples():
        rating, spread = quotes["rating"].get(firm.firm, ""), quotes["cds_bps"].get(firm.firm, math.nan)
        by_rating, by_cds = rating_pd(rating), cds_pd(spread, rating)
        basis = "CDS" if math.isfinite(by_cds) else "rating" if math.isfinite(by_rating) else ""
        implied = by_cds if basis == "CDS" else by_rating
        rows.append({
            "firm": firm.firm, "name": firm.name, "kind": firm.kind, "rating": rating,
            "pd_1y": firm.pd_1y, "pd_1y_se": firm.pd_1y_se,
            "rating_pd_1y": by_rating, "cds_bps": spread, "cds_pd_1y": by_cds, "basis": basis,
            "implied_pd_1y": implied, "ratio": firm.pd_1y / implied if implied > 0 else math.nan,
            "prototype_pd_1y": references.get(("pd", firm.firm, 12), math.nan),
            "pd_5y": getattr(firm, "pd_5y", math.nan), "pd_5y_se": getattr(firm, "pd_5y_se", math.nan),
            "implied_pd_5y": cds_pd(spread, rating, 5) if basis == "CDS" else rating_pd(rating, 5),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=PROBABILITIES).astype({"rating": "str", "basis": "str"})


def losses(system: dict, legacy: dict, exposure: float, references: References) -> pd.DataFrame:
    """Expected and tail loss, of all debt and of that outstanding today alone, beside the book's references.

    `system` and `legacy` hold the measures by horizon; shares are of the exposure at month 0. Columns
    `prototype` are the reference's, NaN without one.
    """
    rows, scale = [], references.get(("exposure", "", 0), math.nan)
    for horizon, measures in system.items():
        for measure in ("el", "var_99", "es_99"):
            reference = references.get((measure, "", horizon_months(horizon)), math.nan)
            rows.append({
                "horizon": horizon, "measure": measure, "run": measures[measure],
                "run_share": measures[measure] / exposure if exposure > 0 else math.nan,
                "legacy": legacy.get(horizon, {}).get(measure, math.nan),
                "prototype": reference, "prototype_share": reference / scale,
                "ratio": measures[measure] / reference,
            })  # fmt: skip
    return pd.DataFrame(rows)


def history_table(book: Book) -> pd.DataFrame:
    """Observed USD per GPU-hour by generation: series, month from the book's date, value."""
    history, about = book["history"], book.about
    hourly = history[history["unit"].str.contains("hour|/h", case=False, regex=True)]
    months = [about.month(date) for date in hourly["date"]]
    generations = "|".join(sorted(book["chips"]["generation"], key=len, reverse=True))
    chip = hourly["series"].str.extract(rf"(?<![A-Z0-9])({generations})(?![A-Z0-9])", expand=False)
    table = pd.DataFrame({"series": chip})
    table = table.assign(month=np.asarray(months, dtype=np.int64), value=hourly["value"])
    return table.dropna().sort_values(["series", "month"]).reset_index(drop=True)


RECENT = 21
"""Months before the book's date whose observations count for the decline of rents."""


def declines(fans: pd.DataFrame, history: pd.DataFrame, about: About) -> pd.DataFrame:
    """Annual rate of change of rents and prices: observed in the last 21 months, and the median of the run.

    rate = exp(ln(last / first) / years) - 1, between the first and the last observation.
    """
    rows = []
    for series, part in history.groupby("series"):
        recent = part[part["month"] >= -RECENT]
        rows += change_row(f"{series} rent, observed", recent["month"].to_numpy(), recent["value"].to_numpy())
    first = about.benchmarks[0]
    names = {rent_of(first): f"{first} rent"} | {price_of(chip): f"{chip} price" for chip in about.benchmarks}
    for series, name in names.items():
        part = fans[fans["series"] == series].sort_values("month")
        for years in (1, 3, 5):
            kept = part[part["month"].isin((0 if 0 in set(part["month"]) else 1, 12 * years))]
            if kept["month"].max() == 12 * years:
                label = f"{name}, run, median over {years} year{'s' * (years > 1)}"
                rows += change_row(label, kept["month"].to_numpy(), kept["p50"].to_numpy())
    return pd.DataFrame(rows, columns=["what", "first", "last", "years", "annual_change"])


def bands(fans: pd.DataFrame, about: About) -> pd.DataFrame:
    """Predicted 90% band and median at each year's end: series, month, p05, p50, p95.

    What the model says with what was known at the book's date: the years to come decide.
    """
    chips = (rent_of(about.benchmarks[0]), *map(price_of, about.benchmarks))
    shown = ("revenue", *chips, "utilisation", "exposure")
    rows = fans[fans["series"].isin(shown) & (fans["month"] % 12 == 0) & (fans["month"] > 0)]
    order = rows["series"].map({name: place for place, name in enumerate(shown)})
    rows = rows.assign(order=order).sort_values(["order", "month"])
    return rows[["series", "month", "p05", "p50", "p95"]].reset_index(drop=True)


def change_row(what: str, months: np.ndarray, values: np.ndarray) -> list[tuple]:
    """One row of `declines`; none where fewer than two positive observations exist."""
    if len(values) < 2 or months[-1] <= months[0] or min(values[0], values[-1]) <= 0:
        return []
    years = float(months[-1] - months[0]) / 12.0
    change = math.expm1(math.log(values[-1] / values[0]) / years)
    return [(what, float(values[0]), float(values[-1]), years, change)]


def regime_shares(regimes: pd.DataFrame, horizons: Iterable[str], references: References) -> pd.DataFrame:
    """Share of paths in each regime at the horizons, beside the book's references."""
    months = regimes.set_index("month")
    rows = []
    for horizon in horizons:
        for regime in REGIMES:
            month = horizon_months(horizon)
            share = float(months[regime].get(month, math.nan))
            rows.append((horizon, regime, share, references.get((regime, "", month), math.nan)))
    return pd.DataFrame(rows, columns=["horizon", "regime", "share", "prototype"])
