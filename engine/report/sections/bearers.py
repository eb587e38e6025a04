"""The section on final bearers: losses looked through to the groups that bear them, beside their wealth."""

from engine.report import charts, findings, words
from engine.report.section import Chart, Section, finding
from engine.report.sections.loss_flows import flows
from engine.report.sections.losses import UNRESOLVED, shortfall
from engine.report.table import Table, amount, measured, row, share
from engine.report.words import share as share_words
from engine.results.folder import Results
from engine.results.horizons import horizon_years, joined


def final_bearers(results: Results) -> Section:
    """Losses by group of final bearers."""
    borne = Chart(
        "bearers", charts.bearers(results), "Losses by final bearer",
        "looking through funds, banks, insurers and plans to those who own or stand behind them.",
    )  # fmt: skip
    parts = (finding(findings.bearers(results)), *flows(results), borne, bearers_table(results))
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
        f"{holders(results)}Each group's ES is over its own worst 1% of paths, so the column does not add up "
        "to the system's. Wealth, from the book, is what the loss is compared with."
    )
    title = f"Final bearers, {horizon_years(results.last)}"
    return Table("bearers", title, head, rows, note, results.unit, UNRESOLVED)


def holders(results: Results) -> str:
    """How many rows of the book that say who holds and who bears what are assumptions."""
    rows = results.tables["grades"].set_index(["what", "grade"])
    parts = []
    for what, text in (
        ("who holds what", "rows that say who holds what"),
        ("on whom losses fall", "rows that say on whom a lender's loss falls"),
    ):
        if (what, "C") in rows.index and rows.loc[what, "amount"].sum() > 0.0:
            parts.append(f"{share_words(rows.loc[(what, 'C'), 'share'])} of the {text}")
    return f"Assumptions (grade C) are {joined(parts)}. " if parts else ""
