"""The section on the system's loss: its distribution, its measures, old debt and new."""

from engine.report import charts, findings, words
from engine.report.markup import Charts, between, finding, paragraph, section, side_by_side, table
from engine.report.words import amount, measured, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


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
            horizon_years(horizon), measured(loss["el"], loss["el_se"]),
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
            (horizon_years(horizon), name, measured(part["el"], part["el_se"]),
             amount(part["tail_mean"]), share(part["tail_share"]))
            for key, name in (("legacy", "debt outstanding today"), ("new_money", "debt still to be lent"))
            if key in tail.index
            for part in (tail.loc[key],)
        ]  # fmt: skip
    return table(("Horizon", "Part", "Expected", "In the worst 1% of paths", "Share of the tail"), rows, 2)
