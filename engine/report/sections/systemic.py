"""The section on systemic risk: lenders and the system in distress, and borrowers that default together."""

import pandas as pd
import plotly.graph_objects as go

from engine.report import style
from engine.report.charts import figure
from engine.report.section import Chart, Heading, Pair, Part, Section, finding, note
from engine.report.sections.heat_maps import heat_maps
from engine.report.sections.losses import STAR, UNRESOLVED, star
from engine.report.table import Table, amount, changed_share, interval, measured, row
from engine.report.words import amount as bn
from engine.report.words import class_name
from engine.report.words import error as bn_error
from engine.report.words import share as percent
from engine.results.folder import Results
from engine.results.horizons import horizon_words

LEVEL, SUFFIX = 0.95, "95"
"""Level of all measures: beyond 99% of 1% of the paths there is little to count."""

NAMED = 2
"""Lenders with the greatest importance or vulnerability that are named in the chart."""

COUNT = 16
"""Lenders in the table."""

MANY = 3
"""Defaults in one quarter that count as a cluster."""

KINDS = {"class": "Instruments", "bearer": "Final bearers"}


def systemic_risk(results: Results) -> Section:
    """Systemic measures of the lenders, then the clustering of defaults."""
    sentences = (lenders_sentence(results), clusters_sentence(results))
    parts: list[Part] = [finding(sentence) for sentence in sentences if sentence]
    rows = distressed(results)
    if not rows.empty:
        caption = (
            "right: the system loses more when this lender is in distress; up: this lender loses more of its "
            "capital when the system is. Bars: 95% intervals."
        )
        chart = Chart(
            "systemic", importance(rows, results), "Vulnerability and importance of lenders", caption
        )
        table = lenders_table(results, rows)
        parts += [*heat_maps(results), chart, table, *(note(text) for text in NOTES)]
        parts += [Heading("By class"), classes_table(results)]
    return Section("drag", "Who drags whom down", (*parts, *clustering(results)))


def distressed(results: Results) -> pd.DataFrame:
    """Lenders at LEVEL, greatest part of ES first; those never in distress are left out."""
    rows = results.tables["distress"]
    rows = rows[(rows["level"] == LEVEL) & rows["importance"].notna()]
    return rows.sort_values("mes", ascending=False, kind="stable")


def lenders_sentence(results: Results) -> str:
    """The most important and the most vulnerable lender."""
    rows = distressed(results)
    if rows.empty:
        return ""
    first = rows.loc[rows["importance"].idxmax()]
    sentence = (
        f"On the 5% of paths that are worst for {first['name']}, the system loses "
        f"{bn(first['importance'])} ± {bn_error(first['importance_se'], first['importance'])} "
        f"{results.short} more than on average, the largest increase for any lender."
    )
    weak = rows.dropna(subset=["vulnerability"])
    if weak.empty:
        return sentence
    weakest = weak.loc[weak["vulnerability"].idxmax()]
    return (
        f"{sentence} In the system's worst 5% of paths, {weakest['name']} loses most for its size: "
        f"{percent(weakest['vulnerability'])} of its capital today."
    )


def clusters_sentence(results: Results) -> str:
    """How much more the number of defaults varies than with independent borrowers."""
    spread = results.tables["dispersion"].dropna(subset=["dispersion"]).set_index("quarter")
    if "all" not in spread.index:
        return ""
    whole, law = spread.loc["all"], results.tables["clusters"]
    many = law[law["defaults"] >= MANY]
    return (
        f"The variance of the number of named defaults in {horizon_words(results.last)} is "
        f"{bn(whole['dispersion'])} ± {bn_error(whole['dispersion_se'], whole['dispersion'])} times that of "
        "independent borrowers. Three or more of them default in the same quarter on "
        f"{percent(many['probability'].sum())} of paths, against {percent(many['independent'].sum())} if "
        "they were independent."
    )


def importance(rows: pd.DataFrame, results: Results) -> go.Figure:
    """Each lender's loss in the system's distress against the system's loss in its distress."""
    rows = rows.dropna(subset=["vulnerability"])
    leaders = {*rows.nlargest(NAMED, "importance").index, *rows.nlargest(NAMED, "vulnerability").index}
    named = rows.loc[list(leaders)].sort_values("vulnerability", ascending=False).index
    # Neighbours are named above and below their points, which keeps their names apart.
    height = {place: ("top", "bottom")[rank % 2] for rank, place in enumerate(named)}
    middle = (rows["importance"].min() + rows["importance"].max()) / 2.0
    chart = figure(460)
    for lender_class, colour in style.CLASS_COLOURS.items():
        part = rows[rows["class"] == lender_class]
        if part.empty:
            continue
        chart.add_scatter(
            x=part["importance"],
            y=part["vulnerability"],
            mode="markers+text",
            name=class_name(lender_class),
            text=[name if place in height else "" for place, name in part["name"].items()],
            textposition=[
                f"{height.get(place, 'top')} {'left' if x > middle else 'right'}"
                for place, x in part["importance"].items()
            ],
            cliponaxis=False,
            textfont={"size": 11, "color": style.MUTED},
            marker={"color": colour, "size": 9},
            error_x=style.bars(part["importance_se"], colour),
            error_y=style.bars(part["vulnerability_se"], colour),
            customdata=part[["name", "mes"]],
            hovertemplate="<b>%{customdata[0]}</b><br>in its distress the system loses %{x:,.1f} "
            f"{results.short} more<br>in the system's it loses %{{y:.1%}} of its capital "
            f"(%{{customdata[1]:,.2f}} {results.short})<extra></extra>",
        )
    chart.update_xaxes(
        title_text=f"Importance: system loss above average in the lender's distress, {results.unit}"
    )
    chart.update_yaxes(
        title_text="Vulnerability: share of capital lost", tickformat="~%", type="log", dtick="D2"
    )
    return chart


