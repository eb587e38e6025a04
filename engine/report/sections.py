"""The sections of the page: each a finding, its charts and a small table, all from one run folder."""

from engine.report import charts, door_sections, findings, tail_sections, timelines, web_sections, words
from engine.report.folder import Results
from engine.report.markup import Charts, between, paragraph, probability, table, text
from engine.report.words import amount, class_name, measured, share


def section(name: str, title: str, *content: str) -> str:
    """A section with its heading."""
    return f'<section id="{name}"><h2>{text(title)}</h2>\n' + "\n".join(content) + "</section>"


def finding(sentence: str) -> str:
    """The one line a reader takes away."""
    return paragraph(sentence, "finding")


def side_by_side(*figures: str) -> str:
    """Figures in two columns where there is room."""
    return f'<div class="pair">{"".join(figures)}</div>'


def how_much(results: Results, holder: Charts) -> str:
    """Loss distribution and measures by horizon."""
    pair = (
        holder.place(
            "histogram",
            charts.histogram(results),
            "Loss distribution",
            "red: the worst 1% of paths; the vertical axis is logarithmic.",
        ),
        holder.place(
            "exceedance",
            charts.exceedance(results),
            "How often is it worse?",
            "both axes are logarithmic; shaded: 1%.",
        ),
    )
    return section(
        "how-much", "How much can be lost", finding(findings.loss(results)), side_by_side(*pair),
        system_table(results), parts_table(results),
    )  # fmt: skip


def system_table(results: Results) -> str:
    """The system's loss by horizon with errors."""
    head = (
        "USD bn",
        "Expected",
        "VaR 95%",
        "VaR 99%",
        "VaR 99.9%",
        "ES 99%",
        "ES 99.9%",
        "Of debt today",
        "Of debt then",
    )
    rows = []
    for horizon in results.horizons:
        loss = results.system(horizon)
        rows.append((
            words.horizon_years(horizon), measured(loss["el"], loss["el_se"]),
            *(value_at_risk(loss, level) for level in ("95", "99", "99_9")),
            *(shortfall(loss, level) for level in ("99", "99_9")),
            *(share(words.ratio(loss["es_99"], loss.get(debt))) for debt in ("exposure", "exposure_then")),
        ))  # fmt: skip
    note = (
        "± one standard error; in brackets, the 95% interval; simulation error only. * fewer effective "
        "paths beyond the level than it takes: not resolved. The last columns are ES 99% over the debt "
        "drawn today, and over that outstanding at the horizon on the median path."
    )
    return table(head, rows) + paragraph(note, "note")


def value_at_risk(loss: dict, level: str) -> str:
    """VaR at a level with its interval, starred where the tail is not resolved."""
    return between(*(loss[f"var_{level}{end}"] for end in ("", "_lo", "_hi"))) + star(loss, level)


def shortfall(loss: dict, level: str) -> str:
    """ES at a level with its standard error, starred where the tail is not resolved."""
    return measured(loss[f"es_{level}"], loss[f"es_{level}_se"]) + star(loss, level)


def star(loss: dict, level: str) -> str:
    """The mark of a tail that is not resolved."""
    return "" if loss[f"resolved_{level}"] else " *"


def parts_table(results: Results) -> str:
    """Legacy debt and new money apart."""
    rows = []
    for horizon in results.horizons:
        tail = results.tail("book", horizon).set_index("id")
        rows += [
            (words.horizon_years(horizon), name, measured(part["el"], part["el_se"]),
             amount(part["tail_mean"]), share(part["tail_share"]))
            for key, name in (("legacy", "debt outstanding today"), ("new_money", "debt still to be lent"))
            if key in tail.index
            for part in (tail.loc[key],)
        ]  # fmt: skip
    return table(("Horizon", "Part", "Expected", "In the worst 1% of paths", "Share of the tail"), rows, 2)


def who(results: Results, holder: Charts) -> str:
    """Lenders ranked."""
    ranked = holder.place(
        "lenders", charts.lenders_ranked(results), "Lenders by expected shortfall",
        "each lender's own worst 1% of paths; a fund's loss appears again at its investors.",
    )  # fmt: skip
    return section(
        "who", "Who loses it", finding(findings.lenders(results)), ranked, lenders_table(results),
    )  # fmt: skip


def lenders_table(results: Results, count: int = 12) -> str:
    """The lenders with the greatest tail."""
    head = ("Lender", "Class", "Held directly", "Expected", "VaR 99%", "ES 99%", "ES 99% / capital today")
    rows = [
        (
            row["name"],
            class_name(row["class"]),
            amount(row["exposure"]),
            amount(row["el"]),
            value_at_risk(row, "99"),
            shortfall(row, "99"),
            share(words.ratio(row["es_99"], row["capital"])),
        )
        for row in results.ranked("lender", results.last, "es_99").head(count).to_dict("records")
    ]
    note = "Capital is what stands against this debt today; in the run it grows with the book, as losses do."
    return table(head, rows, 2) + paragraph(note, "note")


