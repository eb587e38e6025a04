"""The section on lenders."""

from engine.report import charts, findings, words
from engine.report.markup import Charts, finding, paragraph, section, table
from engine.report.sections.losses import shortfall, value_at_risk
from engine.report.words import amount, class_name, share
from engine.results.folder import Results


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
