"""The section on who pays in the end: losses by group of final bearers, beside what the group has."""

from engine.report import charts, findings, words
from engine.report.markup import Charts, finding, paragraph, section, table
from engine.report.sections.losses import shortfall
from engine.report.words import amount, measured, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def who_pays(results: Results, holder: Charts) -> str:
    """Final bearers, drawn and in numbers."""
    borne = holder.place(
        "bearers", charts.bearers(results), "Who bears it in the end",
        "funds, banks, insurers and plans looked through to those who own them or stand behind them.",
    )  # fmt: skip
    return section(
        "who-pays", "Who pays in the end", finding(findings.bearers(results)), borne, bearers_table(results)
    )


def bearers_table(results: Results) -> str:
    """Expected loss and ES of each group, and both as a share of its wealth."""
    rows = results.ranked("bearer", results.last, "es_99").to_dict("records")
    cells = [
        (row["name"], measured(row["el"], row["el_se"]), shortfall(row, "99"),
         row["grade"], amount(row["wealth"]), share(words.ratio(row["el"], row["wealth"])),
         share(words.ratio(row["es_99"], row["wealth"])))
        for row in rows
    ]  # fmt: skip
    head = (
        "Group",
        "Expected",
        "ES 99%",
        "Grade of holders",
        "Wealth",
        "Expected / wealth",
        "ES 99% / wealth",
    )
    note = (
        f"{horizon_years(results.last)}, USD bn. Who holds what is the weakest part of the book: "
        "almost all holdings, and the shares by which a lender's loss is split, are assumptions (grade C). "
        "Each group's ES is of its own worst 1% of paths, so the column does not add up to the system's. "
        "Wealth: what the loss is held against, from the book; for taxpayers a year of federal receipts."
    )
    return table(head, cells) + paragraph(note, "note")
