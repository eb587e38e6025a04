"""The run beside the market, history, and the references of the book."""

from typing import Any

from engine.book.about import About
from engine.report import words
from engine.report.table import Cell, Table, amount, number, probability, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years
from engine.vocabulary import price_of, rent_of

MEASURE_NAMES = {"el": "Expected loss", "var_99": "VaR 99%", "es_99": "ES 99%"}


def series_names(about: About) -> dict[str, str]:
    """Monthly series that are predicted, with their units."""
    first = about.benchmarks[0]
    return {
        "revenue": "AI revenue, USD bn a year",
        rent_of(first): f"{first} rent, USD/h",
        **{price_of(chip): f"{chip} price, thousand USD" for chip in about.benchmarks},
        "utilisation": "Utilisation index",
        "exposure": "Debt outstanding, USD bn",
    }


def probabilities_table(results: Results) -> Table:
    """One- and five-year PDs with those of the rating, the CDS and the book's references, if any."""
    firms = results.tables["plausibility_pd"].sort_values("pd_1y", ascending=False)
    referred = bool(firms["prototype_pd_1y"].notna().any())
    rows = tuple(
        row(
            firm.name, firm.rating or "–", probability(firm.pd_1y, firm.pd_1y_se), share(firm.rating_pd_1y),
            share(firm.cds_pd_1y), number(firm.ratio, ".2f"),
            *([share(firm.prototype_pd_1y)] if referred else []),
            probability(firm.pd_5y, firm.pd_5y_se) if words.known(firm.pd_5y) else Cell("–", "share"),
            share(firm.implied_pd_5y),
        )
        for firm in firms.itertuples(index=False)
    )  # fmt: skip
    head = ("Borrower", "Rating", "Run, 1 year", "Rating implies", "CDS implies", "Run / implied",
            *(["Reference"] if referred else []), "Run, 5 years", "Implied, 5 years")  # fmt: skip
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
    bands, names, about = results.tables["plausibility_bands"], series_names(results.about), results.about
    months = sorted(bands["month"].unique())
    rows = tuple(
        row(names[series], *(band(year) for year in part.itertuples()))
        for series, part in bands.groupby("series", sort=False)
    )
    head = ("At the end of", *(about.year_name(int(month) // 12) for month in months))
    text = "Median, and in parentheses the band that contains 90% of paths."
    return Table("predictions", "Predictions to be checked", head, rows, text)


def band(year: Any) -> Cell:
    """A median with its 90% band."""
    detail = f"({words.amount(year.p05)}–{words.amount(year.p95)})"
    return Cell(words.amount(year.p50), "number", year.p50, detail, (year.p05, year.p95))


def reference_tables(results: Results) -> tuple[Table, ...]:
    """Losses and regimes beside the book's references; none where it has none for these horizons."""
    losses, regimes = results.tables["plausibility_losses"], results.tables["plausibility_regimes"]
    losses = losses[losses["prototype"].notna()]
    regimes = regimes[regimes["prototype"].notna()]
    rows = [
        row(
            f"{MEASURE_NAMES[loss.measure]}, {horizon_years(loss.horizon)}", amount(loss.run),
            share(loss.run_share), amount(loss.legacy), amount(loss.prototype), share(loss.prototype_share),
            number(loss.ratio, ".2f"),
        )
        for loss in losses.itertuples(index=False)
    ]  # fmt: skip
    empty = Cell("")
    rows += [
        row(
            f"Paths in {regime.regime}, {horizon_years(regime.horizon)}", empty, share(regime.share), empty,
            empty, share(regime.prototype), empty,
        )
        for regime in regimes.itertuples(index=False)
    ]  # fmt: skip
    if not rows:
        return ()
    head = ("Measure", "Run", "Share of debt or paths", "On today's debt", "Reference", "Reference's share",
            "Run / reference")  # fmt: skip
    title = "The run beside references: other models, not targets"
    return (Table("references", title, head, tuple(rows), sources(results), "USD bn"),)


def sources(results: Results) -> str:
    """Where the references come from, in sentences; empty for a run that did not keep them."""
    references = results.tables.get("references")
    return "" if references is None else " ".join(f"{text}." for text in references["source"].unique())
