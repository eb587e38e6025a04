"""The section on the economy and the chips behind the losses."""

from engine.report import findings, timelines
from engine.report.section import Chart, Pair, Section, finding, note
from engine.results.folder import Results


def economy(results: Results) -> Section:
    """Regimes, AI revenue, chip prices and credit, month by month."""
    regimes = Chart("regimes", timelines.regimes(results), "Regimes of AI revenue", "share of paths.")
    fans = tuple(
        Chart(f"fan-{series}", timelines.fan(results, series, *look), look[0], f"{look[1]}.")
        for series, look in timelines.fans(results.about, results.unit).items()
    )
    bands = "Bands hold 25–75%, 5–95% and 1–99% of paths in each month; the line is the median."
    parts = (finding(findings.economy(results)), Pair((regimes, *fans)), note(bands))
    return Section("world", "What happens in these futures", parts)
