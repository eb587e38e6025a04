"""A comparison of runs for a reader: its page and its printout."""

from typing import Any

from engine.report.comparison_charts import grid_table, sweep_charts
from engine.report.comparison_tables import defaults_table, keys_table, loss_table, others_parts, ranked_table
from engine.report.comparison_words import headline, lead
from engine.report.html import drawings, packed_plotly, render
from engine.report.section import Bullets, Part, Section, finding, note
from engine.report.style import night
from engine.report.terminal import Stream, printed
from engine.report.unit import readable_comparison, unit_remark
from engine.results.comparison import Comparison


def sections(comparison: Comparison) -> list[tuple[str, Section]]:
    """The page's sections by their names in the contents."""
    caveats = [each for part in comparison.parts for each in (*part.caveats, *part.notes)]
    if not comparison.horizons:
        body = (finding(headline(comparison)), Bullets(tuple(caveats)))
        return [("Not comparable", Section("caveats", "What cannot be compared", body))]
    tables = [each for each in (grid_table(comparison), loss_table(comparison)) if each is not None]
    changes: tuple[Part, ...] = (*sweep_charts(comparison), *tables)
    who = [
        ranked_table(comparison, "lender", "lenders", "Lenders by change of ES 99%"),
        ranked_table(comparison, "bearer", "bearers", "Final bearers by change of ES 99%"),
        defaults_table(comparison),
    ]
    listed: tuple[Part, ...] = tuple(each for each in who if each is not None)
    listed = listed or (note("No lender, bearer or borrower changes."),)
    rest: tuple[Part, ...] = (
        note(
            "Numbers of every table that both runs have, amounts in USD bn as in their files; results/ "
            "beside this page holds all of them."
        ),
        *others_parts(comparison),
    )
    none = "Nothing: book, version, horizons, seed, sampler, paths and tables are the same."
    return [
        ("Changes", Section("changes", "What changes", changes)),
        ("Who", Section("who", "Whose losses change", listed)),
        ("Asked", Section("asked", "What was asked", (keys_table(comparison),))),
        (
            "Not comparable",
            Section("caveats", "What cannot be compared", (Bullets(tuple(caveats or [none])),)),
        ),
        ("All tables", Section("others", "Every other table", rest)),
    ]


def page(comparison: Comparison) -> str:
    """The document."""
    comparison = readable_comparison(comparison)
    contents = sections(comparison)
    names = " · ".join(run.name for run in comparison.runs[:6])
    return render(
        "report.html",
        title="Undertow: runs compared",
        kicker=f"Undertow · {len(comparison.runs)} runs · {names}{unit_remark(comparison.unit)}",
        headline=headline(comparison), lead=lead(comparison), unreliable="", doubts=[],
        warnings=[caveat for part in comparison.parts for caveat in part.caveats], cards=[],
        sections=contents,
        plotly=packed_plotly(),
        charts=drawings(chart for _, part in contents for chart in part.charts),
        night=night(),
    )  # fmt: skip


def print_comparison(comparison: Comparison, file: Stream) -> None:
    """Prints a comparison: what changes, whose losses, what cannot be compared."""
    comparison = readable_comparison(comparison)
    blocks: list[Any] = [headline(comparison), lead(comparison)]
    if comparison.horizons:
        blocks += [
            grid_table(comparison), loss_table(comparison),
            ranked_table(comparison, "lender", "lenders", "Lenders by change of ES 99%"),
            defaults_table(comparison),
        ]  # fmt: skip
    caveats = [f"! {caveat}" for part in comparison.parts for caveat in part.caveats]
    title = f"Undertow · {len(comparison.runs)} runs compared with {comparison.base.name}"
    title += unit_remark(comparison.unit)
    printed(file, title, [block for block in blocks if block is not None], caveats)
