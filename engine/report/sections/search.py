"""The section on a search: the best settings, their results on fresh paths, and every trial as a point."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure
from engine.report.search_words import headline, knob_name, result_name
from engine.report.section import Chart, Section, finding, note
from engine.report.table import Cell, Table, amount, measured, row
from engine.results.folder import Results

LOOKS = ((True, "within the bounds", style.BLUE), (False, "outside the bounds", style.AMBER))


def search(results: Results) -> Section:
    """Best settings, chart of the trials and how to read them."""
    summary = results.summary["search"]
    parts = (finding(headline(summary)), best_table(results), trials_chart(results), note(caution(summary)))
    return Section("search", "The best settings", parts)


def trials_chart(results: Results) -> Chart:
    """Every trial: two objectives against each other, or one by trial."""
    summary, trials = results.summary["search"], results.tables["search"]
    aims = summary["maximise"] + summary["minimise"]
    if len(aims) > 1:
        caption = "each point is a setting; the line joins the best."
        return Chart("search", front(trials, aims), "Trade-off between the two aims", caption)
    caption = "each point is a setting; the line is the best so far."
    return Chart("search", history(trials, aims[0], bool(summary["maximise"])), "Trial by trial", caption)


def best_table(results: Results) -> Table:
    """Today and each best trial: its knobs, and every result in the search and on fresh paths."""
    summary = results.summary["search"]
    knobs, names = [*summary["knobs"]], [*summary["best"][0]["results"]]
    empty = Cell("")
    today = [amount(value) if value is not None else Cell("several") for value in summary["present"].values()]
    rows = [
        row("Today", *today, *[empty] * len(names), *(measured(*summary["today"][name]) for name in names))
    ]
    for trial in summary["best"]:
        fresh = [measured(*trial["fresh"][name]) if trial["fresh"] else empty for name in names]
        first = [measured(*trial["results"][name]) for name in names]
        settings = [amount(trial["setting"][knob]) for knob in knobs]
        rows.append(row(f"Trial {trial['trial']}", *settings, *first, *fresh))
    head = ("Setting", *map(knob_name, knobs), *map(result_name, names),
            *(f"{result_name(name)}, fresh paths" for name in names))  # fmt: skip
    brief = (*range(1 + len(knobs)), *range(len(head) - len(names), len(head)))
    units = "USD bn" + (
        "; rates per dollar and year" if any(name.endswith(".rate") for name in names) else ""
    )
    return Table("search", "Best settings", head, tuple(rows), "", units, brief_rows=6, brief_columns=brief)


def caution(summary: dict[str, Any]) -> str:
    """How the trials were made and why the best one looks better than it is."""
    return (
        f"Each of {summary['trials']} settings was run on the same {summary['paths']:,} paths; "
        f"{summary['feasible']} of them stay within the bounds. The best of many settings looks better than "
        "it is, because it was chosen on the paths that favoured it; fresh paths are independent of the "
        "choice. The search covers only what the model covers: a borrower who turns down an expensive loan, "
        "or a lender who undercuts the price, is not part of it. Amounts are USD bn over the whole run; the "
        "advance of a loan is its loan-to-value ratio at month 0."
    )


def history(trials: pd.DataFrame, aim: str, rising: bool) -> go.Figure:
    """The objective by trial, within the bounds and outside them, and the best so far."""
    chart = figure(360)
    for feasible, name, colour in LOOKS:
        part = trials[trials["feasible"] == feasible]
        chart.add_scatter(
            x=part["trial"], y=part[aim], mode="markers", name=name, marker={"color": colour, "size": 8},
            error_y={"type": "data", "array": part[f"{aim}_se"], "thickness": 1, "width": 0},
            hovertemplate="trial %{x}: %{y:,.3g}<extra></extra>",
        )  # fmt: skip
    within = trials[trials["feasible"]]
    best = within[aim].cummax() if rising else within[aim].cummin()
    line = {"color": style.RED, "width": 2, "shape": "hv"}
    chart.add_scatter(x=within["trial"], y=best, mode="lines", name="best so far", line=line)
    chart.update_xaxes(title_text="Trial")
    chart.update_yaxes(title_text=result_name(aim))
    return chart


def front(trials: pd.DataFrame, aims: list[str]) -> go.Figure:
    """The first two objectives of every trial; the best ones joined."""
    chart = figure(400)
    for feasible, name, colour in LOOKS:
        part = trials[trials["feasible"] == feasible]
        chart.add_scatter(
            x=part[aims[0]], y=part[aims[1]], mode="markers", name=name, marker={"color": colour, "size": 8},
            customdata=part["trial"],
            hovertemplate="trial %{customdata}: %{x:,.3g}, %{y:,.3g}<extra></extra>",
        )  # fmt: skip
    best = trials[trials["best"]].sort_values(aims[0])
    chart.add_scatter(
        x=best[aims[0]], y=best[aims[1]], mode="lines", name="best", line={"color": style.RED, "width": 2}
    )
    chart.update_xaxes(title_text=result_name(aims[0]))
    chart.update_yaxes(title_text=result_name(aims[1]))
    return chart
