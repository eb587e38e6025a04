"""The part of the page on who drags whom down: lenders and the system, and borrowers that fall together."""

import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure
from engine.report.markup import (
    Charts,
    between,
    finding,
    paragraph,
    probability,
    section,
    side_by_side,
    table,
)
from engine.report.words import amount, class_name, error, measured, share
from engine.results.folder import Results
from engine.results.horizons import horizon_words

LEVEL = 0.95
"""Level of all measures: beyond 99% of 1% of the paths there is little to count."""

NAMED = 2
"""Lenders with the greatest importance or vulnerability that are named in the chart."""


def who_drags_whom(results: Results, holder: Charts) -> str:
    """Systemic measures of the lenders, then the clustering of defaults."""
    parts = [
        finding(sentence) for sentence in (lenders_finding(results), defaults_finding(results)) if sentence
    ]
    rows = distressed(results)
    if not rows.empty:
        caption = (
            "right: the system loses more when this lender is in distress; up: this lender loses more of its "
            "capital when the system is. Bars: 95% intervals."
        )
        chart = holder.place("systemic", importance(rows), "Vulnerability against importance", caption)
        parts += [chart, lenders_table(rows), classes_table(results)]
    return section("drag", "Who drags whom down", *parts, clustering(results, holder))


def distressed(results: Results):
    """Lenders at LEVEL, greatest part of ES first; those never in distress are left out."""
    rows = results.tables["distress"]
    rows = rows[(rows["level"] == LEVEL) & rows["importance"].notna()]
    return rows.sort_values("mes", ascending=False, kind="stable")


def lenders_finding(results: Results) -> str:
    """The most important and the most vulnerable lender."""
    rows = distressed(results)
    if rows.empty:
        return ""
    first = rows.loc[rows["importance"].idxmax()]
    sentence = (
        f"On the 5% of paths that are worst for {first['name']} the system loses "
        f"{amount(first['importance'])} ± {error(first['importance_se'], first['importance'])} bn more than "
        "on average, the most of any lender"
    )
    weak = rows.dropna(subset=["vulnerability"])
    if weak.empty:
        return sentence + "."
    weakest = weak.loc[weak["vulnerability"].idxmax()]
    return (
        f"{sentence}; in the system's worst 5% {weakest['name']} loses the most for its size, "
        f"{share(weakest['vulnerability'])} of its capital today."
    )


def defaults_finding(results: Results) -> str:
    """How much more defaults vary than those of independent borrowers."""
    spread = results.tables["dispersion"].dropna(subset=["dispersion"]).set_index("quarter")
    if "all" not in spread.index:
        return ""
    whole, law = spread.loc["all"], results.tables["clusters"]
    many = law[law["defaults"] >= 3]
    return (
        f"The number of named defaults in {horizon_words(results.last)} varies "
        f"{amount(whole['dispersion'])} ± {error(whole['dispersion_se'], whole['dispersion'])} times "
        "as much as if borrowers were independent; three or more fall in one quarter on "
        f"{share(many['probability'].sum())} of paths, against {share(many['independent'].sum())}."
    )


def importance(rows) -> go.Figure:
    """Each lender's loss in the system's distress against the system's loss in its distress."""
    rows = rows.dropna(subset=["vulnerability"])
    named = {*rows.nlargest(NAMED, "importance").index, *rows.nlargest(NAMED, "vulnerability").index}
    weakest = rows["vulnerability"].idxmax()
    chart = figure(460)
    for lender_class, colour in style.CLASS_COLOURS.items():
        part = rows[rows["class"] == lender_class]
        if part.empty:
            continue
        bars = {"type": "data", "thickness": 1, "width": 2, "color": colour}
        chart.add_scatter(
            x=part["importance"],
            y=part["vulnerability"],
            mode="markers+text",
            name=class_name(lender_class),
            text=[name if place in named else "" for place, name in part["name"].items()],
            textposition=["middle right" if place == weakest else "middle left" for place in part.index],
            cliponaxis=False,
            textfont={"size": 11, "color": style.MUTED},
            marker={"color": colour, "size": 9},
            error_x={**bars, "array": 1.96 * part["importance_se"]},
            error_y={**bars, "array": 1.96 * part["vulnerability_se"]},
            customdata=part[["name", "mes"]],
            hovertemplate="<b>%{customdata[0]}</b><br>in its distress the system loses %{x:,.1f} bn more<br>"
            "in the system's it loses %{y:.1%} of its capital (%{customdata[1]:,.2f} bn)<extra></extra>",
        )
    chart.update_xaxes(title_text="Importance: system loss in its distress above the average, USD bn")
    chart.update_yaxes(title_text="Vulnerability: share of capital lost", tickformat="~%", type="log")
    return chart


