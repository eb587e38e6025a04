"""The page of one lender, class, group of bearers or borrower: tail, loans, actions, peers, sheets."""

import dataclasses
import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.report import charts, focus_words, style, words
from engine.report.focus_words import ACTIONS, SHORT_CAUSES, Scale, cut, scale_of
from engine.report.section import Chart, Details, Heading, Pair, Part, Section, finding, note
from engine.report.sections.losses import STAR, UNRESOLVED, shortfall
from engine.report.table import Cell, Table, amount, measured, multiple, number, probability, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years
from engine.tail.intervals import RESOLVED_PATHS

COUNT = 20
"""Loans in the table."""
FEW = 6
"""Parts of a cut; the others are one row."""
CUTS = {
    "borrower": "Borrower", "chip": "Chips behind the loan", "tenant": "Off-taker or tenant",
    "cause": "Cause", "class": "Class",
}  # fmt: skip


def focus(results: Results) -> Section:
    """The page of the run's focus."""
    parts: tuple[Part, ...] = (
        finding(focus_words.composition(results)), *tail(results), Heading("Its loans"), loans_table(results),
        Heading("What it could do"), finding(focus_words.actions(results)), *actions(results),
        *peers(results), *sheets(results),
    )  # fmt: skip
    return Section("focus", focus_words.title_of(results), parts)


def tail(results: Results) -> tuple[Part, ...]:
    """What makes ES 99%, and when it is lost; nothing where nothing is."""
    if results.summary["focus"]["es_99"] <= 0.0:
        return ()
    largest = Chart(
        "focus_loans", parts_chart(results), "What makes its ES 99%",
        "the largest loans, over its own worst paths; bar: 95% interval.",
    )  # fmt: skip
    months = Chart(
        "focus_months", months_chart(results), "When it is lost",
        "part of ES 99% by quarter, and of the expected loss.",
    )  # fmt: skip
    return Pair((largest, months)), cuts_table(results)


def scaled(scale: Scale, value: float) -> Cell:
    """An amount in the unit of the page."""
    return amount(scale.factor * value)


def estimate(scale: Scale, line: dict[str, Any], key: str, sign: bool = False, mark: str = "") -> Cell:
    """An amount with its error in the unit of the page, and a footnote's mark behind it."""
    cell = measured(scale.factor * line[key], scale.factor * line[f"{key}_se"], mark)
    text = focus_words.signed(scale, line[key]) if sign else cell.text
    return dataclasses.replace(cell, text=text)


def few_paths(results: Results) -> str:
    """The mark of an ES 99% that rests on few paths."""
    return "" if results.summary["focus"]["tail_paths"] >= RESOLVED_PATHS else STAR


def parts_chart(results: Results) -> go.Figure:
    """Largest loans by their part of ES 99%."""
    scale, rows = scale_of(results), cut(results, "loan").head(10)[::-1]
    chart = charts.figure(120 + 26 * max(len(rows), 1))
    chart.add_bar(
        x=scale.factor * rows["es_99"], y=labels(results, rows), orientation="h",
        marker_color=style.NAVY,
        error_x=style.bars(scale.factor * rows["es_99_se"]),
        hovertemplate="%{y}<br>%{x:,.3g} " + scale.unit + "<extra></extra>",
    )  # fmt: skip
    chart.update_xaxes(title_text=f"Part of ES 99%, {scale.unit}")
    chart.update_yaxes(automargin=True, showgrid=False, ticks="")
    return chart


def labels(results: Results, rows: pd.DataFrame) -> list[str]:
    """Names of loans, with the borrower's and the id where a name stands for several."""
    borrowers = results.tables["focus_loans"].set_index("id")["borrower"]
    texts = [
        name if not borrowers.get(each) or borrowers[each] in name else f"{borrowers[each]} · {name}"
        for name, each in zip(rows["name"], rows["id"], strict=True)
    ]
    return [
        text if texts.count(text) == 1 else f"{text} ({each})"
        for text, each in zip(texts, rows["id"], strict=True)
    ]


def months_chart(results: Results) -> go.Figure:
    """Parts of ES 99% and of the mean by quarter."""
    scale, rows = scale_of(results), results.tables["focus_tail"]
    rows = rows[rows["by"] == "month"]
    quarter = (rows["id"].astype(int) + 2) // 3
    sums = rows.groupby(quarter)[["el", "es_99"]].sum() * scale.factor
    chart = charts.figure(380, barmode="group")
    for key, name, colour in (("es_99", "part of ES 99%", style.RED), ("el", "expected loss", style.SKY)):
        chart.add_bar(
            x=3 * sums.index, y=sums[key], name=name, marker_color=colour,
            hovertemplate="to month %{x}<br>%{y:,.3g} " + scale.unit + "<extra>" + name + "</extra>",
        )  # fmt: skip
    chart.update_xaxes(title_text="Quarter ending in month")
    chart.update_yaxes(title_text=scale.unit)
    return chart


