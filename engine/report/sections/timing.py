"""The section on timing: losses and defaults month by month."""

from engine.report import findings, timelines, words
from engine.report.markup import Charts, finding, paragraph, probability, section, side_by_side, table
from engine.report.words import share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def how_fast(results: Results, holder: Charts) -> str:
    """Timing of losses and defaults, and the borrowers behind them."""
    pair = (
        holder.place("timing", timelines.loss_timing(results), "Loss, month by month",
                     "bands: 25–75%, 5–95% and 1–99% of paths; line: median; red: mean."),
        holder.place("defaults", timelines.default_timing(results), "Defaults expected in each month"),
    )  # fmt: skip
    causes = holder.place(
        "causes", timelines.default_causes(results), "Why they default", "by kind of borrower."
    )
    return section(
        "how-fast", "How fast it comes", finding(findings.timing(results)), side_by_side(*pair), causes,
        boom_breaks(results, holder), firms_table(results),
    )  # fmt: skip


def boom_breaks(results: Results, holder: Charts) -> str:
    """What a boom that lasts longer does to the loss when it breaks."""
    caption = f"expected loss over {horizon_years(results.last)} with two standard errors."
    drawn = timelines.boom_breaks(results)
    chart = holder.place("boom-breaks", drawn, "Loss by when the boom breaks", caption)
    return chart + paragraph(findings.boom_breaks(results), "note")


def firms_table(results: Results, count: int = 12) -> str:
    """The named borrowers most likely to default by the last horizon."""
    firms = results.tables["firms"]
    ends = [f"pd_{horizon}" for horizon in results.horizons if f"pd_{horizon}" in firms.columns]
    rows = firms[firms["kind"] != "synthetic"].sort_values(ends[-1], ascending=False).head(count)
    causes = [column for column in firms.columns if column.startswith("cause_")]
    cells = []
    for _, row in rows.iterrows():
        leading = row[causes].astype(float).idxmax() if row[causes].sum() > 0 else ""
        said = f"{leading.removeprefix('cause_').replace('_', ' ')} {share(row[leading])}" if leading else "–"
        errors = [probability(row[end], row[end + "_se"]) for end in ends]
        cells.append((row["name"], words.kind_name(row["kind"]), row["rating"] or "–", said, *errors))
    head = ["Borrower", "Kind", "Rating", "Leading cause"]
    return table([*head, *(f"PD {horizon_years(end.removeprefix('pd_'))}" for end in ends)], cells, 4)
