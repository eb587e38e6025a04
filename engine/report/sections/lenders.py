"""The section on lenders: who loses most, and how much of its capital."""

from engine.report import charts, findings, words
from engine.report.section import Chart, Section, finding
from engine.report.sections.losses import UNRESOLVED, shortfall, value_at_risk
from engine.report.table import Table, amount, number, probability, row, share
from engine.report.words import class_name
from engine.results.folder import Results
from engine.results.horizons import horizon_years

COUNT = 12
"""Lenders in the table."""
LEAST_FAILURES = 1e-4
"""Lenders expected to fail, of a class that is listed."""


def lenders(results: Results) -> Section:
    """Lenders by expected shortfall."""
    ranked = Chart(
        "lenders", charts.lenders_ranked(results), "Lenders by expected shortfall",
        "over each lender's own worst 1% of paths; a fund's loss appears again at its investors.",
    )  # fmt: skip
    losers = (finding(findings.lenders(results)), ranked, lenders_table(results))
    return Section("who", "Who loses", losers + failures(results))


def lenders_table(results: Results) -> Table:
    """The lenders with the greatest ES 99%."""
    head = ("Lender", "Class", "Held directly", "Expected", "VaR 99%", "ES 99%", "ES 99% / capital today")
    rows = tuple(
        row(
            lender["name"], class_name(lender["class"]), amount(lender["exposure"]), amount(lender["el"]),
            value_at_risk(lender, "99"), shortfall(lender, "99"),
            share(words.ratio(lender["es_99"], lender["capital"])),
        )
        for lender in results.ranked("lender", results.last, "es_99").head(COUNT).to_dict("records")
    )  # fmt: skip
    note = (
        "Capital is what the lender holds against losses today: a bank's CET1 above its requirement. It "
        "grows by what is earned, a fund's as it lends."
    )
    title = f"Lenders by ES 99%, {horizon_years(results.last)}"
    return Table(
        "lenders",
        title,
        head,
        rows,
        note,
        results.unit,
        UNRESOLVED,
        words=2,
        brief_rows=8,
        brief_columns=(0, 3, 5),
    )


def failures(results: Results) -> tuple[Table, ...]:
    """Who fails, by class of lender; nothing for a run of before lenders' failures were counted."""
    table = results.tables.get("lender_failures")
    if table is None:
        return ()
    rows = table[table["horizon"] == results.last]
    by_class = rows.groupby("class", sort=False)
    sums = by_class[["fails", "alone"]].sum().assign(count=by_class.size())
    likeliest = rows.loc[by_class["fails"].idxmax()].set_index("class")
    sums = sums[sums["fails"] >= LEAST_FAILURES].sort_values("fails", ascending=False)
    if sums.empty:
        return ()
    lines = tuple(
        row(
            class_name(str(kind)), likeliest.at[kind, "name"],
            probability(likeliest.at[kind, "fails"], likeliest.at[kind, "fails_se"]),
            number(line["count"], ".0f"), number(line["fails"], ".2g"), number(line["alone"], ".2g"),
        )
        for kind, line in sums.iterrows()
    )  # fmt: skip
    head = ("Class", "Likeliest", "It fails", "Lenders", "Expected to fail", "By this book alone")
    note = (
        "A lender fails when its losses have reached its capital: those of this book and those that a bust "
        "brings to its other assets. A bank then breaches its requirement."
    )
    title = f"Lenders whose capital is gone, {horizon_years(results.last)}"
    return (Table("lender_failures", title, head, lines, note, "number of lenders", words=2, brief_rows=6),)
