"""The run beside the market, history, and an earlier prototype."""

from typing import Any

from engine.report import words
from engine.report.table import Cell, Table, amount, number, probability, row, share
from engine.report.words import FIRST_YEAR
from engine.results.folder import Results
from engine.results.horizons import horizon_years

SERIES_NAMES = {
    "revenue": "AI revenue, USD bn a year",
    "rent_h100": "H100 rent, USD/h",
    "price_h100": "H100 price, thousand USD",
    "price_gb200": "GB200 price, thousand USD",
    "utilisation": "Utilisation index",
    "exposure": "Debt outstanding, USD bn",
}
MEASURE_NAMES = {"el": "Expected loss", "var_99": "VaR 99%", "es_99": "ES 99%"}


def probabilities_table(results: Results) -> Table:
    """One- and five-year PDs with those of the rating, the CDS and the prototype."""
    firms = results.tables["plausibility_pd"].sort_values("pd_1y", ascending=False)
    rows = tuple(
        row(
            firm.name, firm.rating or "–", probability(firm.pd_1y, firm.pd_1y_se), share(firm.rating_pd_1y),
            share(firm.cds_pd_1y), number(firm.ratio, ".2f"), share(firm.prototype_pd_1y),
            probability(firm.pd_5y, firm.pd_5y_se) if words.known(firm.pd_5y) else Cell("–", "share"),
            share(firm.implied_pd_5y),
        )
        for firm in firms.itertuples(index=False)
    )  # fmt: skip
    head = ("Borrower", "Rating", "Run, 1 year", "Rating implies", "CDS implies", "Run / implied",
            "Prototype", "Run, 5 years", "Implied, 5 years")  # fmt: skip
    return Table("default_probabilities", "Default probabilities", head, rows, words=2)


PROBABILITIES_NOTE = (
    "Rating: mean of the one-year averages of S&P (1981–2024) and Moody's (1983–2023). CDS: spread over loss "
    "given default (0.6), divided by the ratio of risk-neutral to real-world default rates (6 for investment "
    "grade, 2.5 below). Five years: the same spread, or the rating's five-year default rate."
)


def declines_table(results: Results) -> Table:
    """Annual change of rents and prices, observed and simulated."""
    rows = tuple(
        row(change.what, amount(change.first), amount(change.last), number(change.years, ".1f"),
            number(change.annual_change, "+.0%"))
        for change in results.tables["plausibility_declines"].itertuples(index=False)
    )  # fmt: skip
    head = ("Rents (USD/h) and prices (thousand USD)", "From", "To", "Years", "Change a year")
    return Table("declines", "Rents and prices of chips, observed and simulated", head, rows)


def bands_table(results: Results) -> Table:
    """Predictions for each year's end: median and 90% band."""
    bands = results.tables["plausibility_bands"]
    months = sorted(bands["month"].unique())
    rows = tuple(
        row(SERIES_NAMES[series], *(band(year) for year in part.itertuples()))
        for series, part in bands.groupby("series", sort=False)
    )
    head = ("At the end of", *(str(FIRST_YEAR + month // 12 - 1) for month in months))
    text = "Median, and in parentheses the band that contains 90% of paths."
    return Table("predictions", "Predictions to be checked", head, rows, text)


def band(year: Any) -> Cell:
    """A median with its 90% band."""
    detail = f"({words.amount(year.p05)}–{words.amount(year.p95)})"
    return Cell(words.amount(year.p50), "number", year.p50, detail, (year.p05, year.p95))


def prototype_table(results: Results) -> Table:
    """Losses and regimes beside the prototype's."""
    rows = [
        row(
            f"{MEASURE_NAMES[loss.measure]}, {horizon_years(loss.horizon)}", amount(loss.run),
            share(loss.run_share), amount(loss.legacy), amount(loss.prototype), share(loss.prototype_share),
            number(loss.ratio, ".2f"),
        )
        for loss in results.tables["plausibility_losses"].itertuples(index=False)
    ]  # fmt: skip
    regimes, empty = results.tables["plausibility_regimes"], Cell("")
    rows += [
        row(
            f"Paths in {regime.regime}, {horizon_years(regime.horizon)}", empty, share(regime.share), empty,
            empty, share(regime.prototype), empty,
        )
        for regime in regimes[regimes["horizon"] == results.last].itertuples(index=False)
    ]  # fmt: skip
    head = ("Measure", "Run", "Share of debt or paths", "On today's debt", "Prototype", "Prototype's share",
            "Run / prototype")  # fmt: skip
    text = (
        "An earlier, independent prototype of the same month on a coarser book (570 bn of commitments, 230 "
        "bn of new debt in five years, 20,000 paths). It checks orders of magnitude; it is not a target."
    )
    return Table("prototype", "The run beside a prototype", head, tuple(rows), text, "USD bn")