def cuts_table(results: Results) -> Table:
    """What makes the tail, cut by borrower, chips, off-taker, cause and class."""
    scale, rows = scale_of(results), []
    es = results.summary["focus"]["es_99"]
    for by, title in CUTS.items():
        table = cut(results, by)
        if len(table) < 2 and by == "class":
            continue
        for line in table.head(FEW).to_dict("records"):
            name = SHORT_CAUSES.get(line["id"], line["name"]) if by == "cause" else line["name"]
            rows.append(
                row(
                    title,
                    name,
                    estimate(scale, line, "el"),
                    estimate(scale, line, "es_99", mark=few_paths(results)),
                    share(line["share"]),
                )
            )
        rest = table.iloc[FEW:]
        if len(rest):
            rows.append(row(
                title, "1 other" if len(rest) == 1 else f"{len(rest)} others",
                scaled(scale, rest["el"].sum()), scaled(scale, rest["es_99"].sum()),
                share(words.ratio(rest["es_99"].sum(), es)),
            ))  # fmt: skip
    head = ("By", "Part", "Expected", "Part of ES 99%", "Share")
    text = (
        "Euler contributions: the mean of each part over the paths of its own ES 99%, so that the parts of "
        "every cut add up to it. ± is the error of that mean. Off-takers by today's contracts, chips by the "
        "value of what stood in pledge before the loss; losses of funds are looked through to what they hold."
    )
    return Table(
        "focus_cuts",
        "What makes its tail",
        head,
        tuple(rows),
        text,
        scale.unit,
        UNRESOLVED,
        words=2,
        brief_rows=12,
    )


def loans_table(results: Results) -> Table:
    """PD, LGD, expected loss and part of the tail of each loan."""
    scale, table = scale_of(results), results.tables["focus_loans"]
    shown = table.head(COUNT)
    rows = tuple(
        row(
            name, scaled(scale, line["exposure"]),
            probability(line["pd"], line["pd_se"]), probability(line["lgd"], line["lgd_se"]),
            estimate(scale, line, "el"), estimate(scale, line, "es_99", mark=few_paths(results)),
            share(line["share"]),
            SHORT_CAUSES.get(line["cause"], "–"),
            number(line["month"], ".0f"), f"{line['grade'] or '–'} / {line['weakest'] or '–'}",
        )
        for name, line in zip(labels(results, shown), shown.to_dict("records"), strict=True)
    )  # fmt: skip
    head = (
        "Loan", "Drawn today", "PD", "LGD", "Expected", "Part of ES 99%", "Share", "Usual cause",
        "Median month", "Grade",
    )  # fmt: skip
    text = (
        f"PD within {horizon_years(results.last)}. LGD: loss over balance at default, all paths. Median "
        "month of the defaults. Grade of the loan's own row / of the weakest row behind it."
    )
    if len(table) > COUNT:
        text += f" The largest {COUNT} of {len(table)} parts; all are in focus_loans.parquet."
    return Table(
        "focus_loans", f"Loans by their part of ES 99%, {horizon_years(results.last)}", head, rows, text,
        scale.unit, UNRESOLVED, brief_rows=8, brief_columns=(0, 1, 2, 3, 5),
    )  # fmt: skip


def actions_table(results: Results) -> Table:
    """What each action changes, on the same paths."""
    scale, entry = scale_of(results), results.summary["focus"]
    rows = tuple(
        row(
            ACTIONS[line["action"]], number(line["count"], ".0f"), estimate(scale, line, "el_change", True),
            estimate(scale, line, "es_95_change", True),
            estimate(scale, line, "es_99_change", True, few_paths(results)),
            share(words.ratio(line["es_99_change"], entry["es_99"])),
            scaled(scale, line["exposure"]), share(words.ratio(line["es_99"], line["exposure"])),
        )
        for line in results.tables["focus_actions"].to_dict("records")
    )  # fmt: skip
    head = (
        "Action", "Loans", "Δ expected loss", "Δ ES 95%", "Δ ES 99%", "Of ES 99%", "Drawn then",
        "ES 99% / drawn then",
    )  # fmt: skip
    text = (
        f"Each is a run of the same program on a changed book, on the same {entry['paths']:,} paths: ± is "
        "the paired standard error. What an action costs is not in it: less lent earns less, a guarantee has "
        "a fee, a sale a price (here par, to those who buy paper in the book). With a lower advance rate the "
        "owners put in the difference; faster repayment may itself bring defaults."
    )
    return Table(
        "focus_actions",
        "Actions and what they change",
        head,
        rows,
        text,
        scale.unit,
        UNRESOLVED,
        brief_rows=4,
    )


def actions(results: Results) -> tuple[Part, ...]:
    """The table, where there is an action."""
    return () if results.tables["focus_actions"].empty else (actions_table(results),)


