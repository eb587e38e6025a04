"""The part of the page on how far the tail may be wrong."""

from engine.report import charts, findings, timelines, words
from engine.report.markup import Charts, finding, paragraph, probability, section, table
from engine.report.words import amount, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def model_risk(results: Results) -> str:
    """Worst VaR and ES if the law of the losses is wrong by a given relative entropy."""
    rows = results.tables["worst_case"]
    rows = rows[(rows["horizon"] == results.last) & (rows["level"] == 0.99)].to_dict("records")
    cells = [
        ("as simulated" if row["radius"] == 0.0 else f"{row['radius']:g}", amount(row["mean"]),
         *(amount(row[key]) + ("" if row["simulated"] else " or more") for key in ("var", "es")))
        for row in rows
    ]  # fmt: skip
    note = (
        f"{horizon_years(results.last)}: the worst each measure can be over all laws of the loss "
        "within a relative entropy of the simulated one (Glasserman and Xu 2014). The smaller the entropy r, "
        "the longer two laws go unnoticed: it takes about 3/r independent histories to tell them apart at "
        "odds of twenty to one. “Or more” where the worst law asks for losses beyond the largest simulated."
    )
    head = ("Relative entropy, nats", "Expected", "VaR 99%", "ES 99%")
    return "<h3>If the model is a little wrong</h3>" + table(head, cells) + paragraph(note, "note")


def far_tail(results: Results) -> str:
    """VaR and ES far out, and what importance sampling has gained; nothing where paths weigh alike."""
    sampler = results.summary["sampler"]
    if not sampler.get("learning") or "deep_tail" not in results.tables:
        return ""
    rows = results.tables["deep_tail"]
    rows = rows[rows["horizon"] == results.last].to_dict("records")
    cells = [
        (f"{row['level']:.4%}".rstrip("0%").rstrip(".") + "%",
         f"{amount(row['var'])} [{amount(row['var_lo'])}–{amount(row['var_hi'])}]",
         f"{amount(row['es'])} ± {words.error(row['es_se'], row['es'])}",
         f"{row['effective']:,.0f}", f"{row['p_reduction']:,.0f}", f"{row['es_reduction']:,.0f}")
        for row in rows
    ]  # fmt: skip
    learning = sampler["learning"]
    note = (
        f"{horizon_years(results.last)}, USD bn. Paths are drawn where the tail is made and weighed by "
        "how much likelier that has made them. The last two columns say how many plain paths one of them is "
        "worth, for the probability of the tail and for its expected shortfall, measured on this run. The "
        f"law was learned from {learning['paths']:,} further paths in {words.seconds(learning['seconds'])}."
    )
    head = ("Level", "VaR [95%]", "ES ± error", "Effective paths", "Worth, probability", "Worth, ES")
    return "<h3>The far tail</h3>" + table(head, cells) + paragraph(note, "note")


def trust(results: Results, holder: Charts) -> str:
    """Grades and plausibility."""
    parts = [
        finding(findings.trust(results)),
        holder.place(
            "grades", charts.grade_shares(results), "What the result rests on",
            "A: found in a cited source. B: public figure of a named publication. C: modelling assumption.",
        ),
        finding(findings.probabilities(results)),
        holder.place(
            "plausibility", charts.default_probability(results), "Default probabilities beside the market's",
            "the further apart, the less the run agrees with the CDS or the rating.",
        ),
        probabilities_table(results),
    ]  # fmt: skip
    if (results.tables["history"]["series"] == "H100").any():
        caption = "red: observed; blue: the run's median and bands."
        parts.append(
            holder.place("rental", timelines.rental(results), "Rent of an H100, past and simulated", caption)
        )
    return section(
        "trust",
        "How far to trust it",
        *parts,
        bands_table(results),
        declines_table(results),
        baseline_table(results),
        far_tail(results) + model_risk(results),
    )


