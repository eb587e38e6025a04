"""The section on the economy and the chips behind the losses."""

from engine.report import findings, timelines
from engine.report.markup import (
    Charts,
    finding,
    paragraph,
    section,
    side_by_side,
)
from engine.results.folder import Results


def world(results: Results, holder: Charts) -> str:
    """The economy and the chips behind the losses."""
    fans = [
        holder.place(f"fan-{series}", timelines.fan(results, series, *look), look[0], f"{look[1]}.")
        for series, look in timelines.FANS.items()
    ]
    regimes = holder.place("regimes", timelines.regimes(results), "Regimes of AI revenue", "share of paths.")
    note = "Bands hold 25–75%, 5–95% and 1–99% of the paths, month by month; the line is the median."
    return section(
        "world", "What happens in these futures", finding(findings.economy(results)),
        side_by_side(regimes, *fans), paragraph(note, "note"),
    )  # fmt: skip