def peers(results: Results) -> tuple[Part, ...]:
    """Others of its class beside it, from all paths of the run."""
    entry = results.summary["focus"]
    if entry["kind"] == "borrower":
        return borrower_peers(results, entry)
    rows = results.ranked(entry["kind"], results.last, "es_99")
    if entry["kind"] == "lender":
        rows = rows[rows["class"] == rows.loc[rows["id"] == entry["id"], "class"].iloc[0]]
    if len(rows) < 2:
        return ()
    own = rows["id"].tolist().index(entry["id"])
    shown = rows if len(rows) <= COUNT else pd.concat([rows.head(COUNT - 1), rows[rows["id"] == entry["id"]]])
    shown = shown.drop_duplicates("id").reset_index(drop=True)
    lines = tuple(
        row(
            peer_name(results, line), amount(line["exposure"]), measured(line["el"], line["el_se"]),
            shortfall(line, "99"), share(words.ratio(line["el"], line["exposure"])),
            share(words.ratio(line["es_99"], line["exposure"])),
            share(words.ratio(line["es_99"], line["capital"])),
        )
        for line in shown.to_dict("records")
    )  # fmt: skip
    head = ("", "Drawn today", "Expected", "ES 99%", "Expected / drawn", "ES 99% / drawn", "ES 99% / capital")
    text = (
        f"From all {results.summary['paths']:,} paths of the run; place {own + 1} of {len(rows)} by ES 99%."
    )
    emphasis = shown["id"].tolist().index(entry["id"])
    table = Table(
        "focus_peers", "Beside its peers", head, lines, text, results.unit, UNRESOLVED, emphasis=emphasis
    )
    return (Heading("Its peers"), table)


def peer_name(results: Results, line: dict[str, Any]) -> str:
    """A peer's name: of a class its name in words."""
    if line["kind"] == "lenders":
        return words.class_name(line["id"])
    return results.about.class_name(line["id"]) if line["kind"] == "class" else line["name"]


def borrower_peers(results: Results, entry: dict[str, Any]) -> tuple[Part, ...]:
    """Default probabilities of borrowers of its kind."""
    firms = results.tables["firms"]
    kind = firms.loc[firms["firm"] == entry["id"], "kind"]
    rows = firms[firms["kind"] == kind.iloc[0]] if len(kind) else firms.iloc[:0]
    years = max(int(column[3:-1]) for column in firms if column.startswith("pd_") and column.endswith("y"))
    last = f"pd_{years}y"
    rows = rows.sort_values(last, ascending=False, kind="stable").reset_index(drop=True)
    if len(rows) < 2:
        return ()
    lines = tuple(
        row(
            line["name"],
            probability(line["pd_1y"], line["pd_1y_se"]),
            probability(line[last], line[f"{last}_se"]),
        )
        for line in rows.to_dict("records")
    )
    head = ("Borrower", "PD 1 year", f"PD {years} years")
    emphasis = rows["firm"].tolist().index(entry["id"])
    table = Table("focus_peers", "Beside its peers", head, lines, "", emphasis=emphasis)
    return (Heading("Its peers"), table)


def sheets(results: Results) -> tuple[Part, ...]:
    """A sheet for each of the largest loans, folded."""
    table = results.tables["focus_sheets"]
    loans = results.tables["focus_loans"].set_index("id")
    folded = tuple(
        sheet(results, str(loan), table[table["loan"] == loan], loans.loc[loan].to_dict())
        for loan in loans.index[loans.index.isin(table["loan"])]
    )
    if not folded:
        return ()
    about = (
        "Means over all paths, and over those of its ES 99%. LTV and DSCR where they are tested: loans "
        "against chips whose borrower stands and that are not as good as repaid. A breach is an LTV above "
        "the covenant or a DSCR below its floor at the quarter's end, as a share of all paths."
    )
    return (Heading("Sheets of its largest loans"), note(about), *folded)


def sheet(results: Results, loan: str, rows: pd.DataFrame, terms: dict[str, Any]) -> Details:
    """One loan: its risk in a line, its balance and tests by half-year."""
    scale = scale_of(results)
    shown = rows[rows["month"] % 6 == 0].to_dict("records")
    lines = tuple(
        row(
            f"{line['month']:.0f}", scaled(scale, line["balance"]), scaled(scale, line["balance_tail"]),
            share(line["ltv"]), share(line["ltv_tail"]), multiple(line["dscr"]), multiple(line["dscr_tail"]),
            share(line["breach"]), share(line["breach_tail"]),
        )
        for line in shown
    )  # fmt: skip
    head = (
        "Month", "Balance", "in the tail", "LTV", "in the tail", "DSCR", "in the tail", "Breach",
        "in the tail",
    )  # fmt: skip
    recovery = 1.0 - terms["lgd"] if words.known(terms["lgd"]) else math.nan
    facts = [
        f"PD {words.share(terms['pd'])}", f"LGD {words.share(terms['lgd'])}",
        f"recovery {words.share(recovery)}",
        f"expected loss {scale.amount(terms['el'])} {scale.unit}",
        f"{words.share(terms['share'])} of ES 99%",
    ]  # fmt: skip
    borrower = "" if terms["borrower"] in terms["name"] else f" · {terms['borrower']}"
    name = f"{terms['name']} ({loan}){borrower}"
    table = Table(f"sheet_{loan}", "", head, lines, "The whole loan, whoever holds it.", scale.unit)
    return Details(f"{name}: {', '.join(facts)}", (table,))
