"""The section on final bearers: losses looked through to the groups that bear them, beside their wealth."""

from engine.report import charts, findings, words
from engine.report.section import Chart, Section, finding
from engine.report.sections.losses import UNRESOLVED, shortfall
from engine.report.table import Table, amount, measured, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def final_bearers(results: Results) -> Section:
    """Losses by group of final bearers."""
    borne = Chart(
        "bearers", charts.bearers(results), "Losses by final bearer",
        "looking through funds, banks, insurers and plans to those who own or stand behind them.",
    )  # fmt: skip
    parts = (finding(findings.bearers(results)), borne, bearers_table(results))
    return Section("who-pays", "Who pays in the end", parts)


def bearers_table(results: Results) -> Table:
    """Expected loss and ES of each group, and both as a share of its wealth."""
    rows = tuple(
        row(
            group["name"], measured(group["el"], group["el_se"]), shortfall(group, "99"), group["grade"],
            amount(group["wealth"]), share(words.ratio(group["el"], group["wealth"])),
            share(words.ratio(group["es_99"], group["wealth"])),
        )
        for group in results.ranked("bearer", results.last, "es_99").to_dict("records")
    )  # fmt: skip
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
        "Who holds what is the weakest part of the book: almost all holdings, and the shares by which a "
        "lender's loss is split, are assumptions (grade C). Each group's ES is over its own worst 1% of "
        "paths, so the column does not add up to the system's. Wealth, from the book, is what the loss is "
        "compared with; for taxpayers it is one year of federal receipts."
    )
    title = f"Final bearers, {horizon_years(results.last)}"
    return Table("bearers", title, head, rows, note, "USD bn", UNRESOLVED)