def through_which_door(results: Results, holder: Charts) -> str:
    """Instruments that make the tail."""
    classes = holder.place(
        "composition", charts.composition(results), "What the tail is made of",
        "loss by instrument class in the worst 1% of system paths, beside its share of debt drawn today.",
    )  # fmt: skip
    return section(
        "door", "Through which door it comes", finding(findings.composition(results)), classes,
        contributions_table(results), web_sections.web(results, holder),
        door_sections.leverage(results),
    )  # fmt: skip


def contributions_table(results: Results, count: int = 12) -> str:
    """The instruments with the greatest Euler contributions."""
    rows = results.tables["contributions"]
    rows = rows[rows["horizon"] == results.last].sort_values("es_99", ascending=False).head(count)
    cells = [
        (row.name, row.borrower, class_name(row.instrument_class), amount(row.exposure),
         amount(row.es_99), share(row.share), row.grade)
        for row in rows.rename(columns={"class": "instrument_class"}).itertuples(index=False)
    ]  # fmt: skip
    head = (
        "Instrument",
        "Borrower",
        "Class",
        "Drawn today",
        "Part of ES 99%",
        "Share",
        "Grade",
    )
    return table(head, cells, 3)


def how_fast(results: Results, holder: Charts) -> str:
    """Timing of losses and defaults, and the borrowers behind them."""
    pair = (
        holder.place("timing", timelines.loss_timing(results), "Loss, month by month",
                     "bands: 25–75%, 5–95% and 1–99% of paths; line: median; red: mean."),
        holder.place("defaults", timelines.default_timing(results), "Defaults expected in each month"),
    )  # fmt: skip
    causes = holder.place(
        "causes", timelines.default_causes(results), "Why they default", "by kind of borrower."
    )
    return section(
        "how-fast", "How fast it comes", finding(findings.timing(results)), side_by_side(*pair), causes,
        boom_breaks(results, holder), firms_table(results),
    )  # fmt: skip


def boom_breaks(results: Results, holder: Charts) -> str:
    """What a boom that lasts longer does to the loss when it breaks."""
    caption = f"expected loss over {words.horizon_years(results.last)} with two standard errors."
    drawn = timelines.boom_breaks(results)
    chart = holder.place("boom-breaks", drawn, "Loss by when the boom breaks", caption)
    return chart + paragraph(findings.boom_breaks(results), "note")


def firms_table(results: Results, count: int = 12) -> str:
    """The named borrowers most likely to default by the last horizon."""
    firms = results.tables["firms"]
    ends = [f"pd_{horizon}" for horizon in results.horizons if f"pd_{horizon}" in firms.columns]
    rows = firms[firms["kind"] != "synthetic"].sort_values(ends[-1], ascending=False).head(count)
    causes = [column for column in firms.columns if column.startswith("cause_")]
    cells = []
    for _, row in rows.iterrows():
        leading = row[causes].astype(float).idxmax() if row[causes].sum() > 0 else ""
        said = f"{leading.removeprefix('cause_').replace('_', ' ')} {share(row[leading])}" if leading else "–"
        errors = [probability(row[end], row[end + "_se"]) for end in ends]
        cells.append((row["name"], words.kind_name(row["kind"]), row["rating"] or "–", said, *errors))
    head = ["Borrower", "Kind", "Rating", "Leading cause"]
    return table([*head, *(f"PD {words.horizon_years(end.removeprefix('pd_'))}" for end in ends)], cells, 4)


def world(results: Results, holder: Charts) -> str:
    """The economy and the chips behind the losses."""
    fans = [
        holder.place(f"fan-{series}", timelines.fan(results, series, *look), look[0], f"{look[1]}.")
        for series, look in timelines.FANS.items()
    ]
    regimes = holder.place("regimes", timelines.regimes(results), "Regimes of AI revenue", "share of paths.")
    note = "Bands hold 25–75%, 5–95% and 1–99% of the paths, month by month; the line is the median."
    return section(
        "world", "What happens in these futures", finding(findings.economy(results)),
        side_by_side(regimes, *fans), paragraph(note, "note"),
    )  # fmt: skip


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
        tail_sections.far_tail(results) + tail_sections.model_risk(results),
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
        (f"{names[row.measure]}, {words.horizon_years(row.horizon)}", amount(row.run), share(row.run_share),
         amount(row.legacy), amount(row.prototype), share(row.prototype_share), times(row.ratio))
        for row in results.tables["plausibility_losses"].itertuples(index=False)
    ]  # fmt: skip
    regimes = results.tables["plausibility_regimes"]
    ends = regimes[regimes["horizon"] == results.last].itertuples(index=False)
    cells += [
        (f"paths in {row.regime}, {words.horizon_years(row.horizon)}", "", share(row.share), "", "",
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