def lenders_table(rows, count: int = 16) -> str:
    """All measures of the lenders with the greatest part of ES."""
    cells = [
        (row["name"], class_name(row["class"]), measured(row["mes"], row["mes_se"]),
         probability(row["es_share"], row["es_share_se"]),
         probability(row["vulnerability"], row["vulnerability_se"]),
         between(row["covar"], row["covar_lo"], row["covar_hi"]),
         measured(row["delta_covar"], row["delta_covar_se"]),
         measured(row["importance"], row["importance_se"]), amount(row["passed_on"]))
        for row in rows.head(count).to_dict("records")
    ]  # fmt: skip
    head = (
        "Lender", "Class", "MES", "Of system ES", "Vulnerability", "CoVaR", "ΔCoVaR", "Importance",
        "Others lose if it fails",
    )  # fmt: skip
    notes = (
        "In the system's worst 5% of paths: MES, what the lender then loses on average, USD bn; its share of "
        "the system's ES 95% (a fund's loss appears again at its owners and creditors); vulnerability, MES "
        "over the lender's capital today, which in the run grows with the book.",
        "In the lender's own worst 5%: CoVaR, the loss the system exceeds in 5% of those paths, with its 95% "
        "interval; ΔCoVaR, how much that is above the same where the lender loses no more than its median; "
        "importance, what the system loses on average above its overall mean. These three are correlation, "
        "not cause: a lender may be in distress because the system is.",
        "The last column is cause alone: what owners and creditors of this fund would lose if it lost all "
        "its capital today and nothing else happened, bankruptcy costs included. A dash: nobody in the book "
        "holds claims on this lender, so its failure passes nothing on here. ± one standard error.",
    )
    return table(head, cells, 2) + "".join(paragraph(note, "note") for note in notes)


def classes_table(results: Results) -> str:
    """Euler contributions by class of instrument and of final bearer."""
    rows = results.tables["es_shares"]
    rows = rows[
        (rows["level"] == LEVEL) & rows["kind"].isin(["class", "bearer"]) & (rows["contribution"] > 0.0)
    ]
    kinds = {"class": "through instruments", "bearer": "finally borne by"}
    cells = [
        (kinds[row["kind"]], class_name(row["id"]), measured(row["contribution"], row["contribution_se"]),
         probability(row["share"], row["share_se"]))
        for kind in kinds
        for row in rows[rows["kind"] == kind].sort_values("contribution", ascending=False).to_dict("records")
    ]  # fmt: skip
    note = (
        "Euler contributions to the system's ES 95%. Instruments add up to it. Bearers add up to more where "
        "funds lose on assets outside the book or bankruptcy costs money."
    )
    head = ("Part of ES 95%", "Class", "USD bn", "Share")
    return "<h3>The same by class</h3>" + table(head, cells, 2) + paragraph(note, "note")


def clustering(results: Results, holder: Charts) -> str:
    """Defaults in the worst quarter, and their dispersion by quarter."""
    if results.tables["dispersion"]["dispersion"].isna().all():
        return ""
    pair = (
        holder.place("clusters", worst_quarter(results), "Named defaults in a path's worst quarter",
                     "the vertical axis is logarithmic; bars: 95% intervals."),
        holder.place("dispersion", dispersion(results), "Do they come together?",
                     "variance of the number of defaults in a quarter over that of independent borrowers."),
    )  # fmt: skip
    note = (
        "Independent: every borrower keeps its probability of default in each quarter but knows nothing of "
        "the others. One on the right means no clustering; above one, defaults come in clusters."
    )
    return "<h3>Borrowers that fall together</h3>" + side_by_side(*pair) + paragraph(note, "note")


def worst_quarter(results: Results) -> go.Figure:
    """Law of the number of defaults in the worst quarter beside that of independent borrowers."""
    rows = results.tables["clusters"]
    chart = figure(340, barmode="group", bargap=0.2)
    looks = (("this run", "probability", style.NAVY), ("independent", "independent", style.SAND))
    for name, key, colour in looks:
        bars = {"type": "data", "array": 1.96 * rows["probability_se"], "thickness": 1.2, "color": style.INK}
        chart.add_bar(
            x=rows["defaults"],
            y=rows[key].where(rows[key] > 0.0),
            name=name,
            marker_color=colour,
            error_y=bars if key == "probability" else None,
            hovertemplate="%{x} defaults in the worst quarter: %{y:.3%} of paths<extra>" + name + "</extra>",
        )
    chart.update_xaxes(title_text="Named defaults in the worst quarter", dtick=1)
    chart.update_yaxes(title_text="Share of paths", type="log", tickformat="~%", dtick=1)
    return chart


def dispersion(results: Results) -> go.Figure:
    """Index of dispersion by quarter with 95% intervals."""
    rows = results.tables["dispersion"].query("quarter != 'all'").dropna(subset=["dispersion"])
    chart = figure(340, showlegend=False)
    chart.add_scatter(
        x=rows["quarter"].astype(int),
        y=rows["dispersion"],
        mode="markers",
        marker={"color": style.NAVY, "size": 7},
        error_y={
            "type": "data",
            "array": 1.96 * rows["dispersion_se"],
            "thickness": 1.2,
            "color": style.NAVY,
        },
        customdata=rows["expected"],
        hovertemplate="quarter %{x}: %{y:.2f}, %{customdata:.2f} defaults expected<extra></extra>",
    )
    chart.add_hline(y=1.0, line={"color": style.RED, "width": 1.2, "dash": "dot"})
    chart.update_xaxes(title_text="Quarter from the book's date", dtick=4, tick0=0)
    chart.update_yaxes(title_text="Index of dispersion", rangemode="tozero")
    return chart
