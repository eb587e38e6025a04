"""The section on a search: the best settings, their results on fresh paths, and every trial as a point."""

import dataclasses
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure
from engine.report.search_words import headline, is_rate, knob_name, result_name
from engine.report.section import Chart, Section, finding, note
from engine.report.table import Cell, Table, figures, measured, row
from engine.results.folder import Results

LOOKS = ((True, "within the bounds", style.BLUE), (False, "outside the bounds", style.AMBER))


def search(results: Results) -> Section:
    """Best settings, chart of the trials and how to read them."""
    parts = (finding(headline(results)), best_table(results), trials_chart(results), note(caution(results)))
    return Section("search", "The best settings", parts)


def trials_chart(results: Results) -> Chart:
    """Every trial: two objectives against each other, or one by trial."""
    summary = results.summary["search"]
    aims = summary["maximise"] + summary["minimise"]
    if len(aims) > 1:
        caption = "each point is a setting; the line joins the best."
        return Chart("search", front(results, aims), "Trade-off between the two aims", caption)
    caption = "each point is a setting; the line is the best so far."
    return Chart("search", history(results, aims[0], bool(summary["maximise"])), "Trial by trial", caption)


def best_table(results: Results) -> Table:
    """Today and each best trial: its knobs, and every result in the search and on fresh paths."""
    summary = results.summary["search"]
    knobs, names = [*summary["knobs"]], [*summary["best"][0]["results"]]
    empty = Cell("")
    present = summary["present"].values()
    today = [figures(value) if value is not None else Cell("several") for value in present]
    rows = [row("Today", *today, *[empty] * len(names), *cells(summary["today"], names))]
    for trial in summary["best"]:
        fresh = cells(trial["fresh"], names) if trial["fresh"] else [empty] * len(names)
        settings = [figures(trial["setting"][knob]) for knob in knobs]
        rows.append(row(f"Trial {trial['trial']}", *settings, *cells(trial["results"], names), *fresh))
    head = ("Setting", *map(knob_name, knobs), *map(result_name, names),
            *(f"{result_name(name)}, fresh paths" for name in names))  # fmt: skip
    brief = (*range(1 + len(knobs)), *range(len(head) - len(names), len(head)))
    return Table(
        "search", "Best settings", head, tuple(rows), "", results.unit, brief_rows=6, brief_columns=brief
    )  # fmt: skip


def cells(results: Mapping[str, Sequence[float | None]], names: Sequence[str]) -> list[Cell]:
    """Results by name, each [value, standard error], as cells."""
    return [result_cell(name, *results[name]) for name in names]


def result_cell(name: str, value: float | None, error: float | None) -> Cell:
    """A result with its standard error; a rate is no amount."""
    cell = measured(value, error)
    return dataclasses.replace(cell, kind="number") if is_rate(name) else cell


def caution(results: Results) -> str:
    """How the trials were made and why the best one looks better than it is."""
    summary = results.summary["search"]
    return (
        f"Each of {summary['trials']} settings was run on the same {summary['paths']:,} paths; "
        f"{summary['feasible']} of them stay within the bounds. The best of many settings looks better than "
        "it is, because it was chosen on the paths that favoured it; fresh paths are independent of the "
        "choice. The search covers only what the model covers: a borrower who turns down an expensive loan, "
        f"or a lender who undercuts the price, is not part of it. Results are {results.unit} over the whole "
        "run, rates per dollar and year; settings are in the units in which they are asked for, the advance "
        "of a loan as its loan-to-value ratio at month 0."
    )


def axis_title(results: Results, key: str) -> str:
    """A result with its unit; the name of a rate says its own."""
    return result_name(key) if is_rate(key) else f"{result_name(key)}, {results.unit}"


def history(results: Results, aim: str, rising: bool) -> go.Figure:
    """The objective by trial, within the bounds and outside them, and the best so far."""
    trials, chart = results.tables["search"], figure(360)
    for feasible, name, colour in LOOKS:
        part = trials[trials["feasible"] == feasible]
        chart.add_scatter(
            x=part["trial"], y=part[aim], mode="markers", name=name, marker={"color": colour, "size": 8},
            error_y={"type": "data", "array": part[f"{aim}_se"], "thickness": 1, "width": 0},
            hovertemplate="trial %{x}: %{y:,.3~r}<extra></extra>",
        )  # fmt: skip
    within = trials[trials["feasible"]]
    best = within[aim].cummax() if rising else within[aim].cummin()
    line = {"color": style.RED, "width": 2, "shape": "hv"}
    chart.add_scatter(x=within["trial"], y=best, mode="lines", name="best so far", line=line)
    chart.update_xaxes(title_text="Trial")
    chart.update_yaxes(title_text=axis_title(results, aim))
    return chart


def front(results: Results, aims: list[str]) -> go.Figure:
    """The first two objectives of every trial; the best ones joined."""
    trials, chart = results.tables["search"], figure(400)
    for feasible, name, colour in LOOKS:
        part = trials[trials["feasible"] == feasible]
        chart.add_scatter(
            x=part[aims[0]], y=part[aims[1]], mode="markers", name=name, marker={"color": colour, "size": 8},
            customdata=part["trial"],
            hovertemplate="trial %{customdata}: %{x:,.3~r}, %{y:,.3~r}<extra></extra>",
        )  # fmt: skip
    best = trials[trials["best"]].sort_values(aims[0])
    chart.add_scatter(
        x=best[aims[0]], y=best[aims[1]], mode="lines", name="best", line={"color": style.RED, "width": 2}
    )
    chart.update_xaxes(title_text=axis_title(results, aims[0]))
    chart.update_yaxes(title_text=axis_title(results, aims[1]))
    return chart