def lenders_table(results: Results, lenders: pd.DataFrame) -> Table:
    """All measures of the lenders with the greatest part of ES.

    MES and its shares rest on the system's tail, importance on the lender's own, CoVaR on where both meet.
    """
    ours = star(results.system(results.last), SUFFIX)
    tails = results.ranked("lender", results.last, "es_99").set_index("id")
    rows = []
    for lender in lenders.head(COUNT).to_dict("records"):
        theirs = star(tails.loc[lender["id"]].to_dict(), SUFFIX)
        both = "" if lender["covar_resolved"] else STAR
        rows.append(row(
            lender["name"], class_name(lender["class"]), measured(lender["mes"], lender["mes_se"], ours),
            changed_share(lender["es_share"], lender["es_share_se"], mark=ours),
            changed_share(lender["vulnerability"], lender["vulnerability_se"], mark=ours),
            interval(lender["covar"], lender["covar_lo"], lender["covar_hi"], both),
            measured(lender["delta_covar"], lender["delta_covar_se"], both),
            measured(lender["importance"], lender["importance_se"], theirs), amount(lender["passed_on"]),
        ))  # fmt: skip
    head = ("Lender", "Class", "MES", "Share of system ES", "Vulnerability", "CoVaR", "ΔCoVaR", "Importance",
            "Others lose if it fails")  # fmt: skip
    return Table("systemic", "Lenders in distress", head, tuple(rows), "", results.unit, UNRESOLVED, words=2)


NOTES = (
    "In the system's worst 5% of paths: MES is the lender's mean loss; the next column is its share of the "
    "system's ES 95% (a fund's loss appears again at its owners and creditors); vulnerability is MES over "
    "the lender's capital today, which grows during the run.",
    "In the lender's own worst 5% of paths: CoVaR is the loss that the system exceeds on 5% of those paths, "
    "with its 95% interval; ΔCoVaR is the difference to the same measure where the lender loses no more than "
    "its median; importance is the system's mean loss above its overall mean. These three are correlation, "
    "not cause: a lender may be in distress because the system is.",
    "The last column alone is cause: what owners and creditors of this fund would lose if it lost all its "
    "capital today and nothing else happened, bankruptcy costs included. A dash means that nobody in the "
    "book holds claims on this lender, so its failure passes nothing on. ± is one standard error.",
)
"""Meaning of the columns of the lenders' table."""


def classes_table(results: Results) -> Table:
    """Euler contributions by class of instrument and of final bearer."""
    ours = star(results.system(results.last), SUFFIX)
    shares = results.tables["es_shares"]
    shares = shares[
        (shares["level"] == LEVEL) & shares["kind"].isin([*KINDS]) & (shares["contribution"] > 0.0)
    ].sort_values("contribution", ascending=False)
    rows = tuple(
        row(
            name, results.about.class_name(part["id"]) if kind == "class" else part["name"],
            measured(part["contribution"], part["contribution_se"], ours),
            changed_share(part["share"], part["share_se"], mark=ours),
        )
        for kind, name in KINDS.items()
        for part in shares[shares["kind"] == kind].to_dict("records")
    )  # fmt: skip
    text = (
        "Euler contributions to the system's ES 95%. Instruments add up to it; bearers add up to more where "
        "funds lose on assets outside the book or bankruptcy costs money."
    )
    head = ("Split by", "Class", "Part of ES 95%", "Share")
    return Table(
        "systemic_classes",
        "The system's ES 95% by class",
        head,
        rows,
        text,
        results.unit,
        UNRESOLVED,
        words=2,
    )


def clustering(results: Results) -> tuple[Part, ...]:
    """Defaults in the worst quarter, and their dispersion by quarter; none where nobody defaults."""
    if results.tables["dispersion"]["dispersion"].isna().all():
        return ()
    pair = Pair((
        Chart("clusters", worst_quarter(results), "Named defaults in a path's worst quarter",
              "logarithmic vertical axis; bars: 95% intervals."),
        Chart("dispersion", dispersion(results), "Do defaults cluster?",
              "variance of the number of defaults in a quarter, over that of independent borrowers."),
    ))  # fmt: skip
    text = (
        "Independent: every borrower keeps its probability of default in each quarter, whatever happens to "
        "the others. In the chart of dispersion, one means no clustering; above one, defaults cluster."
    )
    return Heading("Borrowers that default together"), pair, note(text)


def worst_quarter(results: Results) -> go.Figure:
    """Law of the number of defaults in the worst quarter beside that of independent borrowers."""
    rows = results.tables["clusters"]
    chart = figure(340, barmode="group", bargap=0.2)
    looks = (("this run", "probability", style.NAVY), ("independent", "independent", style.SAND))
    for name, key, colour in looks:
        chart.add_bar(
            x=rows["defaults"],
            y=rows[key].where(rows[key] > 0.0),
            name=name,
            marker_color=colour,
            error_y=style.bars(rows["probability_se"]) if key == "probability" else None,
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
        error_y=style.bars(rows["dispersion_se"], style.NAVY),
        customdata=rows["expected"],
        hovertemplate="quarter %{x}: %{y:.2f}, %{customdata:.2f} defaults expected<extra></extra>",
    )
    chart.add_hline(y=1.0, line={"color": style.RED, "width": 1.2, "dash": "dot"})
    chart.update_xaxes(title_text="Quarter from the book's date", dtick=4, tick0=0)
    chart.update_yaxes(title_text="Index of dispersion", rangemode="tozero")
    return chart
