"""The section on the system's loss: its distribution, its measures, old debt and new."""

from typing import Any

from engine.report import charts, findings, words
from engine.report.alternative import in_words
from engine.report.section import Chart, Pair, Section, finding
from engine.report.table import Cell, Table, amount, interval, measured, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years
from engine.tail.intervals import RESOLVED_PATHS

UNRESOLVED = (
    f"* Fewer than {RESOLVED_PATHS} effective paths lie beyond this level: too few for a reliable figure."
)
"""Footnote of a tail that is not resolved."""
SIMULATION_ALONE = "± is simulation error alone: undertow task=band adds parameters and who holds what."
"""What an error leaves out, and the task that adds it."""
STAR = " *"
PARTS = {"legacy": "Debt outstanding today", "new_money": "Debt still to be lent"}


def system_losses(results: Results) -> Section:
    """Loss distribution and measures by horizon."""
    exceedance = charts.exceedance(results)
    text = "both axes logarithmic; worst 1% shaded. The diamond is ES 99%, the mean of what is shaded."
    pair = Pair((
        Chart("histogram", charts.histogram(results), "Loss distribution",
              "worst 1% of paths in red; logarithmic vertical axis."),
        Chart("exceedance", exceedance, "How likely is a larger loss?",
              text, words=f"{in_words(exceedance)} {charts.marks_words(results)}"),
    ))  # fmt: skip
    parts = (finding(findings.loss(results)), pair, system_table(results), parts_table(results))
    return Section("how-much", "How much can be lost", parts)


def system_table(results: Results) -> Table:
    """The system's loss by horizon with errors."""
    head = ("Horizon", "Expected", "VaR 95%", "VaR 99%", "VaR 99.9%", "ES 99%", "ES 99.9%",
            "ES 99% / debt today", "ES 99% / debt then")  # fmt: skip
    rows = []
    for horizon in results.horizons:
        loss = results.system(horizon)
        rows.append(row(
            horizon_years(horizon), measured(loss["el"], loss["el_se"]),
            *(value_at_risk(loss, level) for level in ("95", "99", "99_9")),
            *(shortfall(loss, level) for level in ("99", "99_9")),
            *(share(words.ratio(loss["es_99"], loss.get(debt))) for debt in ("exposure", "exposure_then")),
        ))  # fmt: skip
    note = (
        "± is one standard error; brackets are 95% intervals. The last two columns divide ES 99% by the debt "
        "drawn today, and by the debt outstanding at the horizon on the median path. "
        f"{simulation_alone(results)}"
    ).strip()
    return Table(
        "system",
        "System loss",
        head,
        tuple(rows),
        note,
        results.unit,
        UNRESOLVED,
        brief_columns=(0, 1, 3, 5, 4, 7),
    )


def simulation_alone(results: Results) -> str:
    """What ± leaves out; nothing where the band has been measured, and says it."""
    return "" if "band" in results.summary else SIMULATION_ALONE


def value_at_risk(loss: dict[str, Any], level: str) -> Cell:
    """VaR at a level with its interval, starred where the tail is not resolved."""
    value, low, high = (loss[f"var_{level}{end}"] for end in ("", "_lo", "_hi"))
    return interval(value, low, high, star(loss, level))


def shortfall(loss: dict[str, Any], level: str) -> Cell:
    """ES at a level with its standard error, starred where the tail is not resolved."""
    return measured(loss[f"es_{level}"], loss[f"es_{level}_se"], star(loss, level))


def star(loss: dict[str, Any], level: str) -> str:
    """The mark of a tail that is not resolved."""
    return "" if loss[f"resolved_{level}"] else STAR


def parts_table(results: Results) -> Table:
    """Loss on debt outstanding today and on debt still to be lent, by horizon."""
    rows = []
    for horizon in results.horizons:
        tail = results.tail("book", horizon).set_index("id")
        for key, name in PARTS.items():
            if key in tail.index:
                part = tail.loc[key]
                rows.append(row(
                    horizon_years(horizon), name, measured(part["el"], part["el_se"]),
                    amount(part["tail_mean"]), share(part["tail_share"]),
                ))  # fmt: skip
    head = ("Horizon", "Loss on", "Expected", "Mean of the worst 1% of paths", "Share of the tail loss")
    return Table("loss_parts", "Old debt and new", head, tuple(rows), "", results.unit, words=2)