def probabilities_table(results: Results) -> str:
    """One- and five-year PDs with the rating's, the CDS's and the prototype's."""
    rows = results.tables["plausibility_pd"].sort_values("pd_1y", ascending=False)
    cells = [
        (row.name, row.rating or "–", probability(row.pd_1y, row.pd_1y_se), share(row.rating_pd_1y),
         share(row.cds_pd_1y), times(row.ratio), share(row.prototype_pd_1y),
         probability(row.pd_5y, row.pd_5y_se) if words.known(row.pd_5y) else "–", share(row.implied_pd_5y))
        for row in rows.itertuples(index=False)
    ]  # fmt: skip
    head = (
        "Borrower",
        "Rating",
        "Run, 1 year",
        "Rating implies",
        "CDS implies",
        "Run / implied",
        "Prototype",
        "Run, 5 years",
        "Implied, 5 years",
    )
    note = (
        "Rating: mean of the S&P (1981–2024) and Moody's (1983–2023) one-year averages. CDS: spread over "
        "loss given default (0.6), divided by the ratio of risk-neutral to real-world default rates (6 for "
        "investment grade, 2.5 below); five years: the same spread, or the rating's five-year default rate."
    )
    return f"<details><summary>All borrowers</summary>{table(head, cells, 2)}</details>" + paragraph(
        note, "note"
    )


def times(ratio) -> str:
    """A ratio in a cell."""
    return f"{ratio:.2f}" if words.known(ratio) else "–"


def declines_table(results: Results) -> str:
    """Annual change of rents and prices, observed and simulated."""
    cells = [
        (row.what, amount(row.first), amount(row.last), f"{row.years:.1f}", f"{row.annual_change:+.0%}")
        for row in results.tables["plausibility_declines"].itertuples(index=False)
    ]
    return table(("Rents (USD/h) and prices (thousand USD)", "From", "To", "Years", "Change a year"), cells)


BAND_NAMES = {
    "revenue": "AI revenue, USD bn a year",
    "rent_h100": "H100 rent, USD/h",
    "price_h100": "H100 price, thousand USD",
    "price_gb200": "GB200 price, thousand USD",
    "utilisation": "utilisation index",
    "exposure": "debt outstanding, USD bn",
}


def bands_table(results: Results) -> str:
    """What the run predicts for each year's end: median and 90% band."""
    rows = results.tables["plausibility_bands"]
    months = sorted(rows["month"].unique())
    cells = []
    for series, part in rows.groupby("series", sort=False):
        years = [f"{amount(row.p50)} ({amount(row.p05)}–{amount(row.p95)})" for row in part.itertuples()]
        cells.append((BAND_NAMES[series], *years))
    head = ("Predicted at the end of", *(str(2025 + month // 12) for month in months))
    return table(head, cells) + paragraph("Median, and the band that holds 90% of the paths.", "note")


def baseline_table(results: Results) -> str:
    """Losses and regimes beside the prototype baseline."""
    names = {"el": "expected loss", "var_99": "VaR 99%", "es_99": "ES 99%"}
    cells = [
        (f"{names[row.measure]}, {horizon_years(row.horizon)}", amount(row.run), share(row.run_share),
         amount(row.legacy), amount(row.prototype), share(row.prototype_share), times(row.ratio))
        for row in results.tables["plausibility_losses"].itertuples(index=False)
    ]  # fmt: skip
    regimes = results.tables["plausibility_regimes"]
    ends = regimes[regimes["horizon"] == results.last].itertuples(index=False)
    cells += [
        (f"paths in {row.regime}, {horizon_years(row.horizon)}", "", share(row.share), "", "",
         share(row.prototype), "")
        for row in ends
    ]  # fmt: skip
    head = (
        "USD bn and share of debt",
        "Run",
        "Share",
        "On today's debt",
        "Prototype",
        "Share",
        "Run / prototype",
    )
    note = (
        "Prototype baseline: an earlier independent prototype of the same month on a coarser book (570 bn "
        "of commitments, 230 bn of new debt in five years, 20,000 paths). A check of orders of magnitude, "
        "not a target."
    )
    return table(head, cells) + paragraph(note, "note")
