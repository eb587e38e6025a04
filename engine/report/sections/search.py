"""The section on a search: the best settings, what fresh paths make of them, and every trial as a point."""

import pandas as pd

from engine.report import charts, style
from engine.report.markup import Charts, finding, paragraph, section, table
from engine.report.search_words import headline, knob_words, result_words
from engine.report.words import amount, measured
from engine.results.folder import Results
from engine.results.search import ERROR


def search(results: Results, holder: Charts) -> str:
    """Best settings, chart of the trials and what to beware of; nothing where the run did not search."""
    found = results.summary.get("search")
    if found is None:
        return ""
    rows, aims = results.tables["search"], found["maximise"] + found["minimise"]
    if len(aims) > 1:
        chart, name = front(rows, aims), "What can be had of both"
        caption = "A point is a setting; the best are joined."
    else:
        chart, name = history(rows, aims[0], bool(found["maximise"])), "Trial by trial"
        caption = "A point is a setting; the line is the best so far."
    return section(
        "search", "The best settings", finding(headline(found)), best_table(found),
        holder.place("search", chart, name, caption), paragraph(caution(found), "note"),
    )  # fmt: skip


def best_table(found: dict) -> str:
    """Today and each best trial: its knobs, and every result as the search saw it and on fresh paths."""
    knobs, names = [*found["knobs"]], [*found["best"][0]["results"]]
    head = ["Setting", *map(knob_words, knobs), *map(result_words, names)]
    head += [f"{result_words(name)}, fresh paths" for name in names]
    rows = []
    now = [amount(value) if value is not None else "several" for value in found["present"].values()]
    rows.append(["Today", *now, *[""] * len(names), *(measured(*found["today"][name]) for name in names)])
    for each in found["best"]:
        fresh = [measured(*each["fresh"][name]) if each["fresh"] else "" for name in names]
        seen = [measured(*each["results"][name]) for name in names]
        rows.append([f"Trial {each['trial']}", *(amount(each["setting"][k]) for k in knobs), *seen, *fresh])
    return table(head, rows)


def caution(found: dict) -> str:
    """How the trials were made and why the best one looks better than it is."""
    return (
        f"Each of {found['trials']} settings was run on the same {found['paths']:,} paths, "
        f"{found['feasible']} of them within the bounds. The best of many looks better than it is, for it "
        "was chosen on the paths that flattered it; fresh paths do not know of the choice. A search knows "
        "only what the model does: that a borrower walks away from dear money, or another lender undercuts, "
        "is not in it. Amounts are USD bn over the whole run; of a loan, advance is loan to value at month 0."
    )


def history(rows: pd.DataFrame, aim: str, rising: bool):
    """The objective by trial, what keeps the bounds and what does not, and the best so far."""
    chart = charts.figure(360)
    for kept, name, colour in ((True, "within the bounds", style.BLUE), (False, "beyond them", style.AMBER)):
        part = rows[rows["feasible"] == kept]
        chart.add_scatter(
            x=part["trial"], y=part[aim], mode="markers", name=name, marker={"color": colour, "size": 8},
            error_y={"type": "data", "array": part[aim + ERROR], "thickness": 1, "width": 0},
            hovertemplate="trial %{x}: %{y:,.3g}<extra></extra>",
        )  # fmt: skip
    ahead = rows[rows["feasible"]]
    best = ahead[aim].cummax() if rising else ahead[aim].cummin()
    line = {"color": style.RED, "width": 2, "shape": "hv"}
    chart.add_scatter(x=ahead["trial"], y=best, mode="lines", name="best so far", line=line)
    chart.update_xaxes(title_text="Trial")
    chart.update_yaxes(title_text=result_words(aim))
    return chart


def front(rows: pd.DataFrame, aims: list[str]):
    """The first two objectives of every trial; the best ones joined."""
    chart = charts.figure(400)
    for kept, name, colour in ((True, "within the bounds", style.BLUE), (False, "beyond them", style.AMBER)):
        part = rows[rows["feasible"] == kept]
        chart.add_scatter(
            x=part[aims[0]], y=part[aims[1]], mode="markers", name=name, marker={"color": colour, "size": 8},
            customdata=part["trial"],
            hovertemplate="trial %{customdata}: %{x:,.3g}, %{y:,.3g}<extra></extra>",
        )  # fmt: skip
    best = rows[rows["best"]].sort_values(aims[0])
    chart.add_scatter(
        x=best[aims[0]], y=best[aims[1]], mode="lines", name="best", line={"color": style.RED, "width": 2}
    )
    chart.update_xaxes(title_text=result_words(aims[0]))
    chart.update_yaxes(title_text=result_words(aims[1]))
    return chart
